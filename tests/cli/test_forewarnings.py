"""Before a long run it is said if it cannot end in HOLDS."""

from dataclasses import replace

from egress_audit.cli.forewarnings import forewarnings
from egress_audit.judge.profile import load_profile
from egress_audit.record.plan import RunPlan

OFFLINE = load_profile("offline")
ANSWERS = replace(OFFLINE, require=replace(OFFLINE.require, phases=("load", "generate")))


def test_a_run_that_meets_its_profile_needs_no_warning() -> None:
    assert forewarnings(OFFLINE, RunPlan(("server",))) == []


def test_watching_for_less_than_the_profile_asks_is_told() -> None:
    (line,) = forewarnings(OFFLINE, RunPlan(("server",), observe_s=20.0))
    assert "asks for 1:00" in line
    assert "0:20" in line


def test_a_program_that_must_be_used_and_will_not_be_is_told() -> None:
    (line,) = forewarnings(ANSWERS, RunPlan(("server",)))
    assert "--exercise" in line


def test_an_exercise_may_prove_what_the_profile_requires() -> None:
    assert forewarnings(ANSWERS, RunPlan(("server",), exercise="use it", expect="x")) == []
