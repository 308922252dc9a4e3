"""The ladder: the first rung that this host gives, from the one that sees most downwards.

    TUN, VETH ─▶ CALLS ─▶ POLLING

The first three keep the program in. POLLING keeps nothing back, so it is never stepped down to
unless the real network was asked for.
"""

from dataclasses import replace

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record.sandbox import Sandbox, start
from egress_audit.record.setup import NoDevice, NoFilter, NoNamespaces, Setup
from egress_audit.record.syscalls import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl

STEPS = ((Rung.TUN, Rung.VETH), (Rung.CALLS,), (Rung.POLLING,))
"""What one attempt at a sandbox may try."""
DOCTOR = "`egress-audit doctor` says what this host can do, and how to get the next rung"


def climb(setup: Setup) -> Sandbox:
    """The sandbox on the highest of the setup's rungs; `mounted` says why it is no higher one.

    Raises what the lowest rung that was tried said; EgressAuditError where there is nothing left
    that would keep the program in.
    """
    reasons: list[str] = []
    last: EgressAuditError | None = None
    for step in STEPS:
        rungs = tuple(rung for rung in setup.rungs if rung in step)
        if not rungs:
            continue
        if rungs == (Rung.POLLING,) and not setup.is_open:
            break
        if not rungs[0].sees_all:
            # What loses its parent when init is killed comes to us.
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            sandbox = start(replace(setup, rungs=rungs))
        except (NoNamespaces, NoDevice, NoFilter) as error:
            reasons.append(f"{', '.join(rungs)}: {error.what}")
            last = error
            continue
        sandbox.inherits = not sandbox.rung.sees_all
        if reasons:
            _note(sandbox, f"no higher rung could be had: {'; '.join(reasons)}")
        return sandbox
    if last is not None and len(reasons) == 1 and Rung.POLLING not in setup.rungs:
        raise last
    tried = "; ".join(reasons) or "polling alone was allowed"
    raise EgressAuditError(
        f"nothing on this host keeps the program in, so it was not started: {tried}", hint=DOCTOR
    )


def shield(sandbox: Sandbox) -> None:
    """Keeps the program, which has our user and can see us, from tracing us."""
    if not sandbox.rung.sees_all:
        prctl(PR_SET_DUMPABLE, 0)


def _note(sandbox: Sandbox, text: str) -> None:
    """Adds to what people are told that this run cannot see."""
    words = dict(sandbox.mounted.words)
    notes = words.get("notes")
    words["notes"] = [text, *(notes if isinstance(notes, list) else [])]
    sandbox.mounted = replace(sandbox.mounted, words=words)
