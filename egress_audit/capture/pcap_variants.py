"""Classic pcap as old and patched libpcaps wrote it: other record headers, other orders of fields.

Rare, so read one record at a time. Two patches kept the standard magic: theirs are the records of a
file only if the standard's make no sense from the second one on, and theirs do wherever we look;
else a patched layout would give damage another name.
Source: libpcap's sf-pcap.c and Wireshark's libpcap.c.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from egress_audit.capture.pcap import HEADER, PcapHeader, PcapSource, read_header
from egress_audit.capture.walk import MAX_FRAME, NOTHING_BUT_EMPTY
from egress_audit.capture.window import Window
from egress_audit.columns import I64, FrameBatch
from egress_audit.model.evidence import CaptureFacts, Damage
from egress_audit.values import dataclass

MODIFIED: dict[bytes, str] = {b"\xa1\xb2\xcd\x34": ">", b"\x34\xcd\xb2\xa1": "<"}
"""Magics of the patches by A. Kuznetzov → byte order."""
STANDARD_RECORD, MODIFIED_RECORD, SUSE_RECORD = 16, 24, 28
"""Bytes of a record header: the usual one; with interface, protocol and packet type behind it; and
as the first of the patches that changed the magic had it, which SuSE 6.3 shipped."""
UNMARKED = {MODIFIED_RECORD: "Red Hat 6.1", 20: "Nokia's firewalls"}
"""Bytes of a record header below the standard magic → who wrote it so."""
LOOKED_AT = 16
"""Records that must make sense in a layout that nothing announces, if there are so many."""

DG_UX = 543
"""The major version that DG/UX writes, with its lengths in the old order."""
AIX_LINKTYPES = {6: 1, 9: 6, 15: 10, 24: 0}
"""RFC 1573 ifType, which AIX writes with version 2.2 and nanoseconds → LINKTYPE_ value."""


class Layout(NamedTuple):
    """How the records of a file lie there."""

    header: PcapHeader
    record: int
    """Bytes of a record header."""
    lengths: str
    """`new`: captured before wire length; `old`: the other way round; `either`: whichever is the
    smaller is the captured one."""
    words: str
    """What is unusual, for people."""


class Stopped(NamedTuple):
    """Where reading ended, and why; `why` is empty if the input may go on there."""

    position: int
    room: int
    """Bytes that the next record needs in one piece, if it is not whole."""
    why: str


def layout_of(window: Window) -> Layout | None:
    """The layout of a pcap file that is not as usual; None if it is usual, or no pcap at all."""
    head = bytes(window.buffer[: min(window.end, HEADER)])
    order = MODIFIED.get(head[:4])
    if order is not None and len(head) == HEADER:
        usual = read_header(struct.pack(order + "I", 0xA1B2C3D4) + head[4:])
        assert usual is not None
        size = _record_size(window, usual.order)
        shipped = ", as SuSE 6.3 wrote it" if size == SUSE_RECORD else ""
        return Layout(usual, size, "new", f"modified record headers of {size} bytes{shipped}")
    header = read_header(head)
    return (_old(header) or _unmarked(window, header)) if header is not None else None


def _old(header: PcapHeader) -> Layout | None:
    """The layout that an old version number asks for."""
    major, minor = header.version
    aix = AIX_LINKTYPES.get(header.linktype) if header.version == (2, 2) else None
    if aix is not None:
        seen = replace(header, linktype=aix, fraction_ns=1)
        return Layout(seen, STANDARD_RECORD, "old", "as AIX wrote it")
    if (major == 2 and minor < 3) or major == DG_UX:
        return Layout(header, STANDARD_RECORD, "old", "lengths in the old order")
    if header.version == (2, 3):
        return Layout(header, STANDARD_RECORD, "either", "lengths in either order")
    return None


def _unmarked(window: Window, header: PcapHeader) -> Layout | None:
    """The patched layout of a file whose magic is the standard's; None if that is how it reads."""
    if header.fraction_ns != 1_000 or not _oddities(window, header.order, STANDARD_RECORD):
        return None
    for size, writer in UNMARKED.items():
        if _is_sound(window, header.order, size):
            words = f"modified record headers of {size} bytes, as {writer} wrote them"
            return Layout(header, size, "new", words)
    return None


def _is_sound(window: Window, order: str, size: int) -> bool:
    """Whether several records make sense if their headers have this size."""
    position = HEADER
    for number in range(LOOKED_AT):
        if position + STANDARD_RECORD > window.end:
            return number > 1
        _, fraction, caplen, wirelen = struct.unpack_from(order + "IIII", window.buffer, position)
        if fraction >= 1_000_000 or not 0 < caplen <= wirelen <= MAX_FRAME:
            return False
        position += size + caplen
    return True


def _record_size(window: Window, order: str) -> int:
    """The size of modified record headers with which the first two records make more sense."""
    return min((MODIFIED_RECORD, SUSE_RECORD), key=lambda size: _oddities(window, order, size))


def _oddities(window: Window, order: str, size: int) -> int:
    """What is odd about the headers of the first two records, if they had this size."""
    odd, position = 0, HEADER
    for _ in range(2):
        if position + STANDARD_RECORD > window.end:
            break
        _, fraction, caplen, wirelen = struct.unpack_from(order + "IIII", window.buffer, position)
        found = (caplen > MAX_FRAME) + (wirelen > MAX_FRAME) + (caplen > wirelen)
        odd += found + (fraction >= 1_000_000)
        if found:
            break
        position += size + caplen
    return odd


@dataclass(frozen=True, slots=True)
class Records:
    """Whole records of a window, one list a field."""

    offset: list[int]
    seconds: list[int]
    fraction: list[int]
    caplen: list[int]
    wirelen: list[int]

    def on_wire(self) -> I64:
        """(n,) bytes on the wire of each, never less than what was captured."""
        caplen, wirelen = (np.array(each, np.int64) for each in (self.caplen, self.wirelen))
        return np.maximum(caplen, wirelen)

    def first(self, count: int) -> "Records":
        """As many of them."""
        columns = (self.offset, self.seconds, self.fraction, self.caplen, self.wirelen)
        return Records(*(column[:count] for column in columns))


class VariantSource(PcapSource):
    """The frames of one such file, then its facts."""

    def __init__(self, name: str, window: Window, layout: Layout) -> None:
        super().__init__(name, window, layout.header)
        self._layout = layout

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every whole record once; stops at the first that makes no sense, and keeps where."""
        window, position = self._window, HEADER
        while True:
            records, stopped = self._whole_records(position)
            kept = self._empty.too_long_at(records.on_wire())
            if kept is not None:
                records = records.first(kept)
                stopped = Stopped(records.offset[-1], 0, NOTHING_BUT_EMPTY)
            if records.offset:
                yield self._variant_columns(records)
            if stopped.why or not window.slide(stopped.position, room=stopped.room):
                break
            position = 0
        self._note_end(stopped.position if stopped.why else 0, stopped.why)
        window.drain()

    def _whole_records(self, position: int) -> tuple[Records, Stopped]:
        window, size = self._window, self._layout.record
        fields = struct.Struct(self._header.order + "IIII").unpack_from
        found = Records([], [], [], [], [])
        while position + size <= window.end:
            seconds, fraction, first, second = fields(window.buffer, position)
            caplen, wirelen = self._lengths(first, second)
            if caplen > MAX_FRAME:
                why = f"a record claims {caplen} bytes; no frame is longer than {MAX_FRAME}"
                return found, Stopped(position, 0, why)
            if position + size + caplen > window.end:
                return found, Stopped(position, size + caplen, "")
            found.offset.append(position + size)
            found.seconds.append(seconds)
            found.fraction.append(fraction)
            found.caplen.append(caplen)
            found.wirelen.append(wirelen)
            position += size + caplen
        return found, Stopped(position, 0, "")

    def _lengths(self, first: int, second: int) -> tuple[int, int]:
        """Captured and wire length of a record whose header gives these two in this order."""
        swapped = self._layout.lengths == "old"
        swapped |= self._layout.lengths == "either" and first > second
        return (second, first) if swapped else (first, second)

    def _variant_columns(self, records: Records) -> FrameBatch:
        count, first = len(records.offset), self._frames + 1
        self._frames += count
        offset, caplen, wirelen = (
            np.array(each, np.int64) for each in (records.offset, records.caplen, records.wirelen)
        )
        self._note_contradictions(offset - self._layout.record, caplen, wirelen)
        seconds, fraction = (
            np.array(each, np.int64) for each in (records.seconds, records.fraction)
        )
        return FrameBatch(
            buffer=self._window.array,
            offset=offset,
            caplen=caplen,
            wirelen=np.maximum(caplen, wirelen),
            ts_ns=seconds * 1_000_000_000 + fraction * self._header.fraction_ns,
            interface=np.zeros(count, np.int32),
            linktype=np.full(count, self._header.linktype, np.int32),
            first_frame=first,
        )

    def _note_end(self, position: int, why: str) -> None:
        left = self._window.end - position
        if why or left:
            what = why or f"the file ends inside a record ({left} bytes of it are there)"
            self._damage.append(Damage(self._window.base + position, what))

    def facts(self) -> CaptureFacts:
        """The file as a whole; complete once iteration has ended."""
        facts = super().facts()
        return replace(facts, format_detail=f"{facts.format_detail}, {self._layout.words}")
