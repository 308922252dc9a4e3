"""Frames that were recorded twice, as capturing on several interfaces does. HOT PATH.

A duplicate has the length and the first bytes of one of the frames just before it. The first bytes
hold IP's identification and the checksums over the rest, so that a repeated message of the same
content is not taken for one. The window is that of Wireshark's `editcap -d`.
"""

import numpy as np

from egress_audit.columns import I64, U8, U64, Bool, FrameBatch

HEAD = 64
"""Bytes compared; less than columns.PADDING, so that frames at the end may be gathered."""
WINDOW = 4
"""Frames before it that a frame is compared with."""
WEIGHTS: U64 = np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 2 * HEAD // 8, 2, dtype=np.uint64)
"""Odd multipliers of the eight words of a head: only to find candidates, which are compared."""


def duplicates(batch: FrameBatch) -> Bool:
    """(frames,) True for each frame that repeats one of the WINDOW frames before it."""
    heads = _heads(batch)
    mark = (heads.view("<u8") * WEIGHTS).sum(axis=1, dtype=np.uint64)
    mark += batch.caplen.astype(np.uint64) << np.uint64(32) | batch.wirelen.astype(np.uint64)
    repeated: Bool = np.zeros(len(batch), np.bool_)
    for back in range(1, min(WINDOW, len(batch) - 1) + 1):
        rows = np.flatnonzero(mark[:-back] == mark[back:])
        if len(rows):
            repeated[(rows + back)[_same(batch, heads, rows, rows + back)]] = True
    return repeated


def _heads(batch: FrameBatch) -> U8:
    """(frames, HEAD) first bytes of each frame, zeros behind its end."""
    count = len(batch.buffer) - HEAD + 1
    view = np.ndarray((count,), f"V{HEAD}", buffer=batch.buffer.data, strides=(1,))
    heads: U8 = view[batch.offset].view(np.uint8).reshape(-1, HEAD)
    short = np.flatnonzero(batch.caplen < HEAD)
    if len(short):
        heads[short] *= np.arange(HEAD) < batch.caplen[short, None]
    return heads


def _same(batch: FrameBatch, heads: U8, first: I64, second: I64) -> Bool:
    """(n,) True where two frames agree in everything that is compared."""
    same: Bool = (heads[first] == heads[second]).all(axis=1)
    same &= batch.caplen[first] == batch.caplen[second]
    same &= batch.wirelen[first] == batch.wirelen[second]
    return same
