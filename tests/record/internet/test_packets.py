"""Packets are taken apart as their headers say; ours are what scapy would have made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet import UDP as ScapyUdp
from scapy.layers.inet6 import IPv6

from egress_audit.record.internet.packets import Malformed, Packet, read_packet, udp_packet
from tests.builders.packets import (
    AUTHENTICATION,
    DESTINATION_OPTIONS,
    FRAGMENT,
    HOP_BY_HOP,
    ROUTING,
    UDP,
    extension_body,
    fragment,
    ip,
    ipv4,
    ipv6,
    packed,
    udp,
)

A, B = "10.87.0.2", "93.184.216.34"
A6, B6 = "fd00:e6e4::2", "2606:2800::1"
DATAGRAM = udp(1234, 9999, b"hello")


def whole(raw: bytes) -> Packet:
    """The packet, which must be readable."""
    packet = read_packet(raw)
    assert isinstance(packet, Packet)
    return packet


@pytest.mark.parametrize(("src", "dst"), [(A, B), (A6, B6)])
def test_a_packet_has_its_addresses_protocol_and_body(src: str, dst: str) -> None:
    packet = whole(ip(src, dst, DATAGRAM, UDP))
    assert (packet.src, packet.dst, packet.proto) == (packed(src), packed(dst), UDP)
    assert packet.body[8:] == b"hello"
    assert packet.fragment_at == 0


def test_ipv4_options_are_skipped() -> None:
    assert whole(ipv4(A, B, DATAGRAM, UDP, options=b"\x94\x04\0\0")).body[8:] == b"hello"


def test_what_follows_the_stated_length_is_no_part_of_the_packet() -> None:
    assert whole(ipv4(A, B, DATAGRAM, UDP) + b"padding").body[8:] == b"hello"
    assert whole(ipv6(A6, B6, DATAGRAM, UDP) + b"padding").body[8:] == b"hello"


def test_extension_headers_are_walked_to_the_transport() -> None:
    chain = [
        (HOP_BY_HOP, extension_body(b"\5\2\0\0")),
        (DESTINATION_OPTIONS, extension_body(bytes(20))),
        (ROUTING, extension_body(bytes(22))),
        (AUTHENTICATION, b"\4" + bytes(22)),
    ]
    packet = whole(ipv6(A6, B6, DATAGRAM, UDP, chain))
    assert (packet.proto, packet.body[8:]) == (UDP, b"hello")


def test_a_fragment_says_where_its_header_is() -> None:
    four = whole(ipv4(A, B, DATAGRAM, UDP, more_fragments=True))
    assert (four.fragment_at, four.proto) == (6, UDP)
    six = whole(ipv6(A6, B6, DATAGRAM, UDP, [(FRAGMENT, fragment(0, more=True))]))
    assert (six.fragment_at, six.proto) == (40, FRAGMENT)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Malformed.EMPTY),
        (b"\x50" + bytes(40), Malformed.EMPTY),
        (ipv4(A, B, b"", UDP)[:19], Malformed.IPV4_HEADER),
        (b"\x44" + ipv4(A, B, b"", UDP)[1:], Malformed.IPV4_HEADER),
        (b"\x46" + ipv4(A, B, b"", UDP)[1:], Malformed.IPV4_HEADER),
        (ipv4(A, B, b"", UDP, total_length=19), Malformed.IPV4_HEADER),
        (ipv4(A, B, b"", UDP, total_length=21), Malformed.IPV4_HEADER),
        (ipv6(A6, B6, b"", UDP)[:39], Malformed.IPV6_HEADER),
        (ipv6(A6, B6, b"", UDP, payload_length=1), Malformed.IPV6_HEADER),
        (ipv6(A6, B6, b"\x11", HOP_BY_HOP), Malformed.EXTENSIONS),
        (ipv6(A6, B6, b"\x11\1" + bytes(6), HOP_BY_HOP), Malformed.EXTENSIONS),
        (ipv6(A6, B6, bytes(7), FRAGMENT), Malformed.EXTENSIONS),
        (ipv6(A6, B6, bytes(8) * 17, HOP_BY_HOP), Malformed.EXTENSIONS),
    ],
)
def test_a_header_that_contradicts_itself_is_a_reason(raw: bytes, reason: Malformed) -> None:
    assert read_packet(raw) is reason


@given(st.binary(max_size=120), st.sampled_from([b"", b"\x45", b"\x60"]))
def test_any_bytes_are_a_packet_or_a_reason(tail: bytes, head: bytes) -> None:
    assert isinstance(read_packet(head + tail), Packet | Malformed)


@given(st.binary(max_size=99), st.integers(0, 65535))
def test_our_ipv4_packets_are_those_of_scapy(data: bytes, port: int) -> None:
    ours = udp_packet(packed(B), packed(A), 53, port, data)
    theirs = IP(src=B, dst=A, flags="DF", id=0) / ScapyUdp(sport=53, dport=port) / data
    assert ours == bytes(theirs)


@given(st.binary(max_size=99), st.integers(0, 65535))
def test_our_ipv6_packets_are_those_of_scapy(data: bytes, port: int) -> None:
    ours = udp_packet(packed(B6), packed(A6), 53, port, data)
    assert ours == bytes(IPv6(src=B6, dst=A6) / ScapyUdp(sport=53, dport=port) / data)
