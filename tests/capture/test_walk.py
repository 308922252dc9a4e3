"""The walk over the records of a classic file believes no length that cannot be true."""

import struct

import numpy as np
import pytest

from egress_audit.capture.walk import (
    MAX_EMPTY,
    MAX_FRAME,
    EmptyRun,
    Stop,
    pcap_records,
    pcap_stop,
    record_length,
)


def record(caplen: int, data: bytes = b"", order: str = "<") -> bytearray:
    """A record that claims `caplen` bytes."""
    return bytearray(struct.pack(order + "IIII", 0, 0, caplen, caplen) + data)


def test_records_follow_each_other_without_a_gap() -> None:
    data = record(3, b"abc") + record(0) + record(1, b"d")
    assert pcap_records(data, 0, len(data), "<") == ([0, 19, 35], len(data), Stop.NEEDS_MORE)


def test_a_record_that_is_not_whole_yet_waits() -> None:
    data = record(3, b"ab")
    assert pcap_records(data, 0, len(data), "<") == ([], 0, Stop.NEEDS_MORE)


def test_the_byte_order_is_the_files() -> None:
    data = record(3, b"abc", ">")
    assert pcap_records(data, 0, len(data), ">") == ([0], len(data), Stop.NEEDS_MORE)


def test_the_longest_believable_frame_is_believed() -> None:
    data = record(MAX_FRAME, bytes(MAX_FRAME))
    assert pcap_records(data, 0, len(data), "<")[0] == [0]


@pytest.mark.parametrize("caplen", [MAX_FRAME + 1, 0xFFFFFFFF])
def test_a_frame_longer_than_any_stops_the_walk_at_its_record(caplen: int) -> None:
    data = record(1, b"a") + record(caplen, bytes(64))
    assert pcap_records(data, 0, len(data), "<") == ([0], 17, Stop.DAMAGE)


def test_a_hundred_thousand_empty_records_are_a_hundred_thousand_frames() -> None:
    data = record(0) * 100_000
    records, following, _ = pcap_records(data, 0, len(data), "<")
    assert (len(records), following) == (100_000, len(data))


@pytest.mark.parametrize(
    ("data", "needed"), [(record(300), 316), (record(MAX_FRAME + 1), 0), (record(9)[:15], 0)]
)
def test_an_unfinished_record_says_how_long_it_is_if_that_can_be_true(
    data: bytearray, needed: int
) -> None:
    assert record_length(data, 0, len(data), "<") == needed


@pytest.mark.parametrize(
    ("data", "stop", "words"),
    [
        (bytearray(), Stop.NEEDS_MORE, ""),
        (record(1)[:7], Stop.NEEDS_MORE, "inside a record header (7 of 16 bytes)"),
        (record(9, b"abc"), Stop.NEEDS_MORE, "inside a record (3 of its 9 bytes)"),
        (record(1 << 31), Stop.DAMAGE, "claims 2147483648 bytes"),
    ],
)
def test_where_a_file_ends_badly_is_said_in_words(data: bytearray, stop: Stop, words: str) -> None:
    said = pcap_stop(data, 0, len(data), "<", stop)
    assert words in said
    assert bool(said) == bool(words)


def kept(*lengths: list[int]) -> list[int | None]:
    """Where a run grows too long in each of some batches."""
    run = EmptyRun()
    return [run.too_long_at(np.array(batch, np.int64)) for batch in lengths]


def test_records_that_hold_nothing_end_where_too_many_stand_in_a_row() -> None:
    assert kept([0] * (MAX_EMPTY + 9)) == [MAX_EMPTY]
    assert kept([60, 0, 60] + [0] * MAX_EMPTY) == [MAX_EMPTY + 3]


def test_fewer_are_records_like_others() -> None:
    assert kept([0] * (MAX_EMPTY - 1) + [1] + [0] * (MAX_EMPTY - 1)) == [None]


@pytest.mark.parametrize("first", [1, 9, MAX_EMPTY - 1])
def test_the_run_goes_on_from_batch_to_batch(first: int) -> None:
    rest = [0] * (MAX_EMPTY - first)
    assert kept([60] + [0] * first, [], rest) == [None, None, len(rest)]
    assert kept([0] * first, [60], rest) == [None, None, None]
    assert kept([0] * first, [60, *rest]) == [None, None]
