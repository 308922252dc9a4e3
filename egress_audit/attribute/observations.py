"""What one owner did to one far end: flows summed into the rows of every report. HOT PATH.

Flows stay columns until here; they are grouped by far end, port, protocol, direction and names, and
by owner and phase where these are known.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import count, repeat
from operator import itemgetter
from typing import Any

import numpy as np

from egress_audit.addresses import Scope, scope_of, text_to_be_read
from egress_audit.attribute.directions import DIRECTIONS, INTERNAL, Far
from egress_audit.attribute.owners import Owned
from egress_audit.attribute.sums import Groups, sums_of
from egress_audit.columns import (
    I32,
    I64,
    U8,
    U64,
    Bool,
    FlowColumns,
    alike_rows,
    alike_side_by_side,
    is_loopback,
)
from egress_audit.model.audit import Direction, Frames, Kind, NameUse, Observation, Owner
from egress_audit.model.destination import Absent, Destination
from egress_audit.values import dataclass

MAX_OBSERVATIONS = 10_000

AT_ONCE = 1 << 18
"""Rows beyond the limit looked at together: of all of a scan it would be the peak of memory."""
SPECIAL_OCTETS = (0, 10, 100, 127, 168, 169, 172, 192, 198, 203, *range(224, 256))
"""First octets of IPv4 under which some address is special; all others are global."""

NOWHERE = Destination(Scope.NAME, *(Absent.NOT_APPLICABLE,) * 9)
"""The destination of a row that is about no address."""
_DIRECTIONS = tuple(Direction(word) for word in DIRECTIONS)
_IN_ORDER = itemgetter(*Observation.__slots__)
_Columns = Mapping[str, Iterable[Any]]
"""Fields of observations by name, one value a row."""
NO_ADDRESS = NO_PORT = Absent.NOT_APPLICABLE
AT_HOME = replace(NOWHERE, scope=Scope.LOOPBACK)
"""The destination of packets from an address of ours to itself."""


NONE: Mapping[Any, int] = {}
SAME_IN_ALL: _Columns = {
    "kind": repeat(Kind.CONTACT),
    "questions": repeat(NONE),
    "resolvers": repeat(()),
    "answers": repeat(()),
    "answer_destinations": repeat(()),
    "rest_scopes": repeat(NONE),
    "endpoints": repeat(()),
}
"""What no flow says: fields of every contact."""


@dataclass(frozen=True, slots=True)
class Senders:
    """By whom, and in which phase of the run, each flow was begun."""

    owned: Owned
    phase: I32
    """(n,) index into `phases`."""
    phases: Sequence[str | Absent]

    @property
    def key(self) -> I64:
        """(n,) equal for flows of the same kind of owner in the same phase."""
        return self.owned.group.astype(np.int64) << 32 | self.phase


@dataclass(slots=True)
class Observing:
    """Everything that is known of the flows, row by row."""

    flows: FlowColumns
    far: Far
    name_set: I32
    """(n,) index into `name_sets`."""
    name_sets: Sequence[tuple[NameUse, ...]]
    tls: set[int]
    destination_of: Callable[[str], Destination]
    limit: int = MAX_OBSERVATIONS
    senders: Senders | None = None
    """None for a capture that names nobody."""
    _tls: I64 = field(init=False)

    def __post_init__(self) -> None:
        self._tls = np.zeros(len(self.flows), np.int64)
        self._tls[list(self.tls)] = 1

    def contacts(self, first_id: int = 1) -> list[Observation]:
        """One row a group, the suspicious ones kept if there are too many.

        first_id: of the first row; the others follow.
        """
        groups = self._groups()
        kept = self._worth_keeping(groups)
        chosen = groups.chosen(kept)
        leaders = chosen.order[chosen.starts]
        rows = self._rows(chosen, self._far_ends(leaders) | {"id": count(first_id)})
        if len(kept) < len(groups.starts):
            beyond = np.ones(len(groups.starts), np.bool_)
            beyond[kept] = False
            left = groups.order[np.repeat(beyond, groups.ends - groups.starts)]
            way = self.far.direction[left].astype(np.int64)
            if self.senders is not None:
                way |= self.senders.owned.by_helper[left].astype(np.int64) << 8
            ways = enumerate(np.unique(way).tolist(), first_id + len(rows))
            rows += [self._rest(number, left[way == one]) for number, one in ways]
        return rows

    def _groups(self) -> Groups:
        flows, far = self.flows, self.far
        kind = (
            flows.version.astype(np.int64)
            | flows.proto.astype(np.int64) << 8
            | far.port.astype(np.int64) << 16
            | far.direction.astype(np.int64) << 32
            | far.has_port.astype(np.int64) << 40
            | far.itself.astype(np.int64) << 41
        )
        columns = [kind, self.name_set, far.lo, far.hi]
        if self.senders is not None:
            columns.insert(1, self.senders.key)
        return Groups(*alike_side_by_side(columns))

    def _worth_keeping(self, groups: Groups) -> I64:
        """Groups in the order of their first flow; if too many, those that stay home go first."""
        if not len(groups.order):
            return groups.order
        first = np.minimum.reduceat(groups.order, groups.starts)
        by_time = np.argsort(first, kind="stable")
        if len(by_time) <= self.limit:
            return by_time
        leader = groups.order[groups.starts]
        loop = is_loopback(self.flows.version[leader], self.far.hi[leader], self.far.lo[leader])
        home = loop | (self.far.direction[leader] == INTERNAL)
        worst = np.lexsort((first, home, self.far.direction[leader]))[: self.limit]
        return by_time[np.isin(by_time, worst)]

    def _far_ends(self, rows: I64) -> dict[str, Iterable[Any]]:
        """What is known of the far end of each of some rows; each address is written once."""
        columns = (*self._ends(rows), self.far.itself[rows])
        alike = alike_rows(columns)
        texts, places = [], []
        for *end, itself in zip(*(part[alike.first].tolist() for part in columns), strict=True):
            text = text_to_be_read(*end)
            texts.append(text)
            places.append(AT_HOME if itself else self.destination_of(text))
        ports = self.far.port[rows].tolist(), self.far.has_port[rows].tolist()
        group, names = alike.group.tolist(), self.name_set[rows].tolist()
        return {
            "far_h": map(texts.__getitem__, group),
            "far_p": [port if has else NO_PORT for port, has in zip(*ports, strict=True)],
            "destination": map(places.__getitem__, group),
            "names": map(self.name_sets.__getitem__, names),
        }

    def _rest(self, number: int, rows: I64) -> Observation:
        """Everything past the limit in one direction as a row, its far ends counted by scope."""
        scopes = self._scopes(rows)
        (row,) = self._rows(
            Groups(rows, np.zeros(1, np.int64)),
            {
                "id": [number],
                "kind": [Kind.REST],
                "far_h": [NO_ADDRESS],
                "far_p": [NO_PORT],
                "destination": [NOWHERE],
                "names": [()],
                "rest_scopes": [{scope: scopes[scope] for scope in sorted(scopes)}],
            },
        )
        return row

    def _scopes(self, rows: I64) -> dict[Scope, int]:
        """Flows by scope of the far end. Addresses that are surely global are counted unseen."""
        itself = self.far.itself[rows]
        surely = np.empty(len(rows), np.bool_)
        for start in range(0, len(rows), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            surely[part] = surely_global(*self._ends(rows[part]))
        surely &= ~itself
        scopes = {Scope.GLOBAL: int(surely.sum()), Scope.LOOPBACK: int(itself.sum())}
        columns = self._ends(rows[~itself & ~surely])
        # The rows come sorted by far end, so that equal ones lie side by side.
        changed = np.zeros(len(columns[0]), np.bool_)
        changed[:1] = True
        for column in columns:
            changed[1:] |= column[1:] != column[:-1]
        starts = np.flatnonzero(changed)
        sizes = np.diff(np.append(starts, len(changed)))
        ends = (column[starts].tolist() for column in columns)
        for number, high, low, size in zip(*ends, sizes.tolist(), strict=True):
            scope = scope_of(IPv4Address(low) if number == 4 else IPv6Address(high << 64 | low))
            scopes[scope] = scopes.get(scope, 0) + size
        return {scope: count for scope, count in scopes.items() if count}

    def _ends(self, rows: I64) -> tuple[U8, U64, U64]:
        """IP version and address of the far end of each of the rows."""
        return self.flows.version[rows], self.far.hi[rows], self.far.lo[rows]

    def _rows(self, groups: Groups, known: _Columns) -> list[Observation]:
        """The row of each group, of which these fields are known."""
        sums = sums_of(self.flows, self.far, self._tls, groups)
        owners, phases = self._senders(groups)
        columns = {
            **SAME_IN_ALL,
            **sums,
            "owner": owners,
            "direction": map(_DIRECTIONS.__getitem__, sums["direction"]),
            "phase": phases,
            "frames": map(Frames, sums["frames"], sums["flows"]),
            **known,
        }
        # Made from columns: by keyword each of ten thousand costs twice as much.
        return list(map(Observation, *_IN_ORDER(columns)))

    def _senders(self, groups: Groups) -> tuple[Iterable[Owner | Absent], Iterable[str | Absent]]:
        """Of each group who sent, and in which phase."""
        if self.senders is None:
            return repeat(Absent.NOT_FOUND), repeat(Absent.NOT_FOUND)
        known = [_sender(self.senders, rows) for rows in _parts(groups)]
        return [owner for owner, _ in known], [phase for _, phase in known]


def _sender(senders: Senders, rows: I64) -> tuple[Owner | Absent, str | Absent]:
    """Who sent, and in which phase; NOT_FOUND where the rows differ or nothing says so."""
    phases = np.unique(senders.phase[rows])
    phase = senders.phases[int(phases[0])] if len(phases) == 1 else Absent.NOT_FOUND
    return senders.owned.owner_of(np.sort(rows)), phase


def _parts(groups: Groups) -> Iterator[I64]:
    """The rows of each group."""
    for start, end in zip(groups.starts.tolist(), groups.ends.tolist(), strict=True):
        yield groups.order[start:end]


def surely_global(version: U8, hi: U64, lo: U64) -> Bool:
    """(n,) True only for addresses whose scope is GLOBAL; False where it must be looked up.

    Global unicast IPv6 (2000::/3) without 2001::/16, 2002::/16 and 3fff::/20, which hold special
    and embedded addresses; IPv4 under a first octet that is not in SPECIAL_OCTETS.
    """
    ordinary = ~np.isin(lo >> np.uint64(24), np.array(SPECIAL_OCTETS, np.uint64))
    special = np.isin(hi >> np.uint64(48), np.array((0x2001, 0x2002), np.uint64))
    special |= hi >> np.uint64(44) == 0x3FFF0
    unicast = (hi >> np.uint64(61) == 1) & ~special
    sure: Bool = np.where(version == 4, ordinary, unicast)
    return sure
