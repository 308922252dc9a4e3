"""Which phases of a run are proven: what the program says of itself proves nothing alone."""

from collections.abc import Sequence

from egress_audit.model.destination import Absent
from egress_audit.model.run import Phase, Run

COMMAND, WORK = "run", "generate"
IMPLIED = {WORK: ("load",)}
"""Phase → what must have been before it: what has answered had loaded."""


def proven_phases(run: Run) -> tuple[str, ...]:
    """The words of the proven phases, each once, in the order of the record.

    `run` is the command's own: it ended with 0, or was alive when watching ended. `generate` needs
    an exercise with its expected output. Any other word needs an exercise, or that the program was
    found ready.
    """
    words: dict[str, None] = {}
    for phase in run.phases:
        proves = phase.proof == "exercise"
        proves |= phase.proof == "ready" and phase.word not in (COMMAND, WORK)
        proves |= phase.proof == "command" and phase.word == COMMAND
        if phase.word == COMMAND:
            proves &= run.succeeded
        if proves and not is_unmet(phase):
            words |= dict.fromkeys((*IMPLIED.get(phase.word, ()), phase.word))
    return tuple(words)


def is_unmet(phase: Phase) -> bool:
    """True for a use that was asked for and did not come to its end: it was never ready, or the
    exercise failed."""
    return phase.proof in ("ready", "exercise") and isinstance(phase.end_ns, Absent)


def open_phases(required: Sequence[str], proven: Sequence[str], run: Run) -> str:
    """` (run; the command ended with 3)`: what is not proven, and how a command failed."""
    missing = [word for word in required if word not in proven]
    how = f"; the command {ending(run.exit_status)}" if COMMAND in missing and run.failed else ""
    return f" ({', '.join(missing)}{how})"


def ending(status: int | Absent) -> str:
    """`ended with 3`, `was ended by signal 9`, `ended in a way that is not known`."""
    if isinstance(status, Absent):
        return "ended in a way that is not known"
    return f"was ended by signal {-status}" if status < 0 else f"ended with {status}"
