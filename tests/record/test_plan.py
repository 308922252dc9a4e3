"""What can be settled before anything is run, is; and what cannot be run is said at once."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.record.plan import CommandFailed, RunPlan, prepared
from tests.builders.namespaces import in_child

TRUE = "/bin/true"
VARIABLES = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
PLAN = RunPlan((TRUE,), folder="/", environment=VARIABLES)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs as somebody else")


def refused(plan: RunPlan) -> str:
    """What is said of a plan that cannot be carried out."""
    with pytest.raises(CommandFailed) as raised:
        prepared(plan)
    return str(raised.value)


def open_to_all(folder: Path) -> Path:
    """A folder that every user can reach, for pytest keeps its own closed."""
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    return folder


def test_a_plan_without_a_command_is_refused() -> None:
    with pytest.raises(WrongUsage, match="no command"):
        prepared(replace(PLAN, command=()))


@pytest.mark.parametrize("given", [{"exercise": "curl x"}, {"expect": "x"}])
def test_an_exercise_without_what_it_must_print_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(WrongUsage, match="proves something only by what it prints"):
        prepared(replace(PLAN, **given))  # type: ignore[arg-type]


def test_an_exercise_with_what_it_must_print_is_taken() -> None:
    found = prepared(replace(PLAN, exercise="curl x", expect="ok|fine")).expect
    assert found is not None
    assert found.search("all is fine")
    assert not found.search("error")


def test_an_expectation_that_is_no_expression_is_refused() -> None:
    with pytest.raises(WrongUsage, match="no regular expression"):
        prepared(replace(PLAN, exercise="x", expect="("))


def test_where_to_ask_is_understood_beforehand() -> None:
    assert prepared(replace(PLAN, ready="8080")).ready == ("127.0.0.1", 8080, "")
    assert prepared(PLAN).ready is None
    with pytest.raises(WrongUsage, match="where to ask"):
        prepared(replace(PLAN, ready="nowhere"))


def test_a_secret_of_the_command_is_not_shown() -> None:
    shown = prepared(replace(PLAN, command=(TRUE, "--api-key", "hunter2hunter2"))).shown
    assert shown.startswith(f"{TRUE} --api-key ")
    assert "hunter2" not in shown


def test_a_command_is_looked_for_where_the_program_would() -> None:
    assert prepared(replace(PLAN, command=("true",))).plan.command == ("true",)
    assert "no such command" in refused(
        replace(PLAN, command=("true",), environment={**VARIABLES, "PATH": "/nonexistent"})
    )


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = refused(replace(PLAN, command=(str(tmp_path / "no-program"),)))
    assert "no such command" in told
    assert "no-program" in told


def test_a_folder_is_no_command(tmp_path: Path) -> None:
    assert "is a folder" in refused(replace(PLAN, command=(str(tmp_path),)))


def test_a_command_without_a_name_is_not_the_working_folder() -> None:
    assert refused(replace(PLAN, command=("",))).startswith("'': no such command")


def test_a_file_that_may_not_be_executed_is_no_command(tmp_path: Path) -> None:
    (tmp_path / "text").touch(0o644)
    assert "may not be executed" in refused(replace(PLAN, command=(str(tmp_path / "text"),)))


def test_a_working_folder_that_is_not_there_is_named() -> None:
    assert "no folder" in refused(replace(PLAN, folder="/nonexistent"))


def test_a_working_folder_that_was_deleted_is_told_before_anything_runs(tmp_path: Path) -> None:
    def here(folder: str | None) -> str:
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        try:
            return prepared(replace(PLAN, folder=folder)).folder
        except EgressAuditError as error:
            return str(error)

    assert "was deleted" in in_child(lambda: here(None))
    assert in_child(lambda: here("/")) == "/"


def test_a_relative_command_is_one_of_the_working_folder(tmp_path: Path) -> None:
    program = open_to_all(tmp_path) / "program"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    plan = replace(PLAN, command=("./program",), folder=str(tmp_path))
    assert prepared(plan).folder == str(tmp_path)
    assert "no such command" in refused(replace(plan, folder="/"))


def test_the_working_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr")
    assert prepared(replace(PLAN, folder="bin")).folder == "/usr/bin"
    assert prepared(replace(PLAN, folder=None)).folder == "/usr"


def test_the_program_gets_the_variables_of_the_plan_and_no_others() -> None:
    made = prepared(replace(PLAN, environment={**VARIABLES, "CI": "true", "HF_HUB_OFFLINE": "1"}))
    variables = made.environment.variables
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert "CI" not in variables
    assert made.environment.removed == ("CI",)


def test_a_file_of_variables_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EgressAuditError):
        prepared(replace(PLAN, env_file="/nonexistent"))


def test_an_ordinary_user_keeps_its_home_and_name() -> None:
    def variables() -> dict[str, str]:
        return prepared(
            replace(PLAN, environment={**VARIABLES, "USER": "me"})
        ).environment.variables

    made = in_child(variables, as_nobody=True)
    assert (made["HOME"], made["USER"]) == ("/nonexistent", "me")


@needs_root
def test_another_user_has_its_own_name_and_no_trace_of_who_called() -> None:
    source = {**VARIABLES, "SUDO_UID": "1", "SUDO_GID": "1", "SUDO_USER": "me", "USER": "root"}
    made = prepared(replace(PLAN, environment=source))
    variables = made.environment.variables
    assert made.user.uid == 1
    assert variables["USER"] == variables["LOGNAME"] == made.user.name
    assert variables["HOME"] == made.user.home
    assert not [name for name in variables if name.startswith("SUDO_")]


@needs_root
def test_a_program_closed_to_its_user_is_told_before_anything_runs(tmp_path: Path) -> None:
    program = open_to_all(tmp_path) / "program"
    program.touch(0o700)
    told = refused(replace(PLAN, command=(str(program),)))
    assert "is closed to nobody" in told
    assert str(program) in told


@needs_root
def test_what_lies_in_the_home_of_root_is_shown_to_the_user_and_so_not_closed(
    tmp_path: Path,
) -> None:
    home = open_to_all(tmp_path) / "home"
    home.mkdir(0o700)
    program = home / "program"
    program.touch(0o700)
    plan = replace(PLAN, command=(str(program),), environment={**VARIABLES, "HOME": str(home)})
    assert prepared(plan).user.home == str(home)
