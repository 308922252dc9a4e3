"""Rows of a CSV file come with their lines, and what is wrong with one is said with its line."""

import pytest

from egress_audit.csv_rows import Row, numbered_rows
from egress_audit.errors import EgressAuditError


def rows(text: str, *columns: str) -> list[tuple[int, Row]]:
    return list(numbered_rows(text.splitlines(keepends=True), columns, bad))


def bad(line: int, what: str) -> EgressAuditError:
    return EgressAuditError(what, where=str(line))


def refusal(text: str, *columns: str) -> str:
    with pytest.raises(EgressAuditError) as caught:
        rows(text, *columns)
    return f"{caught.value.where}: {caught.value.what}"


def test_cells_are_known_by_their_column() -> None:
    assert rows("b,a\n1,2\n", "a", "b") == [(2, {"b": "1", "a": "2"})]


def test_more_columns_than_are_needed_may_stand_there() -> None:
    assert rows("a,note\n1,x\n", "a") == [(2, {"a": "1", "note": "x"})]


def test_a_row_has_the_line_on_which_it_ends() -> None:
    assert [line for line, _ in rows('a\n"x\ny"\nz\n', "a")] == [3, 4]


def test_a_column_that_is_missing_is_named() -> None:
    assert refusal("a,b\n1,2\n", "b", "c", "d") == "1: has no column c, d"


def test_a_file_without_a_line_has_no_column() -> None:
    assert refusal("", "a") == "1: has no column a"


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_row_of_another_length_is_refused_with_its_line(row: str) -> None:
    assert refusal(f"a,b\n1,2\n{row}\n", "a") == "3: has another number of cells than line 1"


def test_what_is_no_csv_is_refused_with_its_line() -> None:
    assert refusal('a\n"x"y\n', "a").startswith("2: is no CSV (")
