"""What the packets of a batch add to their flows, by sums.c. HOT PATH."""

from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled.bounds import edges_of, refuse_strange_indexes
from egress_audit.compiled.library import address, addresses, function


class RunSums(NamedTuple):
    """What each run adds to its flow, and whose each packet is."""

    orig_pkts: I64
    """(runs,)"""
    orig_octets: I64
    octets: I64
    earliest: I64
    """(runs,) ns"""
    latest: I64
    flow: I64
    """(n,) in the order of the batch."""
    by_orig: Bool
    sorted_flow: I64
    """(n,) in the order of the runs."""
    sorted_by_orig: Bool


def run_sums(
    packets: PacketBatch, swapped: Bool, order: I64, starts: I64, target: I64, orig_turned: Bool
) -> RunSums:
    """The sums of runs of packets, each of one flow.

    swapped: (n,) as `keys_of` has it; order: (n,) row of each packet, sorted by run; starts:
    (runs,) where in `order` each begins; target: (runs,) flow; orig_turned: (runs,) whether the
    packets of the originator are those that were swapped.
    """
    count, runs = len(order), len(starts)
    ip_len, ts_ns = (np.ascontiguousarray(column) for column in (packets.ip_len, packets.ts_ns))
    given = addresses([(ip_len, np.int64), (ts_ns, np.int64), (swapped, np.bool_)], count)
    refuse_strange_indexes(order, count)
    edges = edges_of(starts, count)
    where = np.array(
        [
            address(order, np.int64, count),
            address(edges, np.int64, runs + 1),
            address(target, np.int64, runs),
            address(orig_turned, np.bool_, runs),
        ],
        np.uint64,
    )
    sums = [np.empty(runs, np.int64) for _ in range(5)]
    flow, sorted_flow = np.empty(count, np.int64), np.empty(count, np.int64)
    by_orig, sorted_by_orig = np.empty(count, np.bool_), np.empty(count, np.bool_)
    whose = [(flow, np.int64), (by_orig, np.bool_)]
    whose += [(sorted_flow, np.int64), (sorted_by_orig, np.bool_)]
    out, assigned = addresses([(one, np.int64) for one in sums], runs), addresses(whose, count)
    function("sum_runs", "ppnpp")(
        address(given, np.uint64, len(given)),
        address(where, np.uint64, len(where)),
        runs,
        address(out, np.uint64, len(out)),
        address(assigned, np.uint64, len(assigned)),
    )
    orig_pkts, orig_octets, octets, earliest, latest = sums
    whole = orig_pkts, orig_octets, octets, earliest, latest, flow
    return RunSums(*whole, by_orig, sorted_flow, sorted_by_orig)
