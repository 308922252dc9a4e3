"""Where the records of a buffer begin, one after the other. HOT PATH: a loop over packets.

Record headers form a linked list; this follows it one record at a time. Nothing is guessed: a
length that cannot be true stops the walk at its offset. What walks faster, in lanes or compiled,
finds what this finds; the lanes come back to it where their guesses fail.
"""

import struct
from collections.abc import Container
from enum import Enum, auto

MAX_FRAME = 262_144
"""Longest frame that is believed; libpcap's MAXIMUM_SNAPLEN. A longer one is damage."""

RECORD_HEADER = 16


class Stop(Enum):
    """Why a walk ended."""

    NEEDS_MORE = auto()
    """The next record is not whole yet."""
    DAMAGE = auto()
    """The next record cannot be true."""


def pcap_records(
    buffer: bytearray,
    start: int,
    end: int,
    order: str,
    *,
    until: Container[int] = frozenset(),
) -> tuple[list[int], int, Stop]:
    """Offsets of the whole records in `buffer[start:end]`, the offset after them, and why it ended.

    `order`: `<` or `>`; until: offsets behind the first record at which it ends early, as if more
    were needed. Source: draft-ietf-opsawg-pcap §5.
    """
    caplen_at = struct.Struct(order + "I").unpack_from
    records: list[int] = []
    append = records.append
    position = start
    last = end - RECORD_HEADER
    while position <= last:
        (caplen,) = caplen_at(buffer, position + 8)
        if caplen > MAX_FRAME:
            return records, position, Stop.DAMAGE
        following = position + RECORD_HEADER + caplen
        if following > end:
            break
        append(position)
        position = following
        if position in until:
            break
    return records, position, Stop.NEEDS_MORE


def record_length(buffer: bytearray, position: int, end: int, order: str) -> int:
    """Bytes that the unfinished record at `position` needs, if it can be true; else 0."""
    if position + RECORD_HEADER > end:
        return 0
    caplen = int(struct.unpack_from(order + "I", buffer, position + 8)[0])
    return RECORD_HEADER + caplen if caplen <= MAX_FRAME else 0


def pcap_stop(buffer: bytearray, position: int, end: int, order: str, stop: Stop) -> str:
    """What is wrong at `position`, where a file ended for good; empty if it ended cleanly."""
    left = end - position
    if left == 0:
        return ""
    if left < RECORD_HEADER:
        return f"the file ends inside a record header ({left} of {RECORD_HEADER} bytes)"
    (caplen,) = struct.unpack_from(order + "I", buffer, position + 8)
    if stop is Stop.DAMAGE:
        return f"a record claims {caplen} bytes; no frame is longer than {MAX_FRAME}"
    return f"the file ends inside a record ({left - RECORD_HEADER} of its {caplen} bytes)"
