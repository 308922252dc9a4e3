"""The finished table as columns for the judge, and one row of it as a `Flow`. HOT PATH."""

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.columns import CONN_STATES, END_REASONS, I32, I64, U8, U64, Bool, FlowColumns
from egress_audit.flows.community_id import community_id, packed
from egress_audit.flows.table import DATAGRAMS, FlowTable
from egress_audit.flows.tcp_state import Side, datagram_conn_state, tcp_conn_state
from egress_audit.model.flow import EndReason, Flow

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
ANSWERING_TYPES = {ICMP: (0, 14, 16, 18), ICMPV6: (129, 140)}
"""ICMP types that are only ever sent as an answer (RFC 792, RFC 4443 §4.2, RFC 4620)."""


def columns_of(table: FlowTable) -> FlowColumns:
    """All flows of a table, once everything has been added to it."""
    rows, count = table.rows, len(table)
    keep = slice(0, count)
    key = table.key[:, rows.key[keep]]
    swapped = rows.orig_swapped[keep]
    low, high = key[4] >> np.uint64(48), key[4] >> np.uint64(32) & np.uint64(0xFFFF)
    proto = (key[4] >> np.uint64(8) & np.uint64(0xFF)).astype(np.uint8)
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
        history=_with_datagrams(table, proto),
        histories=tuple(table.histories.text),
        missed_bytes=table.gaps.missed(count),
        end_reason=rows.end_reason[keep],
        first_frame=rows.first_frame[keep],
        last_frame=rows.last_frame[keep],
        one_sided=_one_sided(table, proto, np.where(swapped, high, low)),
        encap_depth=(key[4] >> np.uint64(24) & np.uint64(0xFF)).astype(np.uint8),
        carrier=rows.carrier[keep],
        sealed=rows.sealed[keep],
    )


def _with_datagrams(table: FlowTable, proto: U8) -> I32:
    """The histories, those of UDP included: `D` and `d` for who sent, in the order they began."""
    rows, keep = table.rows, slice(0, len(table))
    history: I32 = rows.history[keep].copy()
    udp, flipped = proto == UDP, rows.flipped[keep]
    both = (rows.orig_pkts[keep] > 0) & (rows.resp_pkts[keep] > 0)
    for first, second, begun in (("D", "d", ~flipped), ("d", "D", flipped)):
        alone = table.histories.extended(int(first == "d"), first)
        history[udp & begun] = alone
        history[udp & begun & both] = table.histories.extended(alone, second)
    return history


def _one_sided(table: FlowTable, proto: U8, orig_p: U64) -> Bool:
    """(n,) True for flows of one side alone, which answers another that the capture does not have.

    Of TCP anything but a lone SYN answers something; of UDP and UDP-Lite what comes from a server's
    port; of ICMP a reply.
    """
    rows, keep = table.rows, slice(0, len(table))
    alone = (rows.orig_pkts[keep] == 0) | (rows.resp_pkts[keep] == 0)
    lone_syn = np.array([text == "S" for text in table.histories.text])[rows.history[keep]]
    answers = (proto == TCP) & ~lone_syn
    answers |= np.isin(proto, DATAGRAMS) & rows.flipped[keep]
    for number, types in ANSWERING_TYPES.items():
        answers |= (proto == number) & np.isin(orig_p, types)
    one_sided: Bool = alone & answers
    return one_sided


def _conn_states(table: FlowTable, proto: U8) -> U8:
    """(n,) indexes into CONN_STATES."""
    rows, keep = table.rows, slice(0, len(table))
    words: list[str] = []
    states = np.empty(len(table), np.uint8)
    columns = (
        rows.orig_state[keep],
        rows.resp_state[keep],
        rows.seen[keep] >> 2 != 0,
        rows.history[keep],
        proto,
        rows.orig_pkts[keep] > 0,
        rows.resp_pkts[keep] > 0,
    )
    kinds, place = _distinct([column.astype(np.int64) for column in columns])
    for orig, resp, payload, history, number, orig_spoke, resp_spoke in kinds:
        if number == TCP:
            text = table.histories.text[history]
            words.append(tcp_conn_state(Side(orig), Side(resp), payload=payload > 0, history=text))
        else:
            words.append(datagram_conn_state(number, orig_spoke, resp_spoke))
    if words:
        states[:] = np.array([CONN_STATES.index(word) for word in words], np.uint8)[place]
    return states


def _distinct(columns: list[I64]) -> tuple[list[list[int]], I64]:
    """Each combination that occurs, and (n,) which of them each row has."""
    place = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, number = np.unique(column, return_inverse=True)
        _, first, place = np.unique(
            place * len(values) + number, return_index=True, return_inverse=True
        )
    return [[int(column[row]) for column in columns] for row in first.tolist()], place


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
        encap_depth=int(columns.encap_depth[row]),
        carrier=bool(columns.carrier[row]),
    )
