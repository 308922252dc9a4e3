"""The walk in lanes gives what the serial walk gives, whatever payloads are made to look like."""

import io
import struct
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.capture.lanes import USUAL_CUT, Cut, pcap_offsets, pcapng_lanes
from egress_audit.capture.pcapng import PcapngSource
from egress_audit.capture.pcapng_blocks import MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME, Stop, pcap_records
from egress_audit.capture.window import Window
from egress_audit.columns import PADDING, U8
from tests.builders.captures import Section, block, pcapng
from tests.builders.raw_records import ORDERS, SECONDS, frame_block, joined, record

NARROW = Cut(lane=200, fewest=4)
"""So that a few kilobytes have many lanes."""


def noise(random: Random, most: int = 300) -> bytes:
    """A payload that means nothing."""
    return random.randbytes(random.randrange(most))


def lies(random: Random, order: str) -> bytes:
    """A payload stuffed with records that lead on to others, from a random place on."""
    fakes = b"".join(record(noise(random, 60), order) for _ in range(random.randrange(1, 9)))
    return random.randbytes(random.randrange(4)) + fakes


def look_alikes(random: Random, order: str) -> bytes:
    """A payload stuffed with frame blocks at multiples of four."""
    return b"".join(frame_block(noise(random, 60), order) for _ in range(random.randrange(1, 9)))


def padded(data: bytes) -> tuple[bytearray, U8]:
    """A buffer as a window has it."""
    buffer = bytearray(data + bytes(PADDING))
    return buffer, np.frombuffer(buffer, np.uint8)


def in_lanes(data: bytes, order: str, start: int = 0, cut: Cut = NARROW) -> tuple[object, ...]:
    """What the walk in lanes says."""
    buffer, array = padded(data)
    records, following, stop = pcap_offsets(buffer, array, start, len(data), order, cut)
    return records.tolist(), following, stop


def one_by_one(data: bytes, order: str, start: int = 0) -> tuple[object, ...]:
    """What the serial walk says."""
    return pcap_records(bytearray(data), start, len(data), order)


def adversarial(seed: int, order: str) -> bytes:
    """Records of every awkward kind, and perhaps damage in the middle or a cut end."""
    random = Random(seed)
    kinds = random.sample(range(6), random.randrange(1, 6))
    parts = []
    for n in range(random.randrange(20, 400)):
        kind, seconds = random.choice(kinds), SECONDS + n
        if kind == 0:
            parts.append(record(noise(random), order, seconds, random.randrange(10**9)))
        elif kind == 1:
            parts.append(record(lies(random, order), order, seconds))
        elif kind == 2:
            parts.append(record(b"", order, seconds))
        elif kind == 3:
            parts.append(record(random.randbytes(1 + n % 3), order, seconds, 999_999_999))
        elif kind == 4:
            parts.append(record(bytes(random.randrange(200)), order, random.getrandbits(32)))
        else:
            parts.append(record(lies(random, "<" if order == ">" else ">"), order, seconds))
    return joined(parts, seed, random, order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(150))
def test_adversarial_records_are_those_of_the_serial_walk(seed: int, order: str) -> None:
    data = adversarial(seed, order)
    assert in_lanes(data, order) == one_by_one(data, order)


@settings(max_examples=150)
@given(
    payloads=st.lists(st.binary(max_size=120), min_size=10, max_size=60),
    repeats=st.integers(1, 8),
    order=st.sampled_from(ORDERS),
    start=st.integers(0, 60),
    cut=st.integers(0, 40),
    nested=st.booleans(),
)
def test_any_records_are_those_of_the_serial_walk(
    payloads: list[bytes], repeats: int, order: str, start: int, cut: int, nested: bool
) -> None:
    records = [record(data, order, fraction=n) for n, data in enumerate(payloads)]
    if nested:
        records += [record(b"x" + b"".join(records), order)]
    data = b"\xff" * start + b"".join(records * repeats)
    data = data[: max(len(data) - cut, start)]
    assert in_lanes(data, order, start) == one_by_one(data, order, start)


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.binary(min_size=1000, max_size=3000))
def test_bytes_that_are_no_records_are_read_as_the_serial_walk_reads_them(
    seconds: int, data: bytes
) -> None:
    data = struct.pack("<IIII", seconds & 0xFFFFFFFF, 0, 0, 0) + data
    assert in_lanes(data, "<") == one_by_one(data, "<")


@pytest.mark.parametrize("order", ORDERS)
def test_a_block_as_large_as_they_are_read_is_that_of_the_serial_walk(order: str) -> None:
    random = Random(7)
    parts = [record(noise(random, 1500), order, SECONDS + n // 100) for n in range(6000)]
    parts[3000:3000] = [record(lies(random, order), order) for _ in range(2000)]
    data = b"".join(parts)
    assert in_lanes(data, order, cut=USUAL_CUT) == one_by_one(data, order)


def test_most_of_a_sound_block_is_proven_rather_than_followed() -> None:
    random = Random(3)
    data = b"".join(frame_block(noise(random, 1400)) for _ in range(4000))
    buffer, array = padded(data)
    records, reached = pcapng_lanes(buffer, array, 0, len(data), "<").following(0)
    assert (len(records), reached) == (4000, len(data))


def test_a_hundred_thousand_empty_records_are_found_in_lanes_too() -> None:
    data = record(b"") * 100_000
    assert in_lanes(data, "<", cut=USUAL_CUT) == one_by_one(data, "<")


def test_a_record_that_begins_in_the_last_bytes_waits() -> None:
    data = record(bytes(100)) * 40 + record(bytes(9))[:15]
    records, following, stop = in_lanes(data, "<")
    assert (following, stop) == (40 * 116, Stop.NEEDS_MORE)
    assert records == list(range(0, 40 * 116, 116))


def test_damage_stops_the_walk_although_sound_lanes_follow() -> None:
    sound = record(bytes(100)) * 40
    data = sound + struct.pack("<4I", SECONDS, 0, MAX_FRAME + 1, 0) + sound
    assert in_lanes(data, "<")[1:] == (len(sound), Stop.DAMAGE)


def test_nothing_follows_a_position_where_no_lane_begins() -> None:
    buffer, array = padded(frame_block(bytes(60)) * 100)
    lanes = pcapng_lanes(buffer, array, 0, len(buffer) - PADDING, "<", NARROW)
    records, reached = lanes.following(4)
    assert (len(records), reached) == (0, 4)


def blocks(seed: int) -> bytes:
    """A file of sections in either order, in which frames stand among all other blocks."""
    random, parts = Random(seed), list[bytes]()
    for _ in range(random.randrange(1, 4)):
        order = random.choice(ORDERS)
        parts.append(pcapng([Section([], big_endian=order == ">")]))
        for n in range(random.randrange(50, 2500)):
            kind = random.choice((0, 0, 0, 0, 1, 1, 2)) if n % 97 else 3 + seed % 4
            if kind <= 2:
                payload = noise(random, 1200) if kind == 0 else look_alikes(random, order)
                parts.append(frame_block(payload[: 0 if kind == 2 else None], order))
            elif kind == 3:
                parts.append(block(0x777, look_alikes(random, order), order))
            elif kind == 4:
                parts.append(block(3, struct.pack(order + "I", 40) + bytes(40), order))
            elif kind == 5:
                parts.append(block(5, struct.pack(order + "III", 0, 0, n), order))
    if seed % 5 == 1:
        parts[len(parts) // 2] = struct.pack("<III", 6, 33, 33)
    if seed % 5 == 2:
        parts[len(parts) // 2] = frame_block(bytes(8), order)[:-4] + b"\x01\0\0\0"
    data = b"".join(parts)
    return data[: -random.randrange(1, 50)] if seed % 5 == 3 else data


def read(data: bytes, size: int) -> tuple[object, ...]:
    """Places in the file, times and lengths of all frames read with a window of `size` bytes, and
    the facts."""
    window = Window(io.BytesIO(data), block=size)
    source, found = PcapngSource("capture", window), list[tuple[int, int, int, int]]()
    for batch in source:
        columns = (batch.offset + window.base, batch.caplen, batch.ts_ns, batch.interface)
        found += zip(*(column.tolist() for column in columns), strict=True)
    return found, source.facts()


@pytest.mark.parametrize("seed", range(40))
def test_blocks_in_lanes_are_those_of_a_window_too_small_for_lanes(seed: int) -> None:
    data = blocks(seed)
    few = USUAL_CUT.lane * (USUAL_CUT.fewest - 1)
    assert read(data, 8 << 20) == read(data, few) == read(data, 40_000)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(60))
def test_look_alikes_of_blocks_are_never_taken_for_them(seed: int, order: str) -> None:
    random = Random(seed)
    true, data = [], b""
    for _ in range(200):
        true.append(len(data))
        payload = look_alikes(random, order) if random.random() < 0.5 else noise(random)
        data += frame_block(payload, order)
    buffer, array = padded(data)
    lanes = pcapng_lanes(buffer, array, 0, len(data), order, NARROW)
    for place in true:
        records, reached = lanes.following(place)
        assert records.tolist() == [at for at in true if place <= at < reached]
        assert reached in true or reached == len(data)


def test_a_frame_longer_than_any_is_damage_although_its_bytes_are_there() -> None:
    sound = record(bytes(100)) * 40
    data = sound + record(bytes(MAX_FRAME + 1)) + sound
    assert in_lanes(data, "<")[1:] == (len(sound), Stop.DAMAGE)


@pytest.mark.parametrize(
    "unsound",
    [
        frame_block(bytes(60))[:-4] + struct.pack("<I", 96),
        block(6, bytes(MAX_BLOCK)),
        struct.pack("<II", 6, 93) + bytes(81) + struct.pack("<I", 93),
        block(6, bytes(16)),
        block(7, bytes(80)),
    ],
    ids=["lengths that differ", "too long", "no multiple of four", "too short", "no frame"],
)
def test_no_lane_goes_on_behind_a_block_that_is_no_sound_frame(unsound: bytes) -> None:
    sound = frame_block(bytes(60)) * 40
    buffer, array = padded(sound + unsound + sound)
    lanes = pcapng_lanes(buffer, array, 0, len(buffer) - PADDING, "<", NARROW)
    assert lanes.following(0)[1] == len(sound)
