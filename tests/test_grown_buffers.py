"""What fuzzing grows from small inputs has lanes, and faults where the input says."""

import struct

import numpy as np
import pytest

from egress_audit.capture.lanes import FEWEST, pcap_offsets, pcapng_lanes
from egress_audit.capture.walk import Stop, pcap_records
from egress_audit.columns import PADDING
from fuzz.grown import EXTREMES, FAULT, GROWN, HEAD, Grown, frame_block, grown, pcap_record
from fuzz.lanes import sound_blocks
from fuzz.seeds import seeds

RECIPES = seeds("lanes_of_pcap")
HUNDRED = struct.pack(">H", 100) + bytes(100)
"""A record of a hundred bytes."""


def made(*faults: tuple[int, int, int, int], way: int = 0, lacking: int = 0) -> Grown:
    """Records of pcap, of a hundred bytes each, with these faults."""
    head = HEAD.pack(way, 0, lacking, len(faults))
    return grown(head + b"".join(FAULT.pack(*fault) for fault in faults) + HUNDRED, pcap_record)


def walked(buffer: Grown) -> tuple[list[int], int, Stop]:
    data = bytearray(buffer.data)
    return pcap_records(data, buffer.start, len(data), buffer.order)


@pytest.mark.parametrize("recipe", [*RECIPES, b""])
def test_every_recipe_grows_to_a_buffer_with_lanes(recipe: bytes) -> None:
    buffer = grown(recipe, frame_block)
    whole = bytearray(buffer.data + bytes(PADDING))
    array, end = np.frombuffer(whole, np.uint8), len(buffer.data)
    assert len(pcapng_lanes(whole, array, buffer.start, end, buffer.order).starts) >= FEWEST


def test_an_input_grows_to_the_same_buffer_each_time() -> None:
    assert [grown(one, pcap_record) for one in RECIPES] == [
        grown(one, pcap_record) for one in RECIPES
    ]


def test_what_an_input_asks_for_does_not_grow_without_end() -> None:
    most = HEAD.pack(0, 255, 0, 255) + b"\xff" * (1 << 16)
    assert len(grown(most, pcap_record).data) < 4 * GROWN


@pytest.mark.parametrize("way", [0, 1])
def test_without_faults_all_records_are_sound(way: int) -> None:
    offsets, reached, stop = walked(buffer := made(way=way))
    assert (reached, stop) == (len(buffer.data), Stop.NEEDS_MORE)
    assert offsets == list(range(0, len(buffer.data), 116))


def test_a_cut_end_leaves_a_record_that_waits() -> None:
    _, reached, stop = walked(buffer := made(lacking=5))
    assert (len(buffer.data) - reached, stop) == (111, Stop.NEEDS_MORE)


@pytest.mark.parametrize(
    "fault",
    [(2, 0, 1 << 30), (2, 1, 21), (0, 2, 50), (0xF0, 3, 9)],
    ids=["a word", "an extreme", "bytes missing", "bytes too many"],
)
def test_a_fault_lies_at_the_record_that_the_input_says(fault: tuple[int, int, int]) -> None:
    sound, damaged = walked(made())[0], walked(made((1 << 15, *fault)))[0]
    middle = len(sound) // 2
    assert damaged[: middle + 1][:middle] == sound[:middle]
    assert damaged[middle + 1 :] != sound[middle + 1 :]


def test_a_block_can_have_a_length_at_both_ends_that_is_not_its_own() -> None:
    fault = FAULT.pack(1 << 15, 0, 4, EXTREMES.index(36))
    data = grown(HEAD.pack(0, 0, 0, 1) + fault + HUNDRED, frame_block).data
    blocks, _ = sound_blocks(bytearray(data), 0, len(data), "<")
    assert blocks[-1] == blocks[-2] + 132
    assert struct.unpack_from("<I", data, blocks[-1] + 32) == (36,)


def test_a_walk_that_followed_a_look_alike_would_be_noticed() -> None:
    within = grown(
        HEAD.pack(0, 0, 0, 0) + struct.pack(">H", 5 * 2048 + 60) + bytes(60), pcap_record
    )
    true = walked(within)[0]
    nested = within.data.find(within.data[:4], 1)
    buffer = bytearray(within.data + bytes(PADDING))
    array, end = np.frombuffer(buffer, np.uint8), len(within.data)
    assert pcap_offsets(buffer, array, 0, end, "<")[0].tolist() == true
    assert nested not in true
    assert pcap_offsets(buffer, array, nested, end, "<")[0][0] == nested


def test_blocks_are_sound_up_to_the_first_that_is_not() -> None:
    sound, other = frame_block(bytes(60), ">"), frame_block(bytes(60), "<")
    data = bytearray(sound * 3 + other + sound)
    assert sound_blocks(data, 0, len(data), ">") == ([0, 92, 184], 276)
    assert sound_blocks(data, 276, len(data), "<") == ([276], 368)
    assert sound_blocks(data, 276, len(data), ">") == ([], 276)
