"""The columns of the table of flows grow together."""

import numpy as np

from egress_audit.columns import END_REASONS
from egress_audit.flows.rows import COLUMNS, COUNTERS, NARROW, FlowRows
from tests.builders.captures import Frame, ethernet, ipv4, pcap, udp
from tests.builders.engine import run

PORTS = 3_000


def rows_of_many_flows() -> FlowRows:
    """The rows of a scan: one datagram to each of many ports."""
    frames = [
        Frame(1_000 * port, ethernet(ipv4("10.0.0.1", "10.0.0.2", udp(9, port), 17)))
        for port in range(1, PORTS + 1)
    ]
    return run(pcap(frames), 4_096, keep=False).table.rows


def test_no_flows_are_no_rows() -> None:
    assert len(FlowRows()) == 0


def test_every_column_has_room_for_every_row() -> None:
    rows = rows_of_many_flows()
    assert len(rows) == PORTS
    assert all(len(getattr(rows, name)) >= PORTS for name in COLUMNS)


def test_every_column_keeps_its_type_when_it_grows() -> None:
    rows = rows_of_many_flows()
    assert {name: getattr(rows, name).dtype for name in COLUMNS} == {
        name: np.dtype(kind) for name, kind in COLUMNS.items()
    }


def test_growing_keeps_what_was_there() -> None:
    rows = rows_of_many_flows()
    assert rows.first_frame[:PORTS].tolist() == list(range(1, PORTS + 1))
    assert rows.ts_ns[:PORTS].tolist() == [1_000 * port for port in range(1, PORTS + 1)]


def test_a_flow_that_nothing_ended_ended_with_the_capture() -> None:
    rows = rows_of_many_flows()
    assert {END_REASONS[number] for number in rows.end_reason[:PORTS]} == {"forced-end"}


def test_counters_stay_narrow_while_all_counts_fit() -> None:
    rows = FlowRows()
    rows.widen(NARROW)
    assert {getattr(rows, name).dtype for name in COUNTERS} == {np.dtype(np.int32)}


def test_counters_hold_a_count_that_does_not_fit_four_bytes() -> None:
    rows = rows_of_many_flows()
    rows.widen(NARROW + 1)
    rows.last_frame[0] = NARROW + 1
    assert rows.last_frame[0] == NARROW + 1
    assert rows.first_frame[:PORTS].tolist() == list(range(1, PORTS + 1))
