"""The ledger: what our helpers left unread or hidden is not the program's."""

from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.model.evidence import Coverage
from tests.builders.bundles import TARGET
from tests.builders.captures import (
    UDP,
    client_hello,
    dns_answer,
    dns_query,
    http_request,
    ip,
    pcap,
    tcp_session,
    udp,
    udp_exchange,
)
from tests.builders.dtls import body, fragment, record
from tests.builders.recordings import EXERCISER, HOME, bundle, local, sent_by
from tests.builders.scenes import one, script


def ledger(folder: Path) -> Coverage:
    return audit_capture(str(folder)).audit.coverage


@pytest.mark.parametrize(("who", "count"), [(TARGET, 1), (EXERCISER, 0)])
def test_a_beginning_that_was_never_completed_is_unread_if_it_is_the_programs(
    tmp_path: Path, who: int, count: int
) -> None:
    there = script((HOME, 40001), ("203.0.113.9", 80))
    there.handshake()
    there.from_client("PA", b"GET / HT")
    made = bundle(tmp_path / "b", sent_by(who, there.frames))
    assert sum(ledger(made).unread_heads.values()) == count


def test_the_loopback_of_a_sandbox_is_known_for_one(tmp_path: Path) -> None:
    made = bundle(tmp_path / "b", local())
    assert ledger(made).loopback_on_wire == 0


def test_what_stays_on_the_loopback_of_a_sandbox_needs_no_name(tmp_path: Path) -> None:
    """Who serves there belongs to the program, and what it passes on is in the capture."""
    there = script(("127.0.0.1", 40001), ("127.0.0.1", 8080))
    there.handshake()
    there.from_client("PA", b"GET / HT")
    sent = sent_by(TARGET, there.frames, ours="127.0.0.1", interface=1)
    assert ledger(bundle(tmp_path / "b", sent)).unread_heads == {}


@pytest.mark.parametrize(("who", "count"), [(TARGET, 1), (EXERCISER, 0)])
def test_a_datagram_that_is_no_dns_is_unread_if_it_is_the_programs(
    tmp_path: Path, who: int, count: int
) -> None:
    sent = sent_by(who, [one(ip(HOME, "8.8.8.8", udp(4000, 53, b"\x00"), UDP))])
    assert sum(ledger(bundle(tmp_path / "b", sent)).unread_heads.values()) == count


@pytest.mark.parametrize(("who", "hidden"), [(TARGET, {"QUIC": 1}), (EXERCISER, {})])
def test_a_hidden_name_counts_if_it_is_the_programs(
    tmp_path: Path, who: int, hidden: dict[str, int]
) -> None:
    sent = sent_by(who, [one(ip(HOME, "203.0.113.9", udp(4000, 443, b"x"), UDP))])
    assert ledger(bundle(tmp_path / "b", sent)).hidden_names == hidden


@pytest.mark.parametrize(("who", "tunnels"), [(TARGET, {"WireGuard": 1}), (EXERCISER, {})])
def test_a_tunnel_counts_if_it_is_the_programs(
    tmp_path: Path, who: int, tunnels: dict[str, int]
) -> None:
    sent = sent_by(who, [one(ip(HOME, "203.0.113.9", udp(4000, 51820, b"x"), UDP))])
    assert ledger(bundle(tmp_path / "b", sent)).tunnels == tunnels


def test_every_frame_is_counted_whoever_sent_it(tmp_path: Path) -> None:
    sent = sent_by(EXERCISER, [one(ip(HOME, "203.0.113.9", udp(4000, 9, b"x"), UDP))])
    assert ledger(bundle(tmp_path / "b", sent)).frames == 9


def hidden(folder: Path, host: str, address: str, port: int = 443) -> dict[str, int]:
    """What the capture of one hello hides."""
    path = folder / "made.pcap"
    path.write_bytes(pcap(tcp_session(("10.0.0.2", 40000), (address, port), client_hello(host))))
    return dict(audit_capture(str(path)).audit.coverage.hidden_names)


@pytest.mark.parametrize(
    ("host", "address"), [("dns.google", "203.0.113.9"), ("a.example", "8.8.8.8")]
)
def test_a_resolver_that_is_asked_through_https_hides_names(
    tmp_path: Path, host: str, address: str
) -> None:
    assert hidden(tmp_path, host, address) == {"DNS over HTTPS (known resolver)": 1}


def test_an_ordinary_server_hides_none(tmp_path: Path) -> None:
    assert hidden(tmp_path, "a.example", "203.0.113.9") == {}


def test_a_resolver_on_another_port_is_not_asked_through_https(tmp_path: Path) -> None:
    assert hidden(tmp_path, "a.example", "8.8.8.8", port=8883) == {}


@pytest.mark.parametrize("port", [80, 443, 8443])
def test_one_that_is_named_is_asked_at_any_port(tmp_path: Path, port: int) -> None:
    named = hidden(tmp_path, "httpdns.baidubce.com", "203.0.113.9", port=port)
    assert named == {"DNS over HTTP (known resolver)": 1}


def test_dns_over_tls_is_counted_once(tmp_path: Path) -> None:
    assert sum(hidden(tmp_path, "dns.google", "203.0.113.9", port=853).values()) == 1


RESOLVER = ("192.0.2.53", 53)


@pytest.mark.parametrize(
    ("host", "port", "count"),
    [("httpdns.baidubce.com", 8080, 1), ("dns.google", 443, 1), ("dns.google", 8883, 0)],
)
def test_an_address_is_that_of_the_resolver_whose_name_led_there(
    tmp_path: Path, host: str, port: int, count: int
) -> None:
    answered = dns_answer(host, ["203.0.113.9"])
    frames = udp_exchange(("10.0.0.2", 40000), RESOLVER, dns_query(host), answered)
    frames += tcp_session(("10.0.0.2", 40001), ("203.0.113.9", port), client_hello("a.example"))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(frames))
    assert sum(audit_capture(str(path)).audit.coverage.hidden_names.values()) == count


@pytest.mark.parametrize("proxy", [("192.168.1.9", 3128), ("127.0.0.1", 3128)])
def test_a_proxy_can_be_asked_for_one(tmp_path: Path, proxy: tuple[str, int]) -> None:
    near = proxy[0] if proxy[0].startswith("127") else "10.0.0.2"
    asked = http_request("httpdns.baidubce.com:443", method="CONNECT")
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(tcp_session((near, 40000), proxy, asked)))
    names = audit_capture(str(path)).audit.coverage.hidden_names
    assert dict(names) == {"DNS over HTTP (known resolver)": 1}


@pytest.mark.parametrize(("host", "count"), [("a.example", 0), ("", 1)])
def test_a_hello_of_dtls_on_the_port_of_quic_hides_nothing_if_it_has_a_name(
    tmp_path: Path, host: str, count: int
) -> None:
    hello = body(host)
    wire = udp(4000, 443, record(fragment(hello, 0, len(hello))))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap([one(ip(HOME, "192.0.2.1", wire, UDP))], 101))
    assert audit_capture(str(path)).audit.coverage.hidden_names.get("QUIC", 0) == count


@pytest.mark.parametrize(("begun", "count"), [(True, 0), (False, 1)])
def test_a_stream_without_its_beginning_hides_whom_it_was_for(
    tmp_path: Path, begun: bool, count: int
) -> None:
    """On the machine too: what was asked of a local proxy led further."""
    there = script(("127.0.0.1", 40001), ("127.0.0.1", 8080))
    if begun:
        there.handshake()
    there.from_client("PA", bytes(20))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(there.frames, 101))
    coverage = audit_capture(str(path)).audit.coverage
    hidden = {"TCP seen from its middle": count} if count else {}
    assert coverage.hidden_names == coverage.hidden_near == hidden


def test_a_stream_in_which_a_name_was_read_hides_none(tmp_path: Path) -> None:
    there = script(("127.0.0.1", 40001), ("127.0.0.1", 8080))
    there.from_client("PA", http_request("a.example"))
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(there.frames, 101))
    assert audit_capture(str(path)).audit.coverage.hidden_names == {}


@pytest.mark.parametrize(
    ("said", "tunnels"), [(http_request("a.example"), {}), (bytes(20), {"ESP in TCP": 1})]
)
def test_a_stream_in_which_a_name_was_read_is_no_tunnel_by_its_port(
    tmp_path: Path, said: bytes, tunnels: dict[str, int]
) -> None:
    there = script(("127.0.0.1", 40001), ("127.0.0.1", 4500))
    there.handshake()
    there.from_client("PA", said)
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap(there.frames, 101))
    assert audit_capture(str(path)).audit.coverage.tunnels == tunnels
