"""The few segments that are looked at for names, by segments.c. HOT PATH."""

from typing import Any

import numpy as np
import numpy.typing as npt

from egress_audit.columns import I32, I64, U8, U32, Bool, PacketBatch
from egress_audit.compiled.bounds import refuse_strange_indexes
from egress_audit.compiled.library import address, addresses, function


def rows_of_segments(
    packets: PacketBatch, flow: I64, by_orig: Bool, stage: U8
) -> tuple[I64, I64, I64, I64, I64]:
    """(n,) side of each packet; rows of segments with payload, of those whose side is not sated, of
    the first of each side that is new, and of SYNs.

    flow, by_orig: (n,); stage: of each side, 0 for new ones and 2 for those that are sated; the
    same afterwards, but not meanwhile.
    """
    count = len(packets)
    columns: list[tuple[npt.NDArray[Any], npt.DTypeLike]] = [
        (np.ascontiguousarray(packets.proto), np.uint8),
        (np.ascontiguousarray(packets.tcp_flags), np.uint8),
        (np.ascontiguousarray(packets.payload_len), np.int64),
        (flow, np.int64),
        (by_orig, np.bool_),
    ]
    given = addresses(columns, count)
    side, *rows = (np.empty(count, np.int64) for _ in range(5))
    out = addresses([(one, np.int64) for one in rows], count)
    counts = np.empty(4, np.uint64)
    function("rows_of_segments", "pnpnppp")(
        address(given, np.uint64, len(given)),
        count,
        address(stage, np.uint8, len(stage)),
        len(stage),
        address(side, np.int64, count),
        address(out, np.uint64, len(out)),
        address(counts, np.uint64, len(counts)),
    )
    payload, hungry, first, syn = (
        one[:some].copy() for one, some in zip(rows, counts.tolist(), strict=True)
    )
    return side, payload, hungry, first, syn


def note_syns(
    packets: PacketBatch,
    side: I64,
    syns: I64,
    payload: I64,
    known: tuple[U32, U8],
    limit: int,
) -> list[int]:
    """Notes what SYNs say of where streams begin; the sides whose SYN says something else than is
    known, maybe more than once.

    side: (n,); syns, payload: rows; known: where the stream of each side begins, and how that is
    known, written; limit: how far in front of data a SYN may lie.
    """
    refuse_strange_indexes(syns, len(side))
    refuse_strange_indexes(payload, len(side))
    origin, how = known
    refuse_strange_indexes(side[syns], len(how))
    refuse_strange_indexes(side[payload], len(how))
    places = addresses([(origin, np.uint32), (how, np.uint8)], len(how))
    sequence, odd = np.ascontiguousarray(packets.tcp_seq), np.empty(len(syns), np.int64)
    found = function("note_syns", "pppnpnpnp")(
        address(sequence, np.uint32, len(side)),
        address(side, np.int64, len(side)),
        address(syns, np.int64, len(syns)),
        len(syns),
        address(payload, np.int64, len(payload)),
        len(payload),
        address(places, np.uint64, len(places)),
        limit,
        address(odd, np.int64, len(syns)),
    )
    sides: list[int] = odd[:found].tolist()
    return sides


def near_beginnings(
    packets: PacketBatch,
    side: I64,
    rows: I64,
    begun: tuple[Bool, Bool, U32],
    remembered: int,
) -> tuple[I64, I32]:
    """Of rows of segments with payload those that begin before the first `remembered` bytes of
    their stream end, and how far behind its first one, (m,).

    side: (n,); begun: of each side, whether its beginning is remembered, whether that does not
    matter any more, and the sequence number of its first byte.
    """
    refuse_strange_indexes(rows, len(side))
    count, (printed, contradicted, origin) = len(rows), begun
    flags, sequence = (
        np.ascontiguousarray(column) for column in (packets.tcp_flags, packets.tcp_seq)
    )
    sides = len(printed)
    known = addresses([(printed, np.bool_), (contradicted, np.bool_), (origin, np.uint32)], sides)
    near, offset = np.empty(count, np.int64), np.empty(count, np.int32)
    found = function("near_beginnings", "ppppnpnnpp")(
        address(flags, np.uint8, len(side)),
        address(sequence, np.uint32, len(side)),
        address(side, np.int64, len(side)),
        address(rows, np.int64, count),
        count,
        address(known, np.uint64, len(known)),
        sides,
        remembered,
        address(near, np.int64, count),
        address(offset, np.int32, count),
    )
    return near[:found].copy(), offset[:found].copy()
