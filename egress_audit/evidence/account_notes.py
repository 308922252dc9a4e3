"""What is gathered while a record is read, line by line, before it becomes an account."""

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from egress_audit.evidence.events import Event
from egress_audit.model.destination import Absent
from egress_audit.model.run import (
    Attempt,
    ModelFile,
    Phase,
    Probe,
    Process,
    Setting,
    Stamp,
    WrittenFile,
)
from egress_audit.model.versions import ProductVersion
from egress_audit.values import dataclass

MAX_PROBLEMS = 100
MAX_KEPT = 200_000
"""Rows kept of each kind; a recorder stops far earlier."""
NOBODY = 0
"""Instead of `Process.id` where the record names a process that it does not know."""

Row = TypeVar("Row")


@dataclass(slots=True)
class Notes:
    """All that has been read so far."""

    begin: Event | None = None
    problems: list[str] = field(default_factory=list)
    reversals: int = 0
    processes: list[Process] = field(default_factory=list)
    hashes: dict[str, str | Absent] = field(default_factory=dict)
    """sha256 by path of executable."""
    attempts: list[Attempt] = field(default_factory=list)
    attempts_read: int = 0
    attempts_dropped: int = 0
    owner_frames: "array[int]" = field(default_factory=lambda: array("q"))
    owner_processes: "array[int]" = field(default_factory=lambda: array("i"))
    owner_hows: "array[int]" = field(default_factory=lambda: array("B"))
    ownerless: "array[int]" = field(default_factory=lambda: array("q"))
    unattributed: int = 0
    names: dict[str, str] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    open_phases: dict[tuple[str, str], deque[int]] = field(default_factory=dict)
    """Indices of the phases of a word that have not ended, the first of them first."""
    probes: list[Probe] = field(default_factory=list)
    conditions: list[Setting] = field(default_factory=list)
    endpoints: list[Setting] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)
    libraries: list[ProductVersion] = field(default_factory=list)
    """Each of one module in one process."""
    model_files: list[ModelFile] = field(default_factory=list)
    written_files: list[WrittenFile] = field(default_factory=list)
    written_beyond: int = 0
    sockets: list[str] = field(default_factory=list)
    cannot_see: list[str] = field(default_factory=list)
    drops: dict[str, int | Absent] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    once: dict[str, Event] = field(default_factory=dict)
    """Events that a record has once, by kind."""
    goes_on: bool = False
    """There are lines behind the last one."""
    full: set[str] = field(default_factory=set)
    """Kinds of which no more is kept."""

    def problem(self, what: str) -> None:
        """Keeps a problem, up to a bound that is itself a problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(what)
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("further problems, not counted")

    def keep(self, rows: list[Row], row: Row, kind: str) -> bool:
        """Adds a row, if there is room for it."""
        if self.has_room(len(rows), kind):
            rows.append(row)
            return True
        return False

    def has_room(self, count: int, kind: str) -> bool:
        """Whether one more is kept; the first that is not is a problem."""
        if count < MAX_KEPT:
            return True
        if kind not in self.full:
            self.full.add(kind)
            self.problem(f"more than {MAX_KEPT} events `{kind}`; the others are not read")
        return False


Take = Callable[[Notes, Event], None]


def known_process(notes: Notes, event: Event) -> int:
    """The process that the event names, NOBODY if it says that this is not known; NOBODY too, and a
    problem, if there is none of that id."""
    number = event.number("process")
    if number <= len(notes.processes):
        return number
    notes.problem(f"line {event.line}: `{event.kind}` names process {number}, which is not known")
    return NOBODY
