"""Losses that stand beside single frames are found among the options, in either byte order."""

import struct

import pytest

from egress_audit.capture.pcapng_blocks import LEAVES_BLOCK
from egress_audit.capture.pcapng_drops import MAX_FRAME_OPTIONS
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Interface as InterfaceFacts
from tests.builders.captures import Frame, Interface, Section, Statistics, block, options, pcapng
from tests.builders.engine import facts_of

DROPCOUNT = 4


def interface_of(section: Section) -> InterfaceFacts:
    """The one interface of a section's capture."""
    (interface,) = facts_of(pcapng([section])).interfaces
    return interface


def dropped(count: int, *, big_endian: bool = False, before: int = 0) -> Frame:
    """A frame beside which a loss is stated, behind some other options."""
    value = struct.pack(">Q" if big_endian else "<Q", count)
    return Frame(0, b"abc", options=[*[(1, b"note")] * before, (DROPCOUNT, value)])


@pytest.mark.parametrize("big_endian", [False, True])
def test_losses_beside_frames_are_added_up(big_endian: bool) -> None:
    frames = [dropped(3, big_endian=big_endian), Frame(0, b"x"), dropped(4, big_endian=big_endian)]
    assert interface_of(Section(frames, big_endian=big_endian)).drops == 7


def test_frames_that_state_no_loss_do_not_state_zero() -> None:
    assert interface_of(Section([Frame(0, b"abc")])).drops is Absent.NOT_FOUND


def test_a_loss_behind_other_options_is_found() -> None:
    assert interface_of(Section([dropped(5, before=20)])).drops == 5


def test_a_loss_counts_for_the_interface_of_its_frame() -> None:
    other = Frame(0, b"abc", interface=1, options=dropped(2).options)
    facts = facts_of(pcapng([Section([other], [Interface(), Interface()])]))
    assert [interface.drops for interface in facts.interfaces] == [Absent.NOT_FOUND, 2]


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("value", [b"", b"\x05", bytes(4), bytes(9)])
def test_a_loss_count_of_another_size_is_damage_behind_which_reading_goes_on(
    value: bytes, big_endian: bool
) -> None:
    frame = Frame(0, b"abc", options=[(DROPCOUNT, value)])
    behind = dropped(4, big_endian=big_endian)
    facts = facts_of(pcapng([Section([frame, behind], big_endian=big_endian)]))
    (damage,) = facts.damage
    assert (damage.offset, damage.what) == (48, f"a drop count of {len(value)} bytes")
    assert (facts.frames, facts.interfaces[0].drops) == (2, 4)


def test_an_option_that_leaves_its_block_is_damage() -> None:
    lie = struct.pack("<IIIII", 0, 0, 0, 0, 0) + struct.pack("<HH", DROPCOUNT, 8)
    facts = facts_of(pcapng([Section([])]) + block(6, lie))
    assert facts.interfaces[0].drops is Absent.NOT_FOUND
    assert [damage.what for damage in facts.damage] == [LEAVES_BLOCK]


def test_a_loss_behind_a_thousand_options_is_found() -> None:
    assert interface_of(Section([dropped(5, before=1_000)])).drops == 5


def test_options_whose_end_is_not_reached_are_damage() -> None:
    facts = facts_of(pcapng([Section([dropped(5, before=MAX_FRAME_OPTIONS)])]))
    assert [damage.what for damage in facts.damage] == ["options that do not end"]
    assert facts.frames == 1


def test_a_simple_block_has_no_options_in_which_a_loss_could_stand() -> None:
    longer = struct.pack("<I", 1) + b"a\0\0\0" + options([(DROPCOUNT, b"\x05")])
    facts = facts_of(pcapng([Section([])]) + block(3, longer))
    assert (facts.frames, facts.damage) == (1, ())


def test_an_obsolete_block_states_its_loss_in_a_field() -> None:
    body = struct.pack("<HHIIII", 0, 6, 0, 0, 0, 0)
    assert facts_of(pcapng([Section([])]) + block(2, body)).interfaces[0].drops == 6


def test_an_obsolete_block_may_not_know_its_loss() -> None:
    body = struct.pack("<HHIIII", 0, 0xFFFF, 0, 0, 0, 0)
    drops = facts_of(pcapng([Section([])]) + block(2, body)).interfaces[0].drops
    assert drops is Absent.NOT_FOUND


def test_the_largest_count_there_is_does_not_overflow() -> None:
    drops = interface_of(Section([dropped((1 << 64) - 1)] * 4)).drops
    assert isinstance(drops, int)
    assert drops >= 1 << 40


def test_a_statistics_block_that_states_less_does_not_lower_the_loss() -> None:
    assert interface_of(Section([dropped(9), Statistics(0, 0, drops=2)])).drops == 9
