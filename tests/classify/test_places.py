"""What a person writes for a far side."""

from ipaddress import ip_address

import pytest

from egress_audit.classify.places import NamedPlace, named_place


def host(name: str, port: int | None = None, protocol: str | None = None) -> NamedPlace:
    return NamedPlace(name, None, port, protocol)


def address(text: str, port: int | None = None, protocol: str | None = None) -> NamedPlace:
    return NamedPlace("", ip_address(text), port, protocol)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Ollama.COM.", host("ollama.com")),
        ("ollama.com:443", host("ollama.com", 443)),
        ("ollama.com:443/tcp", host("ollama.com", 443, "tcp")),
        ("_dns.resolver.arpa", host("_dns.resolver.arpa")),
        ("localhost", host("localhost")),
        ("8.8.8.8", address("8.8.8.8")),
        ("8.8.8.8:80/udp", address("8.8.8.8", 80, "udp")),
        ("2001:db8::1", address("2001:db8::1")),
        ("[2001:db8::1]", address("2001:db8::1")),
        ("[2001:db8::1]:443/udp", address("2001:db8::1", 443, "udp")),
    ],
)
def test_a_place_is_a_host_or_an_address_with_perhaps_a_port(text: str, place: NamedPlace) -> None:
    assert named_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "https://a.b",
        "a.b:0",
        "a.b:65536",
        "a.b:443/sctp",
        "8.8.8",
        "8.8.8.256",
        "[8.8.8.8",
        "[a.b]:1",
        "fe80::1%eth0",
        "[fe80::1%\x1b]:1",
        "-h",
        "a-.example",
        "bücher.example",
        "a b",
        "a.b\n",
        "a." * 200,
        "x" * 64,
    ],
)
def test_what_is_neither_is_no_place(text: str) -> None:
    assert named_place(text) is None
