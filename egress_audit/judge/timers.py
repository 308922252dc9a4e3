"""Callers that begin so long after a program's start that what was watched cannot show them.

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

import re
from collections.abc import Callable

from egress_audit.judge.case import Case
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role, Run
from egress_audit.programs import is_named as is_of
from egress_audit.programs import program_names

SECOND_NS = 1_000_000_000
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
USED = frozenset({"import", "start", "load", "generate"})
"""Phases that come with the start of a program, or with its use."""
_GAPS = re.compile(r"[\s_-]+")


def late_callers(case: Case) -> list[Entry]:
    """Those whose first call is not due before the end of watching."""
    watched_ns = _watched_ns(case)
    if isinstance(watched_ns, Absent):
        return []
    idle_ns = _began_after_ns(case.run)
    return [entry for entry in case.timed if due_ns(entry) >= watched_ns - idle_ns(entry)]


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


def _watched_ns(case: Case) -> int | Absent:
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
    """True if the claim names the runtime whose caller this is.

    By its product, or by one of its processes; by the first words of its product (`ollama` for
    `Ollama server`) only where no process is known.
    """
    product, processes = _words(entry.product), set(map(_words, entry.processes))
    for runtime in filter(None, map(_words, claim.applies_to.runtimes)):
        begins = not processes and product.startswith(f"{runtime} ")
        if product == runtime or begins or runtime in processes:
            return True
    return False


def told_late(entry: Entry) -> str:
    """`Ollama app: update-check, after 1 h`."""
    return f"{entry.product}: {entry.purpose}, after {_length(due_ns(entry))}"


def _length(length_ns: int) -> str:
    """`90 s`, `10 min`, `4 h`: in the largest unit that leaves nothing over."""
    seconds = length_ns // SECOND_NS
    unit, size = next((u, s) for u, s in UNITS if seconds % s == 0)
    return f"{seconds // size} {unit}"


def _words(text: str) -> str:
    return _GAPS.sub(" ", text.strip().lower())
