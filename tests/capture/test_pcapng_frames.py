"""The three blocks that hold a frame: what each says, and what makes it unbelievable."""

import struct

import pytest

from egress_audit.capture.pcapng_frames import FrameRecords, Rules
from tests.builders.captures import Interface, ObsoleteFrame, Section, SimpleFrame, block, pcapng
from tests.builders.engine import facts_of, run

START = pcapng([Section([])])
FIRST, SECOND = Rules(False, 0, 1, 0), Rules(True, 1, 2, 1)


def test_each_frame_follows_the_rules_in_force_before_it() -> None:
    records = FrameRecords([FIRST])
    records.position.fromlist([0, 10])
    records.follow(SECOND)
    records.position.append(20)
    assert records.spread().T.tolist() == [list(FIRST), list(FIRST), list(SECOND)]
    assert [records.rules_at(row) for row in range(3)] == [FIRST, FIRST, SECOND]


def test_rules_that_change_between_no_frames_cost_nothing() -> None:
    records = FrameRecords([FIRST])
    for _ in range(1_000):
        records.follow(SECOND)
        records.follow(FIRST)
    records.position.append(0)
    assert (records.rules, records.starts) == ([FIRST], [0])


def test_a_simple_block_is_cut_by_the_snaplen_of_the_first_interface() -> None:
    section = Section([SimpleFrame(b"abcdefgh", 20)], [Interface(snaplen=6), Interface(snaplen=2)])
    (frame,) = run(pcapng([section])).frames
    assert (frame[2], frame[3], frame[6]) == (6, 20, b"abcdef")


def test_a_simple_block_without_snaplen_is_cut_by_its_own_room() -> None:
    section = Section([SimpleFrame(b"abcdefgh", 20)], [Interface(snaplen=0)])
    (frame,) = run(pcapng([section])).frames
    assert (frame[2], frame[3]) == (8, 20)


@pytest.mark.parametrize("big_endian", [False, True])
def test_an_obsolete_block_has_a_short_interface_number(big_endian: bool) -> None:
    section = Section([ObsoleteFrame(0, b"abc", 9, 1)], [Interface(1), Interface(101)], big_endian)
    (frame,) = run(pcapng([section])).frames
    assert frame[2:] == (3, 9, 1, 101, b"abc")


def test_a_frame_that_claims_more_than_its_block_is_damage() -> None:
    lie = block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + b"abcd")
    (damage,) = facts_of(START + lie).damage
    assert damage.offset == len(START)
    assert "room for 4" in damage.what


def test_a_frame_of_four_gigabytes_is_damage() -> None:
    lie = block(6, struct.pack("<IIIII", 0, 0, 0, 0xFFFFFFFF, 0) + b"abcd")
    assert [damage.offset for damage in facts_of(START + lie).damage] == [len(START)]


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_a_block_too_short_for_a_frame_is_damage(kind: int) -> None:
    facts = facts_of(START + block(kind, b""))
    assert (facts.frames, len(facts.damage)) == (0, 1)


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_a_frame_before_any_interface_is_damage(kind: int) -> None:
    facts = facts_of(pcapng([Section([], ())]) + block(kind, bytes(20)))
    assert (facts.frames, len(facts.damage)) == (0, 1)
