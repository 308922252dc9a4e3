"""What the record of a run says, as values: the run, the owners of frames, and what is wrong.

A record is evidence that may be anybody's. Numbers that lead nowhere, times that run backwards,
what is said twice or missing: each is a problem with a text, for the judge to name, and never
believed.
"""

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from egress_audit.columns import I32, I64, U8
from egress_audit.errors import InputUnreadable
from egress_audit.evidence.account_notes import Notes
from egress_audit.evidence.account_parts import PARTS
from egress_audit.evidence.account_versions import gathered
from egress_audit.evidence.events import Event, EventReader, read_events
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Run, Rung
from egress_audit.model.versions import ProductVersion
from egress_audit.values import dataclass

REVERSAL_NS = 1_000_000_000
"""How far times may run backwards before it is said; a line is written when its fact is known,
which may be a little later than it happened."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Who sent a frame, and the following ones of the same interface, protocol, addresses and ports
    until the next row, or the next unattributed frame, of them; in the order of frames."""

    frame: I64
    """Number in the capture, from 1; each once."""
    process: I32
    """`Process.id`; always one of the run's."""
    how: U8
    """Index into `event_kinds.HOWS`."""

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class Account:
    """A record that was read to its end, or to where it stops."""

    run: Run
    owners: Owners
    unattributed: I64
    """Frames whose owner is not known, each once, in order; they stand for the following ones as a
    row of `owners` does."""
    received: Mapping[str, int]
    """Frames that came to each interface, as its `loss` says."""
    problems: tuple[str, ...]
    """What is damaged, missing or contradictory in the record."""
    unknown: Mapping[str, int]
    """Events that this version does not understand, by kind."""
    complete: bool
    """True if the record has its last line, nothing behind it, and no damage."""
    versions: tuple[ProductVersion, ...] = ()
    """Products that processes had in them, by name; each of one version, how and source once."""


def read_account(stream: BinaryIO, where: str = "events.jsonl") -> Account:
    """The account of a record. Raises InputUnreadable for what is no record: a line that is no
    event, or none that begins it. `where`: for errors."""
    reader, notes = read_events(stream, where), Notes()
    latest_ns = _take_all(reader, notes)
    if notes.begin is None:
        raise InputUnreadable(
            "does not begin as the record of a run",
            where=where,
            hint="the recorder ended before it began, or this is another file",
        )
    if notes.reversals:
        notes.problem(f"times run backwards by more than a second, {notes.reversals} times")
    if reader.unknown:
        kinds = ", ".join(sorted(reader.unknown))
        notes.problem(f"events of kinds that this version does not know: {kinds}")
    complete = "end" in notes.once and not notes.goes_on and not reader.damage
    _missing(notes)
    owners, unattributed = _owners_in(notes)
    notes.unattributed = max(notes.unattributed, len(unattributed))
    return Account(
        run=_run_of(notes, notes.begin, latest_ns, complete=complete),
        owners=owners,
        unattributed=unattributed,
        received=dict(notes.received),
        problems=tuple(notes.problems),
        unknown=dict(reader.unknown),
        complete=complete,
        versions=gathered(notes.libraries),
    )


def _take_all(reader: EventReader, notes: Notes) -> int:
    """Takes the events into `notes`, and returns the latest time of any."""
    latest_ns = 0
    for event in reader:
        if (event.kind == "begin") is not (notes.begin is None):
            notes.problem(f"line {event.line}: the record begins again")
            if notes.begin is None:
                break
            continue
        if "end" in notes.once:
            notes.problem(f"the record goes on behind its end, from line {event.line}")
            notes.goes_on = True
            break
        notes.reversals += event.t + REVERSAL_NS < latest_ns
        latest_ns = max(latest_ns, event.t)
        take = PARTS.get(event.kind)
        if take is not None:
            take(notes, event)
    if reader.damage:
        notes.problem(reader.damage)
    return latest_ns


def _missing(notes: Notes) -> None:
    """Says what a whole record has and this one has not."""
    if "end" not in notes.once:
        notes.problem("the record stops in the middle: it has no last line")
        return
    once = ("tree-ended", "watched-until")
    for kind in once:
        if kind not in notes.once:
            notes.problem(f"the record has no `{kind}`")
    if not notes.drops:
        notes.problem("the record does not say what was lost")


def _run_of(notes: Notes, begin: Event, latest_ns: int, *, complete: bool) -> Run:
    executed, watched = notes.once.get("exec"), notes.once.get("watched-until")
    exited = notes.once.get("exited")
    until_ns = watched.t if watched is not None else latest_ns
    return Run(
        rung=Rung(begin.text("rung")),
        network=Network(begin.text("network")),
        recorder=begin.text("recorder"),
        command=begin.text("command"),
        own_addresses=begin.texts("own_addresses"),
        resolvers=begin.texts("resolvers"),
        synthetic=notes.names,
        began_ns=begin.t,
        exec_ns=_time_of(executed),
        ended_ns=_time_of(exited),
        tree_ended_ns=_time_of(notes.once.get("tree-ended")),
        closed_ns=_time_of(notes.once.get("end")),
        exit_status=Absent.NOT_FOUND if exited is None else exited.number("status"),
        ended_by=watched.text("by") if complete and watched is not None else "lost",
        observed_ns=0 if executed is None else max(0, until_ns - executed.t),
        processes=tuple(
            replace(process, exe_sha256=notes.hashes.get(process.exe, Absent.NOT_FOUND))
            for process in notes.processes
        ),
        attempts=tuple(notes.attempts),
        attempts_dropped=notes.attempts_dropped,
        phases=tuple(notes.phases),
        probes=tuple(notes.probes),
        conditions=tuple(notes.conditions),
        endpoints=tuple(notes.endpoints),
        removed_variables=tuple(notes.removed),
        home=begin.text("home"),
        stamps=tuple(notes.stamps),
        model_files=tuple(notes.model_files),
        written_files=tuple(notes.written_files),
        written_beyond=notes.written_beyond,
        reachable_sockets=tuple(notes.sockets),
        unattributed=notes.unattributed,
        drops=notes.drops,
        cannot_see=tuple(notes.cannot_see),
        hostname=begin.text_or_empty("hostname"),
    )


def _time_of(event: Event | None) -> int | Absent:
    return Absent.NOT_FOUND if event is None else event.t


def _owners_in(notes: Notes) -> tuple[Owners, I64]:
    """Owners, and frames without one, each frame once. A frame of two owners has none."""
    frame = _column(notes.owner_frames, np.int64)
    process, how = _column(notes.owner_processes, np.int32), _column(notes.owner_hows, np.uint8)
    order = np.lexsort((how, process, frame))
    frame, process, how = frame[order], process[order], how[order]
    again = np.r_[False, frame[1:] == frame[:-1]][: len(frame)]
    differs = (
        again & np.r_[False, (process[1:] != process[:-1]) | (how[1:] != how[:-1])][: len(frame)]
    )
    contested = np.unique(frame[differs])
    if len(contested):
        notes.problem(
            f"frame {contested[0]} has two owners; frames of which this is so: {len(contested)}"
        )
    ownerless = np.union1d(_column(notes.ownerless, np.int64), contested)
    both = np.isin(frame, ownerless)
    said_both = len(np.unique(frame[both])) - len(contested)
    if said_both:
        notes.problem(f"frames that have an owner and are unattributed as well: {said_both}")
    keep = ~again & ~both
    return Owners(frame[keep], process[keep], how[keep]), ownerless


def _column(values: "array[int]", kind: type) -> "np.typing.NDArray[np.integer]":
    return np.frombuffer(values, kind) if len(values) else np.zeros(0, kind)
