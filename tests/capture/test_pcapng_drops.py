"""Losses that stand beside single frames are found among the options, in either byte order."""

import struct

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Interface as InterfaceFacts
from tests.builders.captures import Frame, Interface, Section, Statistics, block, pcapng
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


def test_a_loss_count_of_the_wrong_size_says_nothing() -> None:
    frame = Frame(0, b"abc", options=[(DROPCOUNT, b"\x05")])
    assert interface_of(Section([frame])).drops is Absent.NOT_FOUND


def test_an_option_that_leaves_its_block_is_not_read() -> None:
    lie = struct.pack("<IIIII", 0, 0, 0, 0, 0) + struct.pack("<HH", DROPCOUNT, 8)
    data = pcapng([Section([])]) + block(6, lie)
    assert facts_of(data).interfaces[0].drops is Absent.NOT_FOUND


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
