"""Writes pcap and pcapng bytes from frames, in any byte order, resolution and number of sections.

Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

Option = tuple[int, bytes]

COMMENT, IF_NAME, IF_TSRESOL, IF_FILTER, IF_TSOFFSET = 1, 2, 9, 11, 14
ISB_IFRECV, ISB_IFDROP = 4, 5
NANOSECONDS = 9
"""As `Interface.tsresol`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to be written; in pcapng an Enhanced Packet Block."""

    ts_ns: int
    data: bytes
    wirelen: int | None = None
    """Bytes on the wire, if more than were captured."""
    interface: int = 0
    """Of its section; pcapng only."""
    options: Sequence[Option] = ()


@dataclass(frozen=True, slots=True)
class SimpleFrame:
    """A Simple Packet Block: no time, no interface, and no captured length.

    Readers take the least of `wirelen`, the snaplen and the room in the block, so data that is
    shorter than all three reads back with its padding.
    """

    data: bytes
    wirelen: int | None = None


@dataclass(frozen=True, slots=True)
class ObsoleteFrame:
    """A Packet Block of type 2, which writers no longer make."""

    ts_ns: int
    data: bytes
    wirelen: int | None = None
    interface: int = 0


@dataclass(frozen=True, slots=True)
class Interface:
    """An Interface Description Block."""

    linktype: int = 1
    snaplen: int = 262_144
    tsresol: int | None = None
    """Power of ten, or 0x80 with a power of two; None leaves microseconds unsaid."""
    tsoffset: int | None = None
    """Seconds to be added to every time; may be negative."""
    name: str = ""
    options: Sequence[Option] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """An Interface Statistics Block."""

    interface: int = 0
    ts_ns: int = 0
    received: int | None = None
    drops: int | None = None


@dataclass(frozen=True, slots=True)
class NameResolution:
    """A Name Resolution Block: packed address to names."""

    records: Sequence[tuple[bytes, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Block:
    """Any other block; `body` is padded to 32 bits and otherwise written as it is."""

    kind: int
    body: bytes = b""


Item = Frame | SimpleFrame | ObsoleteFrame | Interface | Statistics | NameResolution | Block


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its interfaces, then whatever else in the order given.

    An `Interface` among `items` is described there, after the frames before it.
    """

    items: Sequence[Item]
    interfaces: Sequence[Interface] = (Interface(),)
    big_endian: bool = False
    length_known: bool = False
    """Writes the section's length instead of -1."""


def pcap(
    frames: Sequence[Frame],
    linktype: int = 1,
    *,
    nanoseconds: bool = False,
    big_endian: bool = False,
    snaplen: int = 262_144,
) -> bytes:
    """A classic pcap file; times are cut, not rounded, to its resolution."""
    order = ">" if big_endian else "<"
    magic, unit_ns = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1_000)
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)]
    for frame in frames:
        seconds, rest_ns = divmod(frame.ts_ns, 1_000_000_000)
        wirelen = len(frame.data) if frame.wirelen is None else frame.wirelen
        header = (seconds, rest_ns // unit_ns, len(frame.data), wirelen)
        parts += [struct.pack(order + "IIII", *header), frame.data]
    return b"".join(parts)


def pcapng(sections: Sequence[Section]) -> bytes:
    """A pcapng file."""
    return b"".join(_section(section) for section in sections)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A general block: type, length, padded body, length again."""
    padded = _padded(body)
    length = struct.pack(order + "I", len(padded) + 12)
    return struct.pack(order + "I", kind) + length + padded + length


def options(pairs: Sequence[Option], order: str = "<") -> bytes:
    """An option list with its opt_endofopt; nothing if there are no options."""
    if not pairs:
        return b""
    written = [
        struct.pack(order + "HH", code, len(value)) + _padded(value) for code, value in pairs
    ]
    return b"".join(written) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _section(section: Section) -> bytes:
    order = ">" if section.big_endian else "<"
    interfaces: list[Interface] = []
    written = []
    for item in (*section.interfaces, *section.items):
        if isinstance(item, Interface):
            interfaces.append(item)
        written.append(_item(item, interfaces, order))
    body = b"".join(written)
    length = len(body) if section.length_known else -1
    header = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length)
    return block(0x0A0D0D0A, header, order) + body


def _item(item: Item, interfaces: Sequence[Interface], order: str) -> bytes:
    match item:
        case Interface():
            return block(1, _interface_body(item, order), order)
        case Frame():
            ticks = _ticks(item.ts_ns, item.interface, interfaces)
            wirelen = len(item.data) if item.wirelen is None else item.wirelen
            fields = (item.interface, ticks >> 32, ticks & 0xFFFFFFFF, len(item.data), wirelen)
            head = struct.pack(order + "IIIII", *fields)
            return block(6, head + _padded(item.data) + options(item.options, order), order)
        case ObsoleteFrame():
            ticks = _ticks(item.ts_ns, item.interface, interfaces)
            wirelen = len(item.data) if item.wirelen is None else item.wirelen
            head = struct.pack(order + "HH", item.interface, 0xFFFF)
            head += struct.pack(order + "II", ticks >> 32, ticks & 0xFFFFFFFF)
            head += struct.pack(order + "II", len(item.data), wirelen)
            return block(2, head + item.data, order)
        case SimpleFrame():
            wirelen = len(item.data) if item.wirelen is None else item.wirelen
            return block(3, struct.pack(order + "I", wirelen) + item.data, order)
        case Statistics():
            return block(5, _statistics_body(item, interfaces, order), order)
        case NameResolution():
            return block(4, _name_resolution_body(item, order), order)
        case Block():
            return block(item.kind, item.body, order)


def _interface_body(interface: Interface, order: str) -> bytes:
    pairs: list[Option] = []
    if interface.name:
        pairs.append((IF_NAME, interface.name.encode()))
    if interface.tsresol is not None:
        pairs.append((IF_TSRESOL, bytes([interface.tsresol])))
    if interface.tsoffset is not None:
        pairs.append((IF_TSOFFSET, struct.pack(order + "q", interface.tsoffset)))
    head = struct.pack(order + "HHI", interface.linktype, 0, interface.snaplen)
    return head + options([*pairs, *interface.options], order)


def _statistics_body(statistics: Statistics, interfaces: Sequence[Interface], order: str) -> bytes:
    ticks = _ticks(statistics.ts_ns, statistics.interface, interfaces)
    pairs = [(ISB_IFRECV, statistics.received), (ISB_IFDROP, statistics.drops)]
    given = [(code, struct.pack(order + "Q", n)) for code, n in pairs if n is not None]
    head = struct.pack(order + "III", statistics.interface, ticks >> 32, ticks & 0xFFFFFFFF)
    return head + options(given, order)


def _name_resolution_body(names: NameResolution, order: str) -> bytes:
    body = b""
    for address, hosts in names.records:
        value = address + b"".join(host.encode() + b"\0" for host in hosts)
        kind = 1 if len(address) == 4 else 2
        body += struct.pack(order + "HH", kind, len(value)) + _padded(value)
    return body + bytes(4)


def _ticks(ts_ns: int, number: int, interfaces: Sequence[Interface]) -> int:
    """A time in the units of an interface, cut to 64 bits; microseconds if it is undeclared."""
    interface = interfaces[number] if number < len(interfaces) else Interface()
    resolution = 6 if interface.tsresol is None else interface.tsresol
    base = 2 if resolution & 0x80 else 10
    since_ns = ts_ns - (interface.tsoffset or 0) * 1_000_000_000
    ticks = since_ns * int(base ** (resolution & 0x7F)) // 1_000_000_000
    return ticks & 0xFFFFFFFFFFFFFFFF
