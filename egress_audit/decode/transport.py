"""Transport headers of a whole batch, and with them its packets. HOT PATH.

Sources: RFC 9293 (TCP), RFC 768 (UDP), RFC 792 and 4443 (ICMP).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from egress_audit.columns import I64, U8, Bool, FrameBatch, PacketBatch, rows_of
from egress_audit.decode import ledger
from egress_audit.decode.network import NetworkColumns
from egress_audit.model.protocols import DATAGRAMS, ICMP, ICMPV6, TCP, UDP, WITH_PORTS

IS_PORTED: Bool = np.isin(np.arange(256), WITH_PORTS)
ICMP_HEADER = 8
IS_ICMP: Bool = np.zeros((7, 256), np.bool_)
"""IP version, protocol → whether that is the version's own ICMP."""
IS_ICMP[4, ICMP] = IS_ICMP[6, ICMPV6] = True
MAY_BE_ICMP: Bool = IS_ICMP[4] | IS_ICMP[6]
HEADER_LEN: I64 = np.where(np.isin(np.arange(256), DATAGRAMS), 8, 0)
"""Protocol → bytes of its header; of TCP and ICMP it is read."""
NEEDED: I64 = np.where(IS_PORTED, 4, 0)
"""Protocol → bytes of its header that must be there; of ICMP ICMP_NEEDED."""
ICMP_NEEDED = 2
NEEDED[[TCP, UDP]] = 20, 8
OF_NETWORK = ("src_hi", "src_lo", "dst_hi", "dst_lo", "ip_len", "fragment")
"""Columns that a packet has as its IP header says."""

ICMP_PAIRS = ((8, 0), (13, 14), (15, 16), (17, 18), (10, 9))
ICMPV6_PAIRS = ((128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145))
"""Types that answer each other; everything else goes one way (as Zeek and Community ID have it)."""


def _counterparts(pairs: tuple[tuple[int, int], ...]) -> I64:
    table = np.full(256, -1, np.int64)
    for question, answer in pairs:
        table[question], table[answer] = answer, question
    return table


COUNTERPART = {ICMP: _counterparts(ICMP_PAIRS), ICMPV6: _counterparts(ICMPV6_PAIRS)}


def transport_layers(
    batch: FrameBatch, network: NetworkColumns, rows: I64, frame: I64, depth: int = 0
) -> tuple[PacketBatch, U8]:
    """Packets of the given rows, and what is missing of each (`ledger.WHOLE` and siblings).

    rows: ascending; frame: (rows,) number of the frame in which each packet came; depth: tunnels
    around them.
    """
    at, end = rows_of(network.transport, rows), rows_of(network.end, rows)
    proto, version = rows_of(network.proto, rows), rows_of(network.version, rows)
    unread = rows_of(network.later, rows) | (rows_of(network.chain, rows) != ledger.WHOLE)
    available = np.maximum(end - at, 0)
    if unread.any():
        available[unread] = 0
    header = _headers(batch.buffer, at)
    icmp = np.flatnonzero(MAY_BE_ICMP[proto])
    icmp = icmp[IS_ICMP[version[icmp], proto[icmp]]]
    ports = _ports(header, proto, icmp, available)
    header_len, short, short_offset = _lengths(header, proto, icmp, available)
    short &= ~unread
    short_offset &= ~(short | unread)
    stated = _stated(header, proto, rows_of(network.transport_len, rows))
    payload_len, payload = np.maximum(stated - header_len, 0), at + header_len
    empty = short | short_offset | unread | rows_of(network.fragment, rows)
    if empty.any():
        payload_len[empty] = 0
    packets = PacketBatch(
        buffer=batch.buffer,
        frame=frame,
        ts_ns=rows_of(batch.ts_ns, rows),
        version=version,
        proto=proto,
        payload=payload,
        payload_cap=np.minimum(np.maximum(end - payload, 0), payload_len),
        payload_len=payload_len,
        depth=np.full(len(rows), depth, np.uint8),
        carrier=np.zeros(len(rows), np.bool_),
        sealed=np.zeros(len(rows), np.uint8),
        **ports,
        **_of_tcp(header, proto, available),
        **{name: rows_of(getattr(network, name), rows) for name in OF_NETWORK},
    )
    return packets, _partial(batch, rows, network, short, short_offset)


def _of_tcp(header: U8, proto: U8, available: I64) -> dict[str, Any]:
    """Columns of TCP's numbers and flags, 0 where they are not captured."""
    tcp, words = proto == TCP, header.view(">u4")
    numbered = tcp & (available >= 12)
    return {
        "tcp_flags": _where(tcp & (available >= 14), header[:, 13]),
        "tcp_seq": _where(numbered, words[:, 1]),
        "tcp_ack": _where(numbered, words[:, 2]),
    }


def _where(there: Bool, field: npt.NDArray[Any]) -> Any:
    """(n,) the field of a header in the order of this machine, 0 where it is not there."""
    found = field.astype(field.dtype.newbyteorder("="))
    found *= there
    return found


def _headers(buffer: U8, at: I64) -> U8:
    """(n, 20) bytes from `at`."""
    view = np.ndarray((len(buffer) - 19,), "V20", buffer=buffer.data, strides=(1,))
    return view[np.minimum(at, len(buffer) - 20)].view(np.uint8).reshape(-1, 20)


def _ports(header: U8, proto: U8, icmp: I64, available: I64) -> dict[str, Any]:
    """Columns of the ports; of ICMP the type and the one that answers it, or the code where none
    does, which is one-way. icmp: rows of it."""
    there, halves = IS_PORTED[proto] & (available >= 4), header.view(">u2")
    sport, dport = _where(there, halves[:, 0]), _where(there, halves[:, 1])
    one_way: Bool = np.zeros(len(proto), np.bool_)
    icmp = icmp[available[icmp] >= ICMP_NEEDED]
    if len(icmp):
        kind = header[icmp, 0]
        pairs = proto[icmp] == ICMP
        answer = np.where(pairs, COUNTERPART[ICMP][kind], COUNTERPART[ICMPV6][kind])
        sport[icmp] = kind
        dport[icmp] = np.where(answer < 0, header[icmp, 1], answer)
        one_way[icmp] = answer < 0
    return {"sport": sport, "dport": dport, "one_way": one_way}


def _lengths(header: U8, proto: U8, icmp: I64, available: I64) -> tuple[I64, Bool, Bool]:
    """Transport header length of each packet; which are not whole, and which of TCP state a length
    that cannot be true."""
    tcp = proto == TCP
    offset = _where(available >= 13, header[:, 12] >> np.uint8(4)).astype(np.int64) * 4
    header_len = np.where(tcp, offset, HEADER_LEN[proto])
    short = available < NEEDED[proto]
    if len(icmp):
        header_len[icmp], short[icmp] = ICMP_HEADER, available[icmp] < ICMP_NEEDED
    return header_len, short, tcp & (offset < 20)


def _stated(header: U8, proto: U8, wire: I64) -> I64:
    """Bytes from the transport header on: as UDP states them, else all behind the IP headers."""
    udp = np.flatnonzero(proto == UDP)
    if not len(udp):
        return wire
    stated, length = wire.copy(), header.view(">u2")[udp, 2].astype(np.int64)
    stated[udp] = np.where(length >= 8, np.minimum(length, wire[udp]), wire[udp])
    return stated


def _partial(
    batch: FrameBatch, rows: I64, network: NetworkColumns, short: Bool, short_offset: Bool
) -> U8:
    partial: U8 = rows_of(network.chain, rows).copy()
    partial[rows_of(network.routed, rows) & (partial == ledger.WHOLE)] = ledger.SOURCE_ROUTED
    if short.any():
        cut = batch.caplen[rows[short]] < batch.wirelen[rows[short]]
        partial[short] = np.where(cut, ledger.HEADER_CUT, ledger.HEADER_MALFORMED)
    partial[short_offset] = ledger.HEADER_MALFORMED
    partial[rows_of(network.fragment, rows)] = ledger.FRAGMENT
    return partial
