"""What a layer holds is told as the program saw it, up to a number, the rest counted."""

import os
import stat
from pathlib import Path

import pytest

from egress_audit.model.destination import Absent
from egress_audit.record import syscalls
from egress_audit.record.written import Layer, changed_files, full_layers, written_files
from tests.builders.namespaces import in_child


def layer(folder: Path, *ours: str) -> Layer:
    return Layer(os.open(folder, os.O_RDONLY), "/home/user", frozenset(ours))


def told(*layers: Layer, most: int = 100) -> list[tuple[str, int | Absent]]:
    return [(file.path, file.size) for file in written_files(layers, most)[0]]


def test_a_file_is_told_as_the_program_saw_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "queue.db").write_bytes(b"12345")
    assert told(layer(tmp_path)) == [("/home/user/below/queue.db", 5)]


def test_folders_alone_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    assert told(layer(tmp_path)) == []


def test_a_link_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    assert told(layer(tmp_path)) == [("/home/user/link", len("/etc"))]


def test_a_whiteout_is_a_file_that_was_removed(tmp_path: Path) -> None:
    os.mknod(tmp_path / "gone", stat.S_IFCHR, os.makedev(0, 0))
    assert told(layer(tmp_path)) == [("/home/user/gone", Absent.NOT_FOUND)]


def test_what_we_made_ourselves_is_not_told(tmp_path: Path) -> None:
    os.mknod(tmp_path / "stamp", stat.S_IFCHR, os.makedev(0, 0))
    (tmp_path / "place").touch()
    assert told(layer(tmp_path, "/home/user/stamp", "/home/user/place")) == []


def test_a_file_that_the_program_wrote_in_place_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "stamp").write_text("called", encoding="ascii")
    assert told(layer(tmp_path, "/home/user/stamp")) == [("/home/user/stamp", 6)]


def test_past_the_number_files_are_counted(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).touch()
    files, beyond = written_files([layer(tmp_path)], most=2)
    assert (len(files), beyond) == (2, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(0o000)
    assert told(layer(tmp_path)) == [("/home/user/closed", Absent.UNREADABLE)]


def test_a_layer_with_room_is_not_full(tmp_path: Path) -> None:
    assert full_layers([layer(tmp_path)]) == []


def test_a_layer_without_room_is_told_as_full(tmp_path: Path) -> None:
    def full() -> list[str]:
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs", 0, "size=4k")
        (tmp_path / "file").write_bytes(bytes(4096))
        return full_layers([layer(tmp_path)])

    flags = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS
    assert in_child(full, namespaces=flags) == ["/home/user"]


def test_a_file_changed_since_is_told_and_an_older_one_is_not(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    since_ns = old.stat().st_ctime_ns + 1
    while not new.exists() or new.stat().st_ctime_ns < since_ns:
        new.write_text("new", encoding="ascii")
    files, beyond = changed_files([str(tmp_path)], since_ns)
    assert [(file.path, file.size) for file in files] == [(str(new), 3)]
    assert beyond == 0


def test_a_file_may_be_asked_for_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files, _ = changed_files([str(tmp_path / "file"), str(tmp_path / "absent")], 0)
    assert [file.path for file in files] == [str(tmp_path / "file")]
