"""What proves a phase: how the command ended, an exercise, readiness; never the program's word."""

import pytest

from egress_audit.judge.phases import ending, proven_phases
from egress_audit.model.destination import Absent
from egress_audit.model.run import Phase
from tests.builders.audit_parts import SECOND_NS, START_NS
from tests.builders.runs import phase, run


def proven(*phases: Phase, **changes: object) -> tuple[str, ...]:
    return proven_phases(run(phases=phases, **changes))


def test_a_command_that_ended_with_0_has_run() -> None:
    assert proven(phase()) == ("run",)


@pytest.mark.parametrize("status", [1, 127, -9, -11])
def test_a_command_that_failed_has_not(status: int) -> None:
    assert proven(phase(), exit_status=status) == ()


@pytest.mark.parametrize("ended_by", ["observed", "interrupted"])
def test_a_server_that_was_alive_when_we_ended_the_watching_has_run(ended_by: str) -> None:
    alive = {"ended_ns": Absent.NOT_FOUND, "exit_status": Absent.NOT_FOUND}
    assert proven(phase(), ended_by=ended_by, **alive) == ("run",)


def test_a_server_that_we_ended_when_the_time_was_up_has_run() -> None:
    late = START_NS + 61 * SECOND_NS
    assert proven(phase(), ended_by="observed", ended_ns=late, exit_status=-15) == ("run",)


def test_one_that_ended_before_the_time_was_up_has_failed() -> None:
    early = START_NS + 59 * SECOND_NS
    assert proven(phase(), ended_by="observed", ended_ns=early, exit_status=-15) == ()


def test_of_a_command_whose_record_stops_nobody_knows() -> None:
    unknown = {"ended_ns": Absent.NOT_FOUND, "exit_status": Absent.NOT_FOUND}
    assert proven(phase(), ended_by="lost", **unknown) == ()


def test_a_run_that_the_record_does_not_name_is_not_proven() -> None:
    assert proven() == ()


def test_an_exercise_proves_generating_and_that_there_was_something_loaded() -> None:
    assert proven(phase("generate", "exercise")) == ("load", "generate")


@pytest.mark.parametrize("proof", ["self", "ready", "command"])
def test_nothing_else_proves_generating(proof: str) -> None:
    assert proven(phase("generate", proof)) == ()


def test_an_exercise_that_never_ended_proves_nothing() -> None:
    assert proven(phase("generate", "exercise", end_ns=Absent.NOT_FOUND)) == ()


def test_being_ready_proves_a_phase_of_that_name() -> None:
    assert proven(phase("load", "ready")) == ("load",)


def test_what_the_program_says_of_itself_proves_nothing() -> None:
    assert proven(phase("load", "self")) == ()


def test_how_a_command_ended_reads_as_a_clause() -> None:
    told = [ending(status) for status in (0, 3, -9, Absent.NOT_FOUND)]
    assert told == [
        "ended with 0",
        "ended with 3",
        "was ended by signal 9",
        "ended in a way that is not known",
    ]
