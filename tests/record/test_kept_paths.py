"""What the program needs of a covered folder is kept, and what keeps a user from it is named."""

import os
from pathlib import Path

import pytest

from egress_audit.record.kept_paths import command_path, kept_paths, unreadable_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    program = tmp_path / "venv" / "bin" / "program"
    program.touch(0o755)
    (tmp_path / "model.gguf").touch()
    return tmp_path


def kept(folder: Path, *argv: str, cwd: str = "/", **environ: str) -> dict[str, bool]:
    found = kept_paths(argv, cwd, (), environ, [str(folder)])
    return {path: writable for path, writable in found.items() if path.startswith(str(folder))}


def test_a_program_is_kept_with_everything_beside_it(folder: Path) -> None:
    program = str(folder / "venv" / "bin" / "program")
    assert kept(folder, program) == {str(folder / "venv"): False}


def test_a_program_found_by_path_is_kept(folder: Path) -> None:
    path = str(folder / "venv" / "bin")
    assert kept(folder, "program", PATH=path) == {str(folder / "venv"): False}


@pytest.mark.parametrize("form", ["{}", "--model={}"])
def test_a_file_named_by_an_argument_is_kept(folder: Path, form: str) -> None:
    model = str(folder / "model.gguf")
    assert kept(folder, "/bin/true", form.format(model)) == {model: True}


def test_an_argument_may_be_relative_to_the_working_folder(folder: Path) -> None:
    assert kept(folder, "/bin/true", "model.gguf", cwd=str(folder)) == {
        str(folder): True,
        str(folder / "model.gguf"): True,
    }


def test_a_word_that_names_nothing_keeps_nothing(folder: Path) -> None:
    assert kept(folder, "/bin/true", "absent.gguf", "--flag=", "", "\0") == {}


def test_the_command_is_found_as_exec_finds_it(folder: Path) -> None:
    path = str(folder / "venv" / "bin")
    assert command_path("program", "/", {"PATH": path}) == f"{path}/program"
    assert command_path("venv/bin/program", str(folder), {}) == f"{path}/program"
    assert command_path("venv/bin/absent", str(folder), {}) is None
    assert command_path("no-such-program", "/", {"PATH": path}) is None


def test_a_closed_folder_on_the_way_is_named(folder: Path) -> None:
    closed = folder / "venv"
    closed.chmod(0o700)
    for parent in (folder.parent.parent, folder.parent, folder):
        parent.chmod(0o755)
    other = os.geteuid() + 1
    program = str(closed / "bin" / "program")
    assert unreadable_for(other, other, (), [program]) == [str(closed)]


def test_a_program_that_may_not_be_executed_is_named(folder: Path) -> None:
    model = folder / "model.gguf"
    model.chmod(0o644)
    assert unreadable_for(os.geteuid(), os.getegid(), (), [str(model)]) == [str(model)]


def test_what_the_owner_may_reach_is_not_named(folder: Path) -> None:
    program = str(folder / "venv" / "bin" / "program")
    assert unreadable_for(os.geteuid(), os.getegid(), (), [program, str(folder)]) == []


def test_a_member_of_the_group_is_judged_by_the_group(folder: Path) -> None:
    for parent in (folder.parent.parent, folder.parent, folder):
        parent.chmod(0o755)
    program = folder / "venv" / "bin" / "program"
    program.chmod(0o750)
    other = os.geteuid() + 1
    assert unreadable_for(other, other, [program.stat().st_gid], [str(program)]) == []
    assert unreadable_for(other, other, (), [str(program)]) == [str(program)]


def test_a_path_that_is_not_there_is_named(folder: Path) -> None:
    absent = str(folder / "absent")
    assert unreadable_for(os.geteuid(), os.getegid(), (), [absent]) == [absent]
