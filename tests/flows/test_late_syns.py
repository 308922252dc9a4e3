"""Handshakes recorded behind their data: what they say is kept in bounded memory."""

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows import late_syns
from egress_audit.flows.late_syns import LateSyns
from egress_audit.flows.origins import FROM_DATA, FROM_SYN
from egress_audit.flows.segments import BEGUN, NEW
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

LAST = (1 << 32) - 1


def syns_with(*numbers: int) -> PacketBatch:
    """A SYN with each sequence number."""
    wires = [tcp(40000, 80, "S", number) for number in numbers]
    frames = [Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP))) for wire in wires]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def unread(numbers: list[int], origin: int, *, told: int = FROM_DATA, stage: int = BEGUN) -> int:
    """Of sides of which each has a SYN, how many were read from their middle, if `origin` is the
    first byte that was read of each."""
    count, late = len(numbers), LateSyns()
    known = np.full(count + 1, told, np.uint8)
    late.note(syns_with(*numbers), np.arange(count), np.arange(count), known, FROM_SYN)
    stages, origins = np.full(count, stage, np.uint8), np.full(count, origin, np.uint32)
    return len(late.unread(stages, origins, known, FROM_SYN))


@pytest.mark.parametrize(
    ("syn", "origin", "sides"),
    [(99, 100, 0), (99, 101, 1), (99, 99, 1), (LAST, 5, 1), (LAST, 0, 0)],
)
def test_a_stream_is_read_from_the_byte_behind_its_syn_or_not_at_all(
    syn: int, origin: int, sides: int
) -> None:
    assert unread([syn], origin) == sides


def test_a_syn_in_time_and_a_side_without_a_byte_leave_nothing_unread() -> None:
    assert unread([99], 101, told=FROM_SYN) == 0
    assert unread([99], 101, stage=NEW) == 0


def test_no_more_is_kept_than_is_bounded_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late_syns, "MAX_LATE", 2)
    assert untold_of(syns=4, read=[0, 1, 2, 3]) == 2
    assert untold_of(syns=2, read=[0, 1, 2, 3]) == 0


def test_whoever_is_answered_and_says_nothing_leaves_nothing_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late_syns, "MAX_LATE", 2)
    assert untold_of(syns=4, read=[]) == 0
    assert untold_of(syns=4, read=[0, 1, 3]) == 1


def untold_of(*, syns: int, read: list[int]) -> int:
    """Of four sides, of which the first ones have a SYN each and some were read, how many of these
    may begin elsewhere, for all that is kept."""
    late, stages, origins = LateSyns(), np.full(4, NEW, np.uint8), np.zeros(4, np.uint32)
    known = np.full(4, FROM_DATA, np.uint8)
    late.note(syns_with(*range(syns)), np.arange(syns), np.arange(syns), known, FROM_SYN)
    stages[read] = BEGUN
    late.unread(stages, origins, known, FROM_SYN)
    return late.untold
