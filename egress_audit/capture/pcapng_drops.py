"""Losses that pcapng states beside single frames (epb_dropcount). HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.3 (options of the EPB), §3.5 (options).
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from egress_audit.capture.pcapng_blocks import LEAVES_BLOCK
from egress_audit.capture.pcapng_frames import HEAD, FrameColumns
from egress_audit.columns import I64, Bool

T = TypeVar("T", bound=np.generic)

EPB_DROPCOUNT = 4
MAX_FRAME_OPTIONS = 4096
"""Options looked at in each frame; the writers known use up to five."""

Notes = list[tuple[int, str]]
"""Place in the buffer of a frame block, and what is damaged in its options."""


def drops_beside(buffer: bytearray, columns: FrameColumns) -> tuple[I64, Notes]:
    """Lost frames stated beside each frame, from its drop count option or field; 0 if none is.

    Then the frames beside which a loss may be stated that cannot be read. Walks the options of all
    frames in step, so its cost is that of the longest list.
    """
    drops, notes = columns.drops_beside.copy(), Notes()
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
        stated = whole & (code == EPB_DROPCOUNT)
        if stated.any():
            sound, odd = stated & (length == 8), stated & (length != 8)
            lost = _ordered(eights[at[sound] + 4], big[sound])
            drops[active[sound]] += np.minimum(lost, np.uint64(1 << 40)).astype(np.int64)
            sizes = zip(_blocks(columns, active[odd]), length[odd].tolist(), strict=True)
            notes += [(place, f"a drop count of {size} bytes") for place, size in sizes]
        cut = _blocks(columns, active[~whole & (code != 0)])
        notes += [(place, LEAVES_BLOCK) for place in cut]
        cursor[active] = at + 4 + (length + 3 & ~3)
        more = whole & (code != 0) & (cursor[active] + 4 <= columns.block_end[active])
        active = active[more]
    endless = _blocks(columns, active)
    return drops, notes + [(place, "options that do not end") for place in endless]


def _blocks(columns: FrameColumns, rows: I64) -> list[int]:
    places: list[int] = (columns.offset[rows] - HEAD).tolist()
    return places


def _ordered(values: "npt.NDArray[T]", big: Bool) -> "npt.NDArray[T]":
    return np.where(big, values.byteswap(), values) if big.any() else values
