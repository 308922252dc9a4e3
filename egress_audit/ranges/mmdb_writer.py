"""MMDB files from sorted ranges, the same bytes for the same ranges.

The tree is grown along the ranges in their order, so that each node is made once and never looked
for: seconds where a builder that inserts network by network takes minutes.

Source: MaxMind DB File Format Specification 2.0.
"""

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from egress_audit.ranges.intervals import Range, prefixes
from egress_audit.values import dataclass

Value = TypeVar("Value")
Field = str | int | bool | Mapping[str, "Field"]
Record = Mapping[str, Field]

MARK = b"\xab\xcd\xefMaxMind.com"
SEPARATOR = bytes(16)
STRING, UINT16, UINT32, MAP, UINT64, ARRAY, BOOLEAN = 2, 5, 6, 7, 9, 11, 14
"""Types of the specification, "Output Data Section"."""
SHORTEST_POINTED = 4
"""Octets from which on a value is worth a pointer, which takes two to five."""
EMPTY = 0xFFFF_FFFF
"""In a tree under construction: nothing below."""
LEAF = 0x8000_0000
"""In a tree under construction: the rest is the number of a record."""


@dataclass(frozen=True, slots=True)
class About:
    """The metadata of a file; `epoch` is the date of the data, in seconds, not of the build."""

    kind: str
    description: str
    epoch: int


def mmdb_pieces(
    ranges: Iterable[Range[Value]], record_of: Callable[[Value], Record], about: About
) -> Iterator[bytes]:
    """The pieces of an MMDB with 128-bit tree, from ascending ranges without overlap.

    `record_of` is called once for each different value. Raises ValueError past what records of
    32 bits can point to.
    """
    tree, values = _tree(ranges)
    data = _Data()
    offsets = array("I", (data.offset(record_of(value)) for value in values))
    count = len(tree) // 2
    width = _record_bits(count + len(SEPARATOR) + len(data.written))
    yield _nodes(tree, offsets, count, width)
    yield SEPARATOR
    yield bytes(data.written)
    yield MARK
    yield _map(_metadata(about, count, width))


def _tree(ranges: Iterable[Range[Value]]) -> "tuple[array[int], list[Value]]":
    """Left and right of each node, alternating; and the values, in order of appearance."""
    slots = array("I", (EMPTY, EMPTY))
    numbers: dict[Value, int] = {}
    path = [0] * 129  # path[d]: the node at depth d on the way to the last prefix
    before, depth = 0, 0
    for first, last, value in ranges:
        leaf = LEAF | numbers.setdefault(value, len(numbers))
        for number, free in prefixes(first, last):
            shared = min(128 - (number ^ before).bit_length(), depth)
            depth = 127 - free
            for level in range(shared, depth):
                slot = 2 * path[level] + (number >> (127 - level) & 1)
                if slots[slot] == EMPTY:
                    slots[slot] = len(slots) // 2
                    slots.extend((EMPTY, EMPTY))
                path[level + 1] = slots[slot]
            slots[2 * path[depth] + (number >> free & 1)] = leaf
            before = number
    return slots, list(numbers)


def _record_bits(highest: int) -> int:
    """The smallest record size that can hold this number."""
    for bits in (24, 28, 32):
        if highest < 1 << bits:
            return bits
    raise ValueError("more networks than an MMDB can hold")


def _nodes(tree: "array[int]", offsets: "array[int]", count: int, width: int) -> bytes:
    """The search tree as bytes: node numbers below `count`, nothing at it, data above it."""
    slots = np.frombuffer(tree, dtype=np.uint32).astype(np.int64)
    leaf = (slots & LEAF) != 0
    leaf &= slots != EMPTY
    where = np.frombuffer(offsets, dtype=np.uint32).astype(np.int64) if offsets else slots[:0]
    slots[slots == EMPTY] = count
    slots[leaf] = where[slots[leaf] & ~LEAF] + count + len(SEPARATOR)
    octets = slots.astype(">u4").view(np.uint8).reshape(-1, 2, 4)
    if width == 32:
        return octets.tobytes()
    if width == 24:
        return octets[:, :, 1:].tobytes()
    middle = (octets[:, 0, :1] << 4) | octets[:, 1, :1]
    return np.concatenate([octets[:, 0, 1:], middle, octets[:, 1, 1:]], axis=1).tobytes()


class _Data:
    """The data section: each value once, and pointers to it."""

    def __init__(self) -> None:
        self.written = bytearray()
        self._known: dict[bytes, int] = {}

    def offset(self, record: Record) -> int:
        """Where a record stands; it is written if it was not there."""
        body = _control(MAP, len(record)) + b"".join(
            self._pointed(key) + self._pointed(value) for key, value in record.items()
        )
        return self._place(body)

    def _pointed(self, value: Field) -> bytes:
        """A value, or a pointer to where it stands."""
        body = _encoded(value)
        return body if len(body) < SHORTEST_POINTED else _pointer(self._place(body))

    def _place(self, body: bytes) -> int:
        at = self._known.setdefault(body, len(self.written))
        if at == len(self.written):
            self.written += body
        return at


def _pointer(to: int) -> bytes:
    """A pointer in its shortest form: each size counts from where the one before it ends."""
    if to < 2048:
        return bytes([0x20 | to >> 8, to & 0xFF])
    if to < 2048 + (1 << 19):
        to -= 2048
        return bytes([0x28 | to >> 16, *(to & 0xFFFF).to_bytes(2)])
    if to < 526_336 + (1 << 27):
        to -= 526_336
        return bytes([0x30 | to >> 24, *(to & 0xFF_FFFF).to_bytes(3)])
    return bytes([0x38, *to.to_bytes(4)])


def _encoded(value: Field | list[str]) -> bytes:
    """A value in the data format, without pointers; numbers as 32 bits."""
    if isinstance(value, bool):
        return _control(BOOLEAN, int(value))
    if isinstance(value, int):
        return _number(value, UINT32)
    if isinstance(value, str):
        return _control(STRING, len(octets := value.encode())) + octets
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(map(_encoded, value))
    return _map({key: _encoded(item) for key, item in value.items()})


def _map(pairs: Mapping[str, bytes]) -> bytes:
    """A map of values that are encoded already."""
    written = b"".join(_encoded(key) + value for key, value in pairs.items())
    return _control(MAP, len(pairs)) + written


def _number(value: int, kind: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return _control(kind, size) + value.to_bytes(size)


def _control(kind: int, size: int) -> bytes:
    """The octets before a value: its type, and its size if that has more than 28."""
    low = min(size, 29) if size < 285 else 30
    head = bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])
    if size < 29:
        return head
    if size < 285:
        return head + bytes([size - 29])
    return head + struct.pack(">H", size - 285)


def _metadata(about: About, count: int, width: int) -> dict[str, bytes]:
    """The metadata map; its numbers have the types that the specification gives each of them."""
    return {
        "binary_format_major_version": _number(2, UINT16),
        "binary_format_minor_version": _number(0, UINT16),
        "build_epoch": _number(about.epoch, UINT64),
        "database_type": _encoded(about.kind),
        "description": _encoded({"en": about.description}),
        "ip_version": _number(6, UINT16),
        "languages": _encoded(["en"]),
        "node_count": _number(count, UINT32),
        "record_size": _number(width, UINT16),
    }
