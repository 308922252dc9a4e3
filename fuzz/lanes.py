"""The walks over big buffers, in numpy and compiled, held to the walk of one record at a time."""

import struct
import sys

import numpy as np

from egress_audit.capture.lanes import Lanes, pcap_offsets, pcapng_lanes
from egress_audit.capture.pcapng_blocks import EPB, MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME, Stop, pcap_records
from egress_audit.columns import PADDING, U8
from egress_audit.compiled import library
from egress_audit.compiled.records import DAMAGE, ROOM, BlockWalk, PcapWalk, Rules
from fuzz.grown import Grown, frame_block, grown, pcap_record

NATIVE = "<" if sys.byteorder == "little" else ">"
SHORTEST_BLOCK, SHORTEST_EPB = 12, 32
MOST_RUNS = 64
"""Runs of blocks looked at in one buffer, which may hold nothing else than what ends them."""


def lanes_of_pcap(data: bytes) -> None:
    """Records of pcap, grown."""
    made = grown(data, pcap_record)
    buffer, array, end = _padded(made)
    offsets, following, stop = pcap_records(buffer, made.start, end, made.order)
    found, *ended = pcap_offsets(buffer, array, made.start, end, made.order)
    assert found.tolist() == offsets and ended == [following, stop]
    if library.is_in_use():
        walk = PcapWalk(Rules(made.order != NATIVE, MAX_FRAME, 1))
        records, reached, why = walk.records(array, made.start, end)
        assert (records.offset - 16).tolist() == offsets and reached == following
        assert (why == DAMAGE) is (stop is Stop.DAMAGE)


def lanes_of_pcapng(data: bytes) -> None:
    """Frame blocks of pcapng, grown."""
    made = grown(data, frame_block)
    buffer, array, end = _padded(made)
    lanes = pcapng_lanes(buffer, array, made.start, end, made.order)
    walk = BlockWalk(MAX_BLOCK) if library.is_in_use() else None
    position, runs = made.start, 0
    while position <= end and runs < MOST_RUNS:
        runs += 1
        blocks, reached = sound_blocks(buffer, position, end, made.order)
        _hold_to(lanes, blocks, reached)
        if walk is not None:
            run, stopped = walk.run(array, position, end, made.order != NATIVE)
            assert run.tolist() == blocks[:ROOM]
            assert stopped == [*blocks, reached][len(run)]
        position = _after_another(buffer, reached, end, made.order)


def sound_blocks(buffer: bytearray, position: int, end: int, order: str) -> tuple[list[int], int]:
    """The sound frame blocks that follow each other from a position on, one at a time, and where
    the last of them ends."""
    head, tail = struct.Struct(order + "II").unpack_from, struct.Struct(order + "I").unpack_from
    blocks = []
    while end - position >= SHORTEST_EPB:
        kind, length = head(buffer, position)
        if kind != EPB or length % 4 or not SHORTEST_EPB <= length <= MAX_BLOCK:
            break
        if length > end - position or tail(buffer, position + length - 4)[0] != length:
            break
        blocks.append(position)
        position += length
    return blocks, position


def _hold_to(lanes: Lanes, blocks: list[int], reached: int) -> None:
    """From wherever a lane begins among true blocks, what it tells are these, and no others."""
    for first, place in enumerate(blocks):
        if place in lanes.starts:
            records, following = lanes.following(place)
            last = first + len(records)
            assert records.tolist() == blocks[first:last]
            assert following == [*blocks, reached][last]


def _after_another(buffer: bytearray, position: int, end: int, order: str) -> int:
    """Behind a block that is no sound frame, as far as it says where it ends."""
    if end - position < SHORTEST_BLOCK:
        return end + 1
    length = int(struct.unpack_from(order + "I", buffer, position + 4)[0])
    return position + max(length + -length % 4, SHORTEST_BLOCK)


def _padded(made: Grown) -> tuple[bytearray, U8, int]:
    """A buffer as a window has it, the same as an array, and its end."""
    buffer = bytearray(made.data + bytes(PADDING))
    return buffer, np.frombuffer(buffer, np.uint8), len(made.data)
