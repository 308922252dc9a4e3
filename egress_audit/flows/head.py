"""What one direction of a flow begins with, or goes on with, while somebody reads it."""

from typing import Any

from egress_audit.flows.assembly import LIMIT, Assembly
from egress_audit.flows.segments import signed
from egress_audit.flows.signs import HANDSHAKE, METHODS
from egress_audit.values import dataclass

MAX_SEGMENTS = 16
"""Segments of one direction that are looked at while its reader is hungry for what may never come,
or one behind the other while the same one is missing; of a batch, those that are looked at before
the segments of others."""
MAX_CRUMBS = 512
"""Segments looked at if more bytes must come or they are crumbs: what was typed, or cut into single
bytes so that nobody should read it, has as many segments as bytes."""
MAX_READ_AGAIN = 512 << 10
"""Bytes times segments of a head that comes in more than MAX_SEGMENTS: each segment has it read
again from its beginning. 16 KiB in segments of 536 bytes are read, 16 KiB in pieces of 32 not."""
CRUMB = 4
"""Bytes of a segment, on average, below which segments are crumbs: no line of text is so short."""
MAX_DNS_SEGMENTS = 4096
MAX_HEAD = 16 << 10
"""Bytes after which a reader that is still hungry gets no more; 64 KiB for DNS over TCP."""
MISSING = "a segment is missing"
"""Why a head was given up in which there is a hole, or in front of which."""


@dataclass(slots=True)
class Head:
    """What one direction of a flow begins with, as far as it is known."""

    flow: int
    by_orig: bool
    dns: bool
    """One of the ports is the DNS's, and what is said there may be of it."""
    assembly: Assembly
    packets: int = 0
    waiting: int = 0
    """Segments since the contiguous bytes last grew: a missing one is that late, or never comes."""
    frame: int = 0
    """Of the segment that came last."""
    ts_ns: int = 0
    cut: bool = False
    """The file lacks bytes of a segment, so what follows them cannot be read."""
    midway: bool = False
    """The reader stopped inside a message, and knows that more must follow."""
    optional: bool = False
    """The reader is hungry for what may never come."""
    heard: int = 0
    """Names of the stream that were already taken; for the caller to keep."""
    reader: Any = None
    """What reads a stream on whose beginning was read before; the caller's own. None for a head."""
    again: bool = False
    """Bytes are there that no reader has seen: it is to be read once more."""
    print_kept: bool = False
    """How the stream begins is remembered already."""
    needs: int = 0
    """Bytes of the stream before which no reader would find anything, and be hungry."""
    stranger: bool = False
    """It begins as no message of the DNS does, whatever its port: the reader is another's."""
    read_from: int = 0
    """Offset in the stream up to which whole messages were read; for the caller to keep.

    Like `heard` it goes back to 0 if bytes come in front of the first that were seen.
    """

    @property
    def streams(self) -> tuple[bytes, ...]:
        """The contiguous bytes; twice if segments contradict each other, both readings."""
        assembly = self.assembly
        return (assembly.stream, assembly.other) if assembly.other else (assembly.stream,)

    @property
    def side(self) -> int:
        """Twice the flow, plus one for the originator."""
        return self.flow * 2 + self.by_orig

    @property
    def spent(self) -> bool:
        """True once no further segment may be fed to the reader."""
        if self.dns and not self.stranger:
            return self.packets >= MAX_DNS_SEGMENTS or len(self.assembly.stream) >= LIMIT
        size = len(self.assembly.stream)
        waits = self.optional and size >= CRUMB * self.packets
        waits |= self.packets * size >= MAX_READ_AGAIN
        if self.assembly.has_hole and self.waiting >= MAX_SEGMENTS:
            return True
        return self.packets >= (MAX_SEGMENTS if waits else MAX_CRUMBS) or size >= MAX_HEAD

    def add(self, sequence: int, payload: bytes) -> bool:
        """Takes a segment; True if the contiguous bytes grew, or a second reading appeared."""
        self.packets += 1
        grew = self.assembly.add(sequence, payload)
        self.waiting = 0 if grew else self.waiting + 1
        return grew

    def lies_behind(self, end: int) -> bool:
        """True for a segment that ends, at that sequence number, in what was read long ago."""
        return self.print_kept and signed(end - self.assembly.origin) <= 0

    def reason_to_stop(self, too_much: bool) -> str:
        """Why a hungry reader gets no more, '' if it does; too_much: all heads hold too much."""
        if self.cut:
            return "cut by snaplen"
        return "longer than is read" if self.spent or too_much else ""

    def beyond_hole(self) -> int:
        """Where, behind missing bytes, a request or a ClientHello begins; 0 if none does."""
        if not self.assembly.has_hole:
            return 0
        end, begin = self.assembly.behind_hole()
        return end if begin.startswith((*METHODS, HANDSHAKE)) else 0

    def advance(self, size: int, reader: object) -> None:
        """Lets go of what was read; `reader` goes on behind it, maybe behind bytes yet to come.

        `heard` counts from there.
        """
        self.assembly.advance(size)
        self.reader = reader
        self.read_from, self.packets, self.waiting = 0, 1, 0


def read_on(side: int, origin: int, reader: object) -> Head:
    """What a side goes on with, from a message on that begins at the sequence number `origin`."""
    assembly = Assembly(origin % (1 << 32), origin_known=True)
    return Head(side >> 1, bool(side & 1), False, assembly, reader=reader, print_kept=True)
