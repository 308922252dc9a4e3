"""The table of flows: packets in, one row a flow out, all in columns. HOT PATH.

Flow semantics are Zeek's and RFC 5103's: a flow is both directions of a 5-tuple, it ends when idle
for longer than its protocol's limit or when a new SYN reuses the 5-tuple of a connection that was
closed or reset. A batch is sorted by key, so each flow's packets of the batch lie side by side and
sums are one `reduceat`.
"""

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.columns import END_REASONS, I32, I64, U64, Bool, PacketBatch
from egress_audit.compiled import library
from egress_audit.compiled.connections import Segments
from egress_audit.flows.gaps import GapTracker
from egress_audit.flows.growing import grown
from egress_audit.flows.history import Histories
from egress_audit.flows.keys import KeyTable, keys_of
from egress_audit.flows.ports import likely_server
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs, runs_of
from egress_audit.flows.sums import add_runs
from egress_audit.flows.tcp_events import TcpEvents
from egress_audit.flows.tcp_state import ACK, FIN, RST, SYN
from egress_audit.model.protocols import DATAGRAMS, TCP
from egress_audit.values import dataclass

IS_DATAGRAM: Bool = np.isin(np.arange(256), DATAGRAMS)
"""By protocol, UDP and UDP-Lite: who sent first may be told by the ports alone."""
MAX_FLOWS = 8_000_000


@dataclass(frozen=True, slots=True)
class Assigned:
    """Which flow each packet of a batch belongs to; (n,) in the order of the packets."""

    flow: I64
    """Row of the flow; -1 for packets that came when the table was full."""
    by_orig: Bool


class FlowTable:
    """All flows of one body of evidence."""

    def __init__(self, *, max_flows: int = MAX_FLOWS) -> None:
        self.rows = FlowRows()
        self.histories = Histories()
        self.gaps = GapTracker()
        self._keys = KeyTable()
        self._current: I32 = np.full(1 << 11, -1, np.int32)
        self._tcp = TcpEvents(self.rows, self.histories)
        self._max_flows = max_flows
        self._octets = 0
        self.evicted = 0
        """Packets that belong to no flow because the table was full."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def key(self) -> U64:
        """(5, keys) as `keys_of` makes them."""
        return self._keys.key

    def add(self, packets: PacketBatch) -> Assigned:
        """Counts every packet of the batch into its flow and says which that is."""
        count = len(packets)
        if not count:
            return Assigned(np.empty(0, np.int64), np.empty(0, np.bool_))
        if len(self.rows) + count > self._max_flows:
            return self._refuse(count)
        # No IP packet is of fewer bytes than one, so that no flow has more packets than all have.
        self._octets += int(packets.ip_len.sum())
        self.rows.widen(max(self._octets, int(packets.frame.max())))
        groups, swapped = self._keys.groups_of(packets)
        self._widen(len(self._keys))
        runs = runs_of(packets, swapped, groups, self._current.take(groups.number), self.rows)
        target = self._open(packets, runs)
        whose = add_runs(packets, swapped, runs, target, self.rows)
        flow, by_orig = whose.sorted_flow, whose.sorted_by_orig
        segments = Segments(packets, runs.order, by_orig) if library.is_in_use() else None
        self._tcp.take(packets, runs, flow, by_orig, segments)
        self.gaps.take(packets, runs, flow, by_orig, segments)
        return Assigned(whose.flow, whose.by_orig)

    def found(self, packets: PacketBatch, behind: I64) -> Assigned:
        """The flows of packets that are not to be counted; -1 where there is none.

        behind: the frame behind which each stands; flows that began later are not theirs.
        """
        key, swapped = keys_of(packets)
        number = self._keys.known(key)
        flow = np.where(number < 0, -1, self._current[number]).astype(np.int64)
        later = np.flatnonzero((flow >= 0) & (self.rows.first_frame[flow] > behind))
        if len(later):
            flow[later] = self._by_then(number[later], behind[later])
        return Assigned(flow, swapped == self.rows.orig_swapped[flow])

    def _by_then(self, number: I64, behind: I64) -> I64:
        """The last flow of each key that had begun with a frame; -1 where there was none."""
        count = len(self.rows)
        flow = np.flatnonzero(np.isin(self.rows.key[:count], number))
        began = self.rows.key[flow].astype(np.int64) << 40 | self.rows.first_frame[flow]
        order = np.argsort(began, kind="stable")
        at = np.searchsorted(began[order], number.astype(np.int64) << 40 | behind, "right") - 1
        found = flow[order[at]]
        return np.where((at >= 0) & (self.rows.key[found] == number), found, -1)

    def finish(self) -> None:
        """Lets go of what only `add` needs, which must not be called any more."""
        self._current = self._current[:0].copy()
        self._keys.finish()
        self.rows.finish()

    def release(self) -> None:
        """Lets go of all flows, once their columns were made; `evicted` stays."""
        self.rows, self._keys, self.gaps = FlowRows(), KeyTable(), GapTracker()
        self._tcp = TcpEvents(self.rows, self.histories)

    def end(self, flow: int, *, of_orig: bool) -> str:
        """Address of the originator or of the responder of one flow."""
        key = self.key[:, self.rows.key[flow]].tolist()
        place = 2 if bool(self.rows.orig_swapped[flow]) == of_orig else 0
        return address_text(key[4] & 0xFF, key[place], key[place + 1])

    def ports(self, flow: int) -> tuple[int, int]:
        """Ports (or ICMP types) of originator and responder of one flow."""
        word = int(self.key[4, self.rows.key[flow]])
        low, high = word >> 48, word >> 32 & 0xFFFF
        return (high, low) if self.rows.orig_swapped[flow] else (low, high)

    def _refuse(self, count: int) -> Assigned:
        self.evicted += count
        return Assigned(np.full(count, -1, np.int64), np.zeros(count, np.bool_))

    def _widen(self, keys: int) -> None:
        had = len(self._current)
        self._current = grown(self._current, keys)
        self._current[had:] = -1

    def _open(self, packets: PacketBatch, runs: Runs) -> I64:
        """Flow of each run; makes the rows of the flows that begin in this batch."""
        current = self._current.take(runs.key)
        new = np.flatnonzero((current < 0) | runs.idle | runs.reuse)
        flow = current.astype(np.int64)
        if len(new):
            leaders = runs.order.take(runs.starts.take(new))
            # Flows are numbered as they arrive, whatever order their keys were sorted into.
            arrival = np.argsort(leaders)
            new, leaders = new[arrival], leaders[arrival]
            flow[new] = len(self.rows) + np.arange(len(new))
            swapped = runs.swapped[runs.starts[new]]
            origin = originators(packets, leaders, swapped)
            self.rows.append(packets, leaders, runs.key[new], *origin)
        self._end(runs, current, flow)
        self._current[runs.key] = flow
        return flow

    def _end(self, runs: Runs, current: I32, flow: I64) -> None:
        """Notes why the flows ended that gave way to other ones of their key."""
        for ending, reason in ((runs.idle, "idle-timeout"), (runs.reuse, "end-of-flow")):
            at = np.flatnonzero(ending)
            if not len(at):
                continue
            ended = np.where(runs.first[at], current[at], flow[at - 1])
            self.rows.end_reason[ended] = END_REASONS.index(reason)


def originators(packets: PacketBatch, leaders: I64, swapped: Bool) -> tuple[Bool, Bool, Bool]:
    """Who began each flow, from its first packet: (orig_swapped, flipped, direction_known).

    A SYN+ACK is an answer; without a SYN, a likely server port on the sender's side alone says
    that the receiver began; on both sides, that nobody knows. Who talks to himself from port to
    same port is always the originator.
    `swapped`: as `keys_of` gave it for the leaders.
    """
    proto, flags = packets.proto[leaders], packets.tcp_flags[leaders]
    sport, dport = packets.sport[leaders], packets.dport[leaders]
    tcp, datagram, from_server = proto == TCP, IS_DATAGRAM[proto], likely_server(sport)
    syn = tcp & (flags & SYN != 0)
    pure = syn & (flags & (ACK | FIN | RST) == 0)
    answer = syn & (flags & ACK != 0)
    flipped = answer | ((tcp & ~syn | datagram) & from_server & ~likely_server(dport))
    known: Bool = np.where(tcp, pure | answer, ~(datagram & from_server))
    distinct = sport != dport
    distinct |= packets.src_lo[leaders] != packets.dst_lo[leaders]
    distinct |= packets.src_hi[leaders] != packets.dst_hi[leaders]
    return swapped ^ (flipped & distinct), flipped, known
