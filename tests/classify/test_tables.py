"""Curated tables: rows with their lines, values by prefix, and damage named by file and line."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from egress_audit.classify.tables import PrefixTable, country_cell, is_country, table_rows
from egress_audit.csv_rows import Row
from egress_audit.errors import ListUnreadable
from egress_audit.model.destination import Absent


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def place(path: Path, line: int, row: Row) -> str:
    return row["place"]


def test_rows_come_with_the_line_on_which_they_end(tmp_path: Path) -> None:
    path = table(tmp_path, 'a,b\n1,"two\nlines"\n3,four\n')
    assert [(line, row["b"]) for line, row in table_rows(path, ("a", "b"))] == [
        (3, "two\nlines"),
        (4, "four"),
    ]


def test_columns_that_nobody_asked_for_may_stand_there(tmp_path: Path) -> None:
    assert [row["a"] for _, row in table_rows(table(tmp_path, "x,a\n1,2\n"), ("a",))] == ["2"]


@pytest.mark.parametrize("text", ["", "a\n1\n", "A,B\n1,2\n"])
def test_a_missing_column_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:1: has no column .*b"):
        list(table_rows(table(tmp_path, text), ("a", "b")))


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_row_of_another_length_is_named_by_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:3: "):
        list(table_rows(table(tmp_path, f"a,b\n1,2\n{row}\n"), ("a", "b")))


def test_a_file_that_is_no_csv_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:2: is no CSV"):
        list(table_rows(table(tmp_path, 'a,b\n"1,2\n'), ("a", "b")))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n\xff,2\n")
    with pytest.raises(ListUnreadable, match=r"table\.csv: cannot be read"):
        list(table_rows(path, ("a", "b")))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="none"):
        list(table_rows(tmp_path / "none.csv", ("a",)))


def test_a_country_cell_is_a_code_or_empty(tmp_path: Path) -> None:
    assert country_cell(tmp_path, 1, "CN") == "CN"
    assert country_cell(tmp_path, 1, "") is Absent.NOT_FOUND
    with pytest.raises(ListUnreadable, match="China"):
        country_cell(tmp_path, 1, "China")


@pytest.mark.parametrize("text", ["", "C", "cn", "CHN", "C1", "ÄÖ", "EU", "AP", "UK", "ZZ", "XX"])
def test_what_is_no_code_of_a_country_is_none(text: str) -> None:
    assert not is_country(text)


@pytest.mark.parametrize("text", ["CN", "HK", "TW", "MO", "XK"])
def test_the_code_of_a_country_or_territory_is_one(text: str) -> None:
    assert is_country(text)


def test_the_longest_prefix_of_a_table_answers(tmp_path: Path) -> None:
    path = table(tmp_path, "prefix,place\n2001:db8::/32,wide\n2001:db8:1::/48,narrow\n")
    places = PrefixTable(path, ("place",), place)
    assert places.get(ip_address("2001:db8:1::1")) == "narrow"
    assert places.get(ip_address("2001:db8:2::1")) == "wide"
    assert places.get(ip_address("2001:db9::1")) is None


@pytest.mark.parametrize("prefix", ["", "here", "10.0.0.5/8"])
def test_a_cell_that_is_no_prefix_is_named_by_its_line(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:2: "):
        PrefixTable(table(tmp_path, f"prefix,place\n{prefix},x\n"), ("place",), place)


def test_a_prefix_may_stand_there_once(tmp_path: Path) -> None:
    path = table(tmp_path, "prefix,place\n10.0.0.0/8,x\n10.0.0.0/8,y\n")
    with pytest.raises(ListUnreadable, match=r"table\.csv:3: .* second time"):
        PrefixTable(path, ("place",), place)


def test_a_table_without_sources_has_nothing_to_tell_of_itself(tmp_path: Path) -> None:
    path = table(tmp_path, "prefix,place\n10.0.0.0/8,x\n")
    assert PrefixTable(path, ("place",), place).used is None
