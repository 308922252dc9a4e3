"""An overlay keeps writes from the disk, over a folder and over each mount below it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.model.destination import Absent
from egress_audit.record import mounts, syscalls
from egress_audit.record.overlay import Overlays, OverlayUnavailable, overlays, scratch
from egress_audit.record.stamps import FoundStamp
from egress_audit.record.written import written_files
from tests.builders.namespaces import in_child

Result = TypeVar("Result")

USER = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    made = tmp_path / "a:b,c"
    (made / "deep" / "mount").mkdir(parents=True)
    (made / "deep" / "beside").mkdir()
    (made / "deep" / "beside" / "file").write_text("beside", encoding="utf-8")
    (made / "file").write_text("file", encoding="utf-8")
    (made / "link").symlink_to("file")
    return made


def over(folder: Path, function: Callable[[Overlays], Result], *hidden: Path) -> Result:
    stamps = [FoundStamp(str(path), "product", True) for path in hidden]
    with scratch(str(folder.parent / "scratch")) as place:
        made = overlays(str(folder), stamps, place)
    return function(made)


def with_mount_below(folder: Path, function: Callable[[Overlays], Result], *hidden: Path) -> Result:
    """As `over`, with a mount below the folder that came from another user namespace."""

    def outside() -> Result:
        mounts.tmpfs(str(folder / "deep" / "mount"))
        (folder / "deep" / "mount" / "inner").write_text("inner", encoding="utf-8")
        return in_child(lambda: over(folder, function, *hidden), namespaces=USER)

    return in_child(outside, namespaces=USER)


def told(made: Overlays) -> list[tuple[str, int | Absent]]:
    return [(file.path, file.size) for file in written_files(made.layers).files]


def test_a_folder_may_have_any_name(folder: Path) -> None:
    def written(made: Overlays) -> list[tuple[str, int | Absent]]:
        (folder / "file").write_text("changed", encoding="utf-8")
        return told(made)

    assert in_child(lambda: over(folder, written), namespaces=USER) == [(f"{folder}/file", 7)]
    assert (folder / "file").read_text(encoding="utf-8") == "file"


def test_a_mount_below_is_copied_on_write_like_the_rest(folder: Path) -> None:
    paths = [folder / "deep/mount/inner", folder / "deep/beside/file", folder / "file"]

    def written(made: Overlays) -> tuple[list[str], list[str], list[str]]:
        before = [path.read_text(encoding="utf-8") for path in paths]
        for path in paths:
            path.write_text("changed", encoding="utf-8")
        return before, [path for path, _ in told(made)], made.notes

    before, changed, notes = with_mount_below(folder, written)
    assert before == ["inner", "beside", "file"]
    assert changed == sorted(str(path) for path in paths)
    assert notes == []
    assert (folder / "file").read_text(encoding="utf-8") == "file"
    assert (folder / "deep/beside/file").read_text(encoding="utf-8") == "beside"


def test_beside_a_mount_what_was_not_touched_is_not_told(folder: Path) -> None:
    assert with_mount_below(folder, told) == []


def test_beside_a_mount_what_was_removed_is_told(folder: Path) -> None:
    def removed(made: Overlays) -> list[tuple[str, int | Absent]]:
        (folder / "file").unlink()
        (folder / "deep" / "beside" / "file").unlink()
        return told(made)

    assert with_mount_below(folder, removed) == [
        (f"{folder}/deep/beside/file", Absent.NOT_FOUND),
        (f"{folder}/file", Absent.NOT_FOUND),
    ]


def test_beside_a_mount_links_stay_links(folder: Path) -> None:
    assert with_mount_below(folder, lambda made: str((folder / "link").readlink())) == "file"


def test_stamps_are_missing_beside_a_mount_and_in_parts(folder: Path) -> None:
    stamps = [folder / "file", folder / "deep" / "beside" / "file"]

    def missing(made: Overlays) -> tuple[list[bool], list[tuple[str, int | Absent]]]:
        return [path.exists() for path in stamps], told(made)

    assert with_mount_below(folder, missing, *stamps) == ([False, False], [])


def test_where_no_overlay_can_be_had_nothing_changes_and_the_reason_is_told(folder: Path) -> None:
    def impossible() -> None:
        with scratch(str(folder.parent / "scratch")) as place:
            try:
                overlays("/proc/self/fdinfo", [], place)
            finally:
                assert not Path("/proc/self/fdinfo/file").exists()

    with pytest.raises(OverlayUnavailable, match="/proc/self/fdinfo"):
        in_child(impossible, namespaces=USER)


def test_a_file_made_beside_a_mount_is_told(folder: Path) -> None:
    def made_there(made: Overlays) -> tuple[list[tuple[str, int | Absent]], int]:
        (folder / "new").touch()
        (folder / "deep" / "new").touch()
        (folder / "deep" / "beside" / "new").touch()
        return told(made), len(made.layers)

    names, layers = with_mount_below(folder, made_there)
    assert names == [(f"{folder}/{name}", 0) for name in ("deep/beside/new", "deep/new", "new")]
    assert layers == 2
    assert not (folder / "new").exists()
