"""What a layer holds is told as the program saw it, up to a number, the rest counted."""

import os
import stat
from pathlib import Path

import pytest

from egress_audit.model.destination import Absent
from egress_audit.record import syscalls
from egress_audit.record.written import (
    DEEPEST,
    Layer,
    changed_files,
    full_layers,
    is_closed,
    written_files,
)
from tests.builders.namespaces import become_nobody, in_child


def layer(folder: Path, *ours: str) -> Layer:
    return Layer(os.open(folder, os.O_RDONLY), "/home/user", frozenset(ours))


def told(*layers: Layer, most: int = 100) -> list[tuple[str, int | Absent]]:
    return [(file.path, file.size) for file in written_files(layers, most).files]


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
    found = written_files([layer(tmp_path)], most=2)
    assert (len(found.files), found.beyond, found.not_seen) == (2, 3, ())


def test_a_layer_that_holds_more_than_is_looked_at_is_told(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).touch()
    found = written_files([layer(tmp_path)], looked_at=4)
    assert (len(found.files), found.not_seen) == (4, ("/home/user",))


def test_a_layer_that_holds_no_more_than_is_looked_at_is_not_told(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).touch()
    assert written_files([layer(tmp_path)], looked_at=5).not_seen == ()


def test_folders_without_a_file_are_looked_at_too(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).mkdir()
    assert written_files([layer(tmp_path)], looked_at=4).not_seen == ("/home/user",)


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
    found = changed_files([str(tmp_path)], since_ns)
    assert [(file.path, file.size) for file in found.files] == [(str(new), 3)]
    assert found.beyond == 0


def test_a_file_may_be_asked_for_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files = changed_files([str(tmp_path / "file"), str(tmp_path / "absent")], 0).files
    assert [file.path for file in files] == [str(tmp_path / "file")]


def deep(folder: Path, levels: int) -> None:
    """Makes folders one in the other, and a file in the last, by names relative to each."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)


@pytest.mark.parametrize("levels", [3000])
def test_folders_without_end_are_told_as_unreadable(tmp_path: Path, levels: int) -> None:
    def walked() -> tuple[list[Absent | int], list[Absent | int], int]:
        syscalls.mount("tmpfs", str(tmp_path), "tmpfs")
        deep(tmp_path, levels)
        (tmp_path / "d" / "near").write_bytes(b"123")
        changed = changed_files([str(tmp_path)], 0).files
        sizes = [size for _, size in told(layer(tmp_path))]
        return sizes, [file.size for file in changed], len(changed)

    flags = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS
    in_layer, in_open, _ = in_child(walked, namespaces=flags)
    assert in_layer == [Absent.UNREADABLE, 3] or in_layer == [3, Absent.UNREADABLE]
    assert sorted(map(str, in_open)) == sorted(map(str, [3, Absent.UNREADABLE]))


def test_folders_of_an_ordinary_depth_are_told_to_their_end(tmp_path: Path) -> None:
    deep(tmp_path, 90)
    assert told(layer(tmp_path)) == [("/home/user/" + "d/" * 90 + "f", 0)]
    files = changed_files([str(tmp_path)], 0).files
    assert [file.path for file in files] == [str(tmp_path) + "/d" * 90 + "/f"]


def test_a_change_without_an_open_by_name_is_told(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "old").touch()
    since_ns = next_tick(tmp_path)
    nameless = os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY)
    # With a folder's descriptor Python calls linkat, which follows.
    os.link(f"/proc/self/fd/{nameless}", tmp_path / "linked", src_dir_fd=nameless)
    os.close(nameless)
    (tmp_path / "set back").touch()
    os.utime(tmp_path / "set back", (0, 0))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    files = changed_files([str(tmp_path)], since_ns).files
    names = [file.path.removeprefix(f"{tmp_path}/") for file in files]
    assert names == ["folder/", "link", "linked", "set back"]


def test_a_folder_that_is_passed_over_is_left_out(tmp_path: Path) -> None:
    for name in ("evidence", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    evidence = str(tmp_path / "evidence")
    files = changed_files([str(tmp_path)], 0, not_in=[evidence]).files
    assert [file.path for file in files] == [str(tmp_path / "other" / "file")]


def two_folders(place: Path) -> list[str]:
    """Two folders with three files each: eight entries, with the folders themselves."""
    folders = [place / "first", place / "second"]
    for folder in folders:
        folder.mkdir()
        for name in "abc":
            (folder / name).touch()
    return [str(folder) for folder in folders]


@pytest.mark.parametrize(("looked_at", "first"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2)])
def test_every_folder_that_holds_more_than_is_looked_at_is_told(
    tmp_path: Path, looked_at: int, first: int
) -> None:
    folders = two_folders(tmp_path)
    found = changed_files(folders, 0, looked_at=looked_at)
    assert list(found.not_seen) == folders[first:]


def test_a_file_below_the_deepest_folder_is_not_left_out_in_silence(tmp_path: Path) -> None:
    deep(tmp_path, DEEPEST + 1)
    since_ns = next_tick(tmp_path)
    last = tmp_path.joinpath(*["d"] * (DEEPEST + 1))
    (last / "f").write_bytes(b"changed")
    (file,) = changed_files([str(tmp_path)], since_ns).files
    assert (file.path, file.size) == (str(last), Absent.UNREADABLE)


def next_tick(folder: Path) -> int:
    """A time that is past what is in `folder`, and which its clock has reached."""
    probe = folder.parent / f"{folder.name}-clock"
    probe.touch()
    since_ns = probe.stat().st_ctime_ns + 1
    while probe.stat().st_ctime_ns < since_ns:
        probe.touch()
    return since_ns


def test_what_lies_behind_a_closed_folder_is_told_as_closed_and_listed_nowhere(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    (closed / "in").mkdir(parents=True)
    closed.chmod(0)

    def looked_at() -> tuple[bool, list[str]]:
        place = str(closed / "in")
        return is_closed(place), [file.path for file in changed_files([place], 0).files]

    assert in_child(looked_at, as_nobody=True) == (True, [])
    closed.chmod(0o700)


def test_what_is_open_or_gone_is_not_closed(tmp_path: Path) -> None:
    assert not is_closed(str(tmp_path))
    assert not is_closed(str(tmp_path / "gone"))


def test_a_layer_that_the_program_closed_is_told_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def closed() -> list[tuple[str, int | Absent]]:
        made = layer(tmp_path)
        tmp_path.chmod(0)
        if os.geteuid() == 0:
            become_nobody()
        return told(made)

    assert in_child(closed) == [("/home/user", Absent.UNREADABLE)]
    tmp_path.chmod(0o700)
