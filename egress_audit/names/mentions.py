"""Which names were said in which flows, a row a name.

In columns, as each would take five times the room as an object. Most flows have one name.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from egress_audit.columns import I8, I32, I64, Bool
from egress_audit.model.flow import Name, NameSource
from egress_audit.values import dataclass

Column = Sequence[int] | I64 | Bool
MAX_NAMES_PER_FLOW = 4096
"""A tunnel through the DNS asks for thousands of names in one flow."""
MAX_NAMES = 1_000_000
"""Names kept of all flows together."""

SOURCES = tuple(NameSource)
_NUMBERS = {source: number for number, source in enumerate(SOURCES)}


@dataclass(frozen=True, slots=True)
class Single:
    """The flows of one name, with that; (n,) each."""

    flow: I32
    host: I32
    """Index into `Mentions.hosts`."""
    source: I8
    """Index into SOURCES."""
    outer: I8
    """1 in front of an Encrypted ClientHello, else 0."""
    frame: I64


class _Numbers(dict[str, int]):
    """Of hosts, by which they stand in a list; one that is not there yet is put at its end."""

    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def __missing__(self, host: str) -> int:
        self[host] = number = len(self._hosts)
        self._hosts.append(host)
        return number


class Mentions:
    """The names said in flows: of each host and source the first one of a flow.

    What stands in front of an Encrypted ClientHello gives way to what is said openly.
    """

    def __init__(self) -> None:
        self.hosts: list[str] = []
        """Each host once."""
        self._numbers = _Numbers(self.hosts)
        self._flow, self._host, self._source = array("i"), array("i"), array("b")
        self._frame, self._ts_ns, self._outer = array("q"), array("q"), array("b")
        self._first = array("i")
        """Of each flow one more than the row of the name that was added first; 0 if it has none."""
        self._several: dict[int, dict[tuple[int, int], int]] = {}
        """Of the flows with several names their rows, by the numbers of host and source."""
        self.dropped = 0
        """Names not kept because MAX_NAMES_PER_FLOW or MAX_NAMES was reached."""

    def __len__(self) -> int:
        return len(self._flow)

    def add(self, flow: int, name: Name) -> None:
        """`name` was said in `flow`."""
        self._make_room(flow)
        host, source = self._numbers[name.host], _NUMBERS[name.source]
        known = self._rows(flow)
        row = known.get((host, source))
        if row is not None:
            if (name.outer, name.frame) < (self._outer[row], self._frame[row]):
                self._outer[row] = name.outer
                self._frame[row], self._ts_ns[row] = name.frame, name.ts_ns
        elif len(known) >= MAX_NAMES_PER_FLOW or len(self) >= MAX_NAMES:
            self.dropped += 1
        else:
            if known:
                known[host, source] = len(self)
                self._several[flow] = known
            else:
                self._first[flow] = len(self) + 1
            self._flow.append(flow)
            self._host.append(host)
            self._source.append(source)
            self._outer.append(name.outer)
            self._frame.append(name.frame)
            self._ts_ns.append(name.ts_ns)

    def add_each(
        self,
        flows: Column,
        hosts: Sequence[str],
        source: NameSource,
        outer: Column,
        frames: Column,
        ts_ns: Column,
    ) -> None:
        """In each of some flows a host was said; as many of each."""
        columns = [np.asarray(column, np.int64) for column in (flows, ts_ns, frames, outer)]
        flow = columns[0]
        self._make_room(int(flow.max(initial=0)))
        if not self._take_first(flow):
            said = zip(hosts, *(column.tolist() for column in columns), strict=True)
            for host, number, ts, frame, is_outer in said:
                self.add(number, Name(host, source, ts, frame, bool(is_outer)))
            return
        kept = (self._flow, self._ts_ns, self._frame, self._outer)
        for values, column in zip(kept, columns, strict=True):
            values.frombytes(column.astype(values.typecode).tobytes())
        self._host.extend(map(self._numbers.__getitem__, hosts))
        self._source.extend([_NUMBERS[source]] * len(flow))

    def of(self, flow: int) -> tuple[Name, ...]:
        """The names said in a flow, in the order of their frames."""
        if flow >= len(self._first) or not self._first[flow]:
            return ()
        rows = self._rows(flow).values()
        in_order = sorted(rows, key=self._frame.__getitem__) if len(rows) > 1 else rows
        return tuple([self._name(row) for row in in_order])

    def said_in(self, count: int) -> Bool:
        """(count,) True for those of the first flows, so many, in which a name was said."""
        said: Bool = np.zeros(count, np.bool_)
        first = np.array(self._first, np.int32)[:count]
        said[: len(first)] = first != 0
        return said

    def flows(self) -> Iterator[tuple[int, tuple[Name, ...]]]:
        """Each flow in which a name was said, in their order, with its names."""
        return ((flow, self.of(flow)) for flow, first in enumerate(self._first) if first)

    def saying(self, hosts: Collection[str]) -> Iterator[tuple[int, Name]]:
        """Where these hosts were said, in the order of the flows, and in each of the frames."""
        numbers = [self._numbers[host] for host in hosts if host in self._numbers]
        said = np.array(self._host, np.int64)
        rows = np.flatnonzero(np.isin(said, np.array(numbers, np.int64)))
        flow, frame = np.array(self._flow)[rows], np.array(self._frame)[rows]
        for row in rows[np.lexsort((frame, flow))].tolist():
            yield self._flow[row], self._name(row)

    def single(self) -> Single:
        """The flows of one name."""
        flow = np.array(self._flow, np.int32)
        alone = ~np.isin(flow, np.array([*self._several], np.int64))
        columns = (self._host, self._source, self._outer, self._frame)
        return Single(flow[alone], *(np.array(column)[alone] for column in columns))

    def several(self) -> Iterator[tuple[int, tuple[Name, ...]]]:
        """Each flow of several names, with these."""
        return ((flow, self.of(flow)) for flow in self._several)

    def _rows(self, flow: int) -> dict[tuple[int, int], int]:
        """Rows of a flow's names, by the numbers of host and source."""
        first = self._first[flow] - 1
        if first < 0:
            return {}
        return self._several.get(flow) or {(self._host[first], self._source[first]): first}

    def _name(self, row: int) -> Name:
        host, source = self.hosts[self._host[row]], SOURCES[self._source[row]]
        return Name(host, source, self._ts_ns[row], self._frame[row], bool(self._outer[row]))

    def _make_room(self, flow: int) -> None:
        missing = flow + 1 - len(self._first)
        if missing > 0:
            self._first.frombytes(bytes(missing * self._first.itemsize))

    def _take_first(self, flows: I64) -> bool:
        """Gives these flows the rows that come next; False, and nothing is done, if something was
        said in one of them, one is there twice, or there is no room."""
        # A view that is kept would not let the array grow.
        first, rows = np.frombuffer(self._first, np.int32), np.arange(len(flows)) + len(self) + 1
        if len(self) + len(flows) > MAX_NAMES or first[flows].any():
            return False
        first[flows] = rows
        once = bool((first[flows] == rows).all())
        if not once:
            first[flows] = 0
        return once
