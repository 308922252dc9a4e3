"""Small inputs grown to buffers that are walked in lanes: records over and over, with faults.

Lanes begin at 1.5 MB, and a search goes through inputs of at most 64 kB. So an input says here
which records are repeated, what is wrong with some of them, and where the walk begins and ends.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from egress_audit.capture.lanes import FEWEST, LANE
from egress_audit.capture.pcapng_blocks import EPB, MAX_BLOCK
from egress_audit.capture.walk import MAX_FRAME

GROWN = (FEWEST + 8) * LANE
"""Bytes that a buffer has at least, before its faults: there are lanes enough, and some to lose."""
HEAD = struct.Struct(">BBHB")
"""Byte order, bytes before the first record, bytes that the end lacks, and how many faults."""
FAULT = struct.Struct(">HBBI")
"""Which record (of 65,536), which word of it, what sort of fault, and a number for that."""
MOST_FAULTS = 16
LONGEST = 2048
"""Bytes of one payload, before it is put into records of its own."""
SECONDS = 1_700_000_000
EXTREMES = (
    *(0, 1, 4, 6, 8, 12, 16, 31, 32, 33, 36, 0xFFFF, 0x10000, LANE, MAX_FRAME, MAX_FRAME + 1),
    *(MAX_BLOCK, MAX_BLOCK + 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF),
)
"""Values that decide whether a length is believed."""

Packed = Callable[[bytes, str], bytes]
"""A payload, and `<` or `>` → a whole record."""


class Grown(NamedTuple):
    """A buffer, and how it is to be walked."""

    data: bytes
    start: int
    order: str


class _Fault(NamedTuple):
    """What is done to the buffer at one place, which is the beginning of a record."""

    place: int
    word: int
    sort: int
    number: int


def pcap_record(payload: bytes, order: str) -> bytes:
    """A record of pcap."""
    return struct.pack(order + "4I", SECONDS, 0, len(payload), len(payload)) + payload


def frame_block(payload: bytes, order: str) -> bytes:
    """An enhanced packet block of pcapng."""
    padded = payload + bytes(-len(payload) % 4)
    length = len(padded) + 32
    fixed = EPB, length, 0, 0, 0, len(payload), len(payload)
    return struct.pack(order + "7I", *fixed) + padded + struct.pack(order + "I", length)


def grown(data: bytes, packed: Packed) -> Grown:
    """The buffer that an input stands for; the same one each time. What the input lacks is zero."""
    head = data[: HEAD.size].ljust(HEAD.size, b"\0")
    way, start, lacking, count = HEAD.unpack(head)
    order, behind = "<>"[way % 2], HEAD.size + count % MOST_FAULTS * FAULT.size
    records = _records(data[behind:], order, packed)
    once = b"".join(records)
    times = GROWN // len(once) + 1
    buffer = bytearray(once * times)
    for fault in sorted(_faults(data[HEAD.size : behind], records, times), reverse=True):
        _put_in(buffer, fault, order)
    del buffer[max(len(buffer) - lacking, 0) :]
    return Grown(b"\xff" * start + buffer, start, order)


def _records(data: bytes, order: str, packed: Packed) -> list[bytes]:
    """Each payload has its length before it, of which the upper bits say how many records of its
    own it is put into: such a payload looks like what it lies in."""
    records, at = [], 0
    while at + 2 <= len(data):
        word = int.from_bytes(data[at : at + 2], "big")
        payload, nested = data[at + 2 : at + 2 + word % LONGEST], word // LONGEST
        records.append(packed(packed(payload, order) * nested if nested else payload, order))
        at += 2 + word % LONGEST
    return records or [packed(b"", order)]


def _faults(data: bytes, records: list[bytes], times: int) -> list[_Fault]:
    ends = [0]
    for record in records:
        ends.append(ends[-1] + len(record))
    found = []
    for at in range(0, len(data) - FAULT.size + 1, FAULT.size):
        which, word, sort, number = FAULT.unpack_from(data, at)
        turn, record = divmod(which * len(records) * times >> 16, len(records))
        found.append(_Fault(turn * ends[-1] + ends[record], word, sort, number))
    return found


def _put_in(buffer: bytearray, fault: _Fault, order: str) -> None:
    """A wrong word, one that is nearly right, bytes that are missing, bytes too many, or a length
    that a block has at both its ends."""
    at, number = fault.place + 4 * (fault.word % 16), fault.number
    extreme = struct.pack(order + "I", EXTREMES[number % len(EXTREMES)])
    if fault.sort % 5 == 0:
        buffer[at : at + 4] = struct.pack(order + "I", number)
    elif fault.sort % 5 == 1:
        buffer[at : at + 4] = extreme
    elif fault.sort % 5 == 2:
        del buffer[at : at + number % LONGEST]
    elif fault.sort % 5 == 3:
        buffer[at:at] = number.to_bytes(4, "big") * (fault.word // 16 + 1)
    else:
        for end in (fault.place + 8, fault.place + EXTREMES[number % len(EXTREMES)]):
            if end <= len(buffer):
                buffer[end - 4 : end] = extreme
