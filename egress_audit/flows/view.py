"""The finished table as columns for the judge, and one row of it as a `Flow`. HOT PATH."""

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.columns import (
    CONN_STATES,
    END_REASONS,
    U8,
    FlowColumns,
)
from egress_audit.flows.community_id import community_id, packed
from egress_audit.flows.table import FlowTable
from egress_audit.flows.tcp_state import Side, datagram_conn_state, tcp_conn_state
from egress_audit.model.flow import EndReason, Flow

TCP = 6


def columns_of(table: FlowTable) -> FlowColumns:
    """All flows of a table, once everything has been added to it."""
    rows, count = table.rows, len(table)
    keep = slice(0, count)
    key = table.key[:, rows.key[keep]]
    swapped = rows.orig_swapped[keep]
    low, high = key[4] >> np.uint64(48), key[4] >> np.uint64(32) & np.uint64(0xFFFF)
    proto = (key[4] >> np.uint64(8) & np.uint64(0xFF)).astype(np.uint8)
    history = rows.history[keep]
    heard = np.where(
        rows.orig_pkts[keep] == 0,
        table.histories.having(history, "ad"),
        (rows.resp_pkts[keep] == 0) & table.histories.having(history, "AD"),
    )
    return FlowColumns(
        version=(key[4] & np.uint64(0xFF)).astype(np.uint8),
        proto=proto,
        one_way=(key[4] >> np.uint64(16) & np.uint64(1)).astype(np.bool_),
        orig_hi=np.where(swapped, key[2], key[0]),
        orig_lo=np.where(swapped, key[3], key[1]),
        orig_p=np.where(swapped, high, low).astype(np.uint16),
        resp_hi=np.where(swapped, key[0], key[2]),
        resp_lo=np.where(swapped, key[1], key[3]),
        resp_p=np.where(swapped, low, high).astype(np.uint16),
        ts_ns=rows.ts_ns[keep],
        last_ts_ns=rows.last_ts_ns[keep],
        orig_pkts=rows.orig_pkts[keep],
        resp_pkts=rows.resp_pkts[keep],
        orig_ip_bytes=rows.orig_ip_bytes[keep],
        resp_ip_bytes=rows.resp_ip_bytes[keep],
        direction_known=rows.direction_known[keep],
        conn_state=_conn_states(table, proto),
        history=history,
        histories=tuple(table.histories.text),
        missed_bytes=table.gaps.missed(count),
        end_reason=rows.end_reason[keep],
        first_frame=rows.first_frame[keep],
        last_frame=rows.last_frame[keep],
        one_sided=(proto == TCP) & heard,
    )


def _conn_states(table: FlowTable, proto: U8) -> U8:
    rows, keep = table.rows, slice(0, len(table))
    tcp = np.array(
        [
            CONN_STATES.index(tcp_conn_state(orig, resp, payload=payload))
            for orig in Side
            for resp in Side
            for payload in (False, True)
        ],
        np.uint8,
    )
    payload = rows.seen[keep] >> 2 != 0
    pair = rows.orig_state[keep].astype(np.int64) * len(Side) + rows.resp_state[keep]
    states: U8 = tcp[pair * 2 + payload]
    for number in np.unique(proto).tolist():
        if number != TCP:
            spoke = np.array(
                [
                    CONN_STATES.index(datagram_conn_state(number, orig, resp))
                    for orig in (0, 1)
                    for resp in (0, 1)
                ],
                np.uint8,
            )
            who = (rows.orig_pkts[keep] > 0) * 2 + (rows.resp_pkts[keep] > 0)
            states = np.where(proto == number, spoke[who], states)
    return states


def flow_at(columns: FlowColumns, row: int, *, local_orig: bool, local_resp: bool) -> Flow:
    """One row as a value. `local_orig`, `local_resp`: whether each end is ours."""
    version = int(columns.version[row])
    orig = int(columns.orig_hi[row]), int(columns.orig_lo[row])
    resp = int(columns.resp_hi[row]), int(columns.resp_lo[row])
    proto = int(columns.proto[row])
    ports = int(columns.orig_p[row]), int(columns.resp_p[row])
    return Flow(
        community_id=community_id(
            proto,
            packed(version, *orig),
            packed(version, *resp),
            *ports,
            one_way=bool(columns.one_way[row]),
        ),
        proto=proto,
        orig_h=address_text(version, *orig),
        orig_p=ports[0],
        resp_h=address_text(version, *resp),
        resp_p=ports[1],
        ts_ns=int(columns.ts_ns[row]),
        duration_ns=int(columns.last_ts_ns[row] - columns.ts_ns[row]),
        orig_pkts=int(columns.orig_pkts[row]),
        resp_pkts=int(columns.resp_pkts[row]),
        orig_ip_bytes=int(columns.orig_ip_bytes[row]),
        resp_ip_bytes=int(columns.resp_ip_bytes[row]),
        conn_state=CONN_STATES[columns.conn_state[row]],
        history=columns.histories[columns.history[row]],
        missed_bytes=int(columns.missed_bytes[row]),
        local_orig=local_orig,
        local_resp=local_resp,
        direction_known=bool(columns.direction_known[row]),
        end_reason=EndReason(END_REASONS[columns.end_reason[row]]),
        first_frame=int(columns.first_frame[row]),
        last_frame=int(columns.last_frame[row]),
        encap_depth=0,
        carrier=False,
    )
