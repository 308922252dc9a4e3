"""What is shown of the lists in use: order, age, and whether they are as they were made."""

from datetime import date
from pathlib import Path

import pytest

from egress_audit.classify.list_sources import LISTS, entries_of
from egress_audit.errors import ListUnreadable
from egress_audit.keeping.importing import import_list
from egress_audit.keeping.shelf import private_folder, put_entries
from egress_audit.keeping.shown import ShownList, shown_lists
from tests.builders.address_lists import mmdb_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own for each test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def addresses_on(day: date) -> ShownList:
    return next(one for one in shown_lists(day) if one.name == "addresses")


def test_every_list_of_the_program_is_shown_with_rows_and_origins() -> None:
    found = shown_lists(date(2026, 11, 22))
    assert {one.path.name for one in found} == {entry["file"] for entry in entries_of(LISTS)}
    for one in found:
        assert one.source == "embedded"
        assert one.intact and one.rows and one.origins and one.licence


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 6, 1), "fresh"),
        (date(2026, 8, 30), "fresh"),
        (date(2026, 8, 31), "old"),
        (date(2027, 6, 1), "old"),
        (date(2027, 6, 2), "stale"),
    ],
)
def test_a_list_is_old_past_90_days_and_stale_past_365(day: date, age: str) -> None:
    assert addresses_on(day).age == age


def test_an_imported_list_stands_at_the_top(tmp_path: Path) -> None:
    import_list(mmdb_file(tmp_path), licence="CC0")
    first, second, *_ = shown_lists(date(2026, 1, 2))
    assert (first.name, first.source, first.licence) == ("list", "imported", "CC0")
    assert (first.rows, first.age_days, first.intact) == (1, 1, True)
    assert second.name == "addresses"


def test_a_list_that_was_changed_is_not_intact(tmp_path: Path) -> None:
    import_list(mmdb_file(tmp_path))
    path = shown_lists(date(2026, 1, 2))[0].path
    path.write_bytes(path.read_bytes() + b"\0")
    assert not shown_lists(date(2026, 1, 2))[0].intact


@pytest.mark.parametrize("origin", ["a text", 5, ["a text"], None])
def test_origins_of_another_form_are_left_out(tmp_path: Path, origin: object) -> None:
    entry = dict(import_list(mmdb_file(tmp_path)))
    put_entries(private_folder(), [entry | {"origin": origin}])
    assert shown_lists(date(2026, 1, 2))[0].origins == ()


def test_an_entry_without_a_licence_is_refused(tmp_path: Path) -> None:
    entry = dict(import_list(mmdb_file(tmp_path)))
    del entry["licence"]
    put_entries(private_folder(), [entry])
    with pytest.raises(ListUnreadable, match="licence"):
        shown_lists(date(2026, 1, 2))
