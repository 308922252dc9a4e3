"""Transport headers of a whole batch, and with them its packets. HOT PATH.

Sources: RFC 9293 (TCP), RFC 768 (UDP), RFC 792 and 4443 (ICMP).
"""

import numpy as np

from egress_audit.columns import I64, U8, U16, Bool, FrameBatch, PacketBatch
from egress_audit.decode import ledger
from egress_audit.decode.network import NetworkColumns

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
PORTED = (TCP, UDP, 132, 136, 33)
"""Protocols that begin with two ports: also SCTP (RFC 9260), UDP-Lite (3828) and DCCP (4340)."""
ICMP_HEADER = 8
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

    frame: (rows,) number of the frame in which each packet came; depth: tunnels around them.
    """
    at, proto, version = network.transport[rows], network.proto[rows], network.version[rows]
    available = np.maximum(network.end[rows] - at, 0)
    later, broken = network.later[rows], network.chain[rows] != ledger.WHOLE
    available[later | broken] = 0
    header = _headers(batch.buffer, at)
    halves, words = header.view(">u2"), header.view(">u4")
    tcp, udp = proto == TCP, proto == UDP
    has_ports = np.isin(proto, PORTED) & (available >= 4)
    sport = np.where(has_ports, halves[:, 0], 0).astype(np.uint16)
    dport = np.where(has_ports, halves[:, 1], 0).astype(np.uint16)
    one_way = _icmp_ports(header, proto, version, available, sport, dport)
    header_len, needed = _lengths(header, proto, version, available)
    wire = network.transport_len[rows]
    stated = np.where(udp & (halves[:, 2] >= 8), np.minimum(halves[:, 2], wire), wire)
    payload_len = np.maximum(stated - header_len, 0)
    short = (available < needed) & ~later & ~broken
    short_offset = tcp & ~short & ~later & ~broken & (header_len < 20)
    payload_len[short | short_offset | later | broken | network.fragment[rows]] = 0
    captured = np.clip(network.end[rows] - at - header_len, 0, payload_len)
    flagged, sequenced = tcp & (available >= 14), tcp & (available >= 12)
    partial = _partial(batch, rows, network, short, short_offset)
    packets = PacketBatch(
        buffer=batch.buffer,
        frame=frame,
        ts_ns=batch.ts_ns[rows],
        version=version,
        proto=proto,
        sport=sport,
        dport=dport,
        one_way=one_way,
        tcp_flags=np.where(flagged, header[:, 13], 0).astype(np.uint8),
        tcp_seq=np.where(sequenced, words[:, 1], 0).astype(np.uint32),
        tcp_ack=np.where(sequenced, words[:, 2], 0).astype(np.uint32),
        payload=at + header_len,
        payload_cap=captured,
        payload_len=payload_len,
        depth=np.full(len(rows), depth, np.uint8),
        carrier=np.zeros(len(rows), np.bool_),
        sealed=np.zeros(len(rows), np.uint8),
        **{name: getattr(network, name)[rows] for name in OF_NETWORK},
    )
    return packets, partial


def _headers(buffer: U8, at: I64) -> U8:
    """(n, 20) bytes from `at`."""
    view = np.ndarray((len(buffer) - 19,), "V20", buffer=buffer.data, strides=(1,))
    return view[np.minimum(at, len(buffer) - 20)].view(np.uint8).reshape(-1, 20)


def _icmp_ports(header: U8, proto: U8, version: U8, available: I64, sport: U16, dport: U16) -> Bool:
    """Writes type and answering type where ports would be; True for types that none answers."""
    one_way = np.zeros(len(proto), np.bool_)
    for number, table in COUNTERPART.items():
        rows = np.flatnonzero(_is_icmp(number, proto, version) & (available >= 2))
        if len(rows):
            answer = table[header[rows, 0]]
            sport[rows] = header[rows, 0]
            dport[rows] = np.where(answer < 0, header[rows, 1], answer)
            one_way[rows] = answer < 0
    return one_way


def _is_icmp(number: int, proto: U8, version: U8) -> Bool:
    """(n,) True where protocol `number` is the ICMP that belongs to the packet's IP version."""
    found: Bool = (proto == number) & (version == (4 if number == ICMP else 6))
    return found


def _lengths(header: U8, proto: U8, version: U8, available: I64) -> tuple[I64, I64]:
    """Transport header length of each packet, and the bytes without which it is not whole."""
    offset = np.where(available >= 13, header[:, 12] >> 4, 0).astype(np.int64) * 4
    tcp, udp = proto == TCP, proto == UDP
    icmp = _is_icmp(ICMP, proto, version) | _is_icmp(ICMPV6, proto, version)
    header_len = np.where(tcp, offset, np.where(udp, 8, np.where(icmp, ICMP_HEADER, 0)))
    ported = np.where(np.isin(proto, PORTED), 4, 0)
    needed = np.where(tcp, 20, np.where(udp, 8, np.where(icmp, 2, ported)))
    return header_len, needed


def _partial(
    batch: FrameBatch, rows: I64, network: NetworkColumns, short: Bool, short_offset: Bool
) -> U8:
    cut = batch.caplen[rows] < batch.wirelen[rows]
    why = np.where(cut, ledger.HEADER_CUT, ledger.HEADER_MALFORMED)
    routed = np.where(network.routed[rows], ledger.SOURCE_ROUTED, ledger.WHOLE)
    chain = network.chain[rows]
    partial = np.where(short, why, np.where(chain == ledger.WHOLE, routed, chain))
    partial = np.where(short_offset, ledger.HEADER_MALFORMED, partial)
    return np.where(network.fragment[rows], ledger.FRAGMENT, partial).astype(np.uint8)
