"""Streams are looked at together, and what is done is heard."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.assembly import MAX_PRINT
from egress_audit.flows.first_looks import FirstLooks
from egress_audit.flows.glance import UNKNOWN, Done, Glance, Look
from tests.builders.captures import TCP, Frame, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

DONE, GOES_ON, NEEDS = Look(done=True, said="a"), Look(done=True, reader=len), Look(needs=9)
Takes = Callable[[PacketBatch, I64, I64], tuple[Bool, I64]]
LOOKS = {b"a": DONE, b"b": GOES_ON, b"c": NEEDS}


def packets_with(*payloads: bytes, port: int = 80, snaplen: int = 100) -> PacketBatch:
    wires = [tcp(40000, port, "PA", 100, 1, payload) for payload in payloads]
    whole = [ethernet(ipv4("10.0.0.2", "192.0.2.1", wire, TCP)) for wire in wires]
    frames = [Frame(7_000, frame[:snaplen], len(frame)) for frame in whole]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def begins_with_zero(packets: PacketBatch, side: I64, rows: I64) -> tuple[Bool, I64]:
    done = (packets.buffer[packets.payload[rows]] == 0) & (side[rows] % 2 == 1)
    return done, np.zeros(len(rows), np.int64)


def ends_with_a_star(packets: PacketBatch, _: I64, rows: I64) -> tuple[Bool, I64]:
    ends = packets.payload[rows] + packets.payload_cap[rows]
    done = packets.buffer[ends - 1] == ord("*")
    return done, np.where(done, 0, 900)


def _look(stream: bytes) -> Look:
    return LOOKS.get(stream, UNKNOWN)


class Looking:
    """First looks, and what was heard of them."""

    def __init__(self, take: Takes = begins_with_zero) -> None:
        self.heard: list[tuple[int, int, int]] = []
        self.looks = FirstLooks(Glance(take, _look, self._hear))

    def _hear(self, looks: list[Done]) -> None:
        assert all(look.done for _, _, _, look in looks)
        self.heard += [(flow, frame, ts_ns) for flow, frame, ts_ns, _ in looks]

    def take(self, packets: PacketBatch) -> list[int]:
        """The rows that are done, each of the originator of a flow of its own."""
        rows = np.arange(len(packets))
        return [*self.looks.take(packets, rows * 2 + 1, rows, rows).tolist()]


def test_streams_that_were_taken_and_those_that_say_all_are_done() -> None:
    looking = Looking()
    assert sorted(looking.take(packets_with(b"\0", b"a", b"b", b"c", b"d"))) == [0, 1, 2]
    assert looking.looks.found == {3: NEEDS, 4: UNKNOWN}


def test_of_what_is_done_some_goes_on() -> None:
    looking = Looking()
    looking.take(packets_with(b"a", b"b"))
    assert looking.looks.going_on == [(3, 100, GOES_ON)]


def test_what_is_done_is_heard_once() -> None:
    looking = Looking()
    looking.take(packets_with(b"a", b"x", b"b"))
    looking.looks.note(7, 9, 7_000, DONE)
    for _ in range(2):
        looking.looks.hear_all()
    assert looking.heard == [(0, 1, 7_000), (2, 3, 7_000), (7, 9, 7_000)]


def test_a_cut_segment_that_was_not_taken_is_not_looked_at() -> None:
    looking = Looking()
    assert looking.take(packets_with(b"ab", b"\0b", snaplen=55)) == [1]
    assert (looking.looks.found, looking.looks.going_on) == ({}, [])


def test_streams_of_the_dns_are_not_looked_at() -> None:
    looking = Looking()
    assert looking.take(packets_with(b"a", b"\0", port=53)) == []


def test_what_was_found_is_of_one_batch() -> None:
    looking = Looking()
    looking.take(packets_with(b"c"))
    looking.take(packets_with(b"a"))
    assert (looking.looks.found, looking.looks.going_on) == ({}, [])


def in_two(first: int, second: bytes, sequence: int) -> tuple[list[int], dict[int, Look]]:
    """Rows that are done of a stream that awaits more, and of another segment of it; what is found
    of the others. A glance takes what ends with a star."""
    looking = Looking(ends_with_a_star)
    packets = packets_with(b"\1" * first, second, snaplen=2_000)
    numbers = np.array([100, sequence], np.uint32)
    packets = replace(packets, tcp_seq=numbers)
    side = np.array([5, 5])
    rows = looking.looks.take(packets, side, np.arange(1), np.arange(2))
    return rows.tolist(), looking.looks.found


def test_a_stream_is_done_with_two_segments() -> None:
    assert in_two(MAX_PRINT, b"*", 100 + MAX_PRINT) == ([0], {})


def test_so_it_is_not_if_the_first_is_too_short_to_be_remembered() -> None:
    assert in_two(MAX_PRINT - 1, b"*", 100 + MAX_PRINT - 1) == ([], {0: Look(needs=900)})


def test_nor_if_both_are_not_enough_or_the_second_lies_elsewhere() -> None:
    assert in_two(MAX_PRINT, b"?", 100 + MAX_PRINT) == ([], {0: Look(needs=900)})
    assert in_two(MAX_PRINT, b"*", 101 + MAX_PRINT) == ([], {0: Look(needs=900)})
