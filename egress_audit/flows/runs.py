"""A batch sorted by key and cut into runs, each of which belongs to one flow. HOT PATH.

Few batches have a flow that ends for another one of the same key: what could end it is looked for
in whole columns first, and only then packet by packet.
"""

import numpy as np

from egress_audit.columns import I32, I64, U8, Bool, PacketBatch
from egress_audit.flows.keys import Groups
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.tcp_state import ACK, FIN, RST, SYN
from egress_audit.model.protocols import TCP
from egress_audit.values import dataclass

TCP_IDLE_NS = 300_000_000_000
"""Zeek's tcp_inactivity_timeout."""
IDLE_NS = 60_000_000_000
"""Zeek's udp_inactivity_timeout and icmp_inactivity_timeout; for every protocol but TCP."""
COPIED_NS = 1_000_000_000
"""How long before the first packet of a connection a copy of its SYN may have been recorded, on an
interface that it passed earlier or by another clock; and how late it may be written. One packet
with a time in the far future, or a clock that was set back, makes no copies of what follows."""


@dataclass(slots=True)
class Runs:
    """The packets of a batch, sorted by key and then by arrival, and the runs of one flow each."""

    order: I64
    """(n,) row of the packet in the batch."""
    swapped: Bool
    """(n,) as `keys_of` has it."""
    flags: U8
    """(n,) TCP flags; 0 for what is not TCP."""
    starts: I64
    """(runs,) sorted row with which each begins."""
    key: I64
    """(runs,) number of the key."""
    first: Bool
    """(runs,) The first one of its key in the batch."""
    idle: Bool
    """(runs,) Begins so long after its predecessor that it is a new flow."""
    reuse: Bool
    """(runs,) Begins with a SYN on the 5-tuple of a connection that had ended."""

    @property
    def ends(self) -> I64:
        """(runs,) Sorted row of the last packet of each."""
        return np.append(self.starts[1:], len(self.order)) - 1

    @property
    def lengths(self) -> I64:
        """(runs,) Packets of each."""
        return np.diff(np.append(self.starts, len(self.order)))


def runs_of(
    packets: PacketBatch, swapped: Bool, groups: Groups, current: I32, rows: FlowRows
) -> Runs:
    """The runs of a batch. current: (groups,) flow that has each key so far, -1 for none."""
    order, count = groups.order, len(groups.starts)
    none: Bool = np.zeros(count, np.bool_)
    runs = Runs(
        order=order,
        swapped=swapped.take(order),
        flags=packets.tcp_flags.take(order),
        starts=groups.starts,
        key=groups.number,
        first=~none,
        idle=none,
        reuse=none,
    )
    known = current >= 0
    if _silence(packets, rows.previous_ts_ns[current[known]]) > IDLE_NS:
        idle = _idle(packets, runs, current, known, rows)
    else:
        idle = groups.starts[:0]
    syn = np.flatnonzero(runs.flags & (SYN | ACK | FIN | RST) == SYN)
    syn = syn[_again(runs.starts, known, syn)]
    reuse = _reused(packets, runs, idle, syn, current, rows) if len(syn) else syn
    return _cut(runs, idle, reuse) if len(idle) or len(reuse) else runs


def _silence(packets: PacketBatch, previous_ts_ns: I64) -> int:
    """The longest time that can lie between two packets of a flow, or more."""
    earliest = packets.ts_ns.min()
    if len(previous_ts_ns):
        earliest = min(earliest, previous_ts_ns.min())
    return int(packets.ts_ns.max()) - int(earliest)


def _idle(packets: PacketBatch, runs: Runs, current: I32, known: Bool, rows: FlowRows) -> I64:
    """Sorted rows of packets that come too long after the one before them."""
    ts_ns, tcp = packets.ts_ns[runs.order], packets.proto[runs.order] == TCP
    before = np.append(ts_ns[:1], ts_ns[:-1])
    before[runs.starts] = np.where(known, rows.previous_ts_ns[current], ts_ns[runs.starts])
    return np.flatnonzero(ts_ns - before > np.where(tcp, TCP_IDLE_NS, IDLE_NS))


def _again(starts: I64, known: Bool, syn: I64) -> Bool:
    """(n,) True for each SYN that is not the first packet of all with its key."""
    group = np.searchsorted(starts, syn, side="right") - 1
    again: Bool = known[group] | (starts[group] != syn)
    return again


def _cut(runs: Runs, idle: I64, reuse: I64) -> Runs:
    """The runs, which are groups of one key still, cut where new flows begin. idle, reuse: sorted
    rows."""
    begins = np.zeros(len(runs.order), np.bool_)
    for rows in (runs.starts, idle, reuse):
        begins[rows] = True
    starts = np.flatnonzero(begins)
    group = np.searchsorted(runs.starts, starts, side="right") - 1
    first: Bool = runs.starts[group] == starts
    return Runs(
        order=runs.order,
        swapped=runs.swapped,
        flags=runs.flags,
        starts=starts,
        key=runs.key[group],
        first=first,
        idle=np.isin(starts, idle),
        reuse=np.isin(starts, reuse),
    )


def _reused(
    packets: PacketBatch, runs: Runs, idle: I64, syn: I64, current: I32, rows: FlowRows
) -> I64:
    """Sorted rows of the SYNs that find their connection closed by both sides or reset.

    But not of copies: one with the number of the connection's own, whose time lies before the end
    of it, was written late, as another interface's frames are that go into the same file.

    runs: groups of one key still; idle, syn: sorted rows; current: as in `runs_of`. Looks only at
    keys that have such a SYN, and there only at packets with SYN, FIN or RST.
    """
    wanted: Bool = np.zeros(len(runs.starts), np.bool_)
    wanted[np.searchsorted(runs.starts, syn, side="right") - 1] = True
    marked: Bool = runs.flags & (FIN | RST) != 0
    marked[syn] = marked[idle] = marked[runs.starts] = True
    group = np.repeat(np.arange(len(runs.starts)), runs.lengths)
    events = np.flatnonzero(marked & wanted[group])
    silent, is_syn = np.isin(events, idle).tolist(), np.isin(events, syn).tolist()
    flags, swapped = runs.flags[events].tolist(), runs.swapped[events].tolist()
    groups, reuse = group[events].tolist(), []
    ts_ns, sequence = packets.ts_ns[runs.order], packets.tcp_seq[runs.order[events]].tolist()
    closing, key, first, begun, last, seen = 0, -1, 0, 0, 0, 0
    for row, at in enumerate(events.tolist()):
        time = int(ts_ns[at])
        if groups[row] != key:
            key, flow = groups[row], current[groups[row]]
            closing = int(rows.closing[flow]) if flow >= 0 else 0
            first = int(rows.first_seq[flow]) if flow >= 0 else sequence[row]
            begun = int(rows.ts_ns[flow]) if flow >= 0 else time
            last, seen = int(rows.last_ts_ns[flow]) if flow >= 0 else time, at
        new = False
        if is_syn[row] and is_closed(closing):
            last, seen = max(last, int(ts_ns[seen : at + 1].max())), at
            near = begun - COPIED_NS <= time < last <= time + COPIED_NS
            new = not (near and sequence[row] == first)
        if new:
            reuse.append(at)
        if new or silent[row]:
            closing, first, begun, last, seen = 0, sequence[row], time, time, at
        closing |= closing_bits(flags[row], swapped[row])
    return np.array(reuse, np.int64)


RESET, LOW_FIN, HIGH_FIN = 1, 2, 4


def closing_column(flags: U8, swapped: Bool) -> U8:
    """(n,) `closing_bits` of every packet."""
    bits: U8 = np.where(flags & RST != 0, RESET, 0).astype(np.uint8)
    bits[flags & FIN != 0] |= LOW_FIN
    bits[(flags & FIN != 0) & swapped] ^= LOW_FIN | HIGH_FIN
    return bits


def closing_bits(flags: int, swapped: bool) -> int:
    """What a packet contributes to the end of its connection."""
    fin = (HIGH_FIN if swapped else LOW_FIN) if flags & FIN else 0
    return fin | (RESET if flags & RST else 0)


def is_closed(bits: int) -> bool:
    """A RST from either side, or a FIN from both."""
    return bool(bits & RESET) or bits & (LOW_FIN | HIGH_FIN) == LOW_FIN | HIGH_FIN
