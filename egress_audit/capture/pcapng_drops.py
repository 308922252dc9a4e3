"""Losses that pcapng states beside single frames (epb_dropcount), and who sent them. HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.3 (options of the EPB), §3.5 (options); for the options of
processes see pcapng_processes.py.
"""

from dataclasses import field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from egress_audit.capture.pcapng_blocks import LEAVES_BLOCK
from egress_audit.capture.pcapng_frames import HEAD, FrameColumns
from egress_audit.capture.walk import Octets
from egress_audit.columns import I64, U16, Annotations, Bool
from egress_audit.values import dataclass

T = TypeVar("T", bound=np.generic)

EPB_DROPCOUNT = 4
TELLING = np.zeros(1 << 16, np.bool_)
"""By option code, whether it may say who sent the frame: comment, epb_processid_threadid, the
connection and process of Hone, the process and effective process of Apple."""
TELLING[[1, 8, 257, 258, 0x8001, 0x8003]] = True
MAX_FRAME_OPTIONS = 4096
"""Options looked at in each frame; the writers known use up to five."""

Notes = list[tuple[int, str]]
"""Place in the buffer of a frame block, and what is damaged in its options."""


@dataclass(slots=True)
class Told:
    """Options that may say who sent a frame; parts of equal length, one for each step."""

    row: list[I64] = field(default_factory=list)
    """Of the frame, within the columns."""
    at: list[I64] = field(default_factory=list)
    """Place of the option in the buffer."""
    code: list[U16] = field(default_factory=list)
    length: list[I64] = field(default_factory=list)

    def annotations(self, columns: FrameColumns, first: int, section: I64) -> Annotations | None:
        """The options as rows; first: number of the first frame; section: of each frame."""
        if not self.row:
            return None
        row = np.concatenate(self.row)
        return Annotations(
            frame=row + first,
            code=np.concatenate(self.code),
            offset=np.concatenate(self.at) + 4,
            length=np.concatenate(self.length),
            big_endian=columns.big_endian[row],
            section=section[row],
        )


def drops_beside(buffer: Octets, columns: FrameColumns) -> tuple[I64, Notes, Told]:
    """Lost frames stated beside each frame, from its drop count option or field; 0 if none is.

    Then the frames beside which a loss may be stated that cannot be read, and the options that may
    say who sent. Walks the options of all frames in step, so its cost is that of the longest list.
    """
    drops, notes, told = columns.drops_beside.copy(), Notes(), Told()
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
        telling = np.flatnonzero(whole & TELLING[code])
        if len(telling):
            told.row.append(active[telling])
            told.at.append(at[telling])
            told.code.append(code[telling])
            told.length.append(length[telling])
        cut = _blocks(columns, active[~whole & (code != 0)])
        notes += [(place, LEAVES_BLOCK) for place in cut]
        cursor[active] = at + 4 + (length + 3 & ~3)
        more = whole & (code != 0) & (cursor[active] + 4 <= columns.block_end[active])
        active = active[more]
    endless = _blocks(columns, active)
    return drops, notes + [(place, "options that do not end") for place in endless], told


def _blocks(columns: FrameColumns, rows: I64) -> list[int]:
    places: list[int] = (columns.offset[rows] - HEAD).tolist()
    return places


def _ordered(values: "npt.NDArray[T]", big: Bool) -> "npt.NDArray[T]":
    return np.where(big, values.byteswap(), values) if big.any() else values
