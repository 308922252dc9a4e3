"""Room for columns of one row a flow or a key, that grow with the capture. HOT PATH.

Each long column has pages of its own. In the heap the room that a column leaves when it grows is
seldom reused and never given back: of three million flows that was a quarter of the memory.
"""

import mmap
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

OWN_PAGES = 1 << 20
"""Bytes from which on a column has pages of its own."""


def zeros(count: int, dtype: np.dtype[Any]) -> Any:
    """(count,) of 0. What has not been written to takes no memory if it is long."""
    size = count * dtype.itemsize
    return (
        np.frombuffer(_pages(size), dtype, count) if size >= OWN_PAGES else np.zeros(count, dtype)
    )


def grown(column: Any, needed: int) -> Any:
    """The column if it has room for so many rows, else one of at least twice its room.

    Behind what was there stands 0.
    """
    room = len(column)
    if needed <= room:
        return column
    wider = zeros(max(needed, 2 * room), column.dtype)
    wider[:room] = column
    return wider


def grow_together(owner: object, columns: Iterable[str], needed: int) -> None:
    """Makes room for so many rows in some columns of an object. columns: names of attributes."""
    for name in columns:
        setattr(owner, name, grown(getattr(owner, name), needed))


def let_go(owner: object, columns: Iterable[str]) -> None:
    """Leaves some columns of an object without rows, and nothing of their memory in use."""
    for name in columns:
        setattr(owner, name, getattr(owner, name)[:0].copy())


def _pages(size: int) -> mmap.mmap:
    """Pages of this process alone, given back when nothing refers to them."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size)
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
