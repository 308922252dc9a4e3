"""From a host or an address to the entries that fit it."""

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.places import named_place
from egress_audit.model.catalogue import Entry
from tests.builders.catalogues import catalogue, read_entry


def ids(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.id for entry in entries]


SUFFIX = catalogue(below="*.ollama.com")
EXACT = catalogue(exact="ollama.com")
REGEX = catalogue(regex=r"/^derp\d+\.tailscale\.com$/")


@pytest.mark.parametrize("host", ["ollama.com", "a.ollama.com", "a.b.ollama.com"])
def test_a_suffix_fits_its_host_and_all_below(host: str) -> None:
    assert ids(SUFFIX.of_host(host)) == ["below"]


@pytest.mark.parametrize("host", ["notollama.com", "ollama.com.evil.example", "com", "", ".", "a"])
def test_a_suffix_ends_between_labels(host: str) -> None:
    assert SUFFIX.of_host(host) == ()


@pytest.mark.parametrize("host", ["OLLAMA.com", "ollama.com.", "Ollama.Com."])
def test_case_and_a_dot_at_the_end_make_no_difference(host: str) -> None:
    assert ids(EXACT.of_host(host)) == ["exact"]
    assert ids(SUFFIX.of_host(f"a.{host}")) == ["below"]


@pytest.mark.parametrize("host", ["a.ollama.com", "ollama.co", "ollama.com..", "ollama"])
def test_an_exact_host_fits_itself_alone(host: str) -> None:
    assert EXACT.of_host(host) == ()


def test_punycode_fits_as_it_is_written() -> None:
    assert ids(catalogue(a="*.xn--bcher-kva.example").of_host("www.xn--bcher-kva.example")) == ["a"]


def test_a_regular_expression_fits_whole_names() -> None:
    assert ids(REGEX.of_host("Derp12.tailscale.com.")) == ["regex"]


@pytest.mark.parametrize(
    "host", ["derp.tailscale.com", "derp1.x.tailscale.com", "derp1.tailscale.community", "derp1"]
)
def test_a_regular_expression_does_not_fit_what_is_nearly_so(host: str) -> None:
    assert REGEX.of_host(host) == ()


def test_no_regular_expression_is_tried_on_what_can_be_no_name() -> None:
    known = catalogue(a=r"/^x[a-z]*\.a\.example$/")
    assert known.of_host(f"x{'a' * 62}.a.example")
    assert not known.of_host(f"x{'a' * 63}.a.example")


def test_an_expression_with_optional_labels_fits_with_and_without() -> None:
    known = catalogue(a=r"/^bedrock\.[a-z]+\.amazonaws\.com(\.cn)?$/")
    assert known.of_host("bedrock.eu.amazonaws.com")
    assert known.of_host("bedrock.eu.amazonaws.com.cn")
    assert not known.of_host("bedrock.eu.amazonaws.com.co")


LABELS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4)
HOSTS = st.builds(".".join, LABELS)
PATTERNS = st.one_of(HOSTS, st.builds("*.{}".format, HOSTS))


def fits(pattern: str, host: str) -> bool:
    """What a pattern means, said in another way."""
    if not pattern.startswith("*."):
        return host == pattern
    labels, below = host.split("."), pattern[2:].split(".")
    return labels[-len(below) :] == below


@given(st.lists(PATTERNS, max_size=8), HOSTS)
def test_just_those_entries_are_found_that_a_host_fits(patterns: list[str], host: str) -> None:
    known = catalogue(**{f"e{number}": pattern for number, pattern in enumerate(patterns)})
    wanted = {f"e{number}" for number, pattern in enumerate(patterns) if fits(pattern, host)}
    assert set(ids(known.of_host(host))) == wanted


NETWORKS = st.builds(
    lambda number, length: f"{IPv4Address(number >> 32 - length << 32 - length)}/{length}",
    st.integers(0xC000_0200, 0xC000_02FF),
    st.integers(8, 32),
)


@given(st.lists(NETWORKS, max_size=8), st.integers(0xC000_01F0, 0xC000_030F))
def test_just_those_entries_are_found_that_hold_an_address(
    networks: list[str], number: int
) -> None:
    address = IPv4Address(number)
    known = catalogue(**{f"e{place}": network for place, network in enumerate(networks)})
    wanted = {f"e{place}" for place, net in enumerate(networks) if address in ip_network(net)}
    assert set(ids(known.of_address(address))) == wanted


def test_the_closest_fit_is_told_first() -> None:
    known = catalogue(
        wide="*.example", below="*.b.example", regex=r"/^a[0-9]\.b\.example$/", exact="a1.b.example"
    )
    assert ids(known.of_host("a1.b.example")) == ["exact", "regex", "below", "wide"]


def test_one_host_can_be_called_for_several_purposes() -> None:
    assert ids(catalogue(one="a.example", two="a.example").of_host("a.example")) == ["one", "two"]


def test_an_entry_that_fits_twice_is_told_once() -> None:
    assert ids(catalogue(one="a.example *.example").of_host("a.example")) == ["one"]


def test_a_name_longer_than_any_is_not_looked_up() -> None:
    assert SUFFIX.of_host("a." * 125 + "ollama.com") == ()


@pytest.mark.parametrize(
    ("port", "protocol", "fits"),
    [
        (443, "tcp", True),
        (443, None, True),
        (None, None, True),
        (443, "udp", False),
        (80, "tcp", False),
        (44, None, False),
    ],
)
def test_a_port_that_is_known_must_be_one_of_the_entry(
    port: int | None, protocol: str | None, fits: bool
) -> None:
    known = catalogue(a="a.example 192.0.2.0/24 443/tcp 8443/tcp")
    assert bool(known.of_host("a.example", port, protocol)) is fits
    assert bool(known.of_address("192.0.2.1", port, protocol)) is fits


def test_an_entry_without_ports_fits_any() -> None:
    assert EXACT.of_host("ollama.com", 25, "udp")


def test_the_longest_prefix_is_told_first() -> None:
    known = catalogue(wide="192.0.0.0/16", narrow="192.0.2.0/24", other="198.51.100.0/24")
    assert ids(known.of_address("192.0.2.1")) == ["narrow", "wide"]


def test_an_address_outside_every_prefix_fits_nothing() -> None:
    assert catalogue(a="192.0.2.0/24 2001:db8::/32").of_address("192.0.3.1") == ()


def test_prefixes_are_of_either_family() -> None:
    assert ids(catalogue(a="2001:db8::/32").of_address("2001:db8::1")) == ["a"]


def test_an_address_that_leads_to_another_fits_what_that_fits() -> None:
    known = catalogue(metadata="169.254.169.254/32")
    assert ids(known.of_address("::ffff:169.254.169.254")) == ["metadata"]


def test_text_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        EXACT.of_address("a.example")


@pytest.mark.parametrize(("text", "found"), [("a.example:443", ["a"]), ("192.0.2.9", ["b"])])
def test_a_place_is_looked_up_by_name_or_by_address(text: str, found: list[str]) -> None:
    place = named_place(text)
    assert place
    assert ids(catalogue(a="a.example", b="192.0.2.0/24").at(place)) == found


def test_an_entry_is_had_by_its_id() -> None:
    entry = read_entry()
    known = Catalogue.of([entry])
    assert known.entry("acme-telemetry") == entry
    assert known.entry("acme") is None


def test_every_entry_can_be_had() -> None:
    known = catalogue(a="a.example", b="b.example")
    assert ids(tuple(known)) == ["a", "b"]
    assert len(known) == 2
