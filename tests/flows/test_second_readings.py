"""A side that says two things at one place is noticed, also after its beginning was read."""

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows import assembly
from egress_audit.flows.second_readings import SecondReadings
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of


def conflicts(data: bytes, seq: int = 100, times: int = 1) -> int:
    """Sides that contradict a stream remembered as b"hello" from 100 on, after a segment came."""
    wire = tcp(40000, 80, "PA", seq, 1, data)
    frames = [Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP)))] * times
    packets = packets_of(next(iter(opened(pcap(frames)))), Ledger())
    second = SecondReadings()
    second.keep(1, 100, b"hello")
    second.compare(packets, np.full(times, 1), np.arange(times))
    return second.conflicting


@pytest.mark.parametrize(("data", "seq"), [(b"jello", 100), (b"p", 104), (b"xxj", 98)])
def test_other_bytes_at_the_same_place_are_a_second_reading(data: bytes, seq: int) -> None:
    assert conflicts(data, seq) == 1


@pytest.mark.parametrize(("data", "seq"), [(b"hello", 100), (b"more", 105), (b"o", 104)])
def test_the_same_bytes_and_those_that_follow_are_none(data: bytes, seq: int) -> None:
    assert conflicts(data, seq) == 0


def test_a_side_is_counted_once() -> None:
    assert conflicts(b"jello", times=3) == 1


def test_there_is_room_for_sides_of_any_number() -> None:
    second = SecondReadings()
    second.keep(1, 100, b"hello")
    second.grow(100_000)
    second.contradict(99_999)
    assert second.conflicting == 1


def test_what_is_remembered_itself_is_not_looked_at_again() -> None:
    wire = tcp(40000, 80, "PA", 100, 1, b"jello")
    frames = [Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP)))] * 2
    packets = packets_of(next(iter(opened(pcap(frames)))), Ledger())
    for remembered, conflicting in (([0, 1], 0), ([0], 1)):
        second = SecondReadings()
        second.keep(1, 100, b"hello")
        second.compare(packets, np.full(2, 1), np.arange(2), np.array(remembered))
        assert second.conflicting == conflicting


def packets_with(*payloads: bytes) -> PacketBatch:
    wires = [tcp(40000, 80, "PA", 100, 1, payload) for payload in payloads]
    frames = [Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP))) for wire in wires]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def test_what_several_sides_begin_with_is_remembered_as_that_of_each_is() -> None:
    packets = packets_with(b"hello", b"0123456789jello", b"jello", b"jello")
    second, sides = SecondReadings(), np.array([1, 3])
    second.keep_all(packets, np.arange(2), sides, np.array([100, 90], np.uint32))
    second.compare(packets, np.array([5, 5, 1, 3]), np.arange(2, 4))
    assert (second.conflicting, second.unremembered) == (1, 0)


def test_of_several_sides_so_many_are_remembered_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembly, "MAX_PRINTS", 1)
    packets = packets_with(b"hello", b"hello", b"jello", b"jello")
    second, sides = SecondReadings(), np.array([1, 3])
    for _ in range(2):
        second.keep_all(packets, np.arange(2), sides, np.full(2, 100, np.uint32))
        sides = sides + 4
    second.compare(packets, np.array([9, 9, 1, 3]), np.arange(2, 4))
    assert (second.conflicting, second.unremembered) == (1, 3)
