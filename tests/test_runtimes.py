"""Programs of known behaviour, run live: each must be judged by what it does, names and all."""

from functools import cache

import pytest

from egress_audit.model.run import Rung
from tests.builders.recorded_runs import Way
from tests.builders.runtimes import RUNTIMES, AuditedCase, audited, cases, concluded

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
    assert concluded(seen) == CASES[name].expected
    assert seen.seen.recorded.rung is way.rung
    assert seen.seen.run.unattributed == 0


def test_every_program_of_the_folder_belongs_to_a_case() -> None:
    used = " ".join(f"{case.program} {case.plan.get('exercise')}" for case in CASES.values())
    assert not [path.name for path in RUNTIMES.glob("*.py") if path.name not in used]
