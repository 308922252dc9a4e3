"""A flow belongs to the phase in which it began."""

import numpy as np

from egress_audit.attribute.phases import phase_at
from egress_audit.model.destination import Absent
from egress_audit.model.run import Phase
from tests.builders.runs import phase


def words(*phases: Phase, at: list[int]) -> list[str | Absent]:
    numbers, known = phase_at(phases, np.array(at, np.int64))
    return [known[number] for number in numbers.tolist()]


def between(word: str, begin: int, end: int | Absent) -> Phase:
    return phase(word, begin_ns=begin, end_ns=end)


def test_outside_all_phases_there_is_none() -> None:
    assert words(between("load", 10, 20), at=[9, 20]) == [Absent.NOT_FOUND] * 2


def test_inside_it_is_the_phases_word() -> None:
    assert words(between("load", 10, 20), at=[10, 19]) == ["load", "load"]


def test_of_phases_inside_each_other_the_one_that_began_last() -> None:
    found = words(between("load", 12, 14), between("serve", 10, 20), at=[11, 13, 15])
    assert found == ["serve", "load", "serve"]


def test_a_phase_without_an_end_goes_on() -> None:
    assert words(between("load", 10, Absent.NOT_FOUND), at=[10**18]) == ["load"]


def test_a_word_that_comes_twice_is_the_same_phase() -> None:
    assert words(between("a", 1, 2), between("a", 3, 4), at=[1, 2, 3]) == [
        "a",
        Absent.NOT_FOUND,
        "a",
    ]
