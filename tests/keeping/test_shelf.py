"""The user's folder, written: whole files, for the user alone, and a way back."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.classify.user_lists import updated_folder
from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.keeping.shelf import (
    alone,
    imported_entries,
    private_folder,
    put,
    put_entries,
    remove,
    staged,
    use_update,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, made by us."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return private_folder()


def entry(name: str) -> dict[str, str]:
    return {"file": f"{name}.mmdb", "name": name}


def test_the_folder_and_what_is_in_it_are_for_the_user_alone(folder: Path) -> None:
    put(folder, "list.mmdb", [b"content"])
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "list.mmdb").stat().st_mode & 0o077 == 0


def test_a_folder_that_others_could_write_to_is_closed_to_them(folder: Path) -> None:
    folder.chmod(0o777)
    assert private_folder().stat().st_mode & 0o022 == 0


def test_a_file_that_could_not_be_written_whole_leaves_the_old_one(folder: Path) -> None:
    put(folder, "list.mmdb", [b"old"])

    def breaks() -> Iterator[bytes]:
        yield b"new"
        raise WrongUsage("in the middle")

    with pytest.raises(WrongUsage):
        put(folder, "list.mmdb", breaks())
    assert (folder / "list.mmdb").read_bytes() == b"old"
    assert [path.name for path in folder.iterdir()] == ["list.mmdb"]


def test_entries_come_back_as_they_were_put(folder: Path) -> None:
    put_entries(folder, [entry("b"), entry("a: Ω")])
    assert imported_entries(folder) == [entry("b"), entry("a: Ω")]


def test_a_removed_list_is_gone_and_the_others_stay(folder: Path) -> None:
    for name in ("a", "b"):
        put(folder, f"{name}.mmdb", [b"content"])
    put_entries(folder, [entry("a"), entry("b")])
    assert remove("a") == folder / "a.mmdb"
    assert imported_entries(folder) == [entry("b")]
    assert not (folder / "a.mmdb").exists()


def test_a_list_that_was_never_imported_cannot_be_removed(folder: Path) -> None:
    put_entries(folder, [entry("a")])
    with pytest.raises(WrongUsage) as raised:
        remove("b")
    assert "a" in raised.value.hint


def is_taken(folder: Path) -> bool:
    """Whether somebody who changes the folder would have to wait."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_who_changes_the_folder_is_alone_and_leaves_nothing_behind(folder: Path) -> None:
    with alone(folder):
        assert is_taken(folder)
    assert not is_taken(folder)
    assert list(folder.iterdir()) == []


def test_a_change_that_fails_keeps_nobody_waiting(folder: Path) -> None:
    with pytest.raises(WrongUsage), alone(folder):
        raise WrongUsage("in the middle")
    assert not is_taken(folder)


def test_an_update_that_fails_leaves_nothing(folder: Path) -> None:
    with pytest.raises(WrongUsage), staged(folder) as made:
        (made / "addresses.mmdb").write_bytes(b"half")
        raise WrongUsage("in the middle")
    assert list(folder.iterdir()) == []


def test_an_update_counts_at_once_and_the_one_before_stays_for_who_is_reading_it(
    folder: Path,
) -> None:
    made = []
    for _ in range(3):
        with staged(folder) as new:
            use_update(folder, new)
        made.append(new)
    assert updated_folder() == made[2]
    assert [path.exists() for path in made] == [False, True, True]


def test_the_way_back_leaves_no_update(folder: Path) -> None:
    with staged(folder) as new:
        use_update(folder, new)
    use_update(folder, None)
    assert updated_folder() is None
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(EgressAuditError, match="file"):
        private_folder()


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(EgressAuditError) as raised:
        private_folder()
    assert "HOME" in raised.value.hint
