"""gzip, zstd, xz and bzip2 around a capture, unpacked while it is read and in bounded memory.

Hash and size of the evidence are those of the file as it lies on disk; offsets of damage are those
of what was in it. Whatever is wrong with the packing ends the capture there, as damage does.
"""

import io
from collections.abc import Callable
from dataclasses import replace

from egress_audit.capture.packings import (
    LONGEST_MAGIC,
    MAX_WINDOW,
    Packing,
    unpacking_errors,
    wants_memory,
)
from egress_audit.capture.window import BLOCK, Hash, Stream, Window
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, Damage

INPUT = 16 << 10
"""Packed bytes read at a time. A member may be 20 bytes long, and each copies what follows it in
its piece, so that larger pieces would make millions of empty members slow."""
OUTPUT = 1 << 20
"""Unpacked bytes asked for at a time."""
MAX_RATIO = 500
"""A file that unpacks to more than this many times its size is a bomb, not a capture: identical
frames without payload pack 200-fold."""
RATIO_APPLIES = 256 << 20
"""Unpacked bytes up to which no ratio is looked at."""


class Origin:
    """A packed input: some bytes that were read already, then the rest of a stream."""

    def __init__(self, head: bytes, stream: Stream, *, hashed: bool = True) -> None:
        self._head, self._at = head, 0
        self._stream = stream
        self._hash = Hash(hashed)
        self.size = 0
        """Bytes read so far."""

    @property
    def sha256(self) -> str | Absent:
        """Hex digest of everything read so far; NOT_ASKED if it is not hashed."""
        return self._hash.digest

    @property
    def stalled(self) -> bool:
        """No more can be read at once without waiting."""
        stalled: Callable[[], bool] = getattr(self._stream, "stalled", lambda: False)
        return not self._head and stalled()

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none only at the end."""
        if self._head:
            part = self._head[self._at : self._at + size]
            self._at += len(part)
            if self._at >= len(self._head):
                self._head = b""
        else:
            part = self._stream.read(size) or b""
        self.size += len(part)
        self._hash.take(part)
        return part

    def drain(self) -> None:
        """Reads the rest for hash and size alone."""
        while self.read(OUTPUT):
            pass

    def close(self) -> None:
        """Closes the stream."""
        self._stream.close()


class Unpacked(io.RawIOBase):
    """What is in a packed input, member after member."""

    def __init__(self, origin: Origin, packing: Packing) -> None:
        super().__init__()
        self.origin = origin
        self.packing = packing
        self.produced = 0
        """Unpacked bytes so far."""
        self.problem = ""
        """Why it ended before its end; empty if it did not."""
        self.wants_memory = False
        """It ended because unpacking would take too much memory: nothing is wrong with it."""
        self._decoder = packing.decoder()
        self._packed = b""
        self._ready, self._at = b"", 0

    def readable(self) -> bool:
        """True."""
        return True

    def stalled(self) -> bool:
        """No more comes at once without waiting for the input."""
        waiting = self._decoder.needs_input and not self._packed
        return self._at >= len(self._ready) and waiting and self.origin.stalled

    def readinto(self, room: "io.WriteableBuffer") -> int:  # type: ignore[name-defined]
        """Fills `room` as far as it goes; 0 only at the end, or where the packing is damaged."""
        while self._at >= len(self._ready):
            if self.problem or not self._step():
                return 0
        place = memoryview(room)
        part = self._ready[self._at : self._at + len(place)]
        place[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Closes the input too."""
        self.origin.close()
        super().close()

    def amended(self, facts: CaptureFacts) -> CaptureFacts:
        """The facts of a source over it; damage of the packing is damage of the file."""
        damage = facts.damage
        if self.problem:
            damage = (*damage, Damage(self.produced, self.problem))
        detail = f"{facts.format_detail}, in {self.packing.name}"
        return replace(facts, format_detail=detail, damage=damage)

    def _step(self) -> bool:
        """Unpacks a little more, perhaps nothing; False at the end."""
        if self._decoder.eof and not self._next_member():
            return False
        packed = b""
        if self._decoder.needs_input:
            packed = self._packed or self.origin.read(INPUT)
            self._packed = b""
            if not packed:
                return self._fail("end before they are complete")
        try:
            self._ready, self._at = self._decoder.decompress(packed, OUTPUT), 0
        except unpacking_errors() as error:
            self.wants_memory = wants_memory(error)
            if self.wants_memory:
                given = f"the {MAX_WINDOW >> 20} MiB that are given"
                return self._fail(f"need more memory to be unpacked than {given}")
            return self._fail(f"are damaged ({error})")
        self.produced += len(self._ready)
        if self.produced > max(RATIO_APPLIES, MAX_RATIO * self.origin.size):
            return self._fail(f"unpack to more than {MAX_RATIO} times their size")
        return True

    def _next_member(self) -> bool:
        """Goes on with what follows a complete member, past zeros; False if nothing does."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while len(rest) < LONGEST_MAGIC and (more := self.origin.read(INPUT)):
            rest = (rest + more).lstrip(b"\0")
        if rest and not rest.startswith(self.packing.magics):
            return self._fail("are followed by something else, which was not read")
        self._decoder, self._packed = self.packing.decoder(), rest
        return bool(rest)

    def _fail(self, what: str) -> bool:
        self.problem = f"the {self.packing.name} data {what}"
        return False


class UnpackedWindow(Window):
    """A window over what is in a packed input; hash and size are those of the input."""

    def __init__(self, unpacked: Unpacked, *, block: int = BLOCK) -> None:
        self._unpacked = unpacked
        super().__init__(unpacked, block=block, stalled=unpacked.stalled, hashed=False)

    @property
    def size(self) -> int:
        """Bytes of the packed input read so far."""
        return self._unpacked.origin.size

    @property
    def sha256(self) -> str | Absent:
        """Hex digest of the packed input; NOT_ASKED if it is not hashed."""
        return self._unpacked.origin.sha256

    def drain(self) -> None:
        """Reads the rest of the packed input, which is no longer unpacked, and closes it."""
        self._unpacked.origin.drain()
        self.close()
