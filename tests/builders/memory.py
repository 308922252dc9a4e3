"""Memory of this process at known addresses, up to the last byte that can be read."""

import ctypes
import mmap

from egress_audit.record import syscalls

_KEPT: list[object] = []
"""What the addresses that were given out point to; lives as long as the process."""


def placed(data: bytes) -> int:
    """The address of a copy of these bytes."""
    buffer = ctypes.create_string_buffer(data, len(data))
    _KEPT.append(buffer)
    return ctypes.addressof(buffer)


def before_the_end(data: bytes, beyond: bytes = b"") -> int:
    """The address of bytes that end where a page does.

    `beyond` begins the page behind; without it that page cannot be read.
    """
    area = mmap.mmap(-1, 4 * mmap.PAGESIZE)
    border = ctypes.addressof(ctypes.c_char.from_buffer(area)) + 2 * mmap.PAGESIZE
    ctypes.memmove(border - len(data), data, len(data))
    ctypes.memmove(border, beyond, len(beyond))
    if not beyond:
        closed = syscalls.libc().mprotect(ctypes.c_void_p(border), mmap.PAGESIZE, 0)
        syscalls.checked(closed, "mprotect")
    _KEPT.append(area)
    return border - len(data)
