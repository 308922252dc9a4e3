"""What is refused where there is no Linux: to run a program, and to say what a run could be."""

import sys

from egress_audit.errors import EgressAuditError


def refuse_other_systems() -> None:
    """Raises EgressAuditError where programs cannot be run and watched."""
    if not sys.platform.startswith("linux"):
        raise EgressAuditError(
            "a program can be run and watched on Linux only",
            hint="elsewhere, judge a saved capture with `egress-audit replay`",
        )
