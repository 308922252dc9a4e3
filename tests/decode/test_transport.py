"""Transport headers: whole, cut or lying."""

from collections import Counter

import pytest

from tests.builders.captures import (
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    Frame,
    ethernet,
    icmp,
    ip,
    ipv4,
    pcap,
    tcp,
    udp,
)
from tests.builders.engine import run
from tests.reference.packet import Packet

RAW = 101


def packet_in(data: bytes, wirelen: int | None = None, linktype: int = RAW) -> Packet:
    """The packet of one frame."""
    (packet,) = run(pcap([Frame(0, data, wirelen)], linktype)).packets
    return packet


def partial_of(data: bytes, wirelen: int | None = None) -> Counter[str]:
    """What is missing of a packet."""
    return run(pcap([Frame(0, data, wirelen)], RAW)).ledger.partial


def test_padding_behind_a_packet_is_no_payload() -> None:
    frame = ethernet(ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, "PA", 3, 4, b"hello"), TCP)) + bytes(9)
    packet = packet_in(frame, linktype=1)
    assert (packet.payload_len, packet.payload_cap) == (5, 5)
    assert frame[packet.payload :][:5] == b"hello"


@pytest.mark.parametrize(
    ("kept", "ports", "seq", "flags"),
    [(3, 0, 0, 0), (4, 1, 0, 0), (12, 1, 7, 0), (14, 1, 7, 2), (19, 1, 7, 2)],
)
def test_a_cut_tcp_header_gives_the_fields_that_are_there(
    kept: int, ports: int, seq: int, flags: int
) -> None:
    whole = ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, "S", 7), TCP)
    packet = packet_in(whole[: 20 + kept], len(whole))
    assert (packet.sport, packet.tcp_seq, packet.tcp_flags) == (ports, seq, flags)
    assert partial_of(whole[: 20 + kept], len(whole)) == {"header-cut": 1}


def test_a_tcp_header_that_was_never_whole_is_malformed() -> None:
    assert partial_of(ipv4("10.0.0.2", "1.2.3.4", bytes(12), TCP)) == {"header-malformed": 1}


def test_a_data_offset_below_the_header_is_malformed() -> None:
    data = ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, data_offset=4), TCP)
    assert partial_of(data) == {"header-malformed": 1}


def test_a_udp_length_below_its_header_leaves_the_decision_to_ip() -> None:
    data = ipv4("10.0.0.2", "1.2.3.4", udp(1, 2, b"hello", length=0), UDP)
    assert packet_in(data).payload_len == 5


def test_a_udp_length_above_what_ip_says_is_not_believed() -> None:
    data = ipv4("10.0.0.2", "1.2.3.4", udp(1, 2, b"hello", length=999), UDP)
    assert packet_in(data).payload_len == 5


@pytest.mark.parametrize("proto", [33, 132, 136])
def test_sctp_and_its_like_have_ports_too(proto: int) -> None:
    packet = packet_in(ipv4("10.0.0.2", "1.2.3.4", bytes([0, 7, 0, 9]) + bytes(8), proto))
    assert (packet.sport, packet.dport) == (7, 9)


def test_protocols_without_ports_have_none() -> None:
    packet = packet_in(ipv4("10.0.0.2", "1.2.3.4", bytes([0, 7, 0, 9]) + bytes(8), 47))
    assert (packet.sport, packet.dport, packet.payload_len) == (0, 0, 12)


@pytest.mark.parametrize(
    ("kind", "proto", "dport", "one_way"),
    [(8, ICMP, 0, False), (3, ICMP, 1, True), (135, ICMPV6, 136, False), (143, ICMPV6, 1, True)],
)
def test_icmp_has_the_type_and_its_answer_for_ports(
    kind: int, proto: int, dport: int, one_way: bool
) -> None:
    addresses = ("10.0.0.1", "10.0.0.2") if proto == ICMP else ("::1", "::2")
    packet = packet_in(ip(*addresses, icmp(kind, 1), proto))
    assert (packet.sport, packet.dport, packet.one_way) == (kind, dport, one_way)


def test_the_icmp_of_the_other_ip_version_is_a_stranger() -> None:
    packet = packet_in(ipv4("10.0.0.1", "10.0.0.2", icmp(135), ICMPV6))
    assert (packet.sport, packet.dport, packet.one_way) == (0, 0, False)


def test_an_echo_carries_what_stands_behind_eight_bytes() -> None:
    assert packet_in(ipv4("10.0.0.1", "10.0.0.2", icmp(8, 0, b"hello"), ICMP)).payload_len == 5


def test_igmp_has_no_ports() -> None:
    packet = packet_in(ipv4("10.0.0.2", "224.0.0.22", bytes([0x22, 0, 1, 2, 0, 0, 0, 1]), 2))
    assert (packet.proto, packet.sport, packet.dport, packet.one_way) == (2, 0, 0, False)
