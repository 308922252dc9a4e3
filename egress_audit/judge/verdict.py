"""The verdict. One contradiction is enough; silence is not proof."""

from collections.abc import Iterable

from egress_audit.judge.blind_spots import Spot, spots_in
from egress_audit.judge.case import Case
from egress_audit.judge.spots_of_attempts import SPOTS_OF_ATTEMPTS
from egress_audit.judge.spots_of_claim import SPOTS_OF_CLAIM
from egress_audit.judge.spots_of_endpoints import SPOTS_OF_ENDPOINTS
from egress_audit.judge.spots_of_file import SPOTS_OF_FILE
from egress_audit.judge.spots_of_program import SPOTS_OF_PROGRAM
from egress_audit.judge.spots_of_record import SPOTS_OF_RECORD
from egress_audit.judge.spots_of_run import SPOTS_OF_RUN
from egress_audit.judge.spots_of_sandbox import SPOTS_OF_SANDBOX
from egress_audit.judge.spots_of_traffic import SPOTS_OF_TRAFFIC
from egress_audit.model.audit import BlindSpot, Finding, Verdict

BLIND_SPOTS: tuple[Spot, ...] = (
    *SPOTS_OF_FILE,
    *SPOTS_OF_TRAFFIC,
    *SPOTS_OF_CLAIM,
    *SPOTS_OF_RUN,
    *SPOTS_OF_RECORD,
    *SPOTS_OF_SANDBOX,
    *SPOTS_OF_ATTEMPTS,
    *SPOTS_OF_ENDPOINTS,
    *SPOTS_OF_PROGRAM,
)
"""Every blind spot there is. An id is kept for ever."""


def blind_spots(case: Case) -> tuple[BlindSpot, ...]:
    """Those that this evidence has about this claim: material ones first, else table order."""
    found = list(spots_in(case, BLIND_SPOTS))
    return tuple(sorted(found, key=lambda spot: not spot.material))


def verdict(findings: Iterable[Finding], spots: Iterable[BlindSpot]) -> Verdict:
    """What the evidence says of the claim."""
    if any(True for _ in findings):
        return Verdict.VIOLATED  # one packet is enough
    if any(spot.material for spot in spots):
        return Verdict.INCONCLUSIVE  # silence is not proof
    return Verdict.HOLDS
