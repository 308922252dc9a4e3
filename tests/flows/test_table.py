"""The table of flows, held against the oracle; who is held to have begun; and its bound."""

import os
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.decode.ledger import Ledger
from egress_audit.flows import rows
from egress_audit.flows.table import FlowTable
from egress_audit.model.flow import Flow
from tests.builders import strategies
from tests.builders.captures import Frame, ipv4, pcap, scripted, tcp, udp, udp_exchange
from tests.builders.engine import (
    SMALLEST_BLOCK,
    flow_rows,
    flows_in,
    opened,
    packets_of,
    reference,
    run,
)

CLIENT, SERVER = ("10.0.0.2", 40000), ("192.0.2.1", 443)
BLOCKS = (SMALLEST_BLOCK, 100, 300, 1 << 16)
SHARED = os.environ.get("EGRESS_AUDIT_SHARED", "")
CORPUS = sorted(Path(SHARED, "corpus", "captures").glob("*")) if SHARED else []


@settings(max_examples=200)
@given(strategies.captures, st.sampled_from(BLOCKS))
def test_flows_are_the_oracles_whatever_batches_they_come_in(data: bytes, block: int) -> None:
    assert flow_rows(run(data, block).flows) == reference(data).flows


@settings(max_examples=100)
@given(strategies.damaged_captures(), st.sampled_from(BLOCKS))
def test_flows_of_damaged_captures_are_the_oracles(data: bytes, block: int) -> None:
    try:
        expected = reference(data)
    except ValueError:
        return
    assert flow_rows(run(data, block).flows) == expected.flows


@pytest.mark.skipif(not CORPUS, reason="no corpus on this machine")
@pytest.mark.parametrize("part", range(8))
def test_flows_of_captures_from_elsewhere_are_the_oracles(part: int) -> None:
    for path in CORPUS[part::8]:
        data = path.read_bytes()
        try:
            expected = reference(data)
        except ValueError:
            continue
        assert flow_rows(run(data, 1 << 16, keep=False).flows) == expected.flows, path.name


def only_flow(frames: list[Frame], linktype: int = 1) -> Flow:
    """The one flow of the frames."""
    (flow,) = flows_in(pcap(frames, linktype))
    return flow


@pytest.mark.parametrize(
    ("script", "begun_by_client", "known"),
    [
        (">S <SA", True, True),
        ("<SA >A", True, True),
        (">A <A", True, False),
        ("<A >A", True, False),
        ("<S >SA", False, True),
    ],
)
def test_who_began_a_connection_is_told_by_its_first_packet(
    script: str, begun_by_client: bool, known: bool
) -> None:
    flow = only_flow(scripted(script))
    assert (flow.orig_p == CLIENT[1], flow.direction_known) == (begun_by_client, known)


def test_between_two_servers_ports_who_spoke_first_is_taken_for_the_beginner() -> None:
    flow = only_flow(udp_exchange(("10.0.0.2", 53), ("192.0.2.1", 123), b"?"))
    assert (flow.orig_p, flow.direction_known) == (53, False)


def test_a_datagram_of_an_earlier_time_behind_the_first_makes_the_beginning_unknown() -> None:
    first, second = udp_exchange(CLIENT, SERVER, b"?", b"!", step_ns=-1000)
    assert not only_flow([first, second]).direction_known
    in_order = udp_exchange(CLIENT, SERVER, b"?", b"!", step_ns=1000)
    assert only_flow(in_order).direction_known


def test_an_answer_that_comes_first_is_given_to_the_other_side() -> None:
    flow = only_flow(udp_exchange(CLIENT, ("192.0.2.1", 53), b"?", b"!")[1:])
    assert (flow.orig_p, flow.orig_pkts, flow.resp_pkts) == (40000, 0, 1)
    assert (flow.direction_known, flow.history[:1]) == (False, "^")


@pytest.mark.parametrize("flags", ["S", "SA", "A"])
def test_who_talks_to_himself_is_the_originator(flags: str) -> None:
    alone = ipv4("10.0.0.2", "10.0.0.2", tcp(443, 443, flags), 6)
    flow = only_flow([Frame(0, alone)] * 3, 101)
    assert (flow.orig_pkts, flow.resp_pkts) == (3, 0)


def test_bytes_are_those_of_the_ip_header() -> None:
    flow = only_flow(udp_exchange(CLIENT, ("192.0.2.1", 53), b"12345", b"1"))
    assert (flow.orig_ip_bytes, flow.resp_ip_bytes) == (33, 29)


def test_a_clock_that_runs_back_gives_the_earliest_and_the_latest_time() -> None:
    frames = [
        Frame(ts, ipv4("10.0.0.1", "10.0.0.2", udp(1, 2), 17)) for ts in (5_000, 9_000, 1_000)
    ]
    flow = only_flow(frames, 101)
    assert (flow.ts_ns, flow.duration_ns, flow.first_frame, flow.last_frame) == (1_000, 8_000, 1, 3)


def test_flows_stand_in_the_order_of_their_first_packets() -> None:
    ports = [9, 3, 7, 3, 9, 1]
    frames = [Frame(0, ipv4("10.0.0.1", "10.0.0.2", udp(port, 2), 17)) for port in ports]
    assert [flow.orig_p for flow in flows_in(pcap(frames, 101))] == [9, 3, 7, 1]


def full_table(frames: list[Frame], limit: int) -> tuple[FlowTable, list[int]]:
    """A small table after the frames, one batch each; and the flow of each packet."""
    table, flows = FlowTable(max_flows=limit), list[int]()
    for batch in opened(pcap(frames, 101), 64):
        flows += table.add(packets_of(batch, Ledger())).flow.tolist()
    return table, flows


def test_a_full_table_counts_what_it_refuses() -> None:
    frames = [Frame(0, ipv4("10.0.0.1", "10.0.0.2", udp(port, 2), 17)) for port in range(20)]
    table, flows = full_table(frames, 5)
    assert len(table) == 5
    assert table.evicted == flows.count(-1) == 15


def test_a_table_that_is_not_full_refuses_nothing() -> None:
    frames = [Frame(0, ipv4("10.0.0.1", "10.0.0.2", udp(1, 2), 17))] * 20
    table, flows = full_table(frames, 5)
    assert (table.evicted, set(flows)) == (0, {0})


def test_no_packets_belong_to_no_flows() -> None:
    (batch,) = opened(pcap([Frame(0, b"")]))
    assigned = FlowTable().add(packets_of(batch, Ledger()))
    assert len(assigned.flow) == len(assigned.by_orig) == 0


def test_each_packet_is_assigned_to_its_flow_and_side() -> None:
    frames = [f for port in (40000, 40001) for f in scripted(">S <SA", ("10.0.0.2", port))]
    batch = next(iter(opened(pcap([frames[0], frames[2], frames[1], frames[3]]))))
    assigned = FlowTable().add(packets_of(batch, Ledger()))
    assert assigned.flow.tolist() == [0, 1, 0, 1]
    assert np.array_equal(assigned.by_orig, [True, True, False, False])


def test_what_stands_behind_a_frame_belongs_to_the_flow_that_was_there_then() -> None:
    minute = 60_000_000_000
    at = [0, 1, 10 * minute, 20 * minute]
    datagrams = [ipv4("10.0.0.2", "192.0.2.1", udp(4000, 9, b"x"), 17) for _ in at]
    datagrams[1] = ipv4("10.0.0.3", "192.0.2.1", udp(4000, 9, b"x"), 17)
    frames = [Frame(ns, data) for ns, data in zip(at, datagrams, strict=True)]
    (batch,) = opened(pcap(frames, 101, nanoseconds=True))
    packets = packets_of(batch, Ledger())
    table = FlowTable()
    assert table.add(packets).flow.tolist() == [0, 1, 2, 3]
    for behind, flow in (([9] * 4, [3, 1, 3, 3]), ([1, 1, 2, 3], [0, -1, 0, 2])):
        assert table.found(packets, np.array(behind)).flow.tolist() == flow


def test_the_ends_of_a_flow_are_told_as_addresses() -> None:
    table, _ = full_table([Frame(0, ipv4("192.0.2.1", "10.0.0.2", udp(53, 40000), 17))], 5)
    assert table.end(0, of_orig=True) == "10.0.0.2"
    assert table.end(0, of_orig=False) == "192.0.2.1"


def test_counts_beyond_four_bytes_are_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pcap(scripted(">S <SA >A >PAd <A"))
    expected = flow_rows(run(data).flows)
    monkeypatch.setattr(rows, "NARROW", 100)
    done = run(data, SMALLEST_BLOCK)
    assert done.table.rows.orig_pkts.dtype == np.int64
    assert flow_rows(done.flows) == expected


def test_a_finished_table_still_tells_its_flows() -> None:
    done = run(pcap(scripted(">S <SA >A")))
    before = flow_rows(done.flows)
    done.table.finish()
    assert flow_rows(done.flows) == before


def test_a_released_table_has_no_flows_and_still_says_what_it_refused() -> None:
    frames = [Frame(0, ipv4("10.0.0.1", "10.0.0.2", udp(port, 2), 17)) for port in range(20)]
    table, _ = full_table(frames, 5)
    table.release()
    assert (len(table), table.evicted) == (0, 15)


def test_columns_outlive_the_table_they_were_made_of() -> None:
    done = run(pcap(scripted(">S <SA >A")))
    flows, before = done.flows, flow_rows(done.flows)
    done.table.release()
    assert flow_rows(flows) == before


def test_a_table_lets_go_of_its_rows_at_once() -> None:
    """A cycle of references would keep them: Python looks for cycles after a million objects."""
    table = run(pcap(scripted(">S <SA >A >PAd <FA >FA"))).table
    rows = weakref.ref(table.rows)
    table.release()
    assert rows() is None
