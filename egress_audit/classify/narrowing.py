"""Which of several entries a contact can have been, by what is known of its sender and its time.

A host serves many purposes, and who calls it tells them apart. But what a catalogue knows is not
all there is, so an entry goes only where another one is positively meant: one that names the
program, or the phase. What was known stays when nothing would be left.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from egress_audit.classify.versions import covers
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent

INTERPRETERS = frozenset(
    {"python", "pythonw", "pypy", "node", "deno", "bun", "electron", "java", "javaw", "dotnet"}
    | {"ruby", "perl", "php", "lua", "julia", "r"}
)
"""Programs that are many: what they load is not in their name, and seldom in their arguments."""

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
    version: str = "",
) -> tuple[Entry, ...]:
    """Those of `entries` that the contact can have been; never none of them, if there is one.

    exe, cmdline: of the sending process; phase: in which it was sent; after_ns: how long after the
    start of the process; version: of the program that `exe` is. What is empty or None is not known.
    """
    left = tuple(entries)
    names = program_names(exe, cmdline)
    if names and not is_interpreter(exe):
        left = _meant(left, lambda entry: entry.processes, lambda entry: is_named(entry, names))
    if version:
        left = _unless_empty(
            left, lambda entry: is_named(entry, names) and covers(entry.versions, version) is False
        )
    if phase:
        left = _meant(left, lambda entry: entry.phases, lambda entry: phase in entry.phases)
    if after_ns is not None:
        left = _unless_empty(left, lambda entry: after_ns < _first_ns(entry) // EARLY)
    return left


def _first_ns(entry: Entry) -> int:
    """When the first call is due; 0 where that is not known."""
    return 0 if isinstance(entry.first_ns, Absent) else entry.first_ns


def program_names(exe: str, cmdline: Sequence[str]) -> frozenset[str]:
    """What a program may be called, lower case: its file, and for an interpreter its script or
    module."""
    words = [exe, *cmdline[:1]]
    if is_interpreter(exe or "".join(cmdline[:1])):
        words += _script(cmdline[1:])
    return frozenset(filter(None, map(_stem, words)))


def is_interpreter(exe: str) -> bool:
    """Whether a program runs others that its own name does not tell."""
    return _stem(exe).rstrip("0123456789.") in INTERPRETERS


def is_named(entry: Entry, names: frozenset[str]) -> bool:
    """Whether an entry is known of a program of one of these names, as `program_names` has them."""
    return any(_stem(process) in names for process in entry.processes)


def _script(arguments: Sequence[str]) -> list[str]:
    """The first argument that is no option, or what stands behind `-m`, with its first part."""
    for place, word in enumerate(arguments):
        if word == "-m":
            module = "".join(arguments[place + 1 : place + 2])
            return [module, module.partition(".")[0]]
        if not word.startswith("-"):
            return [word]
    return []


def _stem(path: str) -> str:
    """The last part of a path of either system, lower case, without `.exe` or `.py`."""
    name = PureWindowsPath(PurePosixPath(path).name).name.lower()
    return name.removesuffix(".exe").removesuffix(".py")


def _meant(
    entries: tuple[Entry, ...],
    words: Callable[[Entry], Sequence[str]],
    fits: Callable[[Entry], bool],
) -> tuple[Entry, ...]:
    """If an entry says what fits, those that do and those that say nothing; else all of them."""
    if not any(map(fits, entries)):
        return entries
    return tuple(entry for entry in entries if not words(entry) or fits(entry))


def _unless_empty(entries: tuple[Entry, ...], is_out: Callable[[Entry], bool]) -> tuple[Entry, ...]:
    """The entries that are not out; all of them if all are."""
    return tuple(entry for entry in entries if not is_out(entry)) or entries
