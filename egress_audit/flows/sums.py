"""What each run of packets adds to its flow, and who sent each of them. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled import library, sums
from egress_audit.compiled.sums import Whose
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs, closing_column
from egress_audit.flows.tcp_state import FIN, RST
from egress_audit.model.protocols import TCP


def add_runs(packets: PacketBatch, swapped: Bool, runs: Runs, target: I64, rows: FlowRows) -> Whose:
    """Adds the packets of a batch, their bytes and times to the rows of their flows.

    swapped: (n,) as `keys_of` has it; target: (runs,) flow of each, no two alike.
    """
    _note_tunnels(packets, runs, target, rows)
    if library.is_in_use():
        kept = {name: getattr(rows, name) for name in (*sums.COUNTERS, *sums.KEPT)}
        return sums.add_runs(packets, swapped, runs.order, runs.starts, target, kept)
    order, count = runs.order, len(runs.order)
    flow = np.repeat(target, runs.lengths)
    by_orig: Bool = runs.swapped == np.repeat(rows.orig_swapped.take(target), runs.lengths)
    _count(packets, runs, target, by_orig, rows)
    _note_times(packets, runs, target, rows)
    at = np.flatnonzero(runs.flags & (FIN | RST))
    bits = closing_column(runs.flags[at], runs.swapped[at])
    np.bitwise_or.at(rows.closing, flow[at], bits)
    whose = Whose(np.empty(count, np.int64), np.empty(count, np.bool_), flow, by_orig)
    whose.flow[order] = flow
    whose.by_orig[order] = by_orig
    return whose


def _count(packets: PacketBatch, runs: Runs, target: I64, by_orig: Bool, rows: FlowRows) -> None:
    """Adds packets and bytes. by_orig: (n,) sorted as `runs` is."""
    ip_len, starts = packets.ip_len.take(runs.order), runs.starts
    orig_pkts = np.add.reduceat(by_orig, starts, dtype=np.int64)
    orig_octets, octets = np.add.reduceat(ip_len * by_orig, starts), np.add.reduceat(ip_len, starts)
    rows.orig_pkts[target] += orig_pkts
    rows.resp_pkts[target] += runs.lengths - orig_pkts
    rows.orig_ip_bytes[target] += orig_octets
    rows.resp_ip_bytes[target] += octets - orig_octets


def _note_times(packets: PacketBatch, runs: Runs, target: I64, rows: FlowRows) -> None:
    """Notes when flows began and were seen last."""
    ts_ns, last = packets.ts_ns.take(runs.order), runs.order.take(runs.ends)
    earliest = np.minimum.reduceat(ts_ns, runs.starts)
    latest = np.maximum.reduceat(ts_ns, runs.starts)
    # Who stands first in the file need not have sent first; of TCP the handshake says who did.
    in_order = earliest >= rows.ts_ns[target]
    rows.direction_known[target] &= in_order | (packets.proto[runs.order[runs.starts]] == TCP)
    rows.ts_ns[target] = np.minimum(rows.ts_ns[target], earliest)
    rows.last_ts_ns[target] = np.maximum(rows.last_ts_ns[target], latest)
    rows.previous_ts_ns[target] = packets.ts_ns[last]
    rows.last_frame[target] = packets.frame[last]


def _note_tunnels(packets: PacketBatch, runs: Runs, target: I64, rows: FlowRows) -> None:
    """Notes which flows are those of tunnels, if any is."""
    if packets.carrier.any() or packets.sealed.any():
        order, starts = runs.order, runs.starts
        rows.carrier[target] |= np.logical_or.reduceat(packets.carrier[order], starts)
        highest = np.maximum.reduceat(packets.sealed[order], starts)
        rows.sealed[target] = np.maximum(rows.sealed[target], highest)
