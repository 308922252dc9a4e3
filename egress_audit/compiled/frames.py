"""Frames of the common form decoded by decode.c, repeated ones found by duplicates.c. HOT PATH."""

from typing import Any, NamedTuple

import numpy as np

from egress_audit.columns import I64, Bool, FrameBatch
from egress_audit.compiled.library import address, addresses, function

DECODED: dict[str, type[np.generic]] = {
    "version": np.uint8,
    "src_hi": np.uint64,
    "src_lo": np.uint64,
    "dst_hi": np.uint64,
    "dst_lo": np.uint64,
    "proto": np.uint8,
    "sport": np.uint16,
    "dport": np.uint16,
    "ip_len": np.int64,
    "tcp_flags": np.uint8,
    "tcp_seq": np.uint32,
    "tcp_ack": np.uint32,
    "payload": np.int64,
    "payload_cap": np.int64,
    "payload_len": np.int64,
}
"""Columns of PacketBatch that are read, in the order of C's struct packet_columns."""


class Decoded(NamedTuple):
    """What was decoded, and what not."""

    columns: dict[str, Any]
    """Those of DECODED, one row a frame; the rows that were left hold anything."""
    left: I64
    """Rows of what is not of the common form, ascending."""
    cut: int
    """Decoded frames that have less of their packet than was on the wire."""
    stays: bool
    """Some decoded packet may be of or for its own machine alone: decode.astray and sent_here look
    closer."""


def decoded(batch: FrameBatch) -> Decoded:
    """The frames of the common form."""
    count = len(batch)
    frames = (
        (np.ascontiguousarray(batch.offset), np.int64),
        (np.ascontiguousarray(batch.caplen), np.int64),
        (np.ascontiguousarray(batch.wirelen), np.int64),
        (np.ascontiguousarray(batch.linktype), np.int32),
    )
    columns = {name: np.empty(count, dtype) for name, dtype in DECODED.items()}
    left, found = np.empty(count, np.int64), np.empty(2, np.uint64)
    given = addresses(frames, count)
    out = addresses([(columns[name], dtype) for name, dtype in DECODED.items()], count)
    size = len(batch.buffer)
    others = function("decode_frames", "pnpnppp")(
        address(batch.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        count,
        address(out, np.uint64, len(out)),
        address(left, np.int64, count),
        address(found, np.uint64, 2),
    )
    cut, stays = found.tolist()
    return Decoded(columns, left[:others].copy(), cut, stays != 0)


def repeated(batch: FrameBatch) -> Bool:
    """(frames,) True for each frame that repeats one of the four before it in the batch, as far as
    decode.duplicates compares them. By duplicates.c."""
    count, size = len(batch), len(batch.buffer)
    columns = [np.ascontiguousarray(c) for c in (batch.offset, batch.caplen, batch.wirelen)]
    given = addresses([(column, np.int64) for column in columns], count)
    found = np.empty(count, np.bool_)
    function("repeated_frames", "pnpnp")(
        address(batch.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        count,
        address(found, np.bool_, count),
    )
    return found
