"""Lists that the user keeps: where they are, which count, and what is not believed."""

from pathlib import Path

import pytest
import yaml

from egress_audit.classify.destination import address_lists, embedded_classifier
from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.user_lists import (
    current_list,
    imported_lists,
    updated_folder,
    user_folder,
)
from egress_audit.errors import ListUnreadable
from egress_audit.model.destination import Confidence
from tests.builders.address_lists import JAPAN, merged_bytes, mmdb_bytes

EMBEDDED = LISTS / "addresses.mmdb"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, made."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "egress-audit" / "lists"
    folder.mkdir(parents=True)
    return folder


def described(folder: Path, *files: str) -> None:
    entries = [
        {"file": f, "name": f, "date": "2026-01-01", "licence": "none", "attribution": ""}
        for f in files
    ]
    (folder / "SOURCES.yaml").write_text(yaml.safe_dump({"lists": entries}), encoding="utf-8")


def kept(folder: Path, *files: str) -> list[Path]:
    for name in files:
        (folder / name).write_bytes(mmdb_bytes(JAPAN))
    described(folder, *files)
    return [folder / name for name in files]


def updated(folder: Path, country: str = "JP") -> Path:
    inner = folder / "update-1"
    inner.mkdir()
    (inner / "addresses.mmdb").write_bytes(merged_bytes(country))
    described(inner, "addresses.mmdb")
    (folder / "current").write_text("update-1\n", encoding="utf-8")
    return inner


def test_the_folder_is_that_of_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert user_folder() == Path("/data/egress-audit/lists")


@pytest.mark.parametrize("data", ["", "relative/path"])
def test_without_one_it_is_below_the_home(monkeypatch: pytest.MonkeyPatch, data: str) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", data)
    monkeypatch.setenv("HOME", "/home/alice")
    assert user_folder() == Path("/home/alice/.local/share/egress-audit/lists")


def test_a_user_without_a_home_has_no_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    assert user_folder() is None
    assert imported_lists() == []
    assert current_list("addresses.mmdb") == EMBEDDED


def test_where_nothing_was_imported_the_embedded_list_stands_alone(folder: Path) -> None:
    assert address_lists() == [EMBEDDED]


def test_imported_lists_are_asked_in_the_order_of_their_sources(folder: Path) -> None:
    assert kept(folder, "b.mmdb", "a.mmdb") == imported_lists()
    assert address_lists() == [folder / "b.mmdb", folder / "a.mmdb", EMBEDDED]


def test_a_file_that_no_source_describes_does_not_count(folder: Path) -> None:
    kept(folder, "a.mmdb")
    (folder / "half.mmdb").write_bytes(b"half")
    assert imported_lists() == [folder / "a.mmdb"]


def test_lists_that_are_supplied_stand_in_the_place_of_imported_ones(folder: Path) -> None:
    kept(folder, "a.mmdb")
    supplied = folder / "supplied.mmdb"
    assert address_lists([supplied]) == [supplied, EMBEDDED]


def test_an_imported_list_answers_first_and_the_embedded_one_may_dissent(folder: Path) -> None:
    kept(folder, "a.mmdb")  # all of 9.0.0.0/8 in Japan
    found = embedded_classifier().destination("9.1.1.1")
    assert found.located == "JP"
    assert found.located_confidence is Confidence.LOW
    assert found.located_alt != "JP"


@pytest.mark.parametrize("is_update", [False, True])
def test_a_list_of_the_users_that_cannot_be_read_has_the_way_back(
    folder: Path, is_update: bool
) -> None:
    path = updated(folder) / "addresses.mmdb" if is_update else kept(folder, "a.mmdb")[0]
    path.unlink()
    path.mkdir()
    with pytest.raises(ListUnreadable, match="is a directory") as raised:
        embedded_classifier()
    assert ("--undo" if is_update else "--remove") in raised.value.hint


def test_a_list_of_an_option_is_left_out_with_the_option(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable) as raised:
        embedded_classifier([tmp_path / "nothing.mmdb"])
    assert "leave the option out" in raised.value.hint


def test_an_imported_list_that_is_gone_is_an_error_and_no_silence(folder: Path) -> None:
    (path,) = kept(folder, "a.mmdb")
    path.unlink()
    with pytest.raises(ListUnreadable, match=r"a\.mmdb") as raised:
        imported_lists()
    assert "--remove" in raised.value.hint


@pytest.mark.parametrize("name", ["../a.mmdb", "/a.mmdb", ""])
def test_a_source_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    described(folder, name)
    with pytest.raises(ListUnreadable):
        imported_lists()


@pytest.mark.parametrize("what", [".", "a.mmdb"])
def test_what_everybody_may_write_is_not_believed(folder: Path, what: str) -> None:
    kept(folder, "a.mmdb")
    (folder / what).chmod(0o777)
    with pytest.raises(ListUnreadable, match="everybody") as raised:
        imported_lists()
    assert "chmod" in raised.value.hint


def test_an_updated_list_stands_for_the_embedded_one(folder: Path) -> None:
    inner = updated(folder)
    assert updated_folder() == inner
    assert current_list("addresses.mmdb") == inner / "addresses.mmdb"
    assert embedded_classifier().destination("9.1.1.1").located == "JP"


def test_a_list_that_was_not_updated_stays_the_embedded_one(folder: Path) -> None:
    updated(folder)
    assert current_list("operators.csv") == LISTS / "operators.csv"


@pytest.mark.parametrize("name", ["", "update-9", "../lists", "/tmp", "\udc80"])
def test_an_update_that_is_not_there_is_an_error_with_the_way_back(folder: Path, name: str) -> None:
    updated(folder)
    (folder / "current").write_bytes(name.encode(errors="surrogateescape"))
    with pytest.raises(ListUnreadable) as raised:
        current_list("addresses.mmdb")
    assert "--undo" in raised.value.hint


def test_an_updated_list_that_is_gone_is_an_error_with_the_way_back(folder: Path) -> None:
    (updated(folder) / "addresses.mmdb").unlink()
    with pytest.raises(ListUnreadable) as raised:
        current_list("addresses.mmdb")
    assert "--undo" in raised.value.hint


def test_a_description_of_the_user_that_cannot_be_read_is_not_mended_by_a_reinstallation(
    folder: Path,
) -> None:
    kept(folder, "a.mmdb")
    (folder / "SOURCES.yaml").write_text(":::", encoding="utf-8")
    with pytest.raises(ListUnreadable) as raised:
        imported_lists()
    assert "reinstall" not in raised.value.hint
    assert "import them again" in raised.value.hint
