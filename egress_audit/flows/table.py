"""The table of flows: packets in, one row a flow out, all in columns. HOT PATH.

Flow semantics are Zeek's and RFC 5103's: a flow is both directions of a 5-tuple, it ends when idle
for longer than its protocol's limit or when a new SYN reuses the 5-tuple of a connection that was
closed or reset. A batch is sorted by key, so each flow's packets of the batch lie side by side and
sums are one `reduceat`.
"""

from dataclasses import dataclass

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.columns import END_REASONS, I32, I64, U64, Bool, PacketBatch
from egress_audit.flows.gaps import GapTracker
from egress_audit.flows.growing import grown
from egress_audit.flows.history import Histories
from egress_audit.flows.keys import KeyTable, keys_of
from egress_audit.flows.ports import likely_server
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs, closing_column, reused
from egress_audit.flows.tcp_events import TcpEvents
from egress_audit.flows.tcp_state import ACK, FIN, RST, SYN

TCP, UDP = 6, 17
DATAGRAMS = (UDP, 136)
"""UDP and UDP-Lite: who sent first may be told by the ports alone."""
TCP_IDLE_NS = 300_000_000_000
"""Zeek's tcp_inactivity_timeout."""
IDLE_NS = 60_000_000_000
"""Zeek's udp_inactivity_timeout and icmp_inactivity_timeout; for every protocol but TCP."""
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
        key, swapped = keys_of(packets)
        number = self._keys.numbers(key)
        self._widen(len(self._keys))
        runs = self._runs(packets, number, swapped)
        flow = self._open(packets, runs)
        by_orig = runs.swapped == self.rows.orig_swapped[flow]
        self._sum(packets, runs, flow, by_orig)
        self._tcp.take(packets, runs, flow, by_orig)
        self.gaps.take(packets, runs, flow, by_orig)
        assigned = Assigned(np.empty(count, np.int64), np.empty(count, np.bool_))
        assigned.flow[runs.order] = flow
        assigned.by_orig[runs.order] = by_orig
        return assigned

    def found(self, packets: PacketBatch) -> Assigned:
        """The flows of packets that are not to be counted; -1 where there is none."""
        key, swapped = keys_of(packets)
        number = self._keys.known(key)
        flow = np.where(number < 0, -1, self._current[number]).astype(np.int64)
        return Assigned(flow, swapped == self.rows.orig_swapped[flow])

    def finish(self) -> None:
        """Lets go of what only `add` needs, which must not be called any more."""
        self._current = self._current[:0].copy()
        self._keys.finish()
        self.rows.finish()

    def release(self) -> None:
        """Lets go of all flows, once their columns were made; `evicted` stays."""
        self.rows, self._keys, self.gaps = FlowRows(), KeyTable(), GapTracker()
        self._tcp = TcpEvents(self.rows, self.histories)

    def ends(self, flow: int) -> tuple[str, str]:
        """Addresses of originator and responder of one flow."""
        key = self.key[:, self.rows.key[flow]].tolist()
        low = address_text(key[4] & 0xFF, key[0], key[1])
        high = address_text(key[4] & 0xFF, key[2], key[3])
        return (high, low) if self.rows.orig_swapped[flow] else (low, high)

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

    def _runs(self, packets: PacketBatch, number: I64, swapped: Bool) -> Runs:
        """The batch sorted by key, cut into runs of packets that belong to one flow each."""
        order = np.argsort(number, kind="stable")
        number, ts_ns = number[order], packets.ts_ns[order]
        proto, flags = packets.proto[order], packets.tcp_flags[order]
        first = np.empty(len(order), np.bool_)
        first[0] = True
        first[1:] = number[1:] != number[:-1]
        flow = self._current[number].astype(np.int64)
        known = flow >= 0
        before = np.empty(len(order), np.int64)
        before[1:] = ts_ns[:-1]
        before[first] = np.where(known, self.rows.previous_ts_ns[flow], ts_ns)[first]
        idle = ts_ns - before > np.where(proto == TCP, TCP_IDLE_NS, IDLE_NS)
        idle &= known | ~first
        runs = Runs(order, number, swapped[order], first, first & ~known, idle)
        is_syn = (proto == TCP) & (flags & (SYN | ACK | FIN | RST) == SYN) & ~runs.begins_flow
        if is_syn.any():
            runs.reuse = reused(runs, flags, proto == TCP, is_syn, flow, self.rows)
        return runs

    def _open(self, packets: PacketBatch, runs: Runs) -> I64:
        """Flow of each sorted packet; makes the rows of the flows that begin in this batch."""
        begins = runs.begins_flow
        starts = np.flatnonzero(begins | runs.first)
        value = self._current[runs.number[starts]].astype(np.int64)
        new = begins[starts]
        self._end(runs, starts[new])
        in_order = np.argsort(runs.order[starts[new]])
        ids = np.empty(len(in_order), np.int64)
        ids[in_order] = len(self.rows) + np.arange(len(in_order))
        value[new] = ids
        leaders = runs.order[starts[new]][in_order]
        orig_swapped, flipped, known = originators(packets, leaders, runs.unsorted_swapped(leaders))
        keys = runs.number[starts[new]][in_order]
        self.rows.append(packets, leaders, keys, orig_swapped, flipped, known)
        flow = np.repeat(value, np.diff(np.append(starts, len(runs.order))))
        self._current[runs.number] = flow
        return flow

    def _end(self, runs: Runs, at: I64) -> None:
        """Notes why the flows ended that gave way to those which begin at sorted rows `at`."""
        previous = self._current[runs.number[at]]
        ended = runs.idle[at] | runs.reuse[at]
        for rows, reason in ((runs.idle[at], "idle-timeout"), (~runs.idle[at], "end-of-flow")):
            chosen = rows & ended & runs.first[at] & (previous >= 0)
            self.rows.end_reason[previous[chosen]] = END_REASONS.index(reason)
        runs.ended_inside = at[ended & ~runs.first[at]]

    def _sum(self, packets: PacketBatch, runs: Runs, flow: I64, by_orig: Bool) -> None:
        """Adds packets, bytes and times to the rows of the flows."""
        starts = runs.starts
        rows, target = self.rows, flow[starts]
        ip_len, ts_ns = packets.ip_len[runs.order], packets.ts_ns[runs.order]
        ends = np.append(starts[1:], len(runs.order)) - 1
        pkts = np.diff(np.append(starts, len(runs.order)))
        orig_pkts = np.add.reduceat(by_orig.astype(np.int64), starts)
        octets = np.add.reduceat(ip_len, starts)
        orig_octets = np.add.reduceat(np.where(by_orig, ip_len, 0), starts)
        rows.orig_pkts[target] += orig_pkts
        rows.resp_pkts[target] += pkts - orig_pkts
        rows.orig_ip_bytes[target] += orig_octets
        rows.resp_ip_bytes[target] += octets - orig_octets
        earliest = np.minimum.reduceat(ts_ns, starts)
        # Who stands first in the file need not have sent first; of TCP the handshake says who did.
        in_order = earliest >= rows.ts_ns[target]
        rows.direction_known[target] &= in_order | (packets.proto[runs.order[starts]] == TCP)
        rows.ts_ns[target] = np.minimum(rows.ts_ns[target], earliest)
        rows.last_ts_ns[target] = np.maximum(
            rows.last_ts_ns[target], np.maximum.reduceat(ts_ns, starts)
        )
        tcp, flags = packets.proto[runs.order] == TCP, packets.tcp_flags[runs.order]
        if packets.carrier.any() or packets.sealed.any():
            sealed = packets.sealed[runs.order]
            rows.carrier[target] |= np.logical_or.reduceat(packets.carrier[runs.order], starts)
            highest = np.maximum.reduceat(sealed, starts)
            rows.sealed[target] = np.maximum(rows.sealed[target], highest)
        closing = closing_column(flags, runs.swapped, tcp)
        rows.closing[target] |= np.bitwise_or.reduceat(closing, starts)
        rows.previous_ts_ns[target] = ts_ns[ends]
        rows.last_frame[target] = packets.frame[runs.order][ends]
        inside = runs.ended_inside
        reason = np.where(runs.idle[inside], "idle-timeout", "end-of-flow")
        rows.end_reason[flow[inside - 1]] = [END_REASONS.index(word) for word in reason]


def originators(packets: PacketBatch, leaders: I64, swapped: Bool) -> tuple[Bool, Bool, Bool]:
    """Who began each flow, from its first packet: (orig_swapped, flipped, direction_known).

    A SYN+ACK is an answer; without a SYN, a likely server port on the sender's side alone says
    that the receiver began; on both sides, that nobody knows. Who talks to himself from port to
    same port is always the originator.
    `swapped`: as `keys_of` gave it for the leaders.
    """
    proto, flags = packets.proto[leaders], packets.tcp_flags[leaders]
    syn = (proto == TCP) & (flags & SYN != 0)
    pure = syn & (flags & (ACK | FIN | RST) == 0)
    answer = syn & (flags & ACK != 0)
    serving = likely_server(packets.sport[leaders]) & ~likely_server(packets.dport[leaders])
    datagram = np.isin(proto, DATAGRAMS)
    flipped = answer | (((proto == TCP) & ~syn | datagram) & serving)
    from_server = datagram & likely_server(packets.sport[leaders])
    known = np.where(proto == TCP, pure | answer, ~from_server)
    distinct = packets.sport[leaders] != packets.dport[leaders]
    distinct |= packets.src_lo[leaders] != packets.dst_lo[leaders]
    distinct |= packets.src_hi[leaders] != packets.dst_hi[leaders]
    return swapped ^ (flipped & distinct), flipped, known.astype(np.bool_)
