"""Loads the compiled hot path, if it is there and made of the sources beside it.

The library is a shared object of plain C functions on columns that numpy owns: it opens nothing,
keeps nothing, and gives the results that the code in numpy gives, which stays the engine of record.
Where it is missing, stale, foreign or switched off, every caller does without. It is loaded by
ctypes, and is no extension module: so it needs a C compiler and no headers of Python to be made,
knows nothing of Python, and serves every version of it.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from egress_audit.columns import U64
from egress_audit.compiled.sources import LIBRARY, mark_of_sources

SWITCH = "EGRESS_AUDIT_COMPILED"
"""Environment variable: `0` switches the compiled hot path off."""
KINDS = {"p": ctypes.c_void_p, "n": ctypes.c_uint64}
"""Letters of a signature: the address of a column, and a number."""
_from_buffer, _addressof = (ctypes.c_char * 0).from_buffer, ctypes.addressof
"""Tell where a column lies that may be written to; numpy's own way takes three times as long."""

Function = Callable[..., int]


@cache
def is_in_use() -> bool:
    """True if the library is there, is made of these sources, and is not switched off.

    Remembered: it is asked a dozen times a batch, and the environment is slow to look up.
    """
    return os.environ.get(SWITCH) != "0" and _library() is not None


@cache
def function(name: str, signature: str) -> Function:
    """A function of the library, which must be in use.

    signature: its arguments, a letter of KINDS each; it returns a number without sign.
    """
    found = getattr(_library(), name)
    found.argtypes = [KINDS[letter] for letter in signature]
    found.restype = ctypes.c_uint64
    return found  # type: ignore[no-any-return]


def address(column: npt.NDArray[Any], dtype: npt.DTypeLike, rows: int) -> int:
    """Where a column begins in memory, which C may read and write that far.

    Raises ValueError unless it is contiguous, of this type, and of at least so many rows. The
    caller keeps the column alive until C has returned.
    """
    if column.dtype == dtype and column.size >= rows:
        try:
            return _addressof(_from_buffer(column))  # type: ignore[arg-type]
        except TypeError:  # It may only be read, or is not contiguous.
            if column.flags.c_contiguous:
                found: int = column.ctypes.data
                return found
    raise ValueError(f"no column of {rows} rows of {np.dtype(dtype)}")


def addresses(columns: Sequence[tuple[npt.NDArray[Any], npt.DTypeLike]], rows: int) -> U64:
    """`address` of several columns of so many rows each, as C has them in a struct of pointers."""
    return np.array([address(column, dtype, rows) for column, dtype in columns], np.uint64)


@cache
def _library() -> ctypes.CDLL | None:
    """The library. Its mark is looked for before it is loaded: loading runs what is in it."""
    try:
        if mark_of_sources().encode() not in LIBRARY.read_bytes():
            return None
        return ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
