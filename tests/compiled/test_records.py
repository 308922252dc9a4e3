"""Walks in C find the records that the serial walk finds, wherever they are cut short."""

import struct
from itertools import accumulate
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.capture.pcapng_blocks import MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME, Stop, pcap_records
from egress_audit.columns import U8
from egress_audit.compiled.records import DAMAGE, NEEDS_MORE, BlockWalk, PcapWalk, Rules
from tests.builders.both_engines import needs_library
from tests.builders.raw_records import ORDERS, SECONDS, frame_block, joined, record

pytestmark = needs_library

ROOMS = (1, 7, 1 << 16)
STOPS = {NEEDS_MORE: Stop.NEEDS_MORE, DAMAGE: Stop.DAMAGE}


def stuffed(random: Random, order: str) -> bytes:
    """A payload that holds what looks like records of either format."""
    fakes = [record(random.randbytes(random.randrange(60)), order) for _ in range(3)]
    fakes += [frame_block(random.randbytes(random.randrange(60)), order) for _ in range(3)]
    random.shuffle(fakes)
    return random.randbytes(random.randrange(5)) + b"".join(fakes)


def no_longer_than(data: bytes) -> U8:
    """The bytes where not one more may be read: a sanitizer notices if it is."""
    return np.array(bytearray(data), np.uint8)


def in_c(data: bytes, order: str, start: int, room: int) -> tuple[object, ...]:
    """Offsets of the records, the offset after them, and why they end."""
    walk = PcapWalk(Rules(order == ">", MAX_FRAME, 1000), room)
    array = no_longer_than(data)
    found, following, why = walk.records(array, start, len(data))
    return (found.offset - 16).tolist(), following, STOPS[why]


def adversarial(seed: int, order: str) -> bytes:
    """Records of awkward kinds, with damage in the middle or a cut end in two of three."""
    random, parts = Random(seed), []
    for n in range(random.randrange(1, 300)):
        payloads = (b"", bytes(n % 200), random.randbytes(n % 70), stuffed(random, order))
        parts.append(record(random.choice(payloads), order, random.choice((SECONDS + n, n))))
    return joined(parts, seed, random, order)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(60))
def test_adversarial_records_are_those_of_the_serial_walk(seed: int, order: str, room: int) -> None:
    data = adversarial(seed, order)
    assert in_c(data, order, 0, room) == pcap_records(bytearray(data), 0, len(data), order)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from(ORDERS), st.integers(0, 40), st.integers(1, 9))
def test_bytes_that_are_no_records_are_read_as_the_serial_walk_reads_them(
    data: bytes, order: str, start: int, room: int
) -> None:
    start = min(start, len(data))
    expected = pcap_records(bytearray(data), start, len(data), order)
    assert in_c(data, order, start, room) == expected


@pytest.mark.parametrize("order", ORDERS)
def test_megabytes_of_records_are_those_of_the_serial_walk(order: str) -> None:
    random = Random(7)
    parts = [record(random.randbytes(n % 1500), order, SECONDS + n // 100) for n in range(7000)]
    parts[3000:3000] = [record(stuffed(random, order), order) for _ in range(2000)]
    data = b"".join(parts)
    expected = pcap_records(bytearray(data), 0, len(data), order)
    assert in_c(data, order, 0, 1 << 16) == expected


def test_a_header_says_when_a_frame_came_and_how_long_it_was() -> None:
    data = struct.pack("<4I", 5, 7, 2, 90) + b"xy" + struct.pack("<4I", 6, 8, 3, 1) + b"abc"
    walk = PcapWalk(Rules(False, MAX_FRAME, 1000))
    found, _, _ = walk.records(np.frombuffer(data, np.uint8), 0, len(data))
    assert [column.tolist() for column in found] == [
        [16, 34],
        [2, 3],
        [90, 1],
        [5_000_007_000, 6_000_008_000],
    ]


def test_the_latest_time_that_can_be_stated_is_read_as_such() -> None:
    data = struct.pack("<4I", 0xFFFFFFFF, 0xFFFFFFFF, 0, 0)
    found, _, _ = PcapWalk(Rules(False, MAX_FRAME, 1000)).records(
        np.frombuffer(data, np.uint8), 0, len(data)
    )
    assert found.ts_ns.tolist() == [0xFFFFFFFF * 1_000_000_000 + 0xFFFFFFFF * 1000]


@pytest.mark.parametrize(("start", "end"), [(-1, 4), (5, 4), (0, 11)])
def test_a_walk_outside_the_buffer_is_refused(start: int, end: int) -> None:
    array = np.zeros(10, np.uint8)
    with pytest.raises(ValueError, match="does not lie"):
        PcapWalk(Rules(False, MAX_FRAME, 1)).records(array, start, end)
    with pytest.raises(ValueError, match="does not lie"):
        BlockWalk(MAX_BLOCK).run(array, start, end, False)


def runs(data: bytes, order: str, start: int, room: int) -> tuple[list[int], int]:
    """Positions of blocks, run after run, and where the last one ends."""
    walk, found = BlockWalk(MAX_BLOCK, room), list[int]()
    array = no_longer_than(data)
    while True:
        run, start = walk.run(array, start, len(data), order == ">")
        if not len(run):
            return found, start
        found += run.tolist()


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(40))
def test_blocks_that_follow_each_other_are_found(seed: int, order: str, room: int) -> None:
    random, true, data = Random(seed), list[int](), b""
    for n in range(random.randrange(1, 200)):
        true.append(len(data))
        data += frame_block(random.choice((b"", stuffed(random, order), bytes(n))), order)
    assert runs(data, order, 0, room) == (true, len(data))


@pytest.mark.parametrize(
    "unsound",
    [
        frame_block(bytes(60))[:-4] + struct.pack("<I", 96),
        struct.pack("<II", 6, MAX_BLOCK + 4) + bytes(MAX_BLOCK - 8) + struct.pack("<I", MAX_BLOCK),
        struct.pack("<II", 6, 93) + bytes(81) + struct.pack("<I", 93),
        struct.pack("<II", 6, 28) + bytes(16) + struct.pack("<I", 28),
        struct.pack("<II", 6, 0) + bytes(24),
        struct.pack("<II", 7, 92) + bytes(80) + struct.pack("<I", 92),
    ],
    ids=["lengths that differ", "too long", "no multiple of four", "short", "nothing", "no frame"],
)
def test_no_run_goes_on_behind_a_block_that_is_no_sound_frame(unsound: bytes) -> None:
    sound = frame_block(bytes(60)) * 3
    assert runs(sound + unsound + sound, "<", 0, 1 << 16)[1] == len(sound)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_block_that_is_not_whole_ends_a_run(cut: int) -> None:
    block = frame_block(bytes(60))
    assert runs((block * 3)[:-cut], "<", 0, 1 << 16) == ([0, len(block)], 2 * len(block))


def test_megabytes_of_blocks_are_found() -> None:
    random = Random(3)
    blocks = [frame_block(random.randbytes(n % 1500)) for n in range(7000)]
    true = [0, *accumulate(map(len, blocks))]
    assert runs(b"".join(blocks), "<", 0, 1 << 16) == (true[:-1], true[-1])
