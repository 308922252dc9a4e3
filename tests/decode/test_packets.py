"""Packets, held against the oracle field by field; and transport headers, whole, cut or lying."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import strategies
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
from tests.builders.engine import SMALLEST_BLOCK, reference, run
from tests.reference.packet import Packet

RAW = 101
BLOCKS = (SMALLEST_BLOCK, 100, 1 << 16)
SHARED = os.environ.get("EGRESS_AUDIT_SHARED", "")
CORPUS = sorted(Path(SHARED, "corpus", "captures").glob("*")) if SHARED else []


def assert_decoded_as_by_the_oracle(data: bytes, block: int) -> None:
    """Every field of every packet, and what became of every frame."""
    try:
        expected = reference(data)
    except ValueError:
        return
    done = run(data, block)
    assert done.packets == expected.packets
    assert done.ledger.undecoded == expected.undecoded
    assert done.ledger.no_destination == expected.no_destination
    assert done.ledger.partial == expected.partial
    counted = done.ledger.undecoded + done.ledger.no_destination
    assert done.ledger.frames == done.ledger.packets + counted.total() == len(expected.frames)


@settings(max_examples=150)
@given(strategies.captures, st.sampled_from(BLOCKS))
def test_every_frame_becomes_what_the_oracle_makes_of_it(data: bytes, block: int) -> None:
    assert_decoded_as_by_the_oracle(data, block)


@settings(max_examples=150)
@given(strategies.damaged_captures(), st.sampled_from(BLOCKS))
def test_so_does_every_frame_of_a_damaged_capture(data: bytes, block: int) -> None:
    assert_decoded_as_by_the_oracle(data, block)


@settings(max_examples=150)
@given(st.lists(st.tuples(strategies.linktypes, st.binary(max_size=90)), max_size=8))
def test_so_does_a_frame_of_any_bytes_at_all(frames: list[tuple[int, bytes]]) -> None:
    for linktype, data in frames:
        assert_decoded_as_by_the_oracle(pcap([Frame(0, data, len(data) + 1)], linktype), 1 << 16)


@pytest.mark.skipif(not CORPUS, reason="no corpus on this machine")
@pytest.mark.parametrize("part", range(8))
def test_so_does_every_frame_of_captures_from_elsewhere(part: int) -> None:
    for path in CORPUS[part::8]:
        assert_decoded_as_by_the_oracle(path.read_bytes(), 1 << 20)


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
