"""Which of several entries a contact can have been, by what is known of its sender and its time.

A host serves many purposes, and who calls it tells them apart. But what a catalogue knows is not
all there is, so an entry goes only where another one is positively meant: one that names the
program, or the phase. What was known stays when nothing would be left, or what merely labels: a
label lifts no accusation. Versions are looked at by themselves: they tell, and do not judge.
"""

from collections.abc import Callable, Collection, Sequence

from egress_audit.classify.versions import covers
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent
from egress_audit.programs import is_interpreter, is_named, program_names

EARLY = 2
"""A call is ruled out if it comes in less than 1/EARLY of its time: timers start late and are
jittered."""


def narrowed(
    entries: Sequence[Entry],
    *,
    exe: str = "",
    cmdline: Sequence[str] = (),
    phase: str = "",
    after_ns: int | None = None,
) -> tuple[Entry, ...]:
    """Those of `entries` that the contact can have been; never none of them, if there is one.

    exe, cmdline: of the sending process; phase: in which all of it was sent; after_ns: how long
    after the start of the run the last of it was. What is empty or None is not known.
    """
    left = tuple(entries)
    names = program_names(exe, cmdline)
    if names and not is_interpreter(exe):
        left = _meant(left, lambda entry: entry.processes, lambda entry: is_named(entry, names))
    if phase:
        left = _meant(left, _only_phases, lambda entry: phase in entry.phases)
    if after_ns is not None:
        left = _unless_empty(left, lambda entry: after_ns < _first_ns(entry) // EARLY)
    return left


def by_version(
    entries: Sequence[Entry], known: Callable[[Entry], Collection[str]]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Those that can have been it by the versions of their products, and those that are outside.

    known: versions of an entry's product, any of which may have been the one; none are not known.
    What cannot be compared is inside, and if all are outside they are among the first too.
    """
    outside = tuple(entry for entry in entries if _is_outside(entry, known(entry)))
    inside = tuple(entry for entry in entries if entry not in outside)
    return inside or tuple(entries), outside


def _is_outside(entry: Entry, versions: Collection[str]) -> bool:
    return bool(versions) and all(covers(entry.versions, one) is False for one in versions)


def _only_phases(entry: Entry) -> Sequence[str]:
    """The phases beside which it does not call; none of a timer, which goes off in any of them."""
    return entry.phases if isinstance(entry.every_ns, Absent) else ()


def _first_ns(entry: Entry) -> int:
    """When the first call is due; 0 where that is not known."""
    return 0 if isinstance(entry.first_ns, Absent) else entry.first_ns


def _meant(
    entries: tuple[Entry, ...],
    words: Callable[[Entry], Sequence[str]],
    fits: Callable[[Entry], bool],
) -> tuple[Entry, ...]:
    """If an entry says what fits, those that do and those that say nothing; else all of them."""
    if not any(map(fits, _accusing(entries) or entries)):
        return entries
    return tuple(entry for entry in entries if not words(entry) or fits(entry))


def _unless_empty(entries: tuple[Entry, ...], is_out: Callable[[Entry], bool]) -> tuple[Entry, ...]:
    """The entries that are not out; all of them if all are."""
    left = tuple(entry for entry in entries if not is_out(entry))
    return left if _accusing(left) or not _accusing(entries) else entries


def _accusing(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.accuses)
