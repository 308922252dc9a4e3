"""What the recorder makes of calls that name a file: the caller is this process itself."""

import errno
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.model.run import Role
from egress_audit.record.file_calls import FOLDER_AND_PATH
from egress_audit.record.filter import FILES
from egress_audit.record.inside import Inside
from tests.builders.call_world import LET_GO, PID, World
from tests.builders.memory import before_the_end, placed

AT_FDCWD = (1 << 64) - 100


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_every_call_on_a_file_that_the_filter_stops_is_understood() -> None:
    assert {*FILES, "execve", "execveat"} == set(FOLDER_AND_PATH)


# Files


def opened(world: World, path: Path | str, flags: int) -> int:
    return world.call("openat", AT_FDCWD, placed(os.fsencode(path) + b"\0"), flags)


def test_a_model_that_is_opened_is_listed_and_let_go(world: World, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert opened(world, tmp_path / "m.gguf", os.O_RDONLY) == LET_GO
    assert list(world.files.models) == [str(tmp_path / "m.gguf")]
    assert world.attempts == []


def test_a_path_below_an_open_folder_is_understood(world: World, tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    folder = os.open(tmp_path, os.O_RDONLY)
    world.call("openat", folder, placed(b"m.gguf\0"), os.O_RDONLY)
    os.close(folder)
    assert list(world.files.models) == [str(tmp_path / "m.gguf")]


def written(world: World) -> list[str]:
    return list(world.files._written)


@pytest.mark.parametrize(
    ("flags", "writes"),
    [
        (os.O_RDONLY, False),
        (os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY, False),
        (os.O_WRONLY, True),
        (os.O_RDWR, True),
        (os.O_RDONLY | os.O_CREAT, True),
    ],
)
def test_the_flags_say_whether_a_file_is_written(
    world: World, tmp_path: Path, flags: int, writes: bool
) -> None:
    opened(world, tmp_path / "out", flags)
    assert written(world) == ([str(tmp_path / "out")] if writes else [])


@pytest.mark.parametrize(("flags", "writes"), [(os.O_RDONLY, False), (os.O_WRONLY, True)])
def test_openat2_has_its_flags_in_memory(
    world: World, tmp_path: Path, flags: int, writes: bool
) -> None:
    path, how = (
        placed(os.fsencode(tmp_path / "out") + b"\0"),
        placed(struct.pack("=QQQ", flags, 0, 0)),
    )
    world.call("openat2", AT_FDCWD, path, how, 24)
    assert bool(written(world)) is writes


@pytest.mark.parametrize(
    ("name", "at"), [("creat", 0), ("rename", 1), ("renameat", 3), ("renameat2", 3)]
)
def test_a_file_that_gets_a_name_is_written_under_it(
    world: World, tmp_path: Path, name: str, at: int
) -> None:
    arguments = [placed(b"/old\0")] * 6
    arguments[at] = placed(os.fsencode(tmp_path / "new") + b"\0")
    if name.startswith("renameat"):
        arguments[0] = arguments[2] = AT_FDCWD
    assert world.call(name, *arguments) == LET_GO
    assert written(world) == [str(tmp_path / "new")]


def test_what_the_first_process_opens_is_not_the_program_s(tmp_path: Path) -> None:
    made = World(role=Role.RECORDER)
    assert opened(made, tmp_path / "out", os.O_WRONLY) == LET_GO
    assert written(made) == []
    made.processes.close()


def test_a_fifo_that_the_program_made_leads_nowhere(world: World, tmp_path: Path) -> None:
    path = placed(os.fsencode(tmp_path / "fifo") + b"\0")
    assert world.call("mknodat", AT_FDCWD, path, 0o010_600) == LET_GO
    os.mkfifo(tmp_path / "fifo")
    assert opened(world, tmp_path / "fifo", os.O_WRONLY) == LET_GO
    assert world.wanted() == []


def test_a_fifo_that_was_there_when_it_was_to_be_made_is_not_the_programs(
    world: World, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    path = placed(os.fsencode(tmp_path / "fifo") + b"\0")
    assert world.call("mknodat", AT_FDCWD, path, 0o010_600) == LET_GO
    assert opened(world, tmp_path / "fifo", os.O_WRONLY) == LET_GO
    assert world.outcomes == [(0, "reached")]


def test_a_fifo_of_somebody_else_that_is_written_to_is_reached(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    made = World()
    assert opened(made, tmp_path / "fifo", os.O_WRONLY) == LET_GO
    assert made.wanted() == [("openat", "AF_UNIX", str(tmp_path / "fifo"), None)]
    assert made.outcomes == [(0, "reached")]
    made.processes.close()


def test_a_path_at_a_null_pointer_is_refused_as_the_kernel_would(world: World) -> None:
    assert world.call("openat", AT_FDCWD, 8, os.O_WRONLY) == errno.EFAULT
    assert (written(world), world.attempts) == ([], [])


def test_a_path_that_cannot_be_read_is_refused_and_told(world: World) -> None:
    nowhere = before_the_end(b"/tmp/x")
    assert world.call("openat", AT_FDCWD, nowhere, os.O_WRONLY) == errno.EFAULT
    assert world.wanted() == [("openat", "", None, None)]
    assert world.attempts[0]["denied"] == "EFAULT"


def test_a_path_that_is_too_long_is_refused_as_the_kernel_would(world: World) -> None:
    longest = placed(b"/" * 9000 + b"\0")
    assert world.call("openat", AT_FDCWD, longest, os.O_WRONLY) == errno.ENAMETOOLONG
    assert world.attempts == []


def test_a_file_is_not_let_go_while_we_have_no_descriptor_left(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(pid: int) -> Inside:
        raise OSError(errno.EMFILE, "none left")

    monkeypatch.setattr(Inside, "of", exhausted)
    assert opened(world, tmp_path / "out", os.O_WRONLY) == errno.EFAULT
    assert [attempt["denied"] for attempt in world.attempts] == ["EFAULT"]


# Executions


def executed(world: World, path: Path) -> None:
    assert world.call("execve", placed(os.fsencode(path) + b"\0")) == LET_GO


def test_an_ordinary_program_is_let_go_without_a_word(world: World, tmp_path: Path) -> None:
    (tmp_path / "program").touch(0o755)
    executed(world, tmp_path / "program")
    assert world.attempts == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize(
    ("bit", "uid", "gid", "told"),
    [
        (stat.S_ISUID, 12345, 0, True),
        (stat.S_ISUID, 0, 12345, False),
        (stat.S_ISGID, 0, 12345, True),
        (stat.S_ISGID, 12345, 0, False),
        (0, 12345, 12345, False),
    ],
)
def test_a_program_that_would_have_become_another_user_is_told(
    world: World, tmp_path: Path, bit: int, uid: int, gid: int, told: bool
) -> None:
    path = tmp_path / "program"
    path.touch()
    os.chown(path, uid, gid)
    path.chmod(0o755 | bit)
    executed(world, path)
    assert [outcome for _, outcome in world.outcomes] == ["setuid"] * told


def test_after_an_execution_the_process_is_looked_at_again(world: World, tmp_path: Path) -> None:
    task = world.processes.task(PID)
    executed(world, tmp_path / "nowhere")
    assert task.stale


# Code


@pytest.mark.parametrize(
    ("flags", "known"), [(os.O_RDONLY | os.O_CLOEXEC, ["acme"]), (os.O_WRONLY, [])]
)
def test_code_that_is_opened_for_reading_is_known_and_what_is_written_is_not(
    world: World, tmp_path: Path, flags: int, known: list[str]
) -> None:
    module = tmp_path / "site-packages" / "acme" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.touch()
    opened(world, module, flags)
    assert [loaded.module for loaded in world.files.code] == known
