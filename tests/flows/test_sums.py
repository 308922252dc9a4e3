"""What a run of packets adds to its flow, whichever engine sums."""

import numpy as np
import pytest

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled.sums import Whose
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.keys import KeyTable
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs, runs_of
from egress_audit.flows.sums import add_runs
from tests.builders.captures import TCP, UDP, Frame, ethernet, ip, pcap, tcp, udp
from tests.builders.engine import opened, packets_of

Batch = tuple[PacketBatch, Runs, Bool, I64, Bool]
SUMMED = (
    *("orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes", "last_frame"),
    *("ts_ns", "last_ts_ns", "previous_ts_ns", "direction_known", "closing"),
)
"""Columns of flows that packets add to."""


def batch_and_runs(seed: int) -> Batch:
    """Packets of a few hosts in any order of time, their runs, which were turned round, the flow
    of each run and how the packets of its originator lie."""
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(int(random.integers(1, 60))):
        a, b = random.integers(1, 5, 2).tolist()
        payload, flags = bytes(int(random.integers(9))), ("A", "FA", "RA")[int(random.integers(3))]
        inside = (udp(a, b, payload), UDP), (tcp(a, b, flags, 1, 1, payload), TCP)
        packet = ip(f"10.0.0.{a}", f"10.0.0.{b}", *inside[int(random.integers(2))])
        frames.append(Frame(int(random.integers(1 << 50)), ethernet(packet)))
    packets = packets_of(next(iter(opened(pcap(frames, nanoseconds=True)))), Ledger())
    groups, swapped = KeyTable().groups_of(packets)
    current = np.full(len(groups.starts), -1, np.int32)
    runs = runs_of(packets, swapped, groups, current, FlowRows())
    return packets, runs, swapped, *flows_of(random, len(runs.starts))


def flows_of(random: np.random.Generator, count: int) -> tuple[I64, Bool]:
    """Some flow for each run, no two alike, and how the packets of its originator lie."""
    return random.permutation(count).astype(np.int64), random.integers(0, 2, count).astype(np.bool_)


def rows_with(target: I64, turned: Bool, wide: bool = False) -> FlowRows:
    """Rows of these flows, of which something has been seen before."""
    rows = FlowRows()
    rows.widen((1 << 40) * wide)
    rows.orig_swapped[target] = turned
    rows.direction_known[:] = True
    rows.ts_ns[:], rows.last_ts_ns[:] = 1 << 49, 1 << 48
    for name in ("orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes"):
        getattr(rows, name)[:] = (1 << 40) + 7 if wide else 7
    return rows


def summed(given: Batch, wide: bool = False) -> tuple[FlowRows, Whose]:
    """The rows after a batch, and whose its packets are."""
    packets, runs, swapped, target, turned = given
    rows = rows_with(target, turned, wide)
    return rows, add_runs(packets, swapped, runs, target, rows)


@pytest.mark.parametrize("seed", range(20))
def test_each_packet_is_counted_into_the_flow_of_its_run(seed: int) -> None:
    given = packets, _, swapped, target, turned = batch_and_runs(seed)
    rows, whose = summed(given)
    for run, flow in enumerate(target.tolist()):
        at = np.flatnonzero(whose.flow == flow)
        by_orig = swapped[at] == turned[run]
        assert whose.by_orig[at].tolist() == by_orig.tolist()
        assert rows.orig_pkts[flow] == 7 + by_orig.sum()
        assert rows.resp_pkts[flow] == 7 + len(at) - by_orig.sum()
        assert rows.orig_ip_bytes[flow] == 7 + packets.ip_len[at[by_orig]].sum()
        assert rows.resp_ip_bytes[flow] == 7 + packets.ip_len[at[~by_orig]].sum()


@pytest.mark.parametrize("seed", range(20))
def test_the_times_of_a_flow_are_those_of_its_packets_and_what_was_before(seed: int) -> None:
    given = packets, _, _, target, _ = batch_and_runs(seed)
    rows, whose = summed(given)
    for flow in target.tolist():
        at = np.flatnonzero(whose.flow == flow)
        assert rows.ts_ns[flow] == min(packets.ts_ns[at].min(), 1 << 49)
        assert rows.last_ts_ns[flow] == max(packets.ts_ns[at].max(), 1 << 48)
        assert rows.previous_ts_ns[flow] == packets.ts_ns[at[-1]]
        assert rows.last_frame[flow] == packets.frame[at[-1]]
        earlier = packets.ts_ns[at].min() < 1 << 49
        assert rows.direction_known[flow] == (not earlier or packets.proto[at[0]] == TCP)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_runs_is_that_of_the_batch_turned_round(seed: int) -> None:
    given = _, runs, _, _, _ = batch_and_runs(seed)
    _, whose = summed(given)
    assert whose.sorted_flow.tolist() == whose.flow[runs.order].tolist()
    assert whose.sorted_by_orig.tolist() == whose.by_orig[runs.order].tolist()


def test_other_flows_are_left_as_they_are() -> None:
    given = _, _, _, target, _ = batch_and_runs(1)
    rows, _ = summed(given)
    before = rows_with(target, np.zeros(len(target), np.bool_))
    others = np.setdiff1d(np.arange(len(rows.key)), target)
    for name in SUMMED:
        assert getattr(rows, name)[others].tolist() == getattr(before, name)[others].tolist()
