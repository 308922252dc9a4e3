"""Losses that pcapng states beside single frames (epb_dropcount). HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.3 (options of the EPB), §3.5 (options).
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from egress_audit.capture.pcapng_frames import FrameColumns
from egress_audit.columns import I64, Bool

T = TypeVar("T", bound=np.generic)

EPB_DROPCOUNT = 4
MAX_FRAME_OPTIONS = 32
"""Options looked at in each frame; the writers known use up to five."""


def drops_beside(buffer: bytearray, columns: FrameColumns) -> I64:
    """Lost frames stated beside each frame, from its drop count option or field; 0 if none is.

    Walks the options of all frames in step, so its cost is that of the longest list.
    """
    drops = columns.drops_beside.copy()
    cursor = columns.offset + (columns.caplen + 3 & ~3)
    active = np.flatnonzero(cursor + 4 <= columns.block_end)
    halves = np.ndarray((len(buffer) - 1,), "<u2", buffer=buffer, strides=(1,))
    eights = np.ndarray((len(buffer) - 7,), "<u8", buffer=buffer, strides=(1,))
    for _ in range(MAX_FRAME_OPTIONS):
        if not len(active):
            break
        at, big = cursor[active], columns.big_endian[active]
        code = _ordered(halves[at], big)
        length = _ordered(halves[at + 2], big).astype(np.int64)
        whole = at + 4 + length <= columns.block_end[active]
        counts = whole & (code == EPB_DROPCOUNT) & (length == 8)
        if counts.any():
            lost = _ordered(eights[at[counts] + 4], big[counts])
            drops[active[counts]] += np.minimum(lost, np.uint64(1 << 40)).astype(np.int64)
        cursor[active] = at + 4 + (length + 3 & ~3)
        more = whole & (code != 0) & (cursor[active] + 4 <= columns.block_end[active])
        active = active[more]
    return drops


def _ordered(values: "npt.NDArray[T]", big: Bool) -> "npt.NDArray[T]":
    return np.where(big, values.byteswap(), values) if big.any() else values
