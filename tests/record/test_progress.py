"""Where a run is, before anything has happened."""

from dataclasses import FrozenInstanceError

import pytest

from egress_audit.record.progress import Limits, Outcome, Status, Step


def test_a_run_begins_with_the_probes_and_ends_done() -> None:
    steps = list(Step)
    assert (steps[0], steps[-1]) == (Step.PROBING, Step.DONE)
    assert steps.index(Step.PROBING) < steps.index(Step.RUNNING) < steps.index(Step.PROBING_AGAIN)


def test_before_the_start_nothing_has_been_seen() -> None:
    status = Status()
    assert (status.step, status.phase) == (Step.PROBING, "before the start")
    counted = (status.processes, status.calls, status.packets, status.drops, status.elapsed_s)
    assert counted == (0, 0, 0, 0, 0.0)
    assert status.destinations == {}


def test_two_runs_share_no_destinations() -> None:
    assert Status().destinations is not Status().destinations


def test_a_run_that_has_not_ended_has_no_outcome() -> None:
    outcome = Outcome()
    assert outcome.exit_status is None
    assert outcome.ended_by == ""
    assert (outcome.failed_errno, outcome.interruptions) == (0, 0)


def test_a_program_that_ended_with_zero_is_not_one_that_has_not_ended() -> None:
    assert Outcome(exit_status=0) != Outcome()


def test_nothing_is_waited_for_unless_it_is_asked_for() -> None:
    assert not Limits(observe_s=1.0).ready


def test_what_ends_a_run_does_not_change_while_it_runs() -> None:
    limits = Limits(observe_s=1.0)
    with pytest.raises(FrozenInstanceError):
        limits.observe_s = 2.0  # type: ignore[misc]
