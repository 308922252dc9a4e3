"""Callers that begin later than was watched."""

from typing import Any

import pytest

from egress_audit.judge.timers import (
    due_ns,
    is_named,
    late_callers,
    may_be_late,
    switched_callers,
    told_late,
)
from egress_audit.model.claim import AppliesTo
from egress_audit.model.destination import Absent
from tests.builders.cases import START_NS, case, claim
from tests.builders.endpoints import entry
from tests.builders.runs import process, run

SECOND_NS = 1_000_000_000
MINUTE_NS, DAY_NS = 60 * SECOND_NS, 86_400 * SECOND_NS


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({}, 0),
        ({"first_ns": 9 * SECOND_NS, "every_ns": DAY_NS}, 9 * SECOND_NS),
        ({"first_ns": 0, "every_ns": DAY_NS}, 0),
        ({"every_ns": DAY_NS}, DAY_NS),
        ({"every_ns": DAY_NS, "phases": ("idle",)}, DAY_NS),
        ({"every_ns": DAY_NS, "phases": ("load",)}, 0),
        ({"every_ns": DAY_NS, "stamps": ("~/.acme/asked",)}, 0),
    ],
)
def test_when_the_first_call_is_due(changes: dict[str, Any], due: int) -> None:
    assert due_ns(entry(**changes)) == due


@pytest.mark.parametrize(("first_ns", "late"), [(MINUTE_NS - 1, 0), (MINUTE_NS, 1)])
def test_a_caller_is_late_that_does_not_begin_before_the_end_of_watching(
    first_ns: int, late: int
) -> None:
    caller = entry(first_ns=first_ns)
    assert len(late_callers(case(run=run(observed_ns=MINUTE_NS), timed=(caller,)))) == late


@pytest.mark.parametrize(
    ("exe", "cmdline", "late"),
    [
        ("/opt/acmed", "acmed serve", 1),
        ("/usr/bin/python3", "python3 -m acmed", 1),
        ("/opt/other", "other", 0),
    ],
)
def test_a_timer_goes_from_the_start_of_the_program_that_has_it(
    exe: str, cmdline: str, late: int
) -> None:
    caller = entry(first_ns=MINUTE_NS, processes=("acmed",))
    begun = process(3, exe=exe, cmdline=cmdline, first_ns=START_NS + MINUTE_NS)
    watched = run(observed_ns=2 * MINUTE_NS, processes=(process(), begun))
    assert len(late_callers(case(run=watched, timed=(caller,)))) == late


def test_of_several_of_its_processes_the_first_counts() -> None:
    caller = entry(first_ns=MINUTE_NS, processes=("acmed",))
    both = tuple(
        process(number, exe="/opt/acmed", first_ns=START_NS + number * SECOND_NS)
        for number in (2, 59)
    )
    watched = run(observed_ns=2 * MINUTE_NS, processes=both)
    assert late_callers(case(run=watched, timed=(caller,))) == []


def test_of_a_capture_its_whole_length_was_watched() -> None:
    caller = entry(first_ns=MINUTE_NS)
    ends = START_NS + MINUTE_NS + 1
    assert late_callers(case(timed=(caller,), first_ts_ns=START_NS, last_ts_ns=ends)) == []
    assert late_callers(case(timed=(caller,), first_ts_ns=START_NS, last_ts_ns=ends - 1))


def test_a_capture_of_silence_shows_no_time_at_all() -> None:
    nothing: dict[str, Any] = {"first_ts_ns": Absent.NOT_FOUND, "last_ts_ns": Absent.NOT_FOUND}
    assert late_callers(case(timed=(entry(first_ns=1),), **nothing))


HOUR_NS = 60 * MINUTE_NS
AT_ONCE: list[dict[str, Any]] = [
    {"first_ns": 0, "every_ns": HOUR_NS},
    {"first_ns": 3 * SECOND_NS, "every_ns": HOUR_NS},
    {"every_ns": HOUR_NS, "phases": ("start", "idle")},
    {"every_ns": HOUR_NS, "stamps": ("~/.acme/asked",)},
]
"""Of callers that come with the start of their program, or soon after, and then once an hour."""


@pytest.mark.parametrize("times", AT_ONCE)
@pytest.mark.parametrize(("watched_ns", "late"), [(HOUR_NS, 1), (HOUR_NS + 1, 0)])
def test_a_capture_has_to_be_longer_than_a_period_since_the_start_may_be_before_it(
    times: dict[str, Any], watched_ns: int, late: int
) -> None:
    ends = START_NS + watched_ns
    judged = case(timed=(entry(**times),), first_ts_ns=START_NS, last_ts_ns=ends)
    assert len(late_callers(judged)) == late


@pytest.mark.parametrize("times", AT_ONCE)
def test_a_run_that_was_watched_from_its_start_would_have_shown_the_call_that_comes_with_it(
    times: dict[str, Any],
) -> None:
    assert late_callers(case(timed=(entry(**times),), run=run(observed_ns=MINUTE_NS))) == []


@pytest.mark.parametrize("times", AT_ONCE)
def test_one_whose_start_was_missed_would_not(times: dict[str, Any]) -> None:
    missed = run(observed_ns=MINUTE_NS, began_ns=START_NS + 1)
    assert len(late_callers(case(timed=(entry(**times),), run=missed))) == 1


def test_a_call_that_comes_but_once_has_no_period_to_wait_for() -> None:
    ends = START_NS + MINUTE_NS
    once = entry(first_ns=3 * SECOND_NS)
    assert late_callers(case(timed=(once,), first_ts_ns=START_NS, last_ts_ns=ends)) == []


@pytest.mark.parametrize(
    ("times", "may_be"),
    [
        ({"first_ns": 1}, True),
        ({"first_ns": 0, "every_ns": HOUR_NS}, True),
        ({"first_ns": 0}, False),
        ({}, False),
    ],
)
def test_who_has_a_time_may_be_late(times: dict[str, Any], may_be: bool) -> None:
    assert may_be_late(entry(**times)) == may_be


OF_ACME = claim(applies_to=AppliesTo(runtimes=("acme server",)))


def test_a_claim_names_the_callers_of_its_runtimes() -> None:
    assert is_named(entry(), OF_ACME)
    assert not is_named(entry(product="Other"), OF_ACME)


def switched(**changes: Any) -> int:
    return len(switched_callers(case(claim=OF_ACME, run=run(), timed=(entry(**changes),))))


def test_a_caller_of_the_runtime_may_have_been_silenced_by_a_variable() -> None:
    assert switched() == 1


@pytest.mark.parametrize(
    "changes", [{"product": "Other"}, {"packetless": True}, {"switch": Absent.NOT_FOUND}]
)
def test_others_may_not(changes: dict[str, Any]) -> None:
    assert switched(**changes) == 0


def test_of_a_capture_it_is_not_known_which_variables_were_set() -> None:
    assert switched_callers(case(claim=OF_ACME, timed=(entry(),))) == []


@pytest.mark.parametrize(
    ("seconds", "told"), [(90, "90 s"), (600, "10 min"), (14_400, "4 h"), (86_400, "1 d")]
)
def test_a_time_is_told_in_its_largest_unit(seconds: int, told: str) -> None:
    caller = entry(first_ns=seconds * SECOND_NS)
    assert told_late(case(run=run()), caller) == f"Acme server: telemetry, after {told}"


def test_of_a_start_that_was_missed_the_period_is_told() -> None:
    caller = entry(first_ns=0, every_ns=4 * HOUR_NS)
    assert told_late(case(), caller) == "Acme server: telemetry, every 4 h"


def test_whose_first_call_comes_later_than_a_period_has_to_be_waited_for_as_long() -> None:
    caller = entry(first_ns=2 * HOUR_NS, every_ns=HOUR_NS)
    for watched_ns, late in ((2 * HOUR_NS, 1), (2 * HOUR_NS + 1, 0)):
        ends = START_NS + watched_ns
        judged = case(timed=(caller,), first_ts_ns=START_NS, last_ts_ns=ends)
        assert len(late_callers(judged)) == late


def test_no_program_began_before_its_command() -> None:
    caller = entry(first_ns=MINUTE_NS, processes=("acmed",))
    begun = process(3, exe="/opt/acmed", first_ns=START_NS - HOUR_NS)
    for watched_ns, late in ((MINUTE_NS, 1), (MINUTE_NS + 1, 0)):
        watched = run(observed_ns=watched_ns, processes=(process(), begun))
        assert len(late_callers(case(run=watched, timed=(caller,)))) == late
