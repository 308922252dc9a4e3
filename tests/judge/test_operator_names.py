"""The names of operators that a profile can hold are those of the tables."""

import csv
from pathlib import Path

import pytest

from egress_audit.judge.operator_names import OPERATORS
from egress_audit.model.destination import role_of

LISTS = Path(__file__).parent.parent.parent / "egress_audit" / "lists"


def column(file: str, name: str) -> set[str]:
    with (LISTS / file).open(encoding="utf-8", newline="") as rows:
        return {row[name] for row in csv.DictReader(rows)}


def test_every_operator_of_the_tables_can_be_named_and_no_other() -> None:
    assert set(OPERATORS) == column("operators.csv", "group") | column("anycast.csv", "operator")


def test_each_stands_as_the_tables_have_it() -> None:
    found: dict[str, tuple[set[str], set[str]]] = {}
    for file, group, role in (
        ("operators.csv", "group", "category"),
        ("anycast.csv", "operator", "role"),
    ):
        with (LISTS / file).open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                roles, laws = found.setdefault(row[group], (set(), set()))
                roles.add(role_of(row[role]))
                laws.add(row["jurisdiction"])
    assert {name: (set(one.roles), {one.jurisdiction}) for name, one in OPERATORS.items()} == found


@pytest.mark.parametrize("name", ["Amazon AWS", "Google", "Microsoft Azure", "Quad9"])
def test_the_large_ones_are_there(name: str) -> None:
    assert name in OPERATORS


def test_names_stand_in_their_order_and_once() -> None:
    assert list(OPERATORS) == sorted(set(OPERATORS))
