"""Where streams begin: where the first SYN says, or with the first payload that was seen."""

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.origins import Origins
from egress_audit.flows.tcp_state import SYN
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

LAST = (1 << 32) - 1


def packets_in(*segments: tuple[int, str, bytes]) -> PacketBatch:
    """A batch of segments of one side: sequence number, flags, payload."""
    wires = [tcp(40000, 80, flags, seq, 1, data) for seq, flags, data in segments]
    frames = [Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP))) for wire in wires]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def noted(*segments: tuple[int, str, bytes]) -> tuple[Origins, list[int]]:
    """The origins after some segments of side 1, and what was handed back."""
    packets, origins = packets_in(*segments), Origins()
    rows = np.arange(len(packets))
    syn = rows[packets.tcp_flags & SYN != 0]
    return origins, origins.note(packets, rows * 0 + 1, syn, rows[packets.payload_len > 0])


@pytest.mark.parametrize(("seq", "origin"), [(99, 100), (LAST, 0)])
def test_a_stream_begins_behind_its_syn(seq: int, origin: int) -> None:
    origins, others = noted((seq, "S", b""))
    assert (origins.said(1), origins.said(0), others) == (origin, None, [])


def test_data_in_front_of_the_first_syn_is_the_beginning() -> None:
    origins, others = noted((100, "PA", b"abc"), (99, "S", b""))
    assert (origins.said(1), others) == (None, [])


@pytest.mark.parametrize(("again", "others"), [(99, []), (500, [1])])
def test_another_syn_that_says_something_else_is_handed_back(again: int, others: list[int]) -> None:
    origins, found = noted((99, "S", b""), (again, "S", b""))
    assert (origins.said(1), found) == (100, others)


def test_no_syn_moves_what_began_with_data() -> None:
    origins = Origins()
    origins.begin(1, 100)
    packets = packets_in((99, "S", b""))
    assert origins.note(packets, np.array([1]), np.array([0]), np.zeros(0, np.int64)) == []
    assert origins.said(1) is None


def test_only_the_payload_behind_the_syn_begins_the_stream() -> None:
    packets = packets_in((99, "S", b"abc"), (100, "PA", b"abc"), (103, "PA", b"d"))
    origins, rows = Origins(), np.arange(3)
    side = rows * 0 + 1
    assert origins.begins_with(packets, side, rows).tolist() == [False] * 3
    origins.note(packets, side, rows[:1], rows)
    assert origins.begins_with(packets, side, rows).tolist() == [True, True, False]


def test_there_is_room_for_as_many_sides_as_are_asked_for() -> None:
    origins = Origins()
    origins.grow(1 << 13)
    origins.begin((1 << 13) - 1, 7)
    origins.release()
    origins.grow(2)
    assert origins.said(1) is None


def test_the_origins_of_several_sides_are_told_together() -> None:
    origins, _ = noted((99, "S", b""))
    origins.begin(0, 7)
    assert origins.of(np.array([1, 0])).tolist() == [100, 7]
