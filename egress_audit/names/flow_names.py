"""The names of each flow: what was said in it, and what leads to its far address."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import cached_property
from itertools import chain

import numpy as np

from egress_audit.addresses import address_of, address_text
from egress_audit.columns import I32, I64, U8, U64, Counts, alike_rows
from egress_audit.model.audit import NameUse
from egress_audit.model.evidence import HostRecord
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.spoken import ABOUT_OTHERS, Said, Spoken, spoken
from egress_audit.names.table import NameTable
from egress_audit.values import dataclass

RECORDED = NameSource.PCAPNG_NRB
MAX_RECORDED = 64
"""Hosts kept of one address, of those that the file's writer recorded."""
_Uses = tuple[tuple[str, tuple[NameSource, ...]], ...]
"""What a NameUse holds, of each host in a set."""
MAX_HOSTS_OF_FLOW = 32
"""Hosts that one flow's far end is given, unless more were said in the flow itself."""


@dataclass(frozen=True, slots=True)
class FarEnds:
    """The far address and beginning of each flow; (n,) each."""

    version: U8
    hi: U64
    lo: U64
    ts_ns: I64


@dataclass(slots=True)
class _LedTo:
    """Everything that leads to one far address, laid out so that no flow has to walk it whole."""

    hosts: list[str] = field(default_factory=list)
    """Hosts answered for it, each once, in time order; of one message what was asked for last."""
    since: list[int] = field(default_factory=list)
    """For each of `hosts`, how many answers stand before its first."""
    recorded: list[str] = field(default_factory=list)
    """Hosts that the file's writer recorded, each once."""
    sources: dict[str, list[tuple[int, NameSource]]] = field(default_factory=dict)
    """By host, each source and how many answers stand before it; a record precedes them all."""

    def ways(self, host: str, answers: int) -> list[NameSource]:
        """What leads from a host to the address, once so many answers were given."""
        return [source for before, source in self.sources.get(host, ()) if before < answers]

    def in_order(self, answers: int) -> Iterator[str]:
        """The hosts that lead to it by then, those that were both answered and recorded twice.

        What was answered last for the first time stands first: of the names that share an address,
        as of a CDN, it is the one that is most likely meant by whoever calls it then. An answer
        that comes again moves no host. In a message what was asked for stands before what it is an
        alias of.
        """
        last = bisect_left(self.since, answers) - 1
        return chain(map(self.hosts.__getitem__, range(last, -1, -1)), self.recorded)

    def count(self, answers: int) -> int:
        """How many hosts lead to it by then."""
        twice = sum([self.ways(host, answers)[0] is not RECORDED for host in self.recorded])
        return bisect_left(self.since, answers) + len(self.recorded) - twice


@dataclass(slots=True)
class _LedToBy:
    """What leads to the far end of each flow."""

    far: I64
    """(n,) Index into `texts`; 0 where nothing had led to it when the flow began."""
    answers: I64
    """(n,) How many answers had been given for it by then."""
    texts: list[str] = field(default_factory=lambda: [""])
    """Far addresses; the first one is empty."""


class FlowNames:
    """Looks up the names of flows by their row."""

    def __init__(
        self, table: NameTable, ends: FarEnds, host_records: Sequence[HostRecord] = ()
    ) -> None:
        self._table = table
        self._ends = ends
        self._recorded: dict[str, dict[str, Name]] = {}
        self._led_to: dict[str, _LedTo] = {}
        self._unrecorded = 0
        for record in host_records:
            known = self._recorded.setdefault(record.address, {})
            for host in record.hosts:
                if len(known) < MAX_RECORDED:
                    known[host] = Name(host, RECORDED, 0, 0)
                else:
                    self._unrecorded += host not in known
        self.cut = self._unrecorded
        """Hosts left out because MAX_RECORDED was reached, or by `far_names` because
        MAX_HOSTS_OF_FLOW was, over all flows."""

    def of(self, row: int) -> tuple[Name, ...]:
        """Said in the flow; then answered for its far address until it began; then recorded."""
        far = self._far(row)
        answered = self._table.answers_for(far, int(self._ends.ts_ns[row]))
        recorded = self._recorded.get(far, {}).values()
        return (*self._table.mentions.of(row), *answered, *recorded)

    def far_names(self) -> tuple[I32, list[tuple[NameUse, ...]]]:
        """(n,) number of the set of names of each flow's far end, and the sets; 0 is the empty one.

        Only flows that can have a name are looked at, and those alike once. A set has what was said
        in the flow, and of other hosts so many that there are at most MAX_HOSTS_OF_FLOW; the rest
        is counted in `cut`.
        """
        numbers = np.zeros(len(self._ends.ts_ns), np.int32)
        sets: list[tuple[NameUse, ...]] = [()]
        number_of: dict[_Uses, int] = {(): 0}
        self.cut = self._unrecorded
        said, led_to = np.zeros(len(numbers), np.int64), self._led_to_by()
        said[self._spoken.rows] = self._spoken.kind
        rows = np.flatnonzero((said > 0) | (led_to.far > 0))
        columns = said[rows], led_to.far[rows], led_to.answers[rows]
        alike = alike_rows(columns)
        of_each = np.zeros(len(alike.first), np.int32)
        described = zip(*(column[alike.first].tolist() for column in columns), strict=True)
        for place, (kind, far, answers) in enumerate(described):
            uses, cut = self._uses(self._spoken.kinds[kind], led_to.texts[far], answers)
            number = of_each[place] = number_of.setdefault(uses, len(sets))
            if number == len(sets):
                sets.append(tuple([NameUse(*use) for use in uses]))
            self.cut += cut and cut * int(alike.sizes[place])
        numbers[rows] = of_each[alike.group]
        return numbers, sets

    @cached_property
    def _spoken(self) -> Spoken:
        return spoken(self._table.mentions)

    def _led_to_by(self) -> _LedToBy:
        """What was answered or recorded for each flow's far end when it began."""
        count, table = len(self._ends.ts_ns), self._table
        found = _LedToBy(np.zeros(count, np.int64), np.zeros(count, np.int64))
        rows = self._nameable()
        if not len(rows):
            return found
        columns = self._ends.version[rows], self._ends.hi[rows], self._ends.lo[rows]
        alike = alike_rows(columns)
        texts, times, recorded = [], [], []
        for end in zip(*(column[alike.first].tolist() for column in columns), strict=True):
            texts.append(text := address_text(*end))
            times.append([name.ts_ns for name in table.answers_for(text)])
            recorded.append(text in self._recorded)
        found.texts += texts
        found.answers[rows] = answers = _given_by(self._ends.ts_ns[rows], alike.group, times)
        led = (answers > 0) | np.array(recorded)[alike.group]
        found.far[rows] = np.where(led, alike.group + 1, 0)
        return found

    def _far(self, row: int) -> str:
        ends = self._ends
        return address_text(int(ends.version[row]), int(ends.hi[row]), int(ends.lo[row]))

    def _uses(self, said: Said, far: str, answers: int) -> tuple[_Uses, int]:
        """Each host once, with all its sources, in the order of first mention; and how many further
        hosts were left out."""
        sources: dict[str, dict[NameSource, None]] = {}
        for host, source in said:
            sources.setdefault(host, {})[source] = None
        if not answers and far not in self._recorded:
            return tuple([(host, (*known,)) for host, known in sources.items()]), 0
        led_to = self._leading_to(far)
        ways = {host: led_to.ways(host, answers) for host in sources}
        hosts = led_to.count(answers) + sum([not found for found in ways.values()])
        room = max(MAX_HOSTS_OF_FLOW, len(sources))
        # Of most flows all that leads there was said, too.
        for host in led_to.in_order(answers) if hosts > len(ways) else ():
            if len(ways) >= room:
                break
            if host not in ways:
                ways[host] = led_to.ways(host, answers)
        uses = tuple(
            [
                (host, (*dict.fromkeys((*sources.get(host, ()), *found)),))
                for host, found in ways.items()
            ]
        )
        return uses, hosts - len(uses)

    def _leading_to(self, far: str) -> _LedTo:
        known = self._led_to.get(far)
        if known is not None:
            return known
        led_to = self._led_to[far] = _LedTo(recorded=list(self._recorded.get(far, ())))
        for before, name in enumerate(self._table.answers_for(far)):
            if name.host not in led_to.sources:
                led_to.hosts.append(name.host)
                led_to.since.append(before)
            led_to.sources.setdefault(name.host, []).append((before, name.source))
        for host in led_to.recorded:
            led_to.sources.setdefault(host, []).append((-1, RECORDED))
        return led_to

    def telling_frames(self, first: Counts) -> Counts:
        """(n,) of each flow the frame that names its far end, or `first` where none does."""
        telling = first.copy()
        telling[self._spoken.rows] = self._spoken.frames
        return telling

    def asking(self) -> dict[str, list[int]]:
        """By host asked for, the rows of the flows that carried the questions; each once."""
        rows: dict[str, list[int]] = {}
        for row, names in self._table.mentions.flows():
            for host in {name.host: None for name in names if name.source in ABOUT_OTHERS}:
                rows.setdefault(host, []).append(row)
        return rows

    def _nameable(self) -> I64:
        """Rows whose far address something may lead to."""
        known = [address_of(text) for text in (*self._table.addresses(), *self._recorded)]
        low = np.sort(np.array([int(a) & (1 << 64) - 1 for a in known], np.uint64))
        # A fraction of what `isin` takes, which would sort the ends of all flows.
        at = np.searchsorted(low, self._ends.lo, "right") - 1
        return np.flatnonzero(low[at] == self._ends.lo) if known else np.zeros(0, np.int64)


def _given_by(ts_ns: I64, group: I64, times: Sequence[Sequence[int]]) -> I64:
    """(n,) How many of the times of its group, each ascending, each moment is not before."""
    sizes = np.array([len(given) for given in times])
    given = np.fromiter(chain.from_iterable(times), np.int64, int(sizes.sum()))
    of_group = np.concatenate((np.repeat(np.arange(len(sizes)), sizes), group))
    is_moment = np.arange(len(of_group)) >= len(given)
    order = np.lexsort((is_moment, np.concatenate((given, ts_ns)), of_group))
    so_far = np.empty(len(order), np.int64)
    so_far[order] = np.cumsum(~is_moment[order])
    before: I64 = (np.cumsum(sizes) - sizes)[group]
    return so_far[len(given) :] - before
