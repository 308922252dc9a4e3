"""A detached clone outlives what covers its path; nothing of it is seen by the host."""

import mmap
import os
from pathlib import Path

import pytest

from egress_audit.record import mounts
from egress_audit.record.syscalls import CLONE_NEWNS
from tests.builders.namespaces import in_child, mounts_of_the_host


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    (tmp_path / "file").write_text("text", encoding="ascii")
    return tmp_path


def test_a_clone_comes_back_over_what_covers_it(folder: Path) -> None:
    def names() -> tuple[list[str], list[str]]:
        tree = mounts.clone(str(folder))
        mounts.tmpfs(str(folder))
        covered = os.listdir(folder)  # noqa: PTH208 (names alone)
        (folder / "place").mkdir()
        mounts.attach(tree, str(folder / "place"))
        return covered, sorted(os.listdir(folder / "place"))  # noqa: PTH208 (names alone)

    before = mounts_of_the_host()
    assert in_child(names, namespaces=CLONE_NEWNS) == ([], ["below", "file"])
    assert mounts_of_the_host() == before


def test_what_is_bound_read_only_cannot_be_written(folder: Path) -> None:
    def write() -> None:
        mounts.bind_read_only(str(folder))
        (folder / "file").write_text("other", encoding="ascii")

    with pytest.raises(OSError, match="Read-only file system"):
        in_child(write, namespaces=CLONE_NEWNS)
    assert (folder / "file").read_text(encoding="ascii") == "text"


def test_a_mount_below_is_read_only_too(folder: Path) -> None:
    def write() -> None:
        mounts.tmpfs(str(folder / "below"))
        mounts.bind_read_only(str(folder))
        (folder / "below" / "new").touch()

    with pytest.raises(OSError, match="Read-only file system"):
        in_child(write, namespaces=CLONE_NEWNS)


def test_mounts_below_a_folder_are_known_even_with_blanks_in_their_names(folder: Path) -> None:
    def points() -> list[str]:
        (folder / "a b").mkdir()
        mounts.tmpfs(str(folder))
        (folder / "a b").mkdir()
        mounts.tmpfs(str(folder / "a b"))
        return mounts.mounts_below(str(folder))

    assert in_child(points, namespaces=CLONE_NEWNS) == [str(folder / "a b")]


def test_a_folder_whose_name_merely_begins_alike_is_not_below(folder: Path) -> None:
    def points() -> list[str]:
        (folder / "belowtoo").mkdir()
        mounts.tmpfs(str(folder / "belowtoo"))
        return mounts.mounts_below(str(folder / "below"))

    assert in_child(points, namespaces=CLONE_NEWNS) == []


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        in_child(lambda: mounts.clone("/nonexistent/path"), namespaces=CLONE_NEWNS)


def test_a_file_system_in_memory_takes_a_quarter_of_it_at_most(folder: Path) -> None:
    def size() -> int:
        mounts.tmpfs(str(folder))
        room = os.statvfs(folder)
        return room.f_blocks * room.f_frsize

    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < in_child(size, namespaces=CLONE_NEWNS) <= memory // 4 + mmap.PAGESIZE
