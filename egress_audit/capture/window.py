"""A reused buffer that slides over an input once, hashing what it reads. HOT PATH.

Memory is bounded by the buffer, never by the input: whole blocks are read into one bytearray, and
the tail that no record covers yet is moved to its front. Memory-mapping was measured slower, and
bytes that somebody could change between the hash and the reader would prove nothing. The hash is
most of the cost of reading, whatever the block: it needs as long for bytes that lie in a cache.

What is read lies as far behind the start of a page in memory as in the file. Where it lay some
bytes further, the kernel copied at a tenth of the speed (x86-64 takes the bytes that it reads for
those that it has just written, 4096 further): 0.1 s for 1.1 GB if they agree, up to 2 s if not.
"""

import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from egress_audit.columns import PADDING, U8
from egress_audit.model.destination import Absent

PAGE = 4096
"""Bytes of a page of memory, or of several."""
BLOCK = 10 << 20
"""Bytes read at a time. Everything behind works on whole blocks: 6 MB cost a twentieth more time
from reading to flows, 2 MB a fifth; 12 MB no less, and of a scan, whose flows are a row a packet,
40 MB more memory (eight interleaved runs each)."""

Stream = BinaryIO | io.RawIOBase
"""An input that gives bytes, and none only at its end."""


class Hash:
    """The SHA-256 of what it is given (FIPS 180-4), or none."""

    def __init__(self, wanted: bool) -> None:
        self._sha256 = hashlib.sha256() if wanted else None

    def take(self, part: bytes | memoryview) -> None:
        """Goes on with some bytes."""
        if self._sha256 is not None:
            self._sha256.update(part)

    @property
    def digest(self) -> str | Absent:
        """In hexadecimal, of everything so far; NOT_ASKED if none is wanted."""
        return Absent.NOT_ASKED if self._sha256 is None else self._sha256.hexdigest()


class CountedStream(io.RawIOBase):
    """A stream that tells how many bytes each reading gave."""

    def __init__(self, stream: Stream, on_bytes: Callable[[int], None]) -> None:
        super().__init__()
        self._stream = stream
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, room: "io.WriteableBuffer") -> int:  # type: ignore[name-defined]
        """What the stream gives; 0 at its end."""
        got: int = self._stream.readinto(room) or 0  # type: ignore[union-attr]
        self._on_bytes(got)
        return got

    def close(self) -> None:
        """Closes the stream too."""
        self._stream.close()
        super().close()


class Window:
    """The part of an input that is in memory: `buffer[:end]`, which begins at `base` in the input.

    Raises OSError while reading if the input fails.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        block: int = BLOCK,
        stalled: Callable[[], bool] = lambda: False,
        hashed: bool = True,
    ) -> None:
        """stalled: whether reading on would wait, so that what is there is looked at first."""
        self._stream = stream
        self._stalled = stalled
        self._hash = Hash(hashed)
        self._at_end = False
        self._allocate(block)
        self.base = 0
        """Offset in the input of `buffer[0]`."""
        self._place()
        self.end = 0
        """Valid bytes in `buffer`."""
        self._fill()

    def _allocate(self, size: int) -> None:
        self.capacity = size
        """Bytes that fit without growing."""
        # Of a small capture most of the room is never touched, and takes no time to be made.
        self._room: U8 = np.zeros(size + PADDING + 2 * PAGE, np.uint8)
        self._page = -self._room.ctypes.data % PAGE
        """Where the first page of the room begins."""

    def _place(self) -> None:
        """Puts the buffer where the rest of the input can be copied to at full speed."""
        begin = self._page + self.base % PAGE
        self.buffer = self._room.data[begin : begin + self.capacity + PADDING]
        self.array: U8 = np.frombuffer(self.buffer, np.uint8)

    @property
    def size(self) -> int:
        """Bytes of the input read so far."""
        return self.base + self.end

    @property
    def sha256(self) -> str | Absent:
        """Hex digest of everything read so far; NOT_ASKED if it is not hashed."""
        return self._hash.digest

    def slide(self, consumed: int, *, room: int = 0) -> bool:
        """Drops the first `consumed` bytes and reads on; False if the input had no more.

        `room`: bytes that the next record needs in one piece; the buffer grows to hold them. The
        caller bounds it.
        """
        tail = bytes(self.buffer[consumed : self.end])
        if room > self.capacity:
            self._allocate(room)
        self.base += consumed
        self.end = len(tail)
        self._place()
        self.buffer[: self.end] = tail
        return self._fill()

    def drain(self) -> None:
        """Reads the rest of the input for its hash and size alone, closes it and lets go of it."""
        while self.slide(self.end):
            pass
        self._allocate(0)
        self._place()
        self.close()

    def close(self) -> None:
        """Closes the input; what was read stays readable."""
        self._stream.close()

    def _fill(self) -> bool:
        before = self.end
        room = self.buffer
        while not self._at_end and self.end < self.capacity:
            got = self._stream.readinto(room[self.end : self.capacity])  # type: ignore[union-attr]
            if not got:
                self._at_end = True
                break
            self._hash.take(room[self.end : self.end + got])
            self.end += got
            if self._stalled():
                break
        self.array[self.end : self.end + PADDING] = 0
        return self.end > before
