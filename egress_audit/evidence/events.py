"""Writes and reads the record of a run, event by event; what they mean is account.py's affair."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from typing import BinaryIO

from egress_audit.errors import InputUnreadable
from egress_audit.evidence.event_kinds import KINDS, OPTIONAL, natural
from egress_audit.evidence.lines import one_line
from egress_audit.evidence.writing import cannot_write, cut_to, write_all
from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

MAX_LINE = 1 << 20
MAX_EVENTS = 10_000_000
MAX_UNKNOWN_KINDS = 64
MAX_TEXTS = 1000
"""Items read of a list, each of which costs a look at every flow; more are a problem of the record.
"""
SHOWN = 60
"""Characters of a stranger's text in an error."""

Value = str | int | bool | None | list[str]

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
).encode


class EventsWriter:
    """Events, one canonical line each, to an unbuffered file opened for writing at its start.

    Whole lines reach the file, so a recorder that is killed leaves no other; up to `gather` bytes
    of them wait in memory until `flush`.
    """

    def __init__(self, stream: BinaryIO, *, name: str = "events.jsonl", gather: int = 0) -> None:
        self._stream = stream
        self._name = name
        self._gather = gather
        self._waiting = bytearray()
        self._size = 0
        self._events = 0

    def write(self, event: str, t: int, **fields: Value) -> None:
        """Writes one event. `t`: ns since the epoch. Raises EgressAuditError on a full disk, and
        ValueError for an event that `read_events` would refuse."""
        wrong = wrong_field(event, fields)
        if wrong or not natural(t) or event not in KINDS:
            raise ValueError(f"no such event: {event} at {t!r}, {wrong or 'time or kind'}")
        line = _encode({**fields, "event": event, "t": t}).encode("ascii") + b"\n"
        if len(line) > MAX_LINE:
            raise ValueError(f"an event of {len(line)} bytes: {event}")
        self._waiting += line
        if len(self._waiting) > self._gather:
            self.flush()

    def flush(self) -> None:
        """Writes the lines that wait; a full disk cuts the file behind its last whole line.

        Raises EgressAuditError, which says how many events are kept.
        """
        written, error = write_all(self._stream, self._waiting)
        whole = written if error is None else self._waiting.rfind(b"\n", 0, written) + 1
        self._events += self._waiting.count(b"\n", 0, whole)
        self._size += whole
        del self._waiting[:whole]
        if error is not None:
            cut_to(self._stream, self._size)
            kept = f"its first {self._events} events are kept and can be read"
            raise cannot_write(self._name, error, kept) from error


def wrong_field(event: str, fields: "dict[str, Value] | dict[str, object]") -> str:
    """Name of the first field that is missing or not what its kind says; '' if there is none."""
    for name, check in KINDS.get(event, {}).items():
        if name not in fields or not check(fields[name]):
            return name
    for name, check in OPTIONAL.get(event, {}).items():
        if name in fields and not check(fields[name]):
            return name
    return ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a record."""

    line: int
    """From 1."""
    kind: str
    t: int
    fields: dict[str, object]
    """Those that KINDS lists have been checked; all others are a stranger's."""

    def number(self, name: str) -> int:
        """A field that KINDS has as a number."""
        value = self.fields[name]
        assert isinstance(value, int)
        return value

    def number_or_absent(self, name: str) -> int | Absent:
        """A field that KINDS has as a number or null."""
        return Absent.NOT_FOUND if self.fields[name] is None else self.number(name)

    def text(self, name: str) -> str:
        """A field that KINDS has as text: one line, bounded, control characters escaped."""
        value = self.fields[name]
        assert isinstance(value, str)
        return one_line(value)

    def text_or_empty(self, name: str) -> str:
        """A field that OPTIONAL has as text; '' where it was left out."""
        return self.text(name) if name in self.fields else ""

    def text_or_absent(self, name: str) -> str | Absent:
        """A field that KINDS has as text or null."""
        return Absent.NOT_FOUND if self.fields[name] is None else self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that KINDS has as a list of texts."""
        value = self.fields[name]
        assert isinstance(value, list)
        return tuple(one_line(item) for item in value[:MAX_TEXTS])


@dataclass(slots=True)
class EventReader:
    """The events of a stream, in order; what else is to be said of it once they have been read."""

    stream: BinaryIO
    where: str = "events.jsonl"
    """For errors."""
    damage: str = ""
    """Why reading ended before the end of the record; '' if it did not."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Events of kinds that this version does not know, by kind. They are yielded as well."""

    def __iter__(self) -> Iterator[Event]:
        """Every event. Raises InputUnreadable for a line that is no event, or one of a known kind
        whose fields are not what they must be."""
        for number in range(1, MAX_EVENTS + 2):
            line = self.stream.readline(MAX_LINE + 1)
            if not line:
                return
            if number > MAX_EVENTS:
                self.damage = f"the record goes on after {MAX_EVENTS} events"
                return
            if not line.endswith(b"\n"):
                if len(line) > MAX_LINE:
                    raise self._unreadable(number, f"is longer than {MAX_LINE} bytes")
                self.damage = f"line {number}, the last one, is cut in the middle"
                return
            event = self._event(number, line)
            if event.kind not in KINDS:
                self._count(event.kind)
            yield event

    def _event(self, number: int, line: bytes) -> Event:
        try:
            value = _decode(line.decode("ascii"))
        except (ValueError, RecursionError) as error:
            raise self._unreadable(number, "is no JSON object of a record") from error
        if not isinstance(value, dict):
            raise self._unreadable(number, "is no JSON object of a record")
        kind, t = value.pop("event", None), value.pop("t", None)
        if type(kind) is not str:
            raise self._unreadable(number, "`event` is missing or no text")
        if type(t) is not int or not natural(t):
            raise self._unreadable(number, "`t` is missing or no time")
        wrong = wrong_field(kind, value)
        if wrong:
            state = "is missing" if wrong not in value else f"may not be {_shown(value[wrong])}"
            raise self._unreadable(number, f"`{wrong}` of `{kind}` {state}")
        return Event(number, kind, t, value)

    def _count(self, kind: str) -> None:
        shown = one_line(kind, SHOWN)
        known = shown in self.unknown or len(self.unknown) < MAX_UNKNOWN_KINDS
        self.unknown[shown if known else "further kinds"] += 1

    def _unreadable(self, number: int, what: str) -> InputUnreadable:
        hint = "the record was changed, or made by another version of egress-audit"
        return InputUnreadable(what, where=f"{self.where}, line {number}", hint=hint)


def read_events(stream: BinaryIO, where: str = "events.jsonl") -> EventReader:
    """A reader of the events in `stream`, which may be anybody's. `where`: for errors."""
    return EventReader(stream, where)


def _shown(value: object) -> str:
    return one_line(_encode(value), SHOWN)


def _refused(number: str) -> object:
    raise ValueError(f"a number that no record holds: {number[:SHOWN]}")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name twice in one object")
    return made


_decode = json.JSONDecoder(
    parse_float=_refused, parse_constant=_refused, object_pairs_hook=_without_duplicates
).decode
