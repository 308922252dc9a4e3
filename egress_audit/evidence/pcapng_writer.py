"""Writes one section of pcapng: frames with their process, names, losses.

A block reaches the file whole or not at all, so a recorder that is killed leaves a file that reads
to its last flush. Blocks of up to BUFFER bytes wait in memory; `flush` writes them.

No filter: every interface carries an if_filter that is an empty libpcap expression. The format has
no other word for it, and readers take an empty expression for "not said", rightly, since other
writers may leave it so for want of knowing. That ours never filters is said by its record (a bundle
has one beside the capture), not by this file alone.

Source: draft-ietf-opsawg-pcapng §3.5 (options), §4.1 (SHB), §4.2 (IDB), §4.3 (EPB), §4.5 (NRB),
§4.6 (ISB).
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import BinaryIO

from egress_audit.evidence.lines import one_line
from egress_audit.evidence.packet_layout import kept_length
from egress_audit.evidence.writing import cannot_write, cut_to, write_all
from egress_audit.values import dataclass

SHB, IDB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 4, 5, 6
COMMENT, SHB_USERAPPL, IF_NAME, EPB_FLAGS, IF_TSRESOL, IF_FILTER = 1, 4, 2, 2, 9, 11
ISB_STARTTIME, ISB_ENDTIME, ISB_IFRECV, ISB_IFDROP = 2, 3, 4, 5
NANOSECONDS = 9
NO_FILTER = b"\0"
"""Kind 0 (a libpcap expression), and nothing of it."""
INBOUND, OUTBOUND = 1, 2
"""Bits 0 and 1 of epb_flags."""
APPLICATION = "egress-audit"

BUFFER = 128 << 10
MAX_COMMENT = 1000
MAX_COMMENTS = 4096
"""Comments kept ready; when there are more, all are made anew."""
NAMES_OF_BLOCK = 4096
"""Name records of one NRB, far below the 16 MiB at which readers stop to believe a block."""
MAX_NAME = 255

_EPB_HEAD = struct.Struct("<IIIIIII")
_LENGTH = struct.Struct("<I")
_PADDING = (b"", bytes(1), bytes(2), bytes(3))

Option = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class CaptureInterface:
    """An interface that frames are read from; its number is its position in the list given."""

    name: str
    linktype: int
    """LINKTYPE_ value: 101 (RAW) or 1 (ETHERNET)."""


class PcapngWriter:
    """Frames in the order given, numbered from 1, to a file opened for writing at its start.

    `stream`: unbuffered is best, since blocks are gathered here. `name`: for errors.
    `headers_only`: keeps the headers of each frame and the packets that carry names (see
    `kept_length`). The length on the wire stays, so every cut shows as such when it is read again.
    """

    def __init__(
        self,
        stream: BinaryIO,
        interfaces: Sequence[CaptureInterface],
        *,
        name: str = "capture.pcapng",
        headers_only: bool = False,
    ) -> None:
        self.frames = 0
        """Frames taken, those that wait in memory included."""
        self._stream = stream
        self._name = name
        self._linktypes = [interface.linktype for interface in interfaces]
        self._headers_only = headers_only
        self._buffer = bytearray()
        self._size = 0
        self._frames_kept = 0
        self._options: dict[tuple[str, bool], bytes] = {}
        header = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        self._buffer += block(SHB, header + options_of([(SHB_USERAPPL, APPLICATION.encode())]))
        for interface in interfaces:
            self._buffer += block(IDB, _description(interface))
        self.flush()

    def write(
        self,
        interface: int,
        t_ns: int,
        frame: bytes,
        *,
        outbound: bool,
        comment: str = "",
        whole: bool = False,
        wire_len: int = 0,
    ) -> int:
        """Takes a frame, and returns its number. `outbound`: it left the sandbox; `whole`: it is
        not cut to its headers, even where others are; `wire_len`: its bytes on the wire, where they
        were more than could be read.

        `comment`: shown beside the frame, `pid 1234 /usr/bin/python3`; empty for none. Raises
        EgressAuditError when the buffer is full and cannot be written.
        """
        options = self._options.get((comment, outbound))
        if options is None:
            options = self._options_with(comment, outbound)
        captured = len(frame)
        wire_len = max(wire_len, captured)
        if self._headers_only and not whole:
            captured = kept_length(frame, self._linktypes[interface])
            frame = frame[:captured]
        padding = _PADDING[-captured & 3]
        length = 32 + captured + len(padding) + len(options)
        buffer = self._buffer
        buffer += _EPB_HEAD.pack(
            EPB, length, interface, t_ns >> 32, t_ns & 0xFFFFFFFF, captured, wire_len
        )
        buffer += frame
        buffer += padding
        buffer += options
        buffer += _LENGTH.pack(length)
        self.frames += 1
        if len(buffer) >= BUFFER:
            self.flush()
        return self.frames

    def write_names(self, names: Mapping[str, str]) -> None:
        """Names by address text. A reader shows them from here on, so the earlier the better."""
        records = list(names.items())
        for start in range(0, len(records), NAMES_OF_BLOCK):
            self._buffer += block(NRB, _name_records(records[start : start + NAMES_OF_BLOCK]))

    def write_statistics(
        self, interface: int, *, received: int, dropped: int | None, start_ns: int, end_ns: int
    ) -> None:
        """What an interface counted over the whole recording. `dropped`: None if not known.

        `received`: frames that came to the interface, the dropped included.
        """
        counts = [(ISB_IFRECV, received)] + ([] if dropped is None else [(ISB_IFDROP, dropped)])
        options = [(ISB_STARTTIME, _ticks(start_ns)), (ISB_ENDTIME, _ticks(end_ns))]
        options += [(code, struct.pack("<Q", count)) for code, count in counts]
        head = struct.pack("<I", interface) + _ticks(end_ns)
        self._buffer += block(ISB, head + options_of(options))

    def flush(self) -> None:
        """Writes all that waits. A disk that is full cuts the file behind its last whole block and
        raises EgressAuditError, which says how many frames are kept."""
        written, error = write_all(self._stream, self._buffer)
        if error is None:
            self._size += written
            self._frames_kept = self.frames
            self._buffer.clear()
            return
        whole, frames = _whole_blocks(self._buffer, written)
        self._size += whole
        self._frames_kept += frames
        self._buffer = self._buffer[whole:]
        cut_to(self._stream, self._size)
        kept = f"its first {self._frames_kept} of {self.frames} frames are kept and can be read"
        raise cannot_write(self._name, error, kept) from error

    def _options_with(self, comment: str, outbound: bool) -> bytes:
        if len(self._options) >= MAX_COMMENTS:
            self._options.clear()
        shown = one_line(comment, MAX_COMMENT).encode("utf-8", "backslashreplace")
        flags = struct.pack("<I", OUTBOUND if outbound else INBOUND)
        made = options_of([(COMMENT, shown)] * bool(shown) + [(EPB_FLAGS, flags)])
        self._options[comment, outbound] = made
        return made


def block(kind: int, body: bytes) -> bytes:
    """A general block; `body` is a multiple of four bytes long."""
    length = _LENGTH.pack(len(body) + 12)
    return _LENGTH.pack(kind) + length + body + length


def _description(interface: CaptureInterface) -> bytes:
    """Body of an IDB; snaplen 0, no limit, since even a recording of headers has whole frames."""
    options = [
        (IF_NAME, one_line(interface.name).encode("utf-8", "backslashreplace")),
        (IF_TSRESOL, bytes([NANOSECONDS])),
        (IF_FILTER, NO_FILTER),
    ]
    return struct.pack("<HHI", interface.linktype, 0, 0) + options_of(options)


def _name_records(names: Iterable[tuple[str, str]]) -> bytes:
    body = bytearray()
    for address, host in names:
        packed = ip_address(address).packed
        shown = one_line(host, MAX_NAME).encode("utf-8", "backslashreplace")
        value = packed + shown + b"\0"
        body += struct.pack("<HH", 1 if len(packed) == 4 else 2, len(value)) + padded(value)
    return bytes(body) + bytes(4)


def options_of(pairs: Iterable[Option]) -> bytes:
    """Options as they stand behind the body of a block, with their end."""
    written = [struct.pack("<HH", code, len(value)) + padded(value) for code, value in pairs]
    return b"".join(written) + bytes(4)


def padded(data: bytes) -> bytes:
    """The data, filled with zeros up to a multiple of four bytes."""
    return data + bytes(-len(data) % 4)


def _ticks(t_ns: int) -> bytes:
    return struct.pack("<II", t_ns >> 32, t_ns & 0xFFFFFFFF)


def _whole_blocks(data: bytearray, end: int) -> tuple[int, int]:
    """Where the last whole block before `end` ends, and the frames up to there."""
    position = frames = 0
    while position + 8 <= end:
        kind, length = struct.unpack_from("<II", data, position)
        if position + length > end:
            break
        position += length
        frames += kind == EPB
    return position, frames
