"""The mark of a library says what it was made of."""

from pathlib import Path

import pytest

from egress_audit.compiled import sources
from egress_audit.compiled.sources import FOLDER, MARK, mark_of_sources


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with copies of the sources, which are taken for them."""
    for path in sources.sources():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    return tmp_path


def test_the_sources_are_the_c_files_and_their_header() -> None:
    names = {path.name for path in sources.sources()}
    assert {"hot_path.h", "walk.c"} <= names
    assert all(path.parent == FOLDER for path in sources.sources())


def test_copies_of_the_sources_have_their_mark(copied: Path) -> None:
    assert mark_of_sources().startswith(MARK)
    before = mark_of_sources()
    assert before == mark_of_sources()


def test_a_changed_byte_is_another_mark(copied: Path) -> None:
    before = mark_of_sources()
    walk = copied / "walk.c"
    walk.write_bytes(walk.read_bytes() + b"\n")
    assert mark_of_sources() != before


def test_a_source_under_another_name_is_another_mark(copied: Path) -> None:
    before = mark_of_sources()
    (copied / "walk.c").rename(copied / "walked.c")
    assert mark_of_sources() != before
