"""What each kind of event adds to an account; the table at the end says which function takes it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

from egress_audit.evidence.account_notes import NOBODY, Notes, Take, known_process
from egress_audit.evidence.account_versions import library
from egress_audit.evidence.event_kinds import HOWS
from egress_audit.evidence.events import MAX_TEXTS, Event
from egress_audit.model.destination import Absent
from egress_audit.model.run import (
    Attempt,
    ModelFile,
    Phase,
    Probe,
    Process,
    Role,
    Setting,
    Stamp,
    WrittenFile,
)

WEIGHTS = ("absent", "fell-back", "setuid", "reached", "elsewhere", "time-of-check")
"""Outcomes, the one that may least be forgotten last."""


def _begin(notes: Notes, event: Event) -> None:
    notes.begin = event
    notes.cannot_see += event.texts("cannot_see")
    for name, value in event.fields.items():
        if isinstance(value, list) and len(value) > MAX_TEXTS:
            notes.problem(f"more than {MAX_TEXTS} `{name}`; the others are not read")


def _process(notes: Notes, event: Event) -> None:
    parent = event.number_or_absent("parent")
    if event.number("id") != len(notes.processes) + 1:
        if notes.has_room(len(notes.processes), event.kind):
            notes.problem(f"line {event.line}: process {event.number('id')} is out of order")
        return
    if isinstance(parent, int) and parent > len(notes.processes):
        notes.problem(f"line {event.line}: the parent {parent} of a process is not known")
        parent = Absent.NOT_FOUND
    process = Process(
        id=event.number("id"),
        pid=event.number("pid"),
        start_time=event.number("start_time"),
        exe=event.text("exe"),
        exe_sha256=Absent.NOT_FOUND,
        cmdline=event.text_or_absent("cmdline"),
        parent=parent,
        role=Role(event.text("role")),
        first_ns=event.t,
    )
    notes.keep(notes.processes, process, event.kind)


def _exe(notes: Notes, event: Event) -> None:
    path, sha256 = event.text("path"), event.text_or_absent("sha256")
    if not notes.has_room(len(notes.hashes), event.kind):
        return
    if notes.hashes.setdefault(path, sha256) != sha256:
        notes.problem(f"line {event.line}: an executable has two hashes: {path}")
        notes.hashes[path] = Absent.UNREADABLE


def _exec(notes: Notes, event: Event) -> None:
    known_process(notes, event)
    _once(notes, event)


def _once(notes: Notes, event: Event) -> None:
    if notes.once.setdefault(event.kind, event) is not event:
        notes.problem(f"line {event.line}: `{event.kind}` a second time")


def _attempt(notes: Notes, event: Event) -> None:
    notes.attempts_read += 1
    denied = event.text_or_absent("denied")
    attempt = Attempt(
        process=known_process(notes, event),
        call=event.text("call"),
        family=event.text("family"),
        type=event.text("type"),
        address=_not_applicable_if_absent(event.text_or_absent("address")),
        port=_number_or_not_applicable(event, "port"),
        denied=_not_applicable_if_absent(denied),
        outcome=Absent.NOT_APPLICABLE,
        count=1,
        first_ns=event.t,
    )
    notes.attempts_dropped += not notes.keep(notes.attempts, attempt, event.kind)


def _not_applicable_if_absent(value: str | Absent) -> str | Absent:
    return Absent.NOT_APPLICABLE if isinstance(value, Absent) else value


def _number_or_not_applicable(event: Event, name: str) -> int | Absent:
    value = event.number_or_absent(name)
    return Absent.NOT_APPLICABLE if isinstance(value, Absent) else value


def _attempt_more(notes: Notes, event: Event) -> None:
    index = _known_attempt(notes, event)
    if index is not None:
        attempt = notes.attempts[index]
        notes.attempts[index] = replace(attempt, count=max(attempt.count, event.number("count")))


def _outcome(notes: Notes, event: Event) -> None:
    index = _known_attempt(notes, event)
    if index is None:
        return
    attempt, outcome = notes.attempts[index], event.text("outcome")
    if attempt.outcome not in (Absent.NOT_APPLICABLE, outcome):
        notes.problem(f"line {event.line}: attempt {index} has two outcomes")
        # That it got through is the one that may not be forgotten.
        outcome = max(str(attempt.outcome), outcome, key=_weight_of_outcome)
    notes.attempts[index] = replace(attempt, outcome=outcome)


def _weight_of_outcome(outcome: str) -> int:
    return WEIGHTS.index(outcome)


def _known_attempt(notes: Notes, event: Event) -> int | None:
    """Index of the attempt that is meant; None for one past the bound, or one that never was."""
    index = event.number("attempt")
    if index < len(notes.attempts):
        return index
    if index >= notes.attempts_read:
        notes.problem(
            f"line {event.line}: `{event.kind}` names attempt {index}, which is not known"
        )
    return None


def _attempts_dropped(notes: Notes, event: Event) -> None:
    notes.attempts_dropped += event.number("count")


def _owner(notes: Notes, event: Event) -> None:
    process = known_process(notes, event)
    if process == NOBODY:
        notes.ownerless.append(event.number("frame"))
        return
    notes.owner_frames.append(event.number("frame"))
    notes.owner_processes.append(process)
    notes.owner_hows.append(HOWS.index(event.text("how")))


def _unattributed(notes: Notes, event: Event) -> None:
    notes.ownerless.append(event.number("frame"))


def _unattributed_count(notes: Notes, event: Event) -> None:
    notes.unattributed += event.number("count")


def _name(notes: Notes, event: Event) -> None:
    try:
        address = str(ip_address(event.text("address")))
    except ValueError:
        notes.problem(f"line {event.line}: a name was given for what is no address")
        return
    host = event.text("host").lower()
    if not notes.has_room(len(notes.names), event.kind):
        return
    if notes.names.setdefault(address, host) != host:
        notes.problem(f"line {event.line}: {address} was given for two names")


def _phase(notes: Notes, event: Event) -> None:
    word, proof = event.text("phase"), event.text("proof")
    if event.text("edge") == "begin":
        phase = Phase(word, event.t, Absent.NOT_FOUND, proof)
        if notes.keep(notes.phases, phase, event.kind):
            notes.open_phases.setdefault((word, proof), deque()).append(len(notes.phases) - 1)
        return
    waiting = notes.open_phases.get((word, proof))
    if not waiting:
        notes.problem(f"line {event.line}: the phase {word} ends and did not begin")
        return
    index = waiting.popleft()
    begun = notes.phases[index]
    notes.phases[index] = replace(begun, end_ns=max(event.t, begun.begin_ns))


def _probe(notes: Notes, event: Event) -> None:
    probe = Probe(
        when=event.text("when"),
        by=event.text("by"),
        version=event.number("version"),
        nonce=event.text("nonce"),
        frame=event.number_or_absent("frame"),
        noticed=event.fields["noticed"] is True,
    )
    notes.keep(notes.probes, probe, event.kind)


def _setting(notes: Notes, event: Event) -> None:
    setting = Setting(event.text("name"), event.text("value"), event.text("meaning"))
    kept = notes.conditions if event.text("kind") == "condition" else notes.endpoints
    notes.keep(kept, setting, event.kind)


def _removed(notes: Notes, event: Event) -> None:
    notes.keep(notes.removed, event.text("name"), event.kind)


def _stamp(notes: Notes, event: Event) -> None:
    hidden = event.fields["hidden"] is True
    notes.keep(notes.stamps, Stamp(event.text("path"), event.text("product"), hidden), event.kind)


def _model_file(notes: Notes, event: Event) -> None:
    size, sha256 = event.number_or_absent("size"), event.text_or_absent("sha256")
    notes.keep(notes.model_files, ModelFile(event.text("path"), size, sha256), event.kind)


def _written(notes: Notes, event: Event) -> None:
    file = WrittenFile(event.text("path"), event.number_or_absent("size"))
    notes.written_beyond += not notes.keep(notes.written_files, file, event.kind)


def _written_beyond(notes: Notes, event: Event) -> None:
    notes.written_beyond += event.number("count")


def _socket_reachable(notes: Notes, event: Event) -> None:
    notes.keep(notes.sockets, event.text("path"), event.kind)


def _cannot_see(notes: Notes, event: Event) -> None:
    notes.keep(notes.cannot_see, event.text("text"), event.kind)


def _loss(notes: Notes, event: Event) -> None:
    interface, dropped = event.text("interface"), event.number_or_absent("dropped")
    if interface in notes.drops:
        notes.problem(f"line {event.line}: the losses of {interface} a second time")
        dropped = _worse(notes.drops[interface], dropped)
    if notes.has_room(len(notes.drops), event.kind):
        notes.drops[interface] = dropped
        notes.received[interface] = event.number("received")


def _worse(one: int | Absent, other: int | Absent) -> int | Absent:
    """Unknown, or the more."""
    if isinstance(one, Absent) or isinstance(other, Absent):
        return Absent.NOT_FOUND
    return max(one, other)


PARTS: Mapping[str, Take] = {
    "begin": _begin,
    "process": _process,
    "exe": _exe,
    "exec": _exec,
    "attempt": _attempt,
    "attempt-more": _attempt_more,
    "outcome": _outcome,
    "attempts-dropped": _attempts_dropped,
    "owner": _owner,
    "unattributed": _unattributed,
    "unattributed-count": _unattributed_count,
    "name": _name,
    "phase": _phase,
    "probe": _probe,
    "setting": _setting,
    "removed": _removed,
    "stamp": _stamp,
    "library": library,
    "model-file": _model_file,
    "written": _written,
    "written-beyond": _written_beyond,
    "socket-reachable": _socket_reachable,
    "cannot-see": _cannot_see,
    "exited": _once,
    "tree-ended": _once,
    "watched-until": _once,
    "loss": _loss,
    "end": _once,
}
