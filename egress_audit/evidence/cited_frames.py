"""Writes single frames of a capture as a pcapng of their own, each with why it is there.

Bytes, lengths, times, link types and interfaces are those of the capture. Whether it was recorded
with a filter, and which way a frame went, is not said, since a copy does not know.

Source: draft-ietf-opsawg-pcapng §4.1 (SHB), §4.2 (IDB), §4.3 (EPB).
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

from egress_audit.errors import EgressAuditError
from egress_audit.evidence.lines import one_line
from egress_audit.evidence.pcapng_writer import (
    APPLICATION,
    COMMENT,
    EPB,
    IDB,
    IF_NAME,
    IF_TSRESOL,
    MAX_COMMENT,
    NANOSECONDS,
    SHB,
    SHB_USERAPPL,
    Option,
    block,
    options_of,
    padded,
)
from egress_audit.evidence.writing import write_all
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Interface

MAX_COMMENTS = 16
"""Beside one frame; more findings than that are counted."""


class CitedFramesWriter:
    """Frames in the order given, to a stream at its start."""

    def __init__(self, stream: BinaryIO, interfaces: Sequence[Interface], *, name: str) -> None:
        """name: of the file, for errors. Raises EgressAuditError if it cannot be written."""
        self.frames = 0
        """Frames written."""
        self._stream = stream
        self._name = name

        header = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        options = [(SHB_USERAPPL, APPLICATION.encode())]
        self._write(block(SHB, header + options_of(options)))
        for interface in interfaces:
            self._write(block(IDB, _description(interface)))

    def write(
        self, interface: int, ts_ns: int, captured: bytes, wirelen: int, comments: Sequence[str]
    ) -> None:
        """Writes a frame, with comments beside it. interface: index into those given."""
        ticks = ts_ns & 0xFFFF_FFFF_FFFF_FFFF
        head = struct.pack(
            "<IIIII", interface, ticks >> 32, ticks & 0xFFFF_FFFF, len(captured), wirelen
        )
        self._write(block(EPB, head + padded(captured) + options_of(_comments(comments))))
        self.frames += 1

    def _write(self, data: bytes) -> None:
        _, error = write_all(self._stream, data)
        if error is not None:
            raise EgressAuditError(
                f"cannot be written: {error.strerror}",
                where=self._name,
                hint="choose another place",
            ) from error


def _comments(comments: Sequence[str]) -> list[Option]:
    beyond = len(comments) - MAX_COMMENTS
    shown = [*comments[:MAX_COMMENTS], *([f"and {beyond} more findings"] if beyond > 0 else [])]
    lines = (one_line(text, MAX_COMMENT) for text in shown)
    return [(COMMENT, line.encode("utf-8", "backslashreplace")) for line in lines]


def _description(interface: Interface) -> bytes:
    """Body of an IDB with the link type, name and snaplen of an interface of the capture."""
    options: list[Option] = []
    if not isinstance(interface.name, Absent):
        name = one_line(interface.name, MAX_COMMENT).encode("utf-8", "backslashreplace")
        options.append((IF_NAME, name))
    options.append((IF_TSRESOL, bytes([NANOSECONDS])))
    head = struct.pack("<HHI", interface.linktype & 0xFFFF, 0, interface.snaplen & 0xFFFF_FFFF)
    return head + options_of(options)
