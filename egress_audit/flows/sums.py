"""What each run of packets adds to its flow, and who sent each of them. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled import library, sums
from egress_audit.compiled.sums import RunSums
from egress_audit.flows.runs import Runs


def run_sums(
    packets: PacketBatch, swapped: Bool, runs: Runs, target: I64, orig_swapped: Bool
) -> RunSums:
    """The sums of a batch. swapped: (n,) as `keys_of` has it; target: (runs,) flow of each;
    orig_swapped: (runs,) whether its originator's packets are those that were swapped."""
    if library.is_in_use():
        order, starts = runs.order, runs.starts
        return sums.run_sums(packets, swapped, order, starts, target, orig_swapped)
    return _in_numpy(packets, runs, target, orig_swapped)


def _in_numpy(packets: PacketBatch, runs: Runs, target: I64, orig_swapped: Bool) -> RunSums:
    order, starts, count = runs.order, runs.starts, len(runs.order)
    flow = np.repeat(target, runs.lengths)
    by_orig = runs.swapped == np.repeat(orig_swapped, runs.lengths)
    ip_len, ts_ns = packets.ip_len.take(order), packets.ts_ns.take(order)
    found = RunSums(
        orig_pkts=np.add.reduceat(by_orig, starts, dtype=np.int64),
        orig_octets=np.add.reduceat(ip_len * by_orig, starts),
        octets=np.add.reduceat(ip_len, starts),
        earliest=np.minimum.reduceat(ts_ns, starts),
        latest=np.maximum.reduceat(ts_ns, starts),
        flow=np.empty(count, np.int64),
        by_orig=np.empty(count, np.bool_),
        sorted_flow=flow,
        sorted_by_orig=by_orig,
    )
    found.flow[order] = flow
    found.by_orig[order] = by_orig
    return found
