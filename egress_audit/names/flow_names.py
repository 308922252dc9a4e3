"""The names of each flow: what was said in it, and what leads to its far address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.columns import I32, I64, U8, U64
from egress_audit.model.audit import NameUse
from egress_audit.model.evidence import HostRecord
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.table import NameTable

ABOUT_OTHERS = (NameSource.DNS_QUERY, NameSource.DNS_ANSWER)
"""Names said *in* a flow that do not name its far end, but what somebody was asked for."""


@dataclass(frozen=True, slots=True)
class FarEnds:
    """The far address and beginning of each flow; (n,) each."""

    version: U8
    hi: U64
    lo: U64
    ts_ns: I64


class FlowNames:
    """Looks up the names of flows by their row."""

    def __init__(
        self, table: NameTable, ends: FarEnds, host_records: Sequence[HostRecord] = ()
    ) -> None:
        self._table = table
        self._ends = ends
        self._recorded: dict[str, tuple[Name, ...]] = {}
        for record in host_records:
            known = self._recorded.get(record.address, ())
            more = tuple(Name(host, NameSource.PCAPNG_NRB, 0, 0) for host in record.hosts)
            self._recorded[record.address] = known + more

    def of(self, row: int) -> tuple[Name, ...]:
        """Said in the flow; then answered for its far address until it began; then recorded."""
        ends = self._ends
        far = address_text(int(ends.version[row]), int(ends.hi[row]), int(ends.lo[row]))
        answered = self._table.answers_for(far, int(ends.ts_ns[row]))
        return (*self._table.names_of(row), *answered, *self._recorded.get(far, ()))

    def far_names(self) -> tuple[I32, list[tuple[NameUse, ...]]]:
        """(n,) number of the set of names of each flow's far end, and the sets; 0 is the empty one.

        Only flows that can have a name are looked at one by one.
        """
        numbers = np.zeros(len(self._ends.ts_ns), np.int32)
        sets: list[tuple[NameUse, ...]] = [()]
        number_of: dict[tuple[NameUse, ...], int] = {(): 0}
        for row in self._nameable().tolist():
            uses = _uses(name for name in self._far(row))
            number = number_of.setdefault(uses, len(sets))
            if number == len(sets):
                sets.append(uses)
            numbers[row] = number
        return numbers, sets

    def _far(self, row: int) -> Iterable[Name]:
        said = self._table.names_of(row)
        yield from (name for name in said if name.source not in ABOUT_OTHERS)
        yield from self.of(row)[len(said) :]

    def _nameable(self) -> I64:
        """Rows in which something was said, or whose far address something leads to."""
        said = np.array([row for row, _ in self._table.flows()], np.int64)
        known = [ip_address(text) for text in (*self._table.addresses(), *self._recorded)]
        if not known:
            return np.unique(said)
        low = np.array([int(a) & (1 << 64) - 1 for a in known], np.uint64)
        led_to = np.flatnonzero(np.isin(self._ends.lo, low))
        return np.union1d(said, led_to)


def _uses(names: Iterable[Name]) -> tuple[NameUse, ...]:
    """Each host once, with all its sources, in the order of first mention."""
    sources: dict[str, list[NameSource]] = {}
    for name in names:
        known = sources.setdefault(name.host, [])
        if name.source not in known:
            known.append(name.source)
    return tuple(NameUse(host, tuple(known)) for host, known in sources.items())
