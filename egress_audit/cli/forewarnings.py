"""What can be said before a run: that it cannot end in HOLDS, as it was asked for."""

from typing import TYPE_CHECKING

from egress_audit.cli.durations import clock_text
from egress_audit.periods import SECOND_NS

if TYPE_CHECKING:
    from egress_audit.model.claim import Claim
    from egress_audit.record.plan import RunPlan

BY_OTHER_MEANS = ("run", "ready")
"""Phases that need no exercise."""


def forewarnings(claim: "Claim", plan: "RunPlan") -> list[str]:
    """A line for each requirement of the claim that this run can hardly meet."""
    lines = []
    required_s = claim.require.observe_ns / SECOND_NS
    if plan.observe_s < required_s:
        lines.append(
            f"the profile asks for {clock_text(required_s)} of watching, --observe is "
            f"{clock_text(plan.observe_s)}: it can hold only if the program ends before"
        )
    phases = [word for word in claim.require.phases if word not in BY_OTHER_MEANS]
    if phases and plan.exercise is None:
        lines.append(
            f"the profile requires the program to be used ({', '.join(phases)}), which --exercise "
            "with --expect would prove"
        )
    return lines
