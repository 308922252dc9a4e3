"""Values are the dataclasses of the standard library in everything but what they cost."""

import dataclasses
import pickle
from dataclasses import field, replace

import numpy as np
import pytest

from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """Two fields, and one that no comparison sees."""

    x: int
    y: int = 0
    kept: list[int] = field(default_factory=list, compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same, of the standard library."""

    x: int
    y: int = 0
    kept: list[int] = field(default_factory=list, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Other:
    """The fields of a Point, which it is not."""

    x: int
    y: int = 0


@dataclass(slots=True)
class Growing:
    """One that changes."""

    x: int = 0


@dataclass(frozen=True, slots=True)
class Spelt:
    """One with methods of its own."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spelt) and self.text.lower() == other.text.lower()

    def __hash__(self) -> int:
        return hash(self.text.lower())

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Column:
    """An array alone."""

    numbers: object


def test_values_of_equal_fields_are_equal() -> None:
    assert Point(1, 2) == Point(1, 2)


def test_values_that_differ_in_a_field_are_not_equal() -> None:
    assert Point(1, 2) != Point(1, 3)


def test_values_of_other_classes_are_not_equal() -> None:
    other: object = Other(1, 2)
    assert other != Point(1, 2)


def test_a_field_that_is_not_compared_makes_no_difference() -> None:
    assert Point(1, 2, [3]) == Point(1, 2, [4])


def test_equal_frozen_values_are_one_in_a_set() -> None:
    assert len({Point(1, 2, [3]), Point(1, 2), Point(2, 2)}) == 2


def test_values_that_change_cannot_be_hashed() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Growing())


def test_methods_of_a_class_itself_stay() -> None:
    assert ({Spelt("A"), Spelt("a")}, repr(Spelt("b"))) == ({Spelt("a")}, "b")


def test_a_value_that_holds_an_array_alone_is_equal_to_itself() -> None:
    column = Column(np.arange(3))
    assert column == column.__class__(column.numbers)


def test_a_value_shows_what_the_standard_shows() -> None:
    assert repr(Point(1, 2, [3])) == repr(Standard(1, 2, [3])).replace("Standard", "Point")


def test_a_value_takes_its_fields_by_place_and_by_name() -> None:
    other = Other(y=2, x=1)
    assert (other, Other(3), other.x, other.y) == (Other(1, 2), Other(3, 0), 1, 2)


def test_values_of_as_many_fields_do_not_share_their_names() -> None:
    spelt, column = Spelt("a"), Column("b")
    assert (spelt.text, column.numbers) == ("a", "b")


@pytest.mark.parametrize("arguments", [{}, {"y": 1}, {"x": 1, "z": 2}])
def test_a_value_refuses_what_the_standard_refuses(arguments: dict[str, int]) -> None:
    said = []
    for made in (Standard, Other):
        with pytest.raises(TypeError) as refused:
            made(**arguments)  # type: ignore[arg-type]
        said.append(str(refused.value))
    assert said[0].replace("Standard", "Other") == said[1]


def test_a_value_has_the_fields_of_the_standard() -> None:
    names = [[one.name for one in dataclasses.fields(each)] for each in (Point, Standard)]
    assert names[0] == names[1]


def test_a_value_is_replaced_like_the_standard() -> None:
    assert replace(Point(1, 2), y=3) == Point(1, 3)


def test_a_value_has_no_room_for_other_attributes() -> None:
    with pytest.raises(AttributeError):
        setattr(Point(1, 2), "z", 3)  # noqa: B010  (no type checker lets it stand as an assignment)


def test_a_value_survives_the_way_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)


def test_a_value_can_be_matched_by_its_places() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
