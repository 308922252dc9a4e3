"""Pings come back as they were sent; a refusal quotes what it refuses."""

import pytest
from scapy.layers.inet import ICMP as ScapyIcmp
from scapy.layers.inet import IP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6ParamProblem,
    IPv6,
)

from egress_audit.record.internet.icmp import (
    Unreachable,
    echo_reply,
    is_echo_request,
    is_error,
    unreachable,
)
from egress_audit.record.internet.packets import Packet, read_packet
from tests.builders.packets import (
    HOP_BY_HOP,
    ICMP,
    ICMPV6,
    UDP,
    extension_body,
    icmp,
    ip,
    ipv6,
    udp,
)

A, B = "10.87.0.2", "93.184.216.34"
A6, B6 = "fd00:e6e4::2", "2606:2800::1"
IDENTIFIED = b"\x12\x34\0\1"


def packet_of(raw: bytes) -> Packet:
    """The packet, which must be readable."""
    packet = read_packet(raw)
    assert isinstance(packet, Packet)
    return packet


def test_an_echo_comes_back_with_what_it_carried() -> None:
    ping = packet_of(ip(A, B, icmp(8, payload=b"x" * 57, rest=IDENTIFIED), ICMP))
    expected = (
        IP(src=B, dst=A, flags="DF", id=0) / ScapyIcmp(type=0, id=0x1234, seq=1) / (b"x" * 57)
    )
    assert echo_reply(ping) == bytes(expected)


def test_an_echo_over_ipv6_comes_back_with_what_it_carried() -> None:
    ping = packet_of(ip(A6, B6, icmp(128, payload=b"y", rest=IDENTIFIED), ICMPV6))
    expected = IPv6(src=B6, dst=A6) / ICMPv6EchoReply(id=0x1234, seq=1, data=b"y")
    assert echo_reply(ping) == bytes(expected)


@pytest.mark.parametrize("why", list(Unreachable))
def test_a_refusal_quotes_the_packet_and_its_checksums_are_right(why: Unreachable) -> None:
    raw = ip(A, B, udp(1, 2, b"secret"), UDP)
    answer = unreachable(raw, packet_of(raw), why)
    layer = IP(answer)[ScapyIcmp]
    assert (layer.type, layer.code) == why.value[:2]
    assert bytes(layer.payload) == raw
    rebuilt = IP(answer)
    del rebuilt[ScapyIcmp].chksum, rebuilt.chksum
    assert bytes(rebuilt) == answer


def test_a_refusal_over_ipv6_quotes_the_packet() -> None:
    raw = ip(A6, B6, udp(1, 2, b"secret"), UDP)
    answer = unreachable(raw, packet_of(raw), Unreachable.PORT)
    layer = IPv6(answer)[ICMPv6DestUnreach]
    assert (layer.code, bytes(layer.payload)) == (4, raw)
    rebuilt = IPv6(answer)
    del rebuilt[ICMPv6DestUnreach].cksum
    assert bytes(rebuilt) == answer


def test_an_unknown_protocol_is_pointed_at_behind_extension_headers() -> None:
    raw = ipv6(A6, B6, bytes(8), 132, [(HOP_BY_HOP, extension_body())])
    answer = unreachable(raw, packet_of(raw), Unreachable.PROTOCOL)
    assert IPv6(answer)[ICMPv6ParamProblem].ptr == 40


@pytest.mark.parametrize(("src", "dst", "most"), [(A, B, 576), (A6, B6, 1280)])
def test_a_refusal_is_never_longer_than_any_link_takes(src: str, dst: str, most: int) -> None:
    raw = ip(src, dst, udp(1, 2, bytes(1400)), UDP)
    assert len(unreachable(raw, packet_of(raw), Unreachable.PORT)) == most


@pytest.mark.parametrize(
    ("raw", "request_seen", "error_seen"),
    [
        (ip(A, B, icmp(8), ICMP), True, False),
        (ip(A, B, icmp(0), ICMP), False, False),
        (ip(A, B, icmp(3, 3), ICMP), False, True),
        (ip(A, B, icmp(11), ICMP), False, True),
        (ip(A, B, b"", ICMP), False, True),
        (ip(A, B, icmp(8)[:7], ICMP), False, False),
        (ip(A, B, icmp(128), ICMPV6), False, False),
        (ip(A6, B6, icmp(128), ICMPV6), True, False),
        (ip(A6, B6, icmp(1, 4), ICMPV6), False, True),
        (ip(A6, B6, icmp(135), ICMPV6), False, False),
        (ip(A6, B6, icmp(8), ICMP), False, False),
        (ip(A, B, udp(1, 2), UDP), False, False),
    ],
)
def test_pings_and_errors_are_told_apart(raw: bytes, request_seen: bool, error_seen: bool) -> None:
    packet = packet_of(raw)
    assert (is_echo_request(packet), is_error(packet)) == (request_seen, error_seen)
