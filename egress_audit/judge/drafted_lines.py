"""The lines of a drafted claim as they are gathered: each value once, with all its reasons."""

from collections.abc import Iterator
from dataclasses import field
from ipaddress import ip_network

from egress_audit.addresses import Scope
from egress_audit.judge.case import Case
from egress_audit.model.audit import Match, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Allow
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.draft import Line, Party, Reason
from egress_audit.values import dataclass

KEYS = ("scopes", "hosts", "prefixes")
"""In the order of a profile."""
MOST_LINES = 600
"""Lines of a draft, since a profile has a bound of its own, and nobody reads more."""


@dataclass(slots=True)
class _Gathered:
    reasons: list[Reason] = field(default_factory=list)
    note: str = ""


class Lines:
    """Values under `allow`, with what each is needed for."""

    def __init__(self) -> None:
        self._gathered: dict[tuple[str, str], _Gathered] = {}

    def add(self, key: str, value: str, reason: Reason, note: str = "") -> None:
        """Adds a value, or one more reason to it; of several notes the first stays."""
        gathered = self._gathered.setdefault((key, value), _Gathered())
        gathered.reasons.append(reason)
        gathered.note = gathered.note or note

    def has(self, key: str, value: str) -> bool:
        """True if that value is allowed already."""
        return (key, value) in self._gathered

    def made(self, case: Case) -> tuple[tuple[Line, ...], int]:
        """The lines, by key and party, at most MOST_LINES; and how many there are beyond."""
        lines = sorted(self._lines(case), key=_order)
        return tuple(lines[:MOST_LINES]), max(0, len(lines) - MOST_LINES)

    def _lines(self, case: Case) -> Iterator[Line]:
        for (key, value), gathered in self._gathered.items():
            rows = [reason.seen for reason in gathered.reasons if reason.seen is not None]
            party = Party() if key == "scopes" else _party(case, value.partition("/")[0], rows)
            known = key == "scopes" or bool(party.name)
            reasons = tuple(sorted(gathered.reasons, key=_when))
            yield Line(key, value, party, reasons, known, gathered.note)


def allowed_by(lines: tuple[Line, ...]) -> Allow:
    """What the lines allow, beside the machine itself."""
    values: dict[str, list[str]] = {key: [] for key in KEYS}
    for line in lines:
        values[line.key].append(line.value)
    return Allow(
        scopes=frozenset({Scope.LOOPBACK, *map(Scope, values["scopes"])}),
        hosts=tuple(values["hosts"]),
        prefixes=tuple(map(ip_network, values["prefixes"])),
    )


def _when(reason: Reason) -> tuple[bool, int, str]:
    """What was seen first stands first; of an attempt without a packet no frame knows the time."""
    return reason.seen is None, reason.seen.first_ts_ns if reason.seen else 0, reason.clause


def _order(line: Line) -> tuple[int, bool, str, tuple[str, ...], tuple[str, ...], str]:
    """Who is known stands first, all lines of one party together."""
    party = line.party
    place = KEYS.index(line.key), not line.known
    return *place, party.name.lower(), party.purposes, party.endpoints, line.value


def _party(case: Case, name: str, rows: list[Observation]) -> Party:
    """Who stands behind a host or address: the catalogue's word before that of the lists."""
    matches = [match for seen in rows for match in seen.endpoints if match.by == name]
    found = _entries(case, matches)
    entries = [entry for entry in found if entry.accuses] or found
    if entries:
        vendors = ", ".join(sorted({entry.vendor for entry in entries}))
        return Party(
            name=vendors if entries[0].accuses else f"{vendors} (general knowledge)",
            purposes=tuple(sorted({entry.purpose.value for entry in entries})),
            endpoints=tuple(entry.id for entry in entries),
        )
    holders = {_holder(place) for seen in rows for place in _places(seen)} - {""}
    return Party(", ".join(sorted(holders)))


def _entries(case: Case, matches: list[Match]) -> list[Entry]:
    identifiers = dict.fromkeys(found for match in matches for found in match.one_of)
    return [case.endpoints[identifier] for identifier in sorted(identifiers)]


def _places(seen: Observation) -> tuple[Destination, ...]:
    return (seen.destination, *seen.answer_destinations)


def _holder(place: Destination) -> str:
    """Operator group, or else the holder of the AS; '' if no list has either."""
    for named in (place.operator, place.organisation):
        if not isinstance(named, Absent):
            return named
    return ""
