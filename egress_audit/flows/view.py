"""The finished table as columns for the judge, and one row of it as a `Flow`. HOT PATH."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from egress_audit.addresses import address_text
from egress_audit.columns import CONN_STATES, END_REASONS, I32, I64, U8, U16, U64, Bool, FlowColumns
from egress_audit.flows.community_id import community_id, packed
from egress_audit.flows.table import FlowTable
from egress_audit.flows.tcp_events import DATA_IN_FIN
from egress_audit.flows.tcp_state import Side, datagram_conn_state, tcp_conn_state
from egress_audit.model.flow import EndReason, Flow
from egress_audit.model.protocols import DATAGRAMS, ICMP, ICMPV6, TCP, UDP

AT_ONCE = 1 << 18
"""Rows worked on together where what that takes beside the result would be the peak of memory."""
Part = TypeVar("Part", np.uint8, np.uint16)
ANSWERING_TYPES = {ICMP: (0, 14, 16, 18), ICMPV6: (129, 140)}
"""ICMP types that are only ever sent as an answer (RFC 792, RFC 4443 §4.2, RFC 4620)."""


def columns_of(table: FlowTable) -> FlowColumns:
    """All flows of a table, once everything has been added to it."""
    rows, count = table.rows, len(table)
    keep = slice(0, count)
    word = table.key[4, rows.key[keep]]
    low, high = (word >> np.uint64(48)).astype(np.uint16), _bits(word, 32, np.uint16)
    swapped = rows.orig_swapped[keep]
    orig_p, resp_p = np.where(swapped, high, low), np.where(swapped, low, high)
    proto = _bits(word, 8, np.uint8)
    return FlowColumns(
        version=_bits(word, 0, np.uint8),
        proto=proto,
        one_way=_bits(word, 16, np.uint8) != 0,
        orig_hi=_ends(table, 2, 0),
        orig_lo=_ends(table, 3, 1),
        orig_p=orig_p,
        resp_hi=_ends(table, 0, 2),
        resp_lo=_ends(table, 1, 3),
        resp_p=resp_p,
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
        data_in_fin=rows.seen[keep] & DATA_IN_FIN > 0,
        missed_bytes=table.gaps.missed(count),
        end_reason=rows.end_reason[keep],
        first_frame=rows.first_frame[keep],
        last_frame=rows.last_frame[keep],
        one_sided=_one_sided(table, proto, orig_p),
        encap_depth=_bits(word, 24, np.uint8),
        carrier=rows.carrier[keep],
        sealed=rows.sealed[keep],
    )


def _bits(word: U64, shift: int, kind: type[Part]) -> npt.NDArray[Part]:
    """(n,) the bits of a key's last word from `shift` on, as many as fit."""
    return (word >> np.uint64(shift)).astype(kind)


def _ends(table: FlowTable, turned: int, straight: int) -> U64:
    """(n,) of each flow's key the word `turned` where its ends were swapped, else `straight`."""
    rows = table.rows
    chosen = np.empty(len(table), np.uint64)
    for part in _parts(len(table)):
        key, swapped = rows.key[part], rows.orig_swapped[part]
        chosen[part] = np.where(swapped, table.key[turned][key], table.key[straight][key])
    return chosen


def _parts(count: int) -> Iterator[slice]:
    """All rows, AT_ONCE at a time."""
    return (slice(start, min(start + AT_ONCE, count)) for start in range(0, count, AT_ONCE))


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


def _one_sided(table: FlowTable, proto: U8, orig_p: U16) -> Bool:
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
    states = np.empty(len(table), np.uint8)
    known: dict[int, int] = {}
    for part in _parts(len(table)):
        kinds, place = np.unique(_kinds(table, proto, part), return_inverse=True)
        for kind in kinds.tolist():
            if kind not in known:
                known[kind] = CONN_STATES.index(_conn_state(kind, table.histories.text))
        states[part] = np.array([known[kind] for kind in kinds.tolist()], np.uint8)[place]
    return states


def _kinds(table: FlowTable, proto: U8, part: slice) -> I64:
    """Some rows: all that the state depends on, side by side in one word as `_conn_state` reads
    it."""
    rows = table.rows
    spoke = (rows.orig_pkts[part] > 0) | (rows.resp_pkts[part] > 0).astype(np.int64) << 1
    states = rows.orig_state[part].astype(np.int64) | rows.resp_state[part].astype(np.int64) << 4
    kinds: I64 = (
        states
        | (rows.seen[part] >> 2 != 0).astype(np.int64) << 8
        | spoke << 9
        | proto[part].astype(np.int64) << 16
        | rows.history[part].astype(np.int64) << 24
    )
    return kinds


def _conn_state(kind: int, histories: Sequence[str]) -> str:
    """The word for a connection of this kind."""
    number = kind >> 16 & 0xFF
    if number != TCP:
        return datagram_conn_state(number, kind >> 9 & 1, kind >> 10 & 1)
    orig, resp = Side(kind & 0xF), Side(kind >> 4 & 0xF)
    return tcp_conn_state(orig, resp, payload=bool(kind >> 8 & 1), history=histories[kind >> 24])


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
