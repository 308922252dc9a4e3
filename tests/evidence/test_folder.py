"""Tests of egress_audit/evidence/folder.py."""

import os
import stat
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError, InputUnreadable
from egress_audit.evidence.folder import Folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_and_its_files_are_closed_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Folder.create(tmp_path / "b") as folder:
            folder.made("a").close()
    finally:
        os.umask(before)
    assert (mode(tmp_path / "b"), mode(tmp_path / "b" / "a")) == (0o700, 0o600)


def test_an_empty_folder_that_is_there_is_taken_and_closed(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir(mode=0o755)
    Folder.create(tmp_path / "b").close()
    assert mode(tmp_path / "b") == 0o700


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("mine")
    with pytest.raises(EgressAuditError, match=r"not empty \(name a folder that does not exist"):
        Folder.create(tmp_path)
    assert (tmp_path / "note").read_text() == "mine"


def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(EgressAuditError, match="belongs to another user"):
        Folder.create(tmp_path / "b")


def test_a_link_to_a_folder_is_no_place_for_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EgressAuditError, match="is no folder of its own"):
        Folder.create(tmp_path / "b")


def test_a_file_is_no_place_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("")
    with pytest.raises(EgressAuditError, match="is no folder of its own"):
        Folder.create(tmp_path / "b")
    with pytest.raises(EgressAuditError, match="cannot be made a folder"):
        Folder.create(tmp_path / "b" / "c")


def test_a_file_is_not_made_twice(tmp_path: Path) -> None:
    with Folder.create(tmp_path / "b") as folder:
        folder.made("a").close()
        with pytest.raises(EgressAuditError, match="cannot be made: File exists"):
            folder.made("a")


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of another user")
    with Folder.create(tmp_path / "b") as folder:
        (tmp_path / "b" / "a").symlink_to(tmp_path / "secret")
        with pytest.raises(InputUnreadable, match="is a link, which no bundle holds"):
            folder.opened("a")
        with pytest.raises(EgressAuditError):
            folder.made("a")


def test_a_pipe_in_the_folder_does_not_keep_us_waiting(tmp_path: Path) -> None:
    with Folder.create(tmp_path / "b") as folder:
        os.mkfifo(tmp_path / "b" / "a")
        with pytest.raises(InputUnreadable, match="is no ordinary file"):
            folder.opened("a")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with (
        Folder.create(tmp_path / "b") as folder,
        pytest.raises(InputUnreadable, match="b/a: cannot be opened: No such file"),
    ):
        folder.opened("a")
    with pytest.raises(InputUnreadable, match="is no folder that can be read"):
        Folder.open(tmp_path / "c")


def test_a_file_is_put_whole(tmp_path: Path) -> None:
    with Folder.create(tmp_path / "b") as folder:
        assert folder.put("a", b"all of it") is None
        assert folder.names() == {"a"}
        assert folder.size("a") == 9
        with folder.opened("a") as stream:
            assert stream.read() == b"all of it"


def test_a_file_is_discarded_where_there_is_one(tmp_path: Path) -> None:
    with Folder.create(tmp_path / "b") as folder:
        folder.made("a").close()
        folder.discard("a")
        folder.discard("a")
        assert folder.names() == set()


def test_a_file_that_cannot_be_put_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(28, "No space left on device")
    monkeypatch.setattr("egress_audit.evidence.folder.write_all", lambda *_: (1, full))
    with Folder.create(tmp_path / "b") as folder:
        assert folder.put("a", b"all of it") is full
        assert folder.names() == set()
