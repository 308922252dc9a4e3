"""IPv4 and IPv6 headers, whole columns at a time. HOT PATH.

Sources: RFC 791 (IPv4), RFC 8200 (IPv6 and its extension headers), RFC 4302, 6275, 7401, 5533
(further extension headers). Anything that is not the shape RFCs give it has an outcome that says
so.
"""

import numpy as np

from egress_audit.columns import I64, U8, U64, Bool, FrameBatch, rows_of
from egress_audit.decode import ledger
from egress_audit.decode.exact import (
    AUTHENTICATION,
    IS_EXTENSION,
    source_routed,
    transport_behind,
)
from egress_audit.decode.link import LinkColumns
from egress_audit.values import dataclass


@dataclass(slots=True)
class NetworkColumns:
    """The IP header of each frame, one row a frame; rows that are no packet hold zeros."""

    outcome: I64
    version: U8
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64
    proto: U8
    ip_len: I64
    transport: I64
    """First byte behind the IP headers, into the buffer."""
    transport_len: I64
    """Bytes behind the IP headers on the wire."""
    end: I64
    """Where the captured bytes of the packet end, link padding left out."""
    fragment: Bool
    fragment_at: I64
    """Of fragments: the IPv4 header, or IPv6's fragment header."""
    header: I64
    """First byte of the IP header."""
    later: Bool
    """A fragment other than the first: it has no transport header."""
    routed: Bool
    """The header's destination is only the next station of a source route."""
    chain: U8
    """HEADER_CUT or HEADER_MALFORMED where an extension header could not be followed."""


def network_columns(batch: FrameBatch, link: LinkColumns) -> NetworkColumns:
    """Reads the IP header of every frame whose link header led to one."""
    count = len(batch)
    columns = NetworkColumns(
        outcome=link.outcome,
        version=np.zeros(count, np.uint8),
        src_hi=np.zeros(count, np.uint64),
        src_lo=np.zeros(count, np.uint64),
        dst_hi=np.zeros(count, np.uint64),
        dst_lo=np.zeros(count, np.uint64),
        proto=np.zeros(count, np.uint8),
        ip_len=np.zeros(count, np.int64),
        transport=np.zeros(count, np.int64),
        transport_len=np.zeros(count, np.int64),
        end=np.zeros(count, np.int64),
        fragment=np.zeros(count, np.bool_),
        fragment_at=link.network.copy(),
        header=link.network,
        later=np.zeros(count, np.bool_),
        routed=np.zeros(count, np.bool_),
        chain=np.zeros(count, np.uint8),
    )
    frame_end = batch.offset + batch.caplen
    first = batch.buffer[np.minimum(link.network, len(batch.buffer) - 1)] >> np.uint8(4)
    candidate = (columns.outcome == ledger.PACKET) & (link.network < frame_end)
    if not candidate.all():
        _refuse(columns, np.flatnonzero((columns.outcome == ledger.PACKET) & ~candidate), batch)
    version = first * candidate
    wrong = (link.version != version) & (link.version != 0) | (version != 4) & (version != 6)
    wrong &= candidate
    if wrong.any():
        columns.outcome[wrong] = ledger.IP_MALFORMED
        version[wrong] = 0
    rows4, rows6 = np.flatnonzero(version == 4), np.flatnonzero(version == 6)
    if len(rows4):
        _ipv4(batch, frame_end, columns, rows4)
    if len(rows6):
        _ipv6(batch, frame_end, columns, rows6)
    return columns


def _refuse(columns: NetworkColumns, rows: I64, batch: FrameBatch) -> None:
    """Frames that end before their IP header does: cut by the capture, or never whole."""
    cut = batch.caplen[rows] < batch.wirelen[rows]
    columns.outcome[rows] = np.where(cut, ledger.TRUNCATED, ledger.IP_MALFORMED)


def _headers(batch: FrameBatch, at: I64, width: int) -> U8:
    """(n, width) bytes from `at`."""
    rows = len(batch.buffer) - width + 1
    view = np.ndarray((rows,), f"V{width}", buffer=batch.buffer.data, strides=(1,))
    return view[at].view(np.uint8).reshape(-1, width)


def _on_wire(batch: FrameBatch, at: I64, rows: I64) -> I64:
    """Bytes of the frame on the wire from `at` on."""
    return batch.wirelen[rows] - (at - batch.offset[rows])


def _ipv4(batch: FrameBatch, frame_end: I64, columns: NetworkColumns, rows: I64) -> None:
    at, end = rows_of(columns.header, rows), rows_of(frame_end, rows)
    header = _headers(batch, at, 20)
    header_len = (header[:, 0] & np.uint8(15)).astype(np.int64) * 4
    ip_len = header.view(">u2")[:, 1].astype(np.int64)
    if not ip_len.all():
        ip_len = np.where(ip_len == 0, _on_wire(batch, at, rows), ip_len)
    short = at + np.maximum(header_len, 20) > end
    bad = short | (header_len < 20) | (ip_len < header_len)
    if bad.any():
        columns.outcome[rows[bad]] = ledger.IP_MALFORMED
        _refuse(columns, rows[short], batch)
        good = np.flatnonzero(~bad)
        rows, at, end, header = rows[good], at[good], end[good], header[good]
        header_len, ip_len = header_len[good], ip_len[good]
    addresses, proto = header.view(">u4"), header[:, 9]
    columns.version[rows] = 4
    columns.src_lo[rows] = addresses[:, 3]
    columns.dst_lo[rows] = addresses[:, 4]
    columns.proto[rows] = proto
    columns.ip_len[rows] = ip_len
    columns.transport[rows] = at + header_len
    columns.transport_len[rows] = ip_len - header_len
    columns.end[rows] = np.minimum(end, at + ip_len)
    pieces = header.view(">u2")[:, 3] & np.uint16(0x3FFF)
    if pieces.any():
        columns.fragment[rows] = pieces != 0
        columns.later[rows] = pieces & np.uint16(0x1FFF) != 0
    authenticated = np.flatnonzero(proto == AUTHENTICATION)
    if len(authenticated):
        _authenticated(batch, columns, rows[authenticated])
    optioned = np.flatnonzero(header_len > 20)
    if len(optioned):
        first = at[optioned]
        behind = first + header_len[optioned]
        columns.routed[rows[optioned]] = source_routed(batch.buffer, first + 20, behind)


def _authenticated(batch: FrameBatch, columns: NetworkColumns, rows: I64) -> None:
    """Steps over the authentication headers of IPv4 packets, which hide nothing (RFC 4302)."""
    rows = rows[~columns.later[rows]]
    at, end = columns.transport[rows], columns.end[rows]
    chain = transport_behind(batch.buffer, columns.proto[rows], at, end, (AUTHENTICATION,))
    columns.proto[rows] = chain.proto
    columns.transport[rows] = chain.at
    columns.transport_len[rows] = np.maximum(columns.transport_len[rows] - (chain.at - at), 0)
    cut = batch.caplen[rows] < batch.wirelen[rows]
    why = np.where(cut, ledger.HEADER_CUT, ledger.HEADER_MALFORMED)
    columns.chain[rows] = np.where(chain.broken, why, ledger.WHOLE)


def _ipv6(batch: FrameBatch, frame_end: I64, columns: NetworkColumns, rows: I64) -> None:
    at, end = rows_of(columns.header, rows), rows_of(frame_end, rows)
    short = at + 40 > end
    if short.any():
        _refuse(columns, rows[short], batch)
        rows, at, end = rows[~short], at[~short], end[~short]
    header = _headers(batch, at, 40)
    next_header = header[:, 6]
    ip_len = header.view(">u2")[:, 2].astype(np.int64) + 40
    unstated = (ip_len == 40) & (next_header != 59)
    if unstated.any():
        ip_len = np.where(unstated, _on_wire(batch, at, rows), ip_len)
    addresses = header.view(">u8")
    columns.version[rows] = 6
    columns.src_hi[rows], columns.src_lo[rows] = addresses[:, 1], addresses[:, 2]
    columns.dst_hi[rows], columns.dst_lo[rows] = addresses[:, 3], addresses[:, 4]
    columns.ip_len[rows] = ip_len
    end = np.minimum(end, at + ip_len)
    columns.end[rows] = end
    columns.proto[rows] = next_header
    columns.transport[rows] = at + 40
    columns.transport_len[rows] = np.maximum(ip_len - 40, 0)
    extended = np.flatnonzero(IS_EXTENSION[next_header])
    if len(extended):
        behind = at[extended] + 40, end[extended], ip_len[extended] - 40
        _extended(batch, columns, rows[extended], *behind)


def _extended(
    batch: FrameBatch, columns: NetworkColumns, rows: I64, at: I64, end: I64, length: I64
) -> None:
    """Steps over the extension headers of some IPv6 packets. length: behind the IP header."""
    chain = transport_behind(batch.buffer, columns.proto[rows], at, end)
    cut = batch.caplen[rows] < batch.wirelen[rows]
    why = np.where(cut, ledger.HEADER_CUT, ledger.HEADER_MALFORMED)
    columns.proto[rows] = chain.proto
    columns.transport[rows] = chain.at
    columns.transport_len[rows] = np.maximum(length - (chain.at - at), 0)
    columns.fragment[rows] = chain.fragment
    columns.fragment_at[rows] = chain.fragment_at
    columns.later[rows] = chain.later
    columns.routed[rows] = chain.routed
    columns.chain[rows] = np.where(chain.broken, why, ledger.WHOLE)
