"""The blocks of a pcapng file that are not frames, one at a time.

Source: draft-ietf-opsawg-pcapng §3.5 (options), §4.1 (SHB), §4.2 (IDB), §4.5 (NRB), §4.6 (ISB).
"""

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from egress_audit.capture.linktypes import linktype_name
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import HostRecord, Interface

SHB, IDB, OPB, SPB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
SHB_BODY = 16
"""Magic, version and section length: the shortest body of a section header."""

BLOCK_NAMES: dict[int, str] = {
    7: "IRIG timestamp block",
    9: "systemd journal export block",
    10: "decryption secrets block",
    11: "Hone machine info block",
    12: "Hone connection event block",
    0x204: "sysdig event block",
    0xBAD: "custom block",
    0x40000BAD: "custom block",
}

MAX_TEXT = 1024

Option = tuple[int, bytes]


def options_in(body: bytes, start: int, order: str) -> Iterator[Option]:
    """Code and value of each option from `start` on; ends quietly where the list is cut."""
    position = start
    while position + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, position)
        value = body[position + 4 : position + 4 + length]
        if code == 0 or len(value) < length:
            return
        yield code, value
        position += 4 + (length + 3 & ~3)


def text_of(raw: bytes) -> str:
    """Option text as UTF-8, bounded; control characters written as escapes."""
    shown = raw[:MAX_TEXT].rstrip(b"\0").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


@dataclass(slots=True)
class InterfaceState:
    """An interface as declared, with what is learnt of it later in the file."""

    section: int
    linktype: int
    snaplen: int
    name: str | Absent = Absent.NOT_FOUND
    capture_filter: str | Absent = Absent.NOT_FOUND
    resolution: int = 6
    """if_tsresol as stored: power of ten, or of two with the top bit set."""
    offset_s: int = 0
    reported_drops: int | Absent = Absent.NOT_FOUND
    """Of the last Interface Statistics Block."""
    received: int | Absent = Absent.NOT_FOUND
    frames: int = 0
    counted_drops: int = 0
    """Sum of the drop counts that stand beside single frames."""

    @property
    def drops(self) -> int | Absent:
        """The larger of both ways to report loss; frames that say nothing do not say zero."""
        if isinstance(self.reported_drops, Absent):
            return self.counted_drops or Absent.NOT_FOUND
        return max(self.reported_drops, self.counted_drops)

    def described(self, index: int) -> Interface:
        """The interface as a fact of the capture."""
        return Interface(
            index=index,
            section=self.section,
            name=self.name,
            linktype=self.linktype,
            linktype_name=linktype_name(self.linktype),
            snaplen=self.snaplen,
            capture_filter=self.capture_filter,
            drops=self.drops,
            received=self.received,
            frames=self.frames,
        )


def interface_described_by(body: bytes, order: str, section: int) -> InterfaceState | None:
    """The interface of an IDB; None if the block is too short to hold one. `body`: without the
    type and both lengths."""
    if len(body) < 8:
        return None
    linktype, _, snaplen = struct.unpack_from(order + "HHI", body, 0)
    state = InterfaceState(section, linktype, snaplen)
    for code, value in options_in(body, 8, order):
        if code == 2:
            state.name = text_of(value)
        elif code == 9 and len(value) == 1:
            state.resolution = value[0]
        elif code == 11 and len(value) >= 1:
            state.capture_filter = filter_text(value)
        elif code == 14 and len(value) == 8:
            (state.offset_s,) = struct.unpack(order + "q", value)
    return state


def filter_text(value: bytes) -> str | Absent:
    """The filter of an if_filter option: libpcap's words, or what else it is.

    An empty expression is no filter that is known, so it is absent, not "none".
    """
    if value[0] == 0:
        return text_of(value[1:]) or Absent.NOT_FOUND
    return f"compiled filter, kind {value[0]}, {len(value) - 1} bytes"


def apply_statistics(body: bytes, order: str, interfaces: Sequence[InterfaceState]) -> bool:
    """Takes drop and receive counts of an ISB into its interface; False if it names none.

    `interfaces`: those of the block's section.
    """
    if len(body) < 12:
        return False
    (number,) = struct.unpack_from(order + "I", body, 0)
    if number >= len(interfaces):
        return False
    state = interfaces[number]
    counts = {
        code: struct.unpack(order + "Q", value)[0]
        for code, value in options_in(body, 12, order)
        if code in (4, 5, 7) and len(value) == 8
    }
    if 4 in counts:
        state.received = counts[4]
    if 5 in counts or 7 in counts:
        state.reported_drops = counts.get(5, 0) + counts.get(7, 0)
    return True


@dataclass(slots=True)
class HostRecords:
    """Names from NRBs, bounded."""

    limit: int = 100_000
    kept: list[HostRecord] = field(default_factory=list)
    beyond: int = 0

    def take(self, body: bytes, order: str) -> None:
        """Adds the records of one NRB; what is cut or of another kind adds nothing."""
        position = 0
        while position + 4 <= len(body):
            kind, length = struct.unpack_from(order + "HH", body, position)
            value = body[position + 4 : position + 4 + length]
            if kind == 0 or len(value) < length:
                return
            self._add(kind, value)
            position += 4 + (length + 3 & ~3)

    def _add(self, kind: int, value: bytes) -> None:
        width = {1: 4, 2: 16}.get(kind)
        if width is None or len(value) <= width:
            return
        if len(self.kept) >= self.limit:
            self.beyond += 1
            return
        hosts = tuple(text_of(name).lower() for name in value[width:].split(b"\0") if name)
        if hosts:
            self.kept.append(HostRecord(str(ipaddress.ip_address(value[:width])), hosts[:16]))
