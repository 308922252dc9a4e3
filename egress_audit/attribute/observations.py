"""What one owner did to one far end: flows summed into the rows of every report. HOT PATH.

Flows stay columns until here; they are grouped by far end, port, protocol, direction and names, and
by owner and phase where these are known.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import count

import numpy as np

from egress_audit.addresses import Scope, address_text, scope_of
from egress_audit.attribute.directions import DIRECTIONS, INTERNAL, Far
from egress_audit.attribute.owners import Owned
from egress_audit.attribute.sums import Groups, Sum, sums_of
from egress_audit.columns import (
    I32,
    I64,
    U8,
    U64,
    Bool,
    FlowColumns,
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
_FarEnd = tuple[str | Absent, int | Absent, Destination, tuple[NameUse, ...]]
"""Address, port, destination and names of the far end of a row."""
NO_ADDRESS = NO_PORT = Absent.NOT_APPLICABLE
AT_HOME = replace(NOWHERE, scope=Scope.LOOPBACK)
"""The destination of packets from an address of ours to itself."""


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
        described = (self._sums(chosen), _parts(chosen), self._far_ends(leaders))
        rows = [self._summed(*known) for known in zip(count(first_id), *described)]
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

    def _sums(self, groups: Groups) -> Iterator[Sum]:
        return sums_of(self.flows, self.far, self._tls, groups)

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

    def _far_ends(self, rows: I64) -> Iterator[_FarEnd]:
        """What is known of the far end of each of some rows; each address is written once."""
        far, known = self.far, dict[tuple[int, int, int], tuple[str, Destination]]()
        ends = zip(*(column.tolist() for column in self._ends(rows)), strict=True)
        others = (far.port, far.has_port, far.itself, self.name_set)
        columns = (column[rows].tolist() for column in others)
        for end, port, has_port, itself, names in zip(ends, *columns, strict=True):
            if itself:
                text, place = address_text(*end), AT_HOME
            elif end in known:
                text, place = known[end]
            else:
                text = address_text(*end)
                place = self.destination_of(text)
                known[end] = text, place
            yield text, port if has_port else NO_PORT, place, self.name_sets[names]

    def _rest(self, number: int, rows: I64) -> Observation:
        """Everything past the limit in one direction as a row, its far ends counted by scope."""
        scopes = self._scopes(rows)
        (summed,) = self._sums(Groups(rows, np.zeros(1, np.int64)))
        return self._summed(
            number,
            summed,
            rows,
            (NO_ADDRESS, NO_PORT, NOWHERE, ()),
            kind=Kind.REST,
            rest_scopes={scope: scopes[scope] for scope in sorted(scopes)},
        )

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

    def _summed(
        self,
        number: int,
        summed: Sum,
        rows: I64,
        far_end: _FarEnd,
        kind: Kind = Kind.CONTACT,
        rest_scopes: dict[Scope, int] | None = None,
    ) -> Observation:
        address, port, destination, names = far_end
        owner, phase = self._sender(rows)
        return Observation(
            id=number,
            kind=kind,
            owner=owner,
            direction=_DIRECTIONS[summed.direction],
            far_h=address,
            far_p=port,
            proto=summed.proto,
            names=names,
            destination=destination,
            phase=phase,
            flows=summed.flows,
            tls_flows=summed.tls_flows,
            pkts_out=summed.pkts_out,
            pkts_in=summed.pkts_in,
            ip_bytes_out=summed.ip_bytes_out,
            ip_bytes_in=summed.ip_bytes_in,
            first_ts_ns=summed.first_ts_ns,
            last_ts_ns=summed.last_ts_ns,
            frames=Frames(summed.frames, summed.flows),
            conn_states=summed.conn_states,
            questions={},
            resolvers=(),
            answers=(),
            answer_destinations=(),
            rest_scopes=rest_scopes or {},
        )

    def _sender(self, rows: I64) -> tuple[Owner | Absent, str | Absent]:
        """Who sent, and in which phase; NOT_FOUND where the rows differ or nothing says so."""
        if self.senders is None:
            return Absent.NOT_FOUND, Absent.NOT_FOUND
        phases = np.unique(self.senders.phase[rows])
        phase = self.senders.phases[int(phases[0])] if len(phases) == 1 else Absent.NOT_FOUND
        return self.senders.owned.owner_of(np.sort(rows)), phase


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
