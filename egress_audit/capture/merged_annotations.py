"""What stands beside the frames of captures that are merged: it moves with them. HOT PATH."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from egress_audit.columns import I64, Annotations, FrameBatch


def annotations_of(batch: FrameBatch, first: int, end: int, section: int) -> Annotations | None:
    """What stands beside the frames of the rows from `first` to before `end`; None if nothing can.

    section: number, among those of all files, of the first section of this one.
    """
    beside = batch.annotations
    if beside is None:
        return None
    row = beside.frame - batch.first_frame
    kept = np.flatnonzero((row >= first) & (row < end))
    return Annotations(
        frame=beside.frame[kept],
        code=beside.code[kept],
        offset=beside.offset[kept],
        length=beside.length[kept],
        big_endian=beside.big_endian[kept],
        section=beside.section[kept] + section,
    )


def renumbered(beside: Annotations | None, by: int) -> Annotations | None:
    """The same beside frames whose numbers are higher by so many."""
    return None if beside is None else replace(beside, frame=beside.frame + by)


def extent_of(part: FrameBatch) -> tuple[int, int]:
    """The bytes of the buffer that a batch needs: its frames, and what stands beside them."""
    begin, end = int(part.offset.min()), int((part.offset + part.caplen).max())
    beside = part.annotations
    if beside is None or not len(beside):
        return begin, end
    last = int((beside.offset + beside.length).max())
    return min(begin, int(beside.offset.min())), max(end, last)


def joined_annotations(
    moved: Sequence[tuple[FrameBatch, int]], order: I64, first_frame: int
) -> Annotations | None:
    """What stands beside the frames of all parts, once they are one; None if nothing can.

    moved: each part, and how far its bytes moved; order: of each merged frame, its row among those
    of all parts, one after the other.
    """
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    found, row = [], 0
    for part, by in moved:
        beside = part.annotations
        if beside is not None:
            frame = first_frame + place[row + beside.frame - part.first_frame]
            found.append(replace(beside, frame=frame, offset=beside.offset + by))
        row += len(part)
    if not found:
        return None
    names = ("frame", "code", "offset", "length", "big_endian", "section")
    return Annotations(*(np.concatenate([getattr(each, name) for each in found]) for name in names))
