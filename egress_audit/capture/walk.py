"""Where the records of a buffer begin, one after the other. HOT PATH: a loop over packets.

Record headers form a linked list; this follows it one record at a time. Nothing is guessed: a
length that cannot be true stops the walk at its offset. What walks faster, in lanes or compiled,
finds what this finds; the lanes come back to it where their guesses fail.
"""

import struct
from collections.abc import Container
from enum import Enum, auto

import numpy as np

from egress_audit.columns import I64

Octets = bytes | bytearray | memoryview
"""What records are read in; a slice of it may be a view."""

MAX_FRAME = 262_144
"""Longest frame that is believed; libpcap's MAXIMUM_SNAPLEN. A longer one is damage."""

RECORD_HEADER = 16

MAX_EMPTY = 1 << 20
"""Records in a row that hold no byte and had none on the wire. No link has such frames; a file that
was never written to its end, or a bomb, has zeros for megabytes, each 16 of which would be one."""
NOTHING_BUT_EMPTY = f"{MAX_EMPTY} records in a row hold nothing: what follows is not read"


class EmptyRun:
    """Counts the records in a row that hold nothing, however they are cut into batches."""

    def __init__(self) -> None:
        self._before = 0
        """Empty records at the end of the batches so far."""

    def too_long_at(self, wirelen: I64) -> int | None:
        """How many records of a batch to keep, where the run in it grows too long; else None.

        wirelen: (n,) never less than what was captured.
        """
        if wirelen.min(initial=1) > 0:
            self._before = 0 if len(wirelen) else self._before
            return None
        filled = np.flatnonzero(wirelen)
        edges = np.concatenate(([-1 - self._before], filled, [len(wirelen)]))
        long = np.flatnonzero(np.diff(edges) > MAX_EMPTY)
        self._before = int(edges[-1] - edges[-2] - 1)
        return int(edges[long[0]]) + MAX_EMPTY + 1 if len(long) else None


class Stop(Enum):
    """Why a walk ended."""

    NEEDS_MORE = auto()
    """The next record is not whole yet."""
    DAMAGE = auto()
    """The next record cannot be true."""


def pcap_records(
    buffer: Octets,
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


def record_length(buffer: Octets, position: int, end: int, order: str) -> int:
    """Bytes that the unfinished record at `position` needs, if it can be true; else 0."""
    if position + RECORD_HEADER > end:
        return 0
    caplen = int(struct.unpack_from(order + "I", buffer, position + 8)[0])
    return RECORD_HEADER + caplen if caplen <= MAX_FRAME else 0


def pcap_stop(buffer: Octets, position: int, end: int, order: str, stop: Stop) -> str:
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
