"""pcapng, held against the oracle on sound and on damaged files; and files made to hurt."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.capture.pcapng import MAX_INTERFACES
from tests.builders import strategies
from tests.builders.captures import (
    NANOSECONDS,
    Block,
    Frame,
    Interface,
    ObsoleteFrame,
    Section,
    SimpleFrame,
    Statistics,
    block,
    pcapng,
)
from tests.builders.engine import SMALLEST_BLOCK, facts_of, reference, run
from tests.builders.files import Item

T0 = 1_700_000_000_123_456_789
BLOCKS = (SMALLEST_BLOCK, 33, 64, 1000, 1 << 16)
EMPTY_SECTION = pcapng([Section([], ())])


@settings(max_examples=100)
@given(strategies.pcapng_files, st.sampled_from(BLOCKS))
def test_every_frame_is_the_oracles_wherever_the_window_cuts_it(data: bytes, size: int) -> None:
    assert run(data, size).frames == reference(data).frames


@settings(max_examples=150)
@given(strategies.damaged_captures(strategies.pcapng_files), st.sampled_from(BLOCKS))
def test_damage_is_found_where_the_oracle_finds_it(data: bytes, size: int) -> None:
    try:
        expected = reference(data)
    except ValueError:
        return
    done = run(data, size)
    assert done.frames == expected.frames
    assert done.facts is not None
    assert sorted({damage.offset for damage in done.facts.damage}) == expected.damage
    interfaces = [(i.section, i.linktype, i.snaplen) for i in done.facts.interfaces]
    assert interfaces == expected.interfaces


@settings(max_examples=60)
@given(strategies.damaged_captures(strategies.pcapng_files), st.sampled_from(BLOCKS))
def test_the_facts_are_the_same_however_much_is_read_at_a_time(data: bytes, size: int) -> None:
    try:
        whole = facts_of(data)
    except ValueError:
        return
    assert facts_of(data, size) == whole


def test_a_captured_length_above_that_on_the_wire_is_damage() -> None:
    frames = [Frame(0, b"abcd", 9), Frame(0, b"abcd", 3), Frame(0, b"abcd")]
    facts = facts_of(pcapng([Section(frames)]))
    assert facts.frames == 3
    (damage,) = facts.damage
    assert damage.what == "a frame claims 4 captured bytes of 3 on the wire"


def test_every_section_has_its_own_interfaces_byte_order_and_resolution() -> None:
    late = Interface(113, tsresol=NANOSECONDS, tsoffset=-3600)
    first = Section([Frame(T0, b"a"), late, Frame(T0, b"bb", interface=1), SimpleFrame(b"c")])
    second = Section([ObsoleteFrame(T0, b"d")], [Interface(101, tsresol=0x80 | 30)], True)
    rows = run(pcapng([first, second])).frames
    assert [(row[1] - T0, row[4], row[5], row[6]) for row in rows] == [
        (-789, 0, 1, b"a"),
        (0, 1, 113, b"bb"),
        (0, 0, 1, b"c"),
        (-1, 2, 101, b"d"),
    ]


def test_an_interface_of_another_section_is_not_this_sections() -> None:
    data = pcapng([Section([Frame(T0, b"a")]), Section([Frame(T0, b"b")], ())])
    facts = facts_of(data)
    assert (facts.frames, len(facts.damage)) == (1, 1)


def test_what_stands_behind_damage_says_nothing_of_the_capture() -> None:
    lie = Frame(T0, b"b", interface=7)
    behind: list[Item] = [Interface(101), Block(0x0BAD, b"?"), Statistics(0, T0, drops=9)]
    facts = facts_of(pcapng([Section([Frame(T0, b"a"), lie, *behind])]))
    assert (len(facts.interfaces), facts.skipped_blocks) == (1, {})
    assert facts.interfaces[0].drops != 9


def test_what_stands_before_damage_is_known_of_the_capture() -> None:
    lie = Frame(T0, b"b", interface=7)
    before: list[Item] = [Interface(101), Block(0x0BAD, b"?"), Statistics(0, T0, drops=9)]
    facts = facts_of(pcapng([Section([Frame(T0, b"a"), *before, lie])]))
    assert (len(facts.interfaces), facts.skipped_blocks) == (2, {"custom block": 1})
    assert facts.interfaces[0].drops == 9


def test_a_frame_of_no_described_interface_is_damage_at_its_block() -> None:
    data = pcapng([Section([Frame(T0, b"a"), Frame(T0, b"b", interface=7)])])
    (damage,) = facts_of(data).damage
    assert damage.offset == len(data) - 36
    assert "not described" in damage.what


@pytest.mark.parametrize("length", [0, 8, 13, 0xFFFFFFFF, (16 << 20) + 4])
def test_a_block_length_that_cannot_be_true_is_damage(length: int) -> None:
    data = EMPTY_SECTION + struct.pack("<II", 6, length) + bytes(64)
    assert [damage.offset for damage in facts_of(data).damage] == [len(EMPTY_SECTION)]


def test_two_lengths_that_differ_are_damage() -> None:
    data = EMPTY_SECTION + block(0x0BAD, b"abcd")[:-4] + struct.pack("<I", 20)
    (damage,) = facts_of(data).damage
    assert "differ" in damage.what


def test_a_section_header_without_room_for_its_fields_is_damage() -> None:
    short = block(0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D))
    (damage,) = facts_of(EMPTY_SECTION + short).damage
    assert damage.offset == len(EMPTY_SECTION)


def test_a_block_longer_than_the_window_is_read_in_one_piece() -> None:
    data = pcapng([Section([Frame(T0, bytes(range(256)) * 40)])])
    assert run(data, 64).frames == reference(data).frames


def test_a_frame_longer_than_any_ethernet_frame_is_kept_if_its_block_holds_it() -> None:
    facts = facts_of(pcapng([Section([Frame(T0, bytes(300_000))])]))
    assert (facts.frames, facts.damage) == (1, ())


def test_frames_without_time_take_that_of_the_frame_before_across_blocks() -> None:
    data = pcapng([Section([Frame(T0, b"abc"), *[SimpleFrame(b"abcd")] * 40])])
    done = run(data, 64)
    assert {row[1] for row in done.frames} == {T0 - 789}
    assert done.facts is not None
    assert done.facts.frames_without_time == 40


def test_more_interfaces_than_are_believed_end_the_file() -> None:
    data = EMPTY_SECTION + block(1, struct.pack("<HHI", 1, 0, 0)) * 70_000
    facts = facts_of(data)
    assert len(facts.interfaces) == MAX_INTERFACES
    assert [damage.offset for damage in facts.damage] == [28 + 20 * MAX_INTERFACES]


def test_two_hundred_thousand_sections_are_two_hundred_thousand_sections() -> None:
    facts = facts_of(EMPTY_SECTION * 200_000)
    assert facts.format_detail.startswith("200000 sections")
    assert facts.damage == ()


def test_sections_that_change_the_byte_order_each_time_keep_every_frame() -> None:
    pair = pcapng([Section([Frame(T0, b"a")]), Section([Frame(T0, b"b")], big_endian=True)])
    facts = facts_of(pair * 10_000)
    assert (facts.frames, facts.damage) == (20_000, ())


def test_a_resolution_of_two_to_the_minus_127_puts_everything_at_the_beginning() -> None:
    data = pcapng([Section([Frame(T0, b"a")], [Interface(tsresol=0xFF)])])
    done = run(data)
    assert [row[1] for row in done.frames] == [row[1] for row in reference(data).frames]
    assert done.frames[0][1] == 0


@pytest.mark.parametrize("big_endian", [False, True])
def test_a_later_section_of_another_major_version_is_damage(big_endian: bool) -> None:
    later = bytearray(pcapng([Section([Frame(T0, b"b")], big_endian=big_endian)]))
    later[12:14] = later[14:16] = b"\2\2"
    first = pcapng([Section([Frame(T0, b"a")])])
    done = run(first + bytes(later))
    assert len(done.frames) == 1
    assert done.facts is not None
    (damage,) = done.facts.damage
    assert damage.offset == len(first)
    assert "a section of version 514.514; only version 1 is known" in damage.what
