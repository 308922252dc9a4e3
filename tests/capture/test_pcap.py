"""Classic pcap, held against the oracle on sound and on damaged files."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.capture.pcap import read_header
from egress_audit.capture.walk import MAX_EMPTY
from egress_audit.model.destination import Absent
from tests.builders import strategies
from tests.builders.captures import Frame, pcap
from tests.builders.engine import SMALLEST_BLOCK, facts_of, reference, run

T0 = 1_700_000_000_123_456_789
BLOCKS = (SMALLEST_BLOCK, 33, 64, 1000, 1 << 16)


@settings(max_examples=100)
@given(strategies.pcap_files(), st.sampled_from(BLOCKS))
def test_every_frame_is_the_oracles_wherever_the_window_cuts_it(data: bytes, block: int) -> None:
    assert run(data, block).frames == reference(data).frames


@settings(max_examples=100)
@given(strategies.damaged_captures(strategies.pcap_files()), st.sampled_from(BLOCKS))
def test_damage_is_found_where_the_oracle_finds_it(data: bytes, block: int) -> None:
    try:
        expected = reference(data)
    except ValueError:
        return
    done = run(data, block)
    assert done.frames == expected.frames
    assert done.facts is not None
    assert [damage.offset for damage in done.facts.damage] == expected.damage


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(("nanoseconds", "lost_ns"), [(False, 789), (True, 0)])
def test_both_byte_orders_and_resolutions_are_read(
    big_endian: bool, nanoseconds: bool, lost_ns: int
) -> None:
    data = pcap([Frame(T0, b"abc", 9)], 101, nanoseconds=nanoseconds, big_endian=big_endian)
    assert run(data).frames == [(1, T0 - lost_ns, 3, 9, 0, 101, b"abc")]


def test_a_wire_length_below_the_captured_one_is_raised_to_it() -> None:
    (frame,) = run(pcap([Frame(T0, b"abc", 1)])).frames
    assert frame[3] == 3


@pytest.mark.parametrize("block", [SMALLEST_BLOCK, 1 << 16])
def test_a_captured_length_that_swallows_the_next_frame_is_damage(block: int) -> None:
    data = bytearray(pcap([Frame(T0, b"abc"), Frame(T0, b"hidden"), Frame(T0, b"ab", 9)], 101))
    data[24 + 8] = 3 + 16 + 6
    done = run(bytes(data), block)
    assert done.facts is not None
    assert [len(frame[6]) for frame in done.frames] == [25, 2]
    (damage,) = done.facts.damage
    assert (damage.offset, damage.what) == (24, "a frame claims 25 captured bytes of 3 on the wire")


def test_of_many_such_frames_the_first_are_told() -> None:
    facts = facts_of(pcap([Frame(T0, b"ab", 1)] * 300, 101))
    assert facts.frames == 300
    assert [damage.offset for damage in facts.damage] == [24 + 18 * n for n in range(101)]


def test_the_upper_half_of_the_link_type_is_not_part_of_it() -> None:
    data = bytearray(pcap([Frame(T0, b"abc")]))
    data[20:24] = struct.pack("<I", 0x9000_0001)
    assert run(bytes(data)).frames[0][5] == 1


def test_a_length_of_four_gigabytes_is_damage_at_its_record() -> None:
    data = (
        pcap([Frame(T0, b"abc")]) + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(99)
    )
    facts = facts_of(data)
    assert [(damage.offset, facts.frames) for damage in facts.damage] == [(43, 1)]


def test_damage_does_not_keep_the_rest_from_being_hashed() -> None:
    data = pcap([]) + b"\xff" * 10_000
    assert facts_of(data, 64).size == len(data)


def test_a_hundred_thousand_frames_of_no_bytes_are_counted() -> None:
    facts = facts_of(pcap([Frame(T0, b"")] * 100_000))
    assert (facts.frames, facts.damage) == (100_000, ())


def test_a_header_without_frames_is_a_capture_without_frames() -> None:
    facts = facts_of(pcap([]))
    assert (facts.frames, facts.damage) == (0, ())


def test_the_format_has_no_place_for_losses_so_none_are_claimed() -> None:
    (interface,) = facts_of(pcap([Frame(T0, b"a")])).interfaces
    assert interface.drops is Absent.NOT_FOUND
    assert interface.capture_filter is Absent.NOT_FOUND


@pytest.mark.parametrize("raw", [b"", b"\xd4\xc3\xb2\xa1", b"\xd4\xc3\xb2\xa1" + bytes(19)])
def test_a_header_that_is_cut_is_none(raw: bytes) -> None:
    assert read_header(raw) is None


def test_the_header_is_told_in_words() -> None:
    header = read_header(pcap([], nanoseconds=True, big_endian=True))
    assert header is not None
    assert header.detail == "version 2.4, big-endian, nanoseconds"


@pytest.mark.parametrize("block", [100_000, 1 << 20])
def test_a_file_that_goes_on_in_zeros_is_damaged_where_no_recorder_would(block: int) -> None:
    data = pcap([Frame(T0, b"abc")], 101)
    done = run(data + bytes(16 * (MAX_EMPTY + 1000)), block)
    assert done.facts is not None
    (damage,) = done.facts.damage
    assert damage.offset == len(data) + 16 * MAX_EMPTY
    assert "hold nothing" in damage.what
    assert done.facts.frames == 1 + MAX_EMPTY


def test_a_few_records_that_hold_nothing_are_no_damage() -> None:
    done = run(pcap([Frame(T0, b"abc")], 101) + bytes(16 * 100))
    assert done.facts is not None
    assert done.facts.damage == ()
    assert done.facts.frames == 101


def test_frames_of_which_nothing_was_kept_were_on_the_wire() -> None:
    count = MAX_EMPTY + 1000
    done = run(pcap([], 101) + struct.pack("<IIII", 1, 0, 0, 60) * count)
    assert done.facts is not None
    assert (done.facts.damage, done.facts.frames) == ((), count)
