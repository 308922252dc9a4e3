"""Groups of flows and what they come to, held to sums made one group at a time."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.attribute.directions import far_sides
from egress_audit.attribute.own_addresses import sides_of
from egress_audit.attribute.sums import MAX_FRAMES, Groups, sums_of
from egress_audit.columns import CONN_STATES
from tests.builders.captures import pcap, scripted
from tests.builders.engine import run

FLOWS = run(
    pcap(
        [
            frame
            for port in range(30)
            for frame in scripted(
                (">S", ">S <SA >A", ">S <RA")[port % 3], ("10.0.0.2", 40_000 + port), ("9.9.9.9", 1)
            )
        ]
    )
).flows
FAR = far_sides(FLOWS, sides_of(FLOWS, []))
TLS = (np.arange(len(FLOWS)) % 2).astype(np.int64)


def summed(rows: list[int]) -> dict[str, object]:
    """The sum of one group, flow by flow."""
    states = Counter(CONN_STATES[FLOWS.conn_state[row]] for row in rows)
    return {
        "direction": int(FAR.direction[rows[0]]),
        "proto": int(FLOWS.proto[rows[0]]),
        "flows": len(rows),
        "tls_flows": sum(int(TLS[row]) for row in rows),
        "pkts_out": sum(int(FAR.pkts_out[row]) for row in rows),
        "pkts_in": sum(int(FAR.pkts_in[row]) for row in rows),
        "ip_bytes_out": sum(int(FAR.ip_bytes_out[row]) for row in rows),
        "ip_bytes_in": sum(int(FAR.ip_bytes_in[row]) for row in rows),
        "first_ts_ns": min(int(FLOWS.ts_ns[row]) for row in rows),
        "last_ts_ns": max(int(FLOWS.last_ts_ns[row]) for row in rows),
        "frames": tuple(sorted(int(FLOWS.first_frame[row]) for row in rows)[:MAX_FRAMES]),
        "conn_states": {word: states[word] for word in CONN_STATES if states[word]},
    }


def sums(groups: Groups) -> list[dict[str, object]]:
    """What the columns of groups say of each."""
    columns = sums_of(FLOWS, FAR, TLS, groups)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@given(st.permutations(range(len(FLOWS))), st.sets(st.integers(1, len(FLOWS) - 1)), st.data())
def test_columns_come_to_the_same_as_flow_by_flow(
    order: list[int], cuts: set[int], data: st.DataObject
) -> None:
    starts = np.array([0, *sorted(cuts)])
    groups = Groups(np.array(order), starts)
    chosen = data.draw(st.lists(st.integers(0, len(starts) - 1), unique=True))
    ends = groups.ends.tolist()
    expected = [summed(order[int(starts[one]) : ends[one]]) for one in chosen]
    some = groups.chosen(np.array(chosen, np.int64))
    assert sums(some) == expected


def test_no_groups_come_to_nothing() -> None:
    none = np.zeros(0, np.int64)
    assert sums(Groups(none, none)) == []


def test_no_groups_have_no_ends_and_come_to_nothing() -> None:
    none = Groups(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert none.ends.tolist() == []
    assert none.chosen(np.zeros(0, np.int64)).ends.tolist() == []
    assert {len(list(column)) for column in sums_of(FLOWS, FAR, TLS, none).values()} == {0}
