"""Frames that were recorded twice, as capturing on several interfaces does. HOT PATH.

A duplicate has the length and the first bytes of one of the frames just before it. The first bytes
hold IP's identification and the checksums over the rest, so that a repeated message of the same
content is not taken for one. The window is that of Wireshark's `editcap -d`.
"""

import numpy as np

from egress_audit.columns import I64, U8, U64, Bool, FrameBatch
from egress_audit.compiled import frames, library

HEAD = 96
"""Bytes compared; less than columns.PADDING, so that frames at the end may be gathered. They hold
the checksum of TCP over IPv6, behind two tags of a VLAN or the header of a cooked capture too."""
MARKED = 64
"""Bytes before the end of which a frame is marked: those that the decoder has just read."""
WINDOW = 4
"""Frames before it that a frame is compared with."""
WORD, BACK = 8, 24
"""Bytes of a word of a mark, and how far before its end the first of two lies: there stand sequence
numbers, checksums or what is carried."""
WEIGHT = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier of the first word."""


Frame = tuple[bytes, int, int]
"""What is compared of one frame: its first bytes, and its captured length and that on the wire."""


class Duplicates:
    """Finds them in the batches of one capture, wherever one batch ends and the next begins."""

    def __init__(self) -> None:
        self._last: list[Frame] = []
        """The last WINDOW frames of the batches before."""

    def take(self, batch: FrameBatch) -> Bool:
        """(frames,) True for each frame that repeats one of the WINDOW frames before it."""
        repeated = frames.repeated(batch) if library.is_in_use() else _inside(batch)
        count = len(batch)
        first = _frames(batch, range(min(WINDOW, count)))
        before = self._last + first
        for row, frame in enumerate(first):
            place = len(self._last) + row
            repeated[row] |= frame in before[max(place - WINDOW, 0) : place]
        last = _frames(batch, range(max(count - WINDOW, 0), count))
        self._last = (self._last + last)[-WINDOW:]
        return repeated


def _frames(batch: FrameBatch, rows: range) -> list[Frame]:
    """What is compared of these frames."""
    found = []
    for row in rows:
        start, caplen = int(batch.offset[row]), int(batch.caplen[row])
        head = batch.buffer[start : start + min(caplen, HEAD)].tobytes()
        found.append((head, caplen, int(batch.wirelen[row])))
    return found


def _inside(batch: FrameBatch) -> Bool:
    """The same of the frames of one batch alone."""
    mark = _marks(batch)
    repeated: Bool = np.zeros(len(batch), np.bool_)
    backs = range(1, min(WINDOW, len(batch) - 1) + 1)
    first = [np.flatnonzero(mark[:-back] == mark[back:]) for back in backs]
    second = [rows + back for back, rows in zip(backs, first, strict=True)]
    if any(map(len, first)):
        later = np.concatenate(second)
        repeated[later[_same(batch, np.concatenate(first), later)]] = True
    return repeated


def _marks(batch: FrameBatch) -> U64:
    """(frames,) numbers that are equal for duplicates, and seldom for other frames."""
    buffer = batch.buffer
    words: U64 = np.ndarray((len(buffer) - WORD + 1,), "<u8", buffer.data, 0, (1,))
    end = batch.offset + np.minimum(batch.caplen, MARKED)
    mark = words[end - BACK] * WEIGHT
    mark ^= words[end - WORD]
    mark += batch.caplen.view(np.uint64)
    short = batch.caplen < BACK
    if short.any():
        mark[short] = 0
    return mark


def _heads(batch: FrameBatch, rows: I64) -> U8:
    """(rows, HEAD) first bytes of some frames, zeros behind their ends."""
    count = len(batch.buffer) - HEAD + 1
    view = np.ndarray((count,), f"V{HEAD}", buffer=batch.buffer.data, strides=(1,))
    heads: U8 = view[batch.offset[rows]].view(np.uint8).reshape(-1, HEAD)
    short = np.flatnonzero(batch.caplen[rows] < HEAD)
    heads[short] *= np.arange(HEAD) < batch.caplen[rows[short], None]
    return heads


def _same(batch: FrameBatch, first: I64, second: I64) -> Bool:
    """(n,) True where two frames agree in everything that is compared."""
    same: Bool = (_heads(batch, first) == _heads(batch, second)).all(axis=1)
    same &= batch.caplen[first] == batch.caplen[second]
    same &= batch.wirelen[first] == batch.wirelen[second]
    return same
