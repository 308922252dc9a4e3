"""Damage behind which reading goes on: bounded, and the same however a file is read."""

import struct

import pytest

from egress_audit.capture.pcapng_blocks import ISB
from egress_audit.capture.pcapng_statistics import IFDROP
from egress_audit.capture.places import BEYOND, MAX_PLACES, Places
from egress_audit.model.evidence import Damage
from tests.builders.captures import Block, Frame, Item, Section, pcapng
from tests.builders.engine import facts_of

DROPCOUNT = 4


def test_the_first_places_are_kept_and_the_next_one_says_that_there_are_more() -> None:
    places = Places()
    for offset in range(MAX_PLACES + 5, 0, -1):
        places.note([(offset, "odd")])
    told = places.told()
    assert told[:-1] == [Damage(offset, "odd") for offset in range(1, MAX_PLACES + 1)]
    assert told[-1] == Damage(MAX_PLACES + 1, BEYOND)


def test_as_many_places_as_there_is_room_for_are_all_told() -> None:
    places = Places()
    places.note((offset, "odd") for offset in range(MAX_PLACES))
    assert [damage.what for damage in places.told()] == ["odd"] * MAX_PLACES


def test_what_is_noted_again_takes_no_room() -> None:
    places = Places()
    for _ in range(2 * MAX_PLACES):
        places.note([(7, "odd")])
    assert places.told() == [Damage(7, "odd")]


@pytest.mark.parametrize("options", [1, 60])
def test_which_places_are_told_does_not_hang_on_the_size_of_a_batch(options: int) -> None:
    odd = [(DROPCOUNT, b"\1\2"), (DROPCOUNT, b"\1")] * options
    frames = [Frame(0, b"abc", options=odd) for _ in range(60)]
    strange = Block(ISB, struct.pack("<IIIHHI", 0, 0, 0, IFDROP, 4, 1))
    items: list[Item] = [item for frame in frames for item in (frame, strange)]
    data = pcapng([Section(items)])
    assert facts_of(data, 64).damage == facts_of(data).damage
