"""Callers that begin so late, or come so seldom, that what was watched need not show them.

From the start of its program a caller shows that is due by then. Who began to watch later has to
wait for a whole period: the call at the start was before, or a stamp on disk silenced it.

They stand in the way of a claim about their runtime, even if everything that ran had ended by then.
A timer dies with its process, and the whole tree was watched to its end: what the report says of
this run is complete. But the claim is about the program, not about one run of it, and silence is
never proof: that a server was stopped after a minute says nothing of its fourth hour, and else
whoever wants a verdict for it need only stop it early. Nor does a person's word lift it, since
`exercised` speaks of the work and not of how long it goes on. What differs is what is true, and
what helps: what still ran may have been about to call, and watching it for longer settles that
(`callers-later`); what had ended by itself has to be kept at work (`callers-after-end`). When
single processes ended is not recorded, so one that lives on, a child or a service that was
started, counts for all of them.
"""

from collections.abc import Callable

from egress_audit.judge.case import Case
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role, Run
from egress_audit.periods import whole_units
from egress_audit.product_versions import speaks_of
from egress_audit.programs import is_named as is_of
from egress_audit.programs import program_names

USED = frozenset({"import", "start", "load", "generate"})
"""Phases that come with the start of a program, or with its use."""


def late_callers(case: Case) -> list[Entry]:
    """Those of which no call had to come before the end of watching."""
    watched_ns, idle_ns = _watched_ns(case), _began_after_ns(case.run)
    waiting = ((entry, _waits_ns(case, entry)) for entry in case.callers)
    return [entry for entry, ns in waiting if ns and ns >= watched_ns - idle_ns(entry)]


def switched_callers(case: Case) -> list[Entry]:
    """Those of the claim's runtimes that a variable may have silenced; none of a capture, of which
    nobody knows the environment."""
    if isinstance(case.run, Absent):
        return []
    silenced = (entry for entry in case.callers if entry.variables and not entry.packetless)
    return [entry for entry in silenced if is_named(entry, case.claim)]


def outlived(case: Case) -> bool:
    """True if the whole tree of a run ended by itself, and its timers with it."""
    return not isinstance(case.run, Absent) and case.run.ended_by == "tree"


def due_ns(entry: Entry) -> int:
    """When the first call is due after the start; 0 for what comes with the start, or when the
    program is used.

    Where no time is known it is one period; not of a caller that a stamp on disk silences, whose
    first call comes without one.
    """
    if not isinstance(entry.first_ns, Absent):
        return entry.first_ns
    at_once = entry.stamps or USED.intersection(entry.phases)
    return 0 if at_once or isinstance(entry.every_ns, Absent) else entry.every_ns


def may_be_late(entry: Entry) -> bool:
    """True if there is a length of watching that need not show it; else it calls when the program
    starts, or is used, and no clock tells."""
    return due_ns(entry) > 0 or not isinstance(entry.every_ns, Absent)


def _waits_ns(case: Case, entry: Entry) -> int:
    """How long one has to watch to be sure of a call; 0 for one that comes at once."""
    from_start = not isinstance(case.run, Absent) and case.run.seen_from_start
    if from_start or isinstance(entry.every_ns, Absent):
        return due_ns(entry)
    return max(due_ns(entry), entry.every_ns)


def _watched_ns(case: Case) -> int:
    """From the start of the program to the end of watching; of a capture its whole length."""
    if not isinstance(case.run, Absent):
        return case.run.observed_ns
    first, last = case.coverage.first_ts_ns, case.coverage.last_ts_ns
    return 0 if isinstance(first, Absent) or isinstance(last, Absent) else last - first


def _began_after_ns(run: Run | Absent) -> Callable[[Entry], int]:
    """How long after the command the first of the programs began that an entry names: a timer goes
    from there. 0 where none of them is known."""
    if isinstance(run, Absent) or isinstance(run.exec_ns, Absent):
        return lambda entry: 0
    exec_ns = run.exec_ns
    began = [
        (program_names(one.exe, _arguments(one)), max(0, one.first_ns - exec_ns))
        for one in run.processes
        if one.role is Role.TARGET
    ]
    return lambda entry: min((ns for names, ns in began if is_of(entry, names)), default=0)


def _arguments(process: Process) -> list[str]:
    return [] if isinstance(process.cmdline, Absent) else process.cmdline.split()


def is_named(entry: Entry, claim: Claim) -> bool:
    """True if the claim names the runtime whose caller this is."""
    return speaks_of(claim.applies_to.runtimes, entry)


def told_late(case: Case, entry: Entry) -> str:
    """`Ollama app: update-check, after 1 h`; `every 4 h` where the start was not watched."""
    waits_ns = _waits_ns(case, entry)
    when = "after" if waits_ns == due_ns(entry) else "every"
    return f"{entry.product}: {entry.purpose}, {when} {whole_units(waits_ns)}"
