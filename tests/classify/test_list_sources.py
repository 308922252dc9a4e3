"""What a SOURCES.yaml says of the lists beside it."""

import hashlib
import os
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import pytest

from egress_audit.classify.list_sources import LISTS, described, sha256_of
from egress_audit.errors import ListUnreadable

SOURCES = """
lists:
  - file: list.csv
    name: list
    date: "2026-01-02"
    licence: CC-BY-4.0
    attribution: by somebody
"""


def beside(folder: Path, sources: str) -> Path:
    """A list in a folder with this SOURCES.yaml."""
    (folder / "SOURCES.yaml").write_text(sources, encoding="utf-8")
    path = folder / "list.csv"
    path.write_bytes(b"content")
    return path


def test_a_list_is_described_by_the_file_beside_it(tmp_path: Path) -> None:
    used = described(beside(tmp_path, SOURCES))
    assert used is not None
    assert (used.name, used.date, used.licence) == ("list", "2026-01-02", "CC-BY-4.0")
    assert used.attribution == "by somebody"


def test_the_sha256_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = beside(tmp_path, SOURCES + "    sha256: of another day\n")
    used = described(path)
    assert used is not None
    assert used.sha256 == sha256_of(path) == hashlib.sha256(b"content").hexdigest()


def test_a_list_is_hashed_only_when_its_sha256_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    digest = hashlib.file_digest

    def noted(stream: BufferedReader, name: str) -> object:
        hashed.append(name)
        return digest(stream, name)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    used = described(beside(tmp_path, SOURCES))
    assert used is not None
    assert not hashed
    assert used.sha256 == used.sha256
    assert hashed == ["sha256"]


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"others"), Path.unlink])
def test_a_list_that_changed_has_no_sha256(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = beside(tmp_path, SOURCES)
    used = described(path)
    assert used is not None
    change(path)
    with pytest.raises(ListUnreadable, match="changed"):
        _ = used.sha256


def test_a_list_put_in_the_place_of_another_has_not_its_sha256(tmp_path: Path) -> None:
    path = beside(tmp_path, SOURCES)
    used, status = described(path), path.stat()
    assert used is not None
    other = tmp_path / "other"
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    with pytest.raises(ListUnreadable, match="changed"):
        _ = used.sha256


def test_a_list_that_cannot_be_read_any_more_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = beside(tmp_path, SOURCES)
    used = described(path)
    assert used is not None
    path.unlink()
    path.mkdir()
    with pytest.raises(ListUnreadable, match="any more: Is a directory"):
        _ = used.sha256


def test_a_list_alone_is_not_described(tmp_path: Path) -> None:
    assert described(tmp_path / "list.csv") is None


def test_a_list_that_the_sources_do_not_name_is_not_described(tmp_path: Path) -> None:
    beside(tmp_path, SOURCES)
    assert described(tmp_path / "other.csv") is None


@pytest.mark.parametrize("sources", ["", "[]", "lists: 3", "lists: [3]", "lists: {a: b}", "a: ["])
def test_sources_of_another_form_are_refused(tmp_path: Path, sources: str) -> None:
    with pytest.raises(ListUnreadable, match=r"SOURCES\.yaml"):
        described(beside(tmp_path, sources))


@pytest.mark.parametrize("field", ["name", "date", "licence", "attribution"])
def test_an_entry_without_a_field_is_refused_by_its_name(tmp_path: Path, field: str) -> None:
    sources = SOURCES.replace(f"    {field}:", "    other:")
    with pytest.raises(ListUnreadable, match=field):
        described(beside(tmp_path, sources))


def test_a_date_without_quotes_is_refused_and_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="date"):
        described(beside(tmp_path, SOURCES.replace('"', "")))


@pytest.mark.parametrize("day", ["June 2026", "2026-06", "20260605", "2026-02-30", "2026-W01-1"])
def test_a_date_that_is_no_day_is_refused(tmp_path: Path, day: str) -> None:
    with pytest.raises(ListUnreadable, match=r"no date YYYY-MM-DD for list\.csv"):
        described(beside(tmp_path, SOURCES.replace("2026-01-02", day)))


def test_every_list_that_comes_with_the_program_is_described() -> None:
    assert all(described(path) for path in LISTS.glob("*.csv"))
