"""Disks that are full or slow, as streams."""

import errno
import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class FullDisk(io.BytesIO):
    """Has room for so many bytes; takes a part of what does not fit, then refuses the rest."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, data: "ReadableBuffer", /) -> int:
        left = self.room - self.tell()
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(bytes(data)[:left])


class SlowDisk(io.BytesIO):
    """Takes three bytes at a time."""

    def write(self, data: "ReadableBuffer", /) -> int:
        return super().write(bytes(data)[:3])
