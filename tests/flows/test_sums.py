"""What a run of packets adds to its flow, whichever engine sums."""

import numpy as np
import pytest

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled.sums import RunSums
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import packets_of
from egress_audit.flows.keys import KeyTable
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs, runs_of
from egress_audit.flows.sums import run_sums
from tests.builders.both_engines import in_numpy
from tests.builders.captures import UDP, Frame, ethernet, ip, pcap, udp
from tests.builders.engine import opened

Batch = tuple[PacketBatch, Runs, Bool, I64, Bool]


def batch_and_runs(seed: int) -> Batch:
    """Datagrams of a few hosts in any order of time, their runs, which were turned round, the flow
    of each run and how the packets of its originator lie."""
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(int(random.integers(1, 60))):
        a, b = random.integers(1, 5, 2).tolist()
        packet = ip(f"10.0.0.{a}", f"10.0.0.{b}", udp(a, b, bytes(int(random.integers(9)))), UDP)
        frames.append(Frame(int(random.integers(1 << 50)), ethernet(packet)))
    packets = packets_of(next(iter(opened(pcap(frames, nanoseconds=True)))), Ledger())
    groups, swapped = KeyTable().groups_of(packets)
    current = np.full(len(groups.starts), -1, np.int32)
    runs = runs_of(packets, swapped, groups, current, FlowRows())
    return packets, runs, swapped, *flows_of(random, len(runs.starts))


def flows_of(random: np.random.Generator, count: int) -> tuple[I64, Bool]:
    """Some flow for each run, no two alike, and how the packets of its originator lie."""
    return random.permutation(count).astype(np.int64), random.integers(0, 2, count).astype(np.bool_)


def in_numpy_of(
    packets: PacketBatch, runs: Runs, swapped: Bool, target: I64, turned: Bool
) -> RunSums:
    """What numpy makes of it."""
    return in_numpy(lambda: run_sums(packets, swapped, runs, target, turned))


@pytest.mark.parametrize("seed", range(20))
def test_each_packet_is_counted_into_the_flow_of_its_run(seed: int) -> None:
    packets, runs, swapped, target, turned = batch_and_runs(seed)
    found = run_sums(packets, swapped, runs, target, turned)
    for run, flow in enumerate(target.tolist()):
        rows = np.flatnonzero(found.flow == flow)
        by_orig = swapped[rows] == turned[run]
        assert found.by_orig[rows].tolist() == by_orig.tolist()
        assert found.octets[run] == packets.ip_len[rows].sum()
        assert found.orig_octets[run] == packets.ip_len[rows[by_orig]].sum()
        assert found.orig_pkts[run] == by_orig.sum()
        assert found.earliest[run] == packets.ts_ns[rows].min()
        assert found.latest[run] == packets.ts_ns[rows].max()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_runs_is_that_of_the_batch_turned_round(seed: int) -> None:
    packets, runs, swapped, target, turned = batch_and_runs(seed)
    found = run_sums(packets, swapped, runs, target, turned)
    assert found.sorted_flow.tolist() == found.flow[runs.order].tolist()
    assert found.sorted_by_orig.tolist() == found.by_orig[runs.order].tolist()
