"""The program sees its own /run, /tmp and HOME; nothing it does to them reaches the host."""

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.model.destination import Absent
from egress_audit.record import syscalls
from egress_audit.record import view as view_module
from egress_audit.record.view import View, Wanted, make_view
from egress_audit.record.written import Found, written_files
from tests.builders.namespaces import in_child, mounts_of_the_host

Result = TypeVar("Result")

NAMESPACES = syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWIPC


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A HOME with a document, and a hub cache in which a stamp of today lies."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "home"
    hub = folder / ".cache" / "huggingface"
    hub.mkdir(parents=True)
    (hub / "model.gguf").write_text("model", encoding="ascii")
    (hub / ".agent_harnesses.json").write_text("{}", encoding="ascii")
    (folder / "document").write_text("mine", encoding="ascii")
    return folder


def wanted(home: Path, kind: str = "overlay", **more: object) -> Wanted:
    facts: dict[str, object] = {
        "home_kind": kind,
        "home": str(home),
        "argv": ["/bin/true"],
        "cwd": "/",
        "environ": {"PATH": "/usr/bin:/bin"},
        "resolvers": ["10.87.0.1"],
    }
    return Wanted(**{**facts, **more})  # type: ignore[arg-type]


def seen(asked: Wanted, function: Callable[[View], Result]) -> Result:
    """What `function` returns in the view; the host's mounts are compared as well."""
    before = mounts_of_the_host()
    result = in_child(lambda: function(make_view(asked)), namespaces=NAMESPACES)
    assert mounts_of_the_host() == before
    return result


def names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize("kind", ["overlay", "fresh", "real"])
def test_the_kind_of_home_is_the_one_that_was_wanted(home: Path, kind: str) -> None:
    assert seen(wanted(home, kind), lambda view: (view.home_kind, view.notes)) == (kind, ())


def test_what_is_written_to_an_overlay_is_listed_and_never_reaches_the_disk(home: Path) -> None:
    def written(view: View) -> list[tuple[str, int | Absent]]:
        (home / "document").write_text("changed", encoding="ascii")
        (home / ".cache" / "queue.db").write_text("later", encoding="ascii")
        files = written_files(view.layers).files
        return [(file.path, file.size) for file in files]

    assert seen(wanted(home), written) == [
        (str(home / ".cache" / "queue.db"), 5),
        (str(home / "document"), 7),
    ]
    assert (home / "document").read_text(encoding="ascii") == "mine"
    assert names(home / ".cache") == ["huggingface"]


def test_what_is_removed_from_an_overlay_is_listed_without_a_size(home: Path) -> None:
    def removed(view: View) -> list[tuple[str, int | Absent]]:
        (home / "document").unlink()
        files = written_files(view.layers).files
        return [(file.path, file.size) for file in files]

    assert seen(wanted(home), removed) == [(str(home / "document"), Absent.NOT_FOUND)]
    assert (home / "document").exists()


@pytest.mark.parametrize("kind", ["overlay", "fresh"])
def test_a_stamp_of_today_is_hidden_and_told(home: Path, kind: str) -> None:
    stamp = home / ".cache" / "huggingface" / ".agent_harnesses.json"

    def hidden(view: View) -> tuple[bool, list[tuple[str, bool]]]:
        fresh = stamp.exists() and time.time() - stamp.stat().st_mtime < 86_400
        return fresh, [(told.path, told.hidden) for told in view.stamps]

    assert seen(wanted(home, kind), hidden) == (False, [(str(stamp), True)])
    assert stamp.exists()


def test_a_stamp_of_today_in_the_real_home_is_told_as_not_hidden(home: Path) -> None:
    assert seen(wanted(home, "real"), lambda view: [told.hidden for told in view.stamps]) == [False]


def test_an_old_stamp_in_the_real_home_is_of_no_effect(home: Path) -> None:
    os.utime(home / ".cache" / "huggingface" / ".agent_harnesses.json", (0, 0))
    assert seen(wanted(home, "real"), lambda view: view.stamps) == ()


def test_a_stamp_in_a_cache_outside_of_home_is_hidden_too(home: Path, tmp_path: Path) -> None:
    cache = tmp_path / "elsewhere"
    cache.mkdir()
    (cache / ".agent_harnesses.json").touch()
    asked = wanted(home, environ={"HF_HOME": str(cache)})

    def hidden(view: View) -> tuple[list[str], list[bool]]:
        (cache / "new").touch()
        return names(cache), [told.hidden for told in view.stamps]

    assert seen(asked, hidden) == (["new"], [True])
    assert names(cache) == [".agent_harnesses.json"]


def test_what_the_run_did_not_write_is_not_listed(home: Path) -> None:
    assert seen(wanted(home), lambda view: written_files(view.layers)) == Found([], 0, ())


def test_a_fresh_home_holds_the_models_and_nothing_else(home: Path) -> None:
    def shown(view: View) -> tuple[list[str], str]:
        model = home / ".cache" / "huggingface" / "model.gguf"
        return names(home), model.read_text(encoding="ascii")

    assert seen(wanted(home, "fresh"), shown) == ([".cache"], "model")


def test_the_models_of_a_fresh_home_cannot_be_written(home: Path) -> None:
    def write(view: View) -> None:
        (home / ".cache" / "huggingface" / "model.gguf").write_text("other", encoding="ascii")

    with pytest.raises(OSError, match="Read-only"):
        seen(wanted(home, "fresh"), write)


def test_what_is_written_to_a_fresh_home_is_listed(home: Path) -> None:
    def written(view: View) -> list[str]:
        (home / "note").touch()
        return [file.path for file in written_files(view.layers).files]

    assert seen(wanted(home, "fresh"), written) == [str(home / "note")]
    assert not (home / "note").exists()


def test_a_command_in_a_fresh_home_can_still_be_read(home: Path) -> None:
    program = home / "venv" / "bin" / "program"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="ascii")
    asked = wanted(home, "fresh", argv=[str(program)])
    assert seen(asked, lambda view: program.exists())


@pytest.mark.parametrize("folder", ["/run", "/tmp", "/var/tmp", "/dev/shm"])
def test_the_folders_of_services_are_empty(tmp_path: Path, folder: str) -> None:
    asked = wanted(Path("/nonexistent"), "fresh", cwd="/")
    assert seen(asked, lambda view: names(folder)) == []


@pytest.mark.parametrize("folder", ["/tmp", "/var/tmp", "/dev/shm"])
def test_what_is_written_to_a_private_folder_is_listed(home: Path, folder: str) -> None:
    path = Path(folder, "egress-audit-test")

    def written(view: View) -> list[str]:
        path.touch()
        return [file.path for file in written_files(view.layers).files]

    assert seen(wanted(home), written) == [str(path)]
    assert not path.exists()


def test_the_working_folder_stays_though_it_lies_in_tmp(home: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "input").touch()

    def shown(view: View) -> tuple[str, list[str], tuple[str, ...]]:
        return str(Path.cwd()), names("."), view.open_folders

    assert seen(wanted(home, cwd=str(work)), shown) == (str(work), ["input"], (str(work),))


@pytest.mark.parametrize("cwd", ["/tmp", "/"])
def test_of_a_folder_that_is_private_only_what_is_bound_there_is_open(
    home: Path, tmp_path: Path, cwd: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    asked = wanted(home, cwd=cwd, binds=[str(work)])
    assert seen(asked, lambda view: view.open_folders) == (str(work),)


def test_a_file_named_by_an_argument_stays_though_it_lies_in_tmp(
    home: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.touch()
    asked = wanted(home, argv=["/bin/true", f"--file={script}"])
    assert seen(asked, lambda view: script.exists())


def test_a_file_that_nobody_named_is_gone(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    assert not seen(wanted(home), lambda view: other.exists())


@pytest.mark.opens_sockets
def test_a_socket_in_tmp_cannot_be_reached_though_an_argument_names_it(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))
        asked = wanted(home, argv=["/bin/true", str(path)])
        assert not seen(asked, lambda view: path.exists())
        assert seen(wanted(home, binds=[str(path)]), lambda view: path.exists())


def test_names_are_asked_of_our_resolvers(home: Path) -> None:
    def texts(view: View) -> tuple[str, bool]:
        lines = Path("/etc/nsswitch.conf").read_text(encoding="ascii").splitlines()
        return Path("/etc/resolv.conf").read_text(encoding="ascii"), "hosts: files dns" in lines

    assert seen(wanted(home), texts) == ("nameserver 10.87.0.1\n", True)


def test_the_resolvers_cannot_be_rewritten(home: Path) -> None:
    def write(view: View) -> None:
        Path("/etc/resolv.conf").write_text("nameserver 9.9.9.9\n", encoding="ascii")

    with pytest.raises(OSError, match=r"Read-only|Permission"):
        seen(wanted(home), write)


def test_devices_that_lead_outside_cannot_be_opened(home: Path) -> None:
    def opened(view: View) -> list[str]:
        still = []
        for path in ("/dev/net/tun", "/dev/fuse", "/dev/kvm", "/dev/uinput"):
            try:
                os.close(os.open(path, os.O_RDWR))
                still.append(path)
            except OSError:
                continue
        return still

    assert seen(wanted(home), opened) == []


def test_ordinary_devices_stay(home: Path) -> None:
    assert seen(wanted(home), lambda view: Path("/dev/null").is_char_device())


def test_the_runtime_folder_is_there_and_empty(home: Path) -> None:
    asked = wanted(home, environ={"XDG_RUNTIME_DIR": "/run/user/12345"})

    def facts(view: View) -> tuple[list[str], int]:
        return names("/run/user/12345"), Path("/run/user/12345").stat().st_mode & 0o777

    assert seen(asked, facts) == ([], 0o700)


def test_the_evidence_can_neither_be_read_nor_written(home: Path) -> None:
    bundle = home / "bundle"
    bundle.mkdir()
    (bundle / "events.jsonl").touch()

    def reached(view: View) -> tuple[list[str], bool]:
        try:
            (bundle / "manifest.json").touch()
        except OSError:
            return names(bundle), False
        return names(bundle), True

    assert seen(wanted(home, bundle=str(bundle)), reached) == ([], False)


def test_sys_is_read_only(home: Path) -> None:
    assert seen(wanted(home), lambda view: bool(os.statvfs("/sys").f_flag & os.ST_RDONLY))


def test_the_files_of_the_home_are_the_programs_own(home: Path) -> None:
    assert seen(wanted(home), lambda view: home.stat().st_uid) == os.geteuid()


def test_the_auditors_own_code_cannot_be_written(home: Path) -> None:
    package = Path(view_module.__file__).parents[1]

    def read_only(view: View) -> list[bool]:
        folders = [str(package), sys.prefix, sys.base_prefix]
        return [bool(os.statvfs(folder).f_flag & os.ST_RDONLY) for folder in folders]

    assert seen(wanted(home), read_only) == [True, True, True]


def test_a_project_folder_in_which_the_auditor_lies_can_be_written_but_for_it(home: Path) -> None:
    package = Path(view_module.__file__).parents[1]
    asked = wanted(home, cwd=str(package.parent))

    def facts(view: View) -> tuple[bool, bool, bool]:
        project, ours = os.statvfs(package.parent), os.statvfs(package)
        noted = any(str(package) in note for note in view.notes)
        return bool(project.f_flag & os.ST_RDONLY), bool(ours.f_flag & os.ST_RDONLY), noted

    assert seen(asked, facts) == (False, True, False)


def test_an_auditor_that_the_program_may_write_is_told(home: Path) -> None:
    package = Path(view_module.__file__).parents[1]
    asked = wanted(home, cwd=str(package))

    def facts(view: View) -> tuple[bool, bool]:
        noted = any(str(package) in note for note in view.notes)
        return bool(os.statvfs(package).f_flag & os.ST_RDONLY), noted

    assert seen(asked, facts) == (False, True)


def test_a_folder_that_is_bound_can_be_written_though_it_lies_beside_our_libraries(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("libraries", "others"):
        (tmp_path / name / "bound").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "libraries"))
    monkeypatch.syspath_prepend(str(tmp_path / "others"))
    bound = tmp_path / "libraries" / "bound"
    asked = wanted(home, binds=[str(bound)], cwd="/", argv=["/bin/true", str(tmp_path / "others")])

    def written(view: View) -> tuple[bool, bool]:
        return os.access(bound, os.W_OK), os.access(tmp_path / "others", os.W_OK)

    assert seen(asked, written) == (True, False)


def test_what_is_bound_in_a_home_that_is_copied_on_write_is_shown_as_it_is(home: Path) -> None:
    for name in ("bound", "other"):
        (home / name).mkdir()

    def written(view: View) -> tuple[str, tuple[str, ...]]:
        for name in ("bound", "other"):
            (home / name / "new").touch()
        return view.home_kind, view.open_folders

    asked = wanted(home, binds=[str(home / "bound")])
    assert seen(asked, written) == ("overlay", (str(home / "bound"),))
    assert (home / "bound" / "new").exists()
    assert not (home / "other" / "new").exists()
