"""No loss that an Interface Statistics Block states, or gives away, can disappear."""

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from egress_audit.capture.pcapng_asides import Asides
from egress_audit.capture.pcapng_blocks import ISB, LEAVES_BLOCK, InterfaceState
from egress_audit.capture.pcapng_frames import Rules
from egress_audit.capture.pcapng_statistics import (
    FILTERACCEPT,
    IFDROP,
    IFRECV,
    NO_INTERFACE,
    OSDROP,
    apply_statistics,
)
from egress_audit.capture.places import MAX_PLACES
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts
from tests.builders.captures import Frame, Interface, Section, Statistics, block, options, pcapng
from tests.builders.engine import facts_of

UNKNOWN = Absent.NOT_FOUND


def statistics(number: int, *pairs: tuple[int, bytes]) -> bytes:
    """The body of an ISB."""
    return struct.pack("<III", number, 0, 0) + options(pairs)


def count(value: int) -> bytes:
    """A counter of an ISB."""
    return struct.pack("<Q", value)


def after(*bodies: bytes, frames: int = 0) -> InterfaceState:
    """The one interface of a file with some frames, after these statistics."""
    state = InterfaceState(0, 1, 0, frames=frames)
    for body in bodies:
        assert apply_statistics(body, "<", [state], 0, 1) == (True, "")
    return state


def told(*pairs: tuple[int, int]) -> bytes:
    """Statistics of the first interface, by option code."""
    return statistics(0, *((code, count(value)) for code, value in pairs))


def facts_with(*bodies: bytes, interfaces: int = 1) -> CaptureFacts:
    """The facts of a file with these statistics behind its interfaces."""
    described = [Interface()] * interfaces
    return facts_of(pcapng([Section([], described)]) + b"".join(block(5, body) for body in bodies))


def test_losses_of_interface_and_of_system_are_added() -> None:
    assert after(told((IFDROP, 3), (OSDROP, 4))).drops == 7


def test_statistics_that_state_no_loss_do_not_state_zero() -> None:
    state = after(told((IFRECV, 9)), frames=9)
    assert (state.received, state.drops) == (9, UNKNOWN)


@pytest.mark.parametrize("stated", [(9, 3), (3, 9), (9, 0)])
def test_a_loss_once_stated_is_not_taken_back(stated: tuple[int, int]) -> None:
    assert after(*[told((IFDROP, drops)) for drops in stated]).drops == 9


def test_the_larger_of_two_counts_in_one_block_counts() -> None:
    assert after(told((IFDROP, 9), (IFDROP, 0))).drops == 9


def test_the_larger_of_two_ways_to_state_loss_counts() -> None:
    state = after(told((IFDROP, 3)))
    state.counted_drops = 5
    assert state.drops == 5


def test_a_loss_of_no_interface_counts_for_the_first_of_its_section() -> None:
    first = pcapng([Section([Frame(0, b"a")])])
    second = pcapng([Section([Statistics(0, 0, drops=2)])])
    facts = facts_of(first + second + block(5, statistics(7, (IFDROP, count(3)))))
    assert [interface.drops for interface in facts.interfaces] == [UNKNOWN, 5]
    assert facts.damage == ()


def test_a_loss_in_a_section_without_interfaces_is_damage() -> None:
    (damage,) = facts_with(statistics(0, (OSDROP, count(1))), interfaces=0).damage
    assert (damage.offset, damage.what) == (28, NO_INTERFACE)


@pytest.mark.parametrize("body", [b"", statistics(3), statistics(3, (IFDROP, count(0)))])
def test_statistics_of_no_interface_that_state_no_loss_are_only_skipped(body: bytes) -> None:
    facts = facts_with(body)
    assert (facts.damage, facts.skipped_blocks) == ((), {NO_INTERFACE: 1})


@pytest.mark.parametrize("code", [IFDROP, OSDROP])
@pytest.mark.parametrize("value", [b"", b"\x03", bytes(7), bytes(12)])
def test_a_loss_count_of_another_size_is_damage_behind_which_reading_goes_on(
    code: int, value: bytes
) -> None:
    facts = facts_with(statistics(0, (code, value)), told((IFDROP, 4)))
    (damage,) = facts.damage
    assert (damage.offset, damage.what) == (48, f"a drop count of {len(value)} bytes")
    assert facts.interfaces[0].drops == 4


def test_an_option_that_leaves_its_block_is_damage() -> None:
    facts = facts_with(statistics(0, (IFDROP, count(3)))[:-8])
    assert [damage.what for damage in facts.damage] == [LEAVES_BLOCK]


def test_options_without_an_end_mark_are_no_damage() -> None:
    facts = facts_with(statistics(0, (IFDROP, count(3)))[:-4])
    assert (facts.damage, facts.interfaces[0].drops) == ((), 3)


def test_damage_without_end_is_noted_in_bounded_memory() -> None:
    damage = facts_with(*[statistics(0, (IFDROP, b""))] * 1_000).damage
    assert len(damage) == MAX_PLACES + 1
    assert "further" in damage[-1].what


@pytest.mark.parametrize("stated", [(), ((IFDROP, 0),)])
def test_frames_received_that_are_not_in_the_file_were_lost(
    stated: tuple[tuple[int, int], ...],
) -> None:
    assert after(told((IFRECV, 9), *stated), frames=7).drops == 2


def test_a_stated_loss_stands_whatever_was_received() -> None:
    assert after(told((IFRECV, 9), (IFDROP, 1)), frames=7).drops == 1


def test_as_many_frames_received_as_there_are_state_no_loss_by_themselves() -> None:
    assert after(told((IFRECV, 7), (IFDROP, 0)), frames=7).drops == 0


def test_frames_that_a_filter_left_out_were_not_lost_but_filtered() -> None:
    state = after(told((IFRECV, 9), (FILTERACCEPT, 7)), frames=7)
    assert state.drops is UNKNOWN
    assert state.described(0).capture_filter == "a filter that let 7 of 9 frames through"


def test_frames_that_a_filter_let_through_and_are_not_in_the_file_were_lost() -> None:
    assert after(told((IFRECV, 9), (FILTERACCEPT, 7)), frames=4).drops == 3


def test_a_filter_that_is_stated_keeps_its_words() -> None:
    state = after(told((IFRECV, 9), (FILTERACCEPT, 7)), frames=7)
    state.capture_filter = "tcp"
    assert state.described(0).capture_filter == "tcp"


def test_a_filter_that_let_everything_through_left_nothing_out() -> None:
    state = after(told((IFRECV, 7), (FILTERACCEPT, 7)), frames=7)
    assert state.described(0).capture_filter is UNKNOWN


def test_counts_of_two_blocks_are_not_set_against_each_other() -> None:
    state = after(told((IFRECV, 5), (FILTERACCEPT, 5)), told((IFRECV, 9)), frames=9)
    assert state.described(0).capture_filter is UNKNOWN


class Looked(list[InterfaceState]):
    """Interfaces that count how many of them are looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.looks += len(found) if isinstance(at, slice) else 1
        return found

    def __iter__(self) -> Iterator[InterfaceState]:
        for state in super().__iter__():
            self.looks += 1
            yield state


@pytest.mark.parametrize("number", [0, 7, 1_000])
def test_statistics_look_at_one_interface_however_many_there_are(number: int) -> None:
    states = Looked(InterfaceState(0, 1, 0) for _ in range(1_000))
    Asides().take(ISB, statistics(number, (IFDROP, count(1))), Rules(False, 0, 1_000, 0), states)
    assert states.looks == 1
