"""Frames of the common form decoded by decode.c, repeated ones found by duplicates.c. HOT PATH."""

from typing import Any

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


def decoded(batch: FrameBatch) -> tuple[dict[str, Any], I64]:
    """The columns of DECODED, one row a frame, and the rows that were left, ascending.

    Left is what is not of the common form; its rows hold anything.
    """
    count = len(batch)
    frames = (
        (np.ascontiguousarray(batch.offset), np.int64),
        (np.ascontiguousarray(batch.caplen), np.int64),
        (np.ascontiguousarray(batch.linktype), np.int32),
    )
    columns = {name: np.empty(count, dtype) for name, dtype in DECODED.items()}
    left = np.empty(count, np.int64)
    given = addresses(frames, count)
    out = addresses([(columns[name], dtype) for name, dtype in DECODED.items()], count)
    size = len(batch.buffer)
    others = function("decode_frames", "pnpnpp")(
        address(batch.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        count,
        address(out, np.uint64, len(out)),
        address(left, np.int64, count),
    )
    return columns, left[:others].copy()


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
