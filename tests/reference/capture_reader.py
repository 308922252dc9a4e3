"""Reads a pcap or pcapng file one record at a time: the oracle of `egress_audit.capture`.

Nothing here is fast and nothing is shared with the engine. Where two ways were possible the
shorter one was taken; where a file is damaged, reading stops and says at which offset.
Source: draft-ietf-opsawg-pcap (classic), draft-ietf-opsawg-pcapng (blocks and options).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_PCAP_CAPLEN = 262_144
MAX_BLOCK_LENGTH = 16 * 1024 * 1024
NO_LIMIT = 1 << 32

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""First four bytes of a classic file: byte order, nanoseconds in a unit of the second field."""

SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
IF_TSRESOL, IF_TSOFFSET = 9, 14


@dataclass(frozen=True, slots=True)
class ReferenceInterface:
    """An interface, numbered over the whole file."""

    index: int
    section: int
    linktype: int
    snaplen: int
    """0 means no limit."""
    ticks_per_second: int = 1_000_000
    offset_seconds: int = 0


@dataclass(frozen=True, slots=True)
class ReferenceFrame:
    """One captured frame."""

    number: int
    """From 1, over the whole file."""
    ts_ns: int
    interface: int
    """Index over the whole file."""
    linktype: int
    wirelen: int
    """Never less than `caplen`."""
    data: bytes
    has_time: bool = True
    """False for a Simple Packet Block, which takes the time of the frame before it."""

    @property
    def caplen(self) -> int:
        """Captured bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class ReferenceDamage:
    """Where the file stops making sense."""

    offset: int
    text: str


@dataclass(slots=True)
class ReferenceCapture:
    """All that was read before the end of the file or its first damage."""

    frames: list[ReferenceFrame] = field(default_factory=list)
    interfaces: list[ReferenceInterface] = field(default_factory=list)
    damage: ReferenceDamage | None = None
    notes: list[ReferenceDamage] = field(default_factory=list)
    """Places where a loss may be stated that cannot be read, or more was captured of a frame than
    there was; reading goes on behind them."""


def read_capture(data: bytes) -> ReferenceCapture:
    """Every frame of a pcap or pcapng file; ValueError if it begins like neither."""
    if data[:4] in PCAP_MAGICS and len(data) >= 24:
        return _read_pcap(data)
    if data[:4] == SECTION_HEADER and data[8:12] in BYTE_ORDERS:
        length, _, major = struct.unpack_from(BYTE_ORDERS[data[8:12]] + "IIH", data.ljust(28), 4)
        believable = 28 <= length <= min(MAX_BLOCK_LENGTH, len(data)) and length % 4 == 0
        if believable and major == 1:
            return _PcapngReader(data).read()
    raise ValueError("no readable header")


AIX_IFTYPES = (6, 9, 15, 24)


def clipped(value: int) -> int:
    """`value`, kept so near to 0 that a signed 64-bit integer holds the difference of any two."""
    return max(-(1 << 62), min((1 << 62) - 1, value))


def _read_pcap(data: bytes) -> ReferenceCapture:
    """The records of a classic file.

    LinkType is the low 16 bits of its word; above it stand FCS length and reserved bits.
    Source: draft-ietf-opsawg-pcap §4 (file header), §5 (packet record).
    """
    order, unit_ns = PCAP_MAGICS[data[:4]]
    version = struct.unpack_from(order + "HH", data, 4)
    snaplen, link_word = struct.unpack_from(order + "II", data, 16)
    linktype = link_word & 0xFFFF
    if version == (2, 2) and linktype in AIX_IFTYPES:
        raise ValueError("a layout of AIX")
    capture = ReferenceCapture(interfaces=[ReferenceInterface(0, 0, linktype, snaplen)])
    at = 24
    while at < len(data):
        if len(data) - at < 16:
            capture.damage = ReferenceDamage(at, "record header cut")
            break
        seconds, fraction, caplen, wirelen = struct.unpack_from(order + "IIII", data, at)
        if _lengths_swapped(version, caplen, wirelen):
            caplen, wirelen = wirelen, caplen
        if caplen > MAX_PCAP_CAPLEN:
            capture.damage = ReferenceDamage(at, "record longer than 262144 bytes")
            break
        if caplen > len(data) - at - 16:
            capture.damage = ReferenceDamage(at, "record runs past the end of the file")
            break
        if caplen > wirelen:
            capture.notes.append(ReferenceDamage(at, "more captured than there was"))
        capture.frames.append(
            ReferenceFrame(
                number=len(capture.frames) + 1,
                ts_ns=clipped(seconds * 1_000_000_000 + fraction * unit_ns),
                interface=0,
                linktype=linktype,
                wirelen=max(wirelen, caplen),
                data=data[at + 16 : at + 16 + caplen],
            )
        )
        at += 16 + caplen
    return capture


def _lengths_swapped(version: tuple[int, ...], first: int, second: int) -> bool:
    """Whether the length on the wire stands first: before 2.3 and in DG/UX; in 2.3 it is either."""
    if version == (2, 3):
        return first > second
    return version[0] == 543 or (version[0] == 2 and version[1] < 3)


class _Damaged(Exception):
    """The block that begins at the current offset cannot be believed."""


class _PcapngReader:
    """Reads blocks in file order; a section forgets the interfaces of the one before it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.capture = ReferenceCapture()
        self.order = "<"
        self.section = -1
        self.at = 0
        self.section_interfaces: list[ReferenceInterface] = []

    def read(self) -> ReferenceCapture:
        """All blocks until the end or the first damage."""
        while self.at < len(self.data):
            try:
                self.at += self._read_block(self.at)
            except _Damaged as damage:
                self.capture.damage = ReferenceDamage(self.at, str(damage))
                break
        return self.capture

    def _read_block(self, at: int) -> int:
        """Length of the block at offset `at`, after it was taken in.

        Source: draft-ietf-opsawg-pcapng §3.1 (general block structure).
        """
        if len(self.data) - at < 12:
            raise _Damaged("block header cut")
        if self.data[at : at + 4] == SECTION_HEADER:
            if self.data[at + 8 : at + 12] not in BYTE_ORDERS:
                raise _Damaged("section without byte-order magic")
            self.order = BYTE_ORDERS[self.data[at + 8 : at + 12]]
        block_type, length = struct.unpack_from(self.order + "II", self.data, at)
        if length < 12 or length % 4 or length > MAX_BLOCK_LENGTH:
            raise _Damaged(f"block length {length}")
        if length > len(self.data) - at:
            raise _Damaged("block runs past the end of the file")
        if struct.unpack_from(self.order + "I", self.data, at + length - 4)[0] != length:
            raise _Damaged("trailing block length differs")
        self._take_in(block_type, self.data[at + 8 : at + length - 4])
        return int(length)

    def _take_in(self, block_type: int, body: bytes) -> None:
        """What each block does; blocks of every other type do nothing."""
        match block_type:
            case 0x0A0D0D0A:
                self._begin_section(body)
            case 1:
                self._describe_interface(body)
            case 2:
                self._obsolete_packet(body)
            case 3:
                self._simple_packet(body)
            case 5:
                self._statistics(body)
            case 6:
                self._enhanced_packet(body)
            case _:
                self._step_over(block_type, body)

    def _step_over(self, block_type: int, body: bytes) -> None:
        """Blocks that hold no frame, of which only the layout is looked at."""
        match block_type:
            case 4:
                self._names(body)
            case 9 if b"__REALTIME_TIMESTAMP=" not in body:
                self._note("journal without a time")
            case 10 if len(body) >= 8:
                (length,) = struct.unpack_from(self.order + "I", body, 4)
                self._note_misfit(body[8:], int(length))
            case 0x80000001 if len(body) >= 4:
                self._note_list(body[4:])
            case 11 | 0x101 if len(body) >= 12:
                self._note_list(body[12:])
            case 12 | 0x102 if len(body) >= 20:
                self._note_list(body[20:])

    def _begin_section(self, body: bytes) -> None:
        """§4.1: byte-order magic, version, section length (not used: blocks are walked)."""
        if len(body) < 16:
            raise _Damaged("section header too short")
        if struct.unpack_from(self.order + "H", body, 4)[0] != 1:
            raise _Damaged("another major version")
        self.section += 1
        self.section_interfaces = []

    def _describe_interface(self, body: bytes) -> None:
        """§4.2: link type, snap length, and the two options that time depends on."""
        if len(body) < 8:
            raise _Damaged("interface description too short")
        linktype, _, snaplen = struct.unpack_from(self.order + "HHI", body)
        ticks_per_second, offset_seconds = 1_000_000, 0
        for code, value in _options(body[8:], self.order):
            if code == IF_TSRESOL and len(value) == 1:
                exponent = value[0] & 0x7F
                ticks_per_second = 2**exponent if value[0] & 0x80 else 10**exponent
            if code == IF_TSOFFSET and len(value) == 8:
                offset_seconds = struct.unpack(self.order + "q", value)[0]
        interface = ReferenceInterface(
            index=len(self.capture.interfaces),
            section=self.section,
            linktype=linktype,
            snaplen=snaplen,
            ticks_per_second=ticks_per_second,
            offset_seconds=offset_seconds,
        )
        self.capture.interfaces.append(interface)
        self.section_interfaces.append(interface)
        self._note_list(body[8:])  # a filter may stand in what cannot be told

    def _enhanced_packet(self, body: bytes) -> None:
        """§4.3."""
        if len(body) < 20:
            raise _Damaged("packet block too short")
        interface, high, low, caplen, wirelen = struct.unpack_from(self.order + "IIIII", body)
        self._timed_frame(interface, high << 32 | low, caplen, wirelen, body[20:])
        self._note_lost_counts(body[20 + caplen + -caplen % 4 :], (4,))

    def _obsolete_packet(self, body: bytes) -> None:
        """Appendix A: like the enhanced one, with 16 bits each for interface and drop count."""
        if len(body) < 20:
            raise _Damaged("packet block too short")
        interface, _, high, low, caplen, wirelen = struct.unpack_from(self.order + "HHIIII", body)
        self._timed_frame(interface, high << 32 | low, caplen, wirelen, body[20:])
        self._note_lost_counts(body[20 + caplen + -caplen % 4 :], (4,))

    def _statistics(self, body: bytes) -> None:
        """§4.6: of its counts only that they can be read, and are of an interface of the file."""
        if len(body) < 4:
            return
        self._note_lost_counts(body[12:], (5, 7))
        self._note_list(body[12:])
        states_loss = any(
            code in (5, 7) and len(value) == 8 and any(value)
            for code, value in _options(body[12:], self.order)
        )
        if states_loss and not self.section_interfaces:
            self._note("statistics of no interface")

    def _names(self, body: bytes) -> None:
        """§4.5: records, the last of type and length 0, then options."""
        at = 0
        while len(body) - at >= 4:
            kind, length = struct.unpack_from(self.order + "HH", body, at)
            at += 4
            if kind == 0 or length > len(body) - at:
                self._note_misfit(body[at:], int(length), most=0 if kind == 0 else None)
                return
            at += length + -length % 4

    def _note(self, what: str) -> None:
        self.capture.notes.append(ReferenceDamage(self.at, what))

    def _note_misfit(self, data: bytes, length: int, most: int | None = None) -> None:
        """What a block holds before its options, if it is too long."""
        if length > (len(data) if most is None else most):
            self._note("a length that leaves its block")
        else:
            self._note_list(data[length + -length % 4 :])

    def _note_list(self, options: bytes) -> None:
        """A list of options that leaves its block, or ends before it."""
        end = sum(4 + len(value) + -len(value) % 4 for _, value in _options(options, self.order))
        if any(options[end:]):
            self._note("options that do not fit their block")

    def _note_lost_counts(self, options: bytes, codes: tuple[int, ...]) -> None:
        """Drop counts that are not of 8 bytes, and lists whose end cannot be told."""
        end = 0
        for code, value in _options(options, self.order):
            end += 4 + len(value) + -len(value) % 4
            if code in codes and len(value) != 8:
                self.capture.notes.append(ReferenceDamage(self.at, "drop count of another size"))
        if any(options[end : end + 2]):
            self.capture.notes.append(ReferenceDamage(self.at, "options that leave their block"))

    def _timed_frame(self, number: int, ticks: int, caplen: int, wirelen: int, room: bytes) -> None:
        interface = self._declared(number)
        if caplen > len(room):
            raise _Damaged("packet longer than its block")
        ts_ns = ticks * 1_000_000_000 // interface.ticks_per_second
        ts_ns += interface.offset_seconds * 1_000_000_000
        self._deliver(interface, clipped(ts_ns), wirelen, room[:caplen], has_time=True)

    def _simple_packet(self, body: bytes) -> None:
        """§4.4: always the section's first interface; only its snaplen says what was captured."""
        interface = self._declared(0)
        if len(body) < 4:
            raise _Damaged("packet block too short")
        (wirelen,) = struct.unpack_from(self.order + "I", body)
        caplen = min(wirelen, interface.snaplen or NO_LIMIT, len(body) - 4)
        frames = self.capture.frames
        ts_ns = frames[-1].ts_ns if frames else 0
        self._deliver(interface, ts_ns, wirelen, body[4 : 4 + caplen], has_time=False)

    def _declared(self, number: int) -> ReferenceInterface:
        if number >= len(self.section_interfaces):
            raise _Damaged(f"interface {number} was never described")
        return self.section_interfaces[number]

    def _deliver(
        self,
        interface: ReferenceInterface,
        ts_ns: int,
        wirelen: int,
        captured: bytes,
        *,
        has_time: bool,
    ) -> None:
        if len(captured) > wirelen:
            self.capture.notes.append(ReferenceDamage(self.at, "more captured than there was"))
        self.capture.frames.append(
            ReferenceFrame(
                number=len(self.capture.frames) + 1,
                ts_ns=ts_ns,
                interface=interface.index,
                linktype=interface.linktype,
                wirelen=max(wirelen, len(captured)),
                data=captured,
                has_time=has_time,
            )
        )


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option, up to opt_endofopt or the first that does not fit.

    Source: draft-ietf-opsawg-pcapng §3.5; values are padded to 32 bits.
    """
    at = 0
    while len(data) - at >= 4:
        code, length = struct.unpack_from(order + "HH", data, at)
        if code == 0 or length > len(data) - at - 4:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
