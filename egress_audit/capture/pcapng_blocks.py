"""The blocks of a pcapng file that are not frames, one at a time.

Source: draft-ietf-opsawg-pcapng §3.5 (options), §4.1 (SHB), §4.2 (IDB), §4.5 (NRB).
"""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import field

from egress_audit.capture.linktypes import linktype_name
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import HostRecord, Interface
from egress_audit.values import dataclass

SHB, IDB, OPB, SPB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
SHB_BODY = 16
"""Magic, version and section length: the shortest body of a section header."""
IDB_BODY = 8
"""Link type and snaplen: likewise of an interface description."""
KNOWN_VERSION = 1
"""Major version of the format; minor ones add nothing that a reader would miss (§4.1)."""

MAX_BLOCK = 16 << 20
"""Longest block that is believed; Wireshark's bound too."""

BLOCK_NAMES: dict[int, str] = {
    9: "systemd journal export block",
    10: "decryption secrets block",
    11: "Hone machine info block",
    12: "Hone connection event block",
    0x101: "Hone process event block",
    0x102: "Hone connection event block",
    **{0x201 + n: "sysdig block" for n in range(33)},
    0x204: "sysdig event block",
    0x80000001: "Apple process information block",
    0xBAD: "custom block",
    0x40000BAD: "custom block",
}
"""Blocks that are stepped over; of these only a custom block may hold a frame, and sysdig's tell of
calls. Types 7 and 8 are reserved for blocks of which nobody has written down what is in them."""
UNKNOWN_BLOCK = "unknown block type"
"""How the name of every block begins that stands in no list, and may hold a frame."""

MAX_TEXT = 1024
MAX_HOSTS_OF_RECORD = 16
MAX_HOSTS_OF_ADDRESS = 64
"""Names kept of one address, over all its records."""

LEAVES_BLOCK = "an option that leaves its block"
"""A loss or a filter that is stated in it, or behind it, cannot be read."""
BEHIND_OPTIONS = "bytes behind the end of the options of a block"
"""No writer leaves any. This or the like is what a frame looks like in a block of another type."""
NAME_LEAVES_BLOCK = "a record of names that leaves its block"

Option = tuple[int, bytes]


def strange_version(body: bytes, order: str) -> str:
    """What is wrong with the version of a section; empty if it is known.

    body: of its header, from the byte-order magic on; at least SHB_BODY bytes.
    """
    major, minor = struct.unpack_from(order + "HH", body, 4)
    if major == KNOWN_VERSION:
        return ""
    return f"a section of version {major}.{minor}; only version {KNOWN_VERSION} is known"


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


def unread_behind(body: bytes, start: int, order: str) -> str:
    """What cannot be read of the options from `start` on, or stands behind them; '' if nothing."""
    for _, value in options_in(body, start, order):
        start += 4 + (len(value) + 3 & ~3)
    if any(body[start : start + 2]):
        return LEAVES_BLOCK
    return BEHIND_OPTIONS if body[start + 2 :].strip(b"\0") else ""


def text_of(raw: bytes, *, lower: bool = False) -> str:
    """Option text as UTF-8; control characters written as escapes. Cut text ends in `…`.

    `lower`: in lower case, but for the escapes.
    """
    shown = raw[:MAX_TEXT].rstrip(b"\0").decode("utf-8", "backslashreplace")
    shown = (shown.lower() if lower else shown) + "…" * (len(raw) > MAX_TEXT)
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
    """The most that any Interface Statistics Block states."""
    received: int | Absent = Absent.NOT_FOUND
    """Likewise."""
    expected: int = 0
    """The most frames that should be in the file by any such block: received, less the filtered."""
    let_through: tuple[int, int] | None = None
    """Frames that a filter let through, of those received; None if no block tells of one."""
    stray_drops: int = 0
    """The most that a block states for an interface that its section does not have."""
    frames: int = 0
    counted_drops: int = 0
    """Sum of the drop counts that stand beside single frames."""

    @property
    def drops(self) -> int | Absent:
        """The largest of all ways to report loss; frames that say nothing do not say zero.

        Where no loss is stated, frames that were received and are not in the file are one.
        """
        reported = 0 if isinstance(self.reported_drops, Absent) else self.reported_drops
        stated = max(reported, self.counted_drops)
        lost = (stated or max(self.expected - self.frames, 0)) + self.stray_drops
        return lost or self.reported_drops

    @property
    def filter_in_force(self) -> str | Absent:
        """The filter that the interface declares, or that its statistics give away."""
        if isinstance(self.capture_filter, Absent) and self.let_through is not None:
            return "a filter that let {} of {} frames through".format(*self.let_through)
        return self.capture_filter

    def described(self, index: int) -> Interface:
        """The interface as a fact of the capture."""
        return Interface(
            index=index,
            section=self.section,
            name=self.name,
            linktype=self.linktype,
            linktype_name=linktype_name(self.linktype),
            snaplen=self.snaplen,
            capture_filter=self.filter_in_force,
            drops=self.drops,
            received=self.received,
            frames=self.frames,
        )


def interface_described_by(body: bytes, order: str, section: int) -> InterfaceState | None:
    """The interface of an IDB; None if the block is too short to hold one. `body`: without the
    type and both lengths."""
    if len(body) < IDB_BODY:
        return None
    linktype, _, snaplen = struct.unpack_from(order + "HHI", body, 0)
    state = InterfaceState(section, linktype, snaplen)
    for code, value in options_in(body, IDB_BODY, order):
        if code == 2:
            state.name = text_of(value)
        elif code == 9 and len(value) == 1:
            state.resolution = value[0]
        elif code == 11 and len(value) >= 1:
            state.capture_filter = _both(state.capture_filter, filter_text(value))
        elif code == 14 and len(value) == 8:
            (state.offset_s,) = struct.unpack(order + "q", value)
    return state


def _both(first: str | Absent, second: str | Absent) -> str | Absent:
    """Two filters of one interface, bounded."""
    if isinstance(first, Absent):
        return second
    if isinstance(second, Absent) or len(first) > MAX_TEXT:
        return first
    return f"{first} ; {second}"


def filter_text(value: bytes) -> str | Absent:
    """The filter of an if_filter option: libpcap's words, or what else it is.

    An empty expression is no filter that is known, so it is absent, not "none".
    """
    if value[0] == 0:
        return text_of(value[1:]) or Absent.NOT_FOUND
    return f"compiled filter, kind {value[0]}, {len(value) - 1} bytes"


@dataclass(slots=True)
class HostRecords:
    """Names from NRBs, bounded."""

    limit: int = 100_000
    kept: list[HostRecord] = field(default_factory=list)
    beyond: int = 0
    """Records of which a name was not kept."""
    _known: dict[str, set[str]] = field(default_factory=dict)
    """Names kept, by address."""

    def take(self, body: bytes, order: str) -> str:
        """Adds the records of one NRB; what is cut or of another kind adds nothing.

        Returns what of the block could not be read; '' if nothing.
        """
        position = 0
        while position + 4 <= len(body):
            kind, length = struct.unpack_from(order + "HH", body, position)
            value = body[position + 4 : position + 4 + length]
            if kind == 0:
                return BEHIND_OPTIONS if length else unread_behind(body, position + 4, order)
            if len(value) < length:
                return NAME_LEAVES_BLOCK
            self._add(kind, value)
            position += 4 + (length + 3 & ~3)
        return ""

    def _add(self, kind: int, value: bytes) -> None:
        width = {1: 4, 2: 16}.get(kind)
        if width is None or len(value) <= width:
            return
        address = str(ipaddress.ip_address(value[:width]))
        names = (text_of(name, lower=True) for name in value[width:].split(b"\0") if name)
        known = self._known.get(address, set())
        new = [name for name in dict.fromkeys(names) if name not in known]
        room = min(MAX_HOSTS_OF_RECORD, MAX_HOSTS_OF_ADDRESS - len(known))
        room = room if len(self.kept) < self.limit else 0
        self.beyond += len(new) > room
        if new[:room]:
            self.kept.append(HostRecord(address, tuple(new[:room])))
            self._known.setdefault(address, set()).update(new[:room])
