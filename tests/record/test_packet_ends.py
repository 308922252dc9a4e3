"""Who a packet is from and to, as a packet library that shares no code with us has it."""

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
)

from egress_audit.record.packet_ends import Ends, ends_of
from tests.builders import packets as p
from tests.builders.strategies import IPV4_ADDRESSES, IPV6_ADDRESSES

A4, B4, A6, B6 = "10.87.0.2", "203.0.113.9", "fd00:e6e4::2", "2001:db8::9"
UDP_LITE, SCTP, DCCP = 136, 132, 33

ports = st.integers(0, 65_535)


def ends(packet: bytes) -> Ends:
    found = ends_of(packet)
    assert found is not None
    return found


def shown(packet: bytes) -> tuple[int, int, int]:
    """Protocol and ports."""
    found = ends(packet)
    return found.proto, found.source_port, found.target_port


def test_both_ends_of_a_datagram_are_told() -> None:
    packet = p.ipv4(A4, B4, p.udp(40_000, 53), p.UDP)
    assert ends(packet) == Ends(17, p.packed(A4), 40_000, p.packed(B4), 53, False)


def test_both_ends_of_an_ipv6_segment_are_told() -> None:
    packet = p.ipv6(A6, B6, p.tcp(40_000, 443), p.TCP)
    assert ends(packet) == Ends(6, p.packed(A6), 40_000, p.packed(B6), 443, True)


@pytest.mark.parametrize(
    ("flags", "opens"), [("S", True), ("SEC", True), ("SA", False), ("A", False), ("R", False)]
)
def test_only_a_syn_without_an_ack_opens(flags: str, opens: bool) -> None:
    assert ends(p.ipv4(A4, B4, p.tcp(1, 2, flags), p.TCP)).opens is opens


@given(
    st.sampled_from(IPV4_ADDRESSES), st.sampled_from(IPV4_ADDRESSES), ports, ports, st.booleans()
)
def test_what_scapy_builds_over_ipv4_has_the_ends_that_scapy_says(
    source: str, target: str, sport: int, dport: int, stream: bool
) -> None:
    layer: Any = TCP if stream else UDP
    options = [IPOption(b"\x94\x04\x00\x00")] if sport % 2 else []
    made = IP(src=source, dst=target, options=options) / layer(sport=sport, dport=dport)
    found = ends(bytes(made))
    assert (found.source, found.target) == (p.packed(source), p.packed(target))
    assert (found.source_port, found.target_port) == (sport, dport)
    assert found.proto == (6 if stream else 17)


@given(
    st.sampled_from(IPV6_ADDRESSES),
    st.sampled_from(IPV6_ADDRESSES),
    ports,
    ports,
    st.lists(st.sampled_from(("hop", "destination", "routing", "fragment")), max_size=5),
)
def test_what_scapy_builds_over_ipv6_has_the_ends_that_scapy_says(
    source: str, target: str, sport: int, dport: int, chain: list[str]
) -> None:
    made: Any = IPv6(src=source, dst=target)
    for name in chain:
        made /= {
            "hop": IPv6ExtHdrHopByHop(options=[RouterAlert()]),
            "destination": IPv6ExtHdrDestOpt(),
            "routing": IPv6ExtHdrRouting(addresses=[]),
            "fragment": IPv6ExtHdrFragment(),
        }[name]
    found = ends(bytes(made / UDP(sport=sport, dport=dport)))
    assert (found.source, found.target) == (p.packed(source), p.packed(target))
    assert (found.proto, found.source_port, found.target_port) == (17, sport, dport)


@pytest.mark.parametrize("proto", [p.TCP, p.UDP, UDP_LITE, SCTP, DCCP])
def test_transports_with_ports_have_ports(proto: int) -> None:
    assert shown(p.ipv4(A4, B4, p.udp(1234, 5678), proto)) == (proto, 1234, 5678)


@pytest.mark.parametrize("proto", [2, 47, 50, 51, 89, 253])
def test_protocols_without_ports_have_none(proto: int) -> None:
    assert shown(p.ipv4(A4, B4, p.udp(1234, 5678), proto)) == (proto, 0, 0)


@pytest.mark.parametrize("kind", [8, 0])
def test_the_identifier_of_an_echo_is_its_port(kind: int) -> None:
    packet = p.ipv4(A4, B4, p.icmp(kind, rest=b"\x12\x34\0\1"), p.ICMP)
    assert shown(packet) == (1, 0x1234, 0)


@pytest.mark.parametrize("kind", [128, 129])
def test_the_identifier_of_an_ipv6_echo_is_its_port(kind: int) -> None:
    packet = p.ipv6(A6, B6, p.icmp(kind, rest=b"\x12\x34\0\1"), p.ICMPV6)
    assert shown(packet) == (58, 0x1234, 0)


@pytest.mark.parametrize("kind", [3, 5, 11, 128])
def test_an_icmp_error_has_no_port_of_its_own(kind: int) -> None:
    packet = p.ipv4(A4, B4, p.icmp(kind, rest=b"\x12\x34\0\1", payload=bytes(28)), p.ICMP)
    assert shown(packet) == (1, 0, 0)


def test_a_first_fragment_has_its_ports() -> None:
    packet = p.ipv4(A4, B4, p.udp(40_000, 53, bytes(16)), p.UDP, more_fragments=True)
    assert shown(packet) == (17, 40_000, 53)


@pytest.mark.parametrize("offset", [8, 2048, 65_528])
def test_a_later_fragment_has_none(offset: int) -> None:
    body = p.udp(40_000, 53, bytes(16))
    assert shown(p.ipv4(A4, B4, body, p.UDP, fragment_offset=offset)) == (17, 0, 0)


@pytest.mark.parametrize(("offset", "told"), [(0, (17, 40_000, 53)), (8, (17, 0, 0))])
def test_only_the_first_ipv6_fragment_has_ports(offset: int, told: tuple[int, int, int]) -> None:
    chain = [(p.FRAGMENT, p.fragment(offset, more=True))]
    assert shown(p.ipv6(A6, B6, p.udp(40_000, 53, bytes(8)), p.UDP, chain)) == told


def test_a_chain_of_extensions_without_end_ends() -> None:
    chain = [(p.DESTINATION_OPTIONS, p.extension_body())] * 40
    assert ends(p.ipv6(A6, B6, p.udp(1, 2), p.UDP, chain)).source == p.packed(A6)


@pytest.mark.parametrize("packet", [b"", b"\x45", bytes(60), b"\x60" + bytes(38), b"\x50" * 40])
def test_what_is_no_ip_packet_has_no_ends(packet: bytes) -> None:
    assert ends_of(packet) is None


@given(st.binary(max_size=120), st.sampled_from((b"", b"\x45", b"\x4f", b"\x40", b"\x60")))
def test_no_bytes_are_too_strange(data: bytes, first: bytes) -> None:
    found = ends_of(first + data)
    if found is not None:
        assert ip_address(found.source).version == ip_address(found.target).version
        assert 0 <= found.source_port < 65_536


@given(st.integers(0, 80), st.sampled_from((4, 6)))
def test_a_packet_that_was_cut_has_the_right_addresses_or_none(length: int, version: int) -> None:
    if version == 4:
        whole = p.ipv4(A4, B4, p.tcp(40_000, 443), p.TCP)
    else:
        whole = p.ipv6(A6, B6, p.tcp(40_000, 443), p.TCP)
    found = ends_of(whole[:length])
    enough = len(whole) - 20
    assert found is None if length < enough else found is not None
    if found is not None:
        assert found.source == ends(whole).source
        assert found.source_port in (0, 40_000)
