"""Programs of known behaviour, run live: each must be judged by what it does, names and all."""

from functools import cache

import pytest

from egress_audit.model.run import Rung
from tests.builders.recorded_runs import Way
from tests.builders.runtimes import LIVE, RUNTIMES, AuditedCase, audited, cases, concluded

pytestmark = pytest.mark.opens_sockets

CASES = cases(RUNTIMES)
ROOT, USER = Way(True, Rung.TUN), Way(False, Rung.TUN)


@cache
def live(name: str, way: Way) -> AuditedCase:
    """The audit of a run, made once for all who look at it."""
    way.must_be_possible()
    return audited(CASES[name], way)


@pytest.mark.parametrize("way", [ROOT, USER], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_a_program_is_judged_by_what_it_does(name: str, way: Way) -> None:
    seen = live(name, way)
    told = concluded(seen.audit)
    # In full: what a live run concluded once may not be had again.
    assert told == CASES[name].expected, f"{told}: {seen.audit.headline}"
    assert seen.seen.recorded.rung is way.rung
    assert seen.seen.run.unattributed == 0


def test_every_program_of_the_folder_belongs_to_a_case() -> None:
    used = " ".join(f"{case.program} {case.plan.get('exercise')}" for case in CASES.values())
    assert not [path.name for path in RUNTIMES.glob("*.py") if path.name not in used]


def test_the_manual_tells_of_a_live_run_in_which_every_case_concluded_as_it_must() -> None:
    told = (RUNTIMES.parent.parent / "docs" / "live.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in told.splitlines() if "|" in line]
    verdicts = {row[1]: row[2] for row in rows[2:]}
    every = {**CASES, **cases(LIVE)}
    assert verdicts == {name: case.expected.verdict for name, case in every.items()}
