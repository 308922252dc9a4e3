"""Root shows the files of a HOME to an ordinary user, who then owns them in its view alone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.record import mounts, syscalls
from egress_audit.record.idmap import idmapped_home
from egress_audit.record.view import Wanted, make_view
from egress_audit.record.written import written_files
from tests.builders.namespaces import NOBODY, become_nobody, in_child, mounts_of_the_host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can map owners")

Result = TypeVar("Result")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        folder.chmod(0o755)
    folder = tmp_path / "home"
    (folder / "below").mkdir(parents=True)
    (folder / "document").write_text("mine", encoding="ascii")
    (folder / "document").chmod(0o600)
    folder.chmod(0o700)
    return folder


def as_nobody(home: Path, function: Callable[[], Result]) -> Result:
    """What `function` returns as nobody, in whose eyes HOME is its own."""

    def child() -> Result:
        assert idmapped_home(str(home), NOBODY, NOBODY) == []
        become_nobody()
        return function()

    before = mounts_of_the_host()
    result = in_child(child, namespaces=syscalls.CLONE_NEWNS)
    assert mounts_of_the_host() == before
    return result


def test_a_file_that_only_root_may_read_is_read_by_its_new_owner(home: Path) -> None:
    def facts() -> tuple[int, str]:
        path = home / "document"
        return path.stat().st_uid, path.read_text(encoding="ascii")

    assert as_nobody(home, facts) == (NOBODY, "mine")


def test_without_it_the_file_cannot_be_read(home: Path) -> None:
    with pytest.raises(PermissionError):
        in_child((home / "document").read_text, as_nobody=True)


def test_the_overlay_of_an_ordinary_user_lies_over_the_files_of_root(home: Path) -> None:
    asked = Wanted("overlay", str(home), ["/bin/true"], "/", {"PATH": "/bin"}, ["10.87.0.1"])

    def written() -> tuple[str, tuple[str, ...], list[tuple[str, int]], int]:
        def inside() -> tuple[str, tuple[str, ...], list[tuple[str, int]], int]:
            view = make_view(asked)
            with (home / "document").open("a", encoding="ascii") as file:
                file.write(" too")
            text = (home / "document").read_text(encoding="ascii")
            files = [(file.path, int(file.size)) for file in written_files(view.layers).files]
            return text, view.notes, files, (home / "document").stat().st_uid

        return in_child(inside, namespaces=syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)

    text, notes, files, owner = as_nobody(home, written)
    assert text == "mine too"
    assert files == [(str(home / "document"), 8)]
    assert owner == NOBODY
    assert not [note for note in notes if "HOME" in note]
    assert (home / "document").read_text(encoding="ascii") == "mine"


def test_a_mount_below_home_is_shown_too(home: Path) -> None:
    def shown() -> tuple[int, str]:
        mounts.tmpfs(str(home / "below"))
        (home / "below" / "file").write_text("below", encoding="ascii")
        (home / "below" / "file").chmod(0o600)
        assert idmapped_home(str(home), NOBODY, NOBODY) == []
        become_nobody()
        path = home / "below" / "file"
        return path.stat().st_uid, path.read_text(encoding="ascii")

    assert in_child(shown, namespaces=syscalls.CLONE_NEWNS) == (NOBODY, "below")


def test_a_home_that_is_the_users_already_is_left_alone(home: Path) -> None:
    def mounted() -> bool:
        os.chown(home, NOBODY, NOBODY)
        notes = idmapped_home(str(home), NOBODY, NOBODY)
        return not notes and str(home) not in mounts.mount_points()

    assert in_child(mounted, namespaces=syscalls.CLONE_NEWNS)


def test_a_file_system_that_cannot_map_owners_is_named_with_a_remedy() -> None:
    def mapped() -> None:
        idmapped_home("/proc/sys", NOBODY, NOBODY)

    with pytest.raises(EgressAuditError, match=r"/proc/sys: .*--home fresh"):
        in_child(mapped, namespaces=syscalls.CLONE_NEWNS)


@pytest.mark.parametrize("home", ["/", "/nonexistent"])
def test_what_is_no_home_is_left_alone(home: str) -> None:
    def mounted() -> bool:
        before = mounts_of_the_host()
        notes = idmapped_home(home, NOBODY, NOBODY)
        return not notes and mounts_of_the_host() == before

    assert in_child(mounted, namespaces=syscalls.CLONE_NEWNS)
