"""Streams are passed over by their first bytes, where all of these are there."""

import numpy as np

from egress_audit.columns import I64, U8, Bool, PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import packets_of
from egress_audit.flows.glance import BLIND, UNKNOWN, Beginning
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened


def begins_with_two_zeros(first: U8) -> Bool:
    found: Bool = (first == 0).all(axis=1)
    return found


def has_size_of_first(first: U8, sizes: I64) -> Bool:
    found: Bool = first[:, 0] == sizes
    return found


def packets_with(*payloads: bytes, snaplen: int = 100) -> PacketBatch:
    wires = [tcp(40000, 80, "PA", 100, 1, payload) for payload in payloads]
    whole = [ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP)) for wire in wires]
    frames = [Frame(0, frame[:snaplen], len(frame)) for frame in whole]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def test_the_first_bytes_of_each_row_are_looked_at() -> None:
    packets = packets_with(b"\0\0abc", b"a\0\0", b"\0\0")
    glance = BLIND._replace(size=2, says_nothing=begins_with_two_zeros)
    assert glance.told_apart(packets, np.arange(3))[0].tolist() == [True, False, True]
    assert glance.told_apart(packets, np.arange(1, 1))[0].tolist() == []


def test_of_a_shorter_payload_nothing_is_known() -> None:
    packets = packets_with(b"\0", b"\0\0")
    glance = BLIND._replace(size=2, says_nothing=begins_with_two_zeros)
    assert glance.told_apart(packets, np.arange(2))[0].tolist() == [False, True]


def test_where_all_is_said_depends_on_how_much_is_there() -> None:
    packets = packets_with(b"\3ab", b"\3abc", b"\1")
    glance = BLIND._replace(size=2, says_all=has_size_of_first)
    assert glance.told_apart(packets, np.arange(3))[1].tolist() == [True, False, False]


def test_not_all_is_said_in_a_cut_segment() -> None:
    packets = packets_with(b"\3abc", b"\3ab", snaplen=54 + 3)
    glance = BLIND._replace(size=2, says_all=has_size_of_first)
    assert glance.told_apart(packets, np.arange(2))[1].tolist() == [False, True]


def test_the_blind_pass_nothing_over_and_hear_nothing() -> None:
    packets = packets_with(b"abc")
    assert [found.tolist() for found in BLIND.told_apart(packets, np.arange(1))] == [[False]] * 2
    assert BLIND.look(b"abc") is UNKNOWN
    BLIND.hear([(0, 1, 0, UNKNOWN)])
    BLIND.read([Beginning(0, True, 1, 0, b"abc")])
