"""Services of the host are out of reach in the private folders and devices."""

import os
import pty
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.record import syscalls
from egress_audit.record.overlay import scratch
from egress_audit.record.private_folders import (
    NAME_SERVICE,
    PRIVATE,
    cover,
    gpu_devices,
    hide_devices,
    make_runtime_folder,
    mask_folder,
    protect_kernel,
    write_name_service,
)
from tests.builders.namespaces import in_child

Result = TypeVar("Result")


def inside(function: Callable[[], Result]) -> Result:
    flags = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC
    return in_child(function, namespaces=flags)


def test_private_folders_are_empty_and_have_the_usual_modes() -> None:
    def modes() -> dict[str, tuple[int, int]]:
        cover([], [])
        return {
            path: (Path(path).stat().st_mode & 0o7777, len(list(Path(path).iterdir())))
            for path in PRIVATE
        }

    assert inside(modes) == {path: (mode, 0) for path, mode in PRIVATE.items()}


def test_a_kept_folder_is_there_and_its_neighbour_is_not(tmp_path: Path) -> None:
    for name in ("kept", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()

    def shown() -> tuple[bool, bool, list[str]]:
        notes: list[str] = []
        cover([str(tmp_path / "kept")], notes)
        there, other = tmp_path / "kept" / "file", tmp_path / "other"
        return there.exists(), other.exists(), notes

    assert inside(shown) == (True, False, [])


def test_a_private_folder_is_never_kept_whole() -> None:
    def told() -> list[str]:
        notes: list[str] = []
        cover(["/tmp"], notes)
        return notes

    assert len(inside(told)) == 1


def test_a_hidden_device_is_an_empty_file_that_nobody_can_write(tmp_path: Path) -> None:
    def kinds() -> list[bool]:
        with scratch(str(tmp_path)):
            hidden = hide_devices(str(tmp_path), [])
        return [Path(path).is_char_device() or os.access(path, os.W_OK) for path in hidden]

    assert not any(inside(kinds))


def test_graphics_are_never_among_the_hidden_devices(tmp_path: Path) -> None:
    def both() -> set[str]:
        with scratch(str(tmp_path)):
            return set(hide_devices(str(tmp_path), [])) & set(gpu_devices())

    assert inside(both) == set()


def test_a_missing_file_of_the_name_service_that_cannot_be_made_is_noted(tmp_path: Path) -> None:
    def notes() -> tuple[list[str], list[str]]:
        told: list[str] = []
        covered = [Path("/etc")]
        for folder in covered:
            mask_folder(str(folder))
        with scratch(str(tmp_path)):
            return write_name_service(["10.87.0.1"], str(tmp_path), told), told

    replaced, told = inside(notes)
    assert replaced == []
    assert [note.split()[0] for note in told] == list(NAME_SERVICE)


def test_a_resolv_conf_that_is_a_link_into_run_is_made_there(tmp_path: Path) -> None:
    def text() -> str:
        cover([str(tmp_path)], [])
        syscalls.mount("tmpfs", "/etc", "tmpfs")
        Path("/etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
        with scratch(str(tmp_path)):
            write_name_service(["10.87.0.1"], str(tmp_path), [])
        return Path("/etc/resolv.conf").read_text(encoding="utf-8")

    assert inside(text) == "nameserver 10.87.0.1\n"


def test_a_masked_folder_can_be_neither_read_nor_written(tmp_path: Path) -> None:
    (tmp_path / "evidence").touch()

    def facts() -> tuple[bool, bool]:
        mask_folder(str(tmp_path))
        return (tmp_path / "evidence").exists(), os.access(tmp_path, os.W_OK)

    assert inside(facts) == (False, False)


def test_a_folder_that_is_not_there_needs_no_mask(tmp_path: Path) -> None:
    assert inside(lambda: mask_folder(str(tmp_path / "absent"))) is None


def test_a_runtime_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    make_runtime_folder(str(tmp_path))
    assert (tmp_path / "file").exists()


def test_what_cannot_be_protected_is_noted() -> None:
    def told() -> list[str]:
        notes: list[str] = []
        protect_kernel(["/sys", "/nonexistent"], notes)
        return notes

    assert inside(told) == ["/nonexistent is not read-only: No such file or directory"]


def hosts_inside(text: str, own_names: dict[str, str], scratch_folder: Path) -> str:
    """What /etc/hosts holds where the host's own holds `text`."""

    def shown() -> str:
        mask_folder("/etc")
        syscalls.mount("tmpfs", "/etc", "tmpfs")
        Path("/etc/hosts").write_text(text, encoding="ascii")
        with scratch(str(scratch_folder)):
            write_name_service([], str(scratch_folder), [], own_names)
        return Path("/etc/hosts").read_text(encoding="ascii")

    return inside(shown)


def test_localhost_is_known_where_the_host_does_not_know_it(tmp_path: Path) -> None:
    own = {"10.87.0.2": "sandbox", "fd00::2": "sandbox"}
    text = "127.0.0.1 localhost\n# ::1 localhost\n"
    assert hosts_inside(text, own, tmp_path) == (
        f"{text}::1 localhost\n10.87.0.2 sandbox\nfd00::2 sandbox\n"
    )
    assert hosts_inside("", {"10.87.0.2": "sandbox"}, tmp_path).splitlines()[-2:] == [
        "127.0.0.1 localhost",
        "10.87.0.2 sandbox",
    ]


def test_localhost_stays_as_the_host_knows_it(tmp_path: Path) -> None:
    text = "127.0.0.1 me localhost\n::1 ip6-localhost localhost  # both\n"
    own = {"fd00::2": "sandbox"}
    assert hosts_inside(text, own, tmp_path) == f"{text}fd00::2 sandbox\n"


def test_terminals_of_other_programs_are_out_of_reach(tmp_path: Path) -> None:
    def terminals() -> tuple[list[str], str, bool]:
        notes: list[str] = []
        with scratch(str(tmp_path)):
            hide_devices(str(tmp_path), notes)
        before = [path.name for path in Path("/dev/pts").iterdir() if path.name != "ptmx"]
        _, terminal = os.openpty()
        name = os.ttyname(terminal)
        return before, name, os.isatty(terminal) and Path(name).exists()

    host, of_host = os.openpty()
    try:
        assert inside(terminals) == ([], "/dev/pts/0", True)
        assert Path(os.ttyname(of_host)).exists()
    finally:
        os.close(host)
        os.close(of_host)


def test_the_terminal_of_the_program_stays_one(tmp_path: Path) -> None:
    def told() -> tuple[bool, bool]:
        with scratch(str(tmp_path)):
            hide_devices(str(tmp_path), [])
        terminal = os.open("/dev/tty", os.O_RDWR)
        return os.isatty(0), os.isatty(terminal)

    pid, host = pty.fork()
    if pid == 0:
        os._exit(0 if inside(told) == (True, True) else 1)
    _, status = os.waitpid(pid, 0)
    os.close(host)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_file_system_that_a_program_answers_for_cannot_be_had(tmp_path: Path) -> None:
    if not Path("/dev/fuse").exists():
        pytest.skip("no FUSE here")

    def hidden() -> list[str]:
        with scratch(str(tmp_path)):
            return hide_devices(str(tmp_path), [])

    made = inside(hidden)
    assert "/dev/fuse" in made
    assert "/dev/null" not in made
