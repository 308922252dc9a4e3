"""Opens a file or standard input as a source of frames, by what its first bytes are."""

import io
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.pcapng import MAX_BLOCK, PcapngSource
from egress_audit.capture.window import Window
from egress_audit.columns import OpenedSource
from egress_audit.errors import InputUnreadable

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
SHORTEST_SECTION = 28
"""Bytes of a Section Header Block without options."""

CONVERT = "convert it: `editcap FILE OUT`"
KNOWN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "gzip data", "decompress it: `gunzip -c FILE | egress-audit replay -`"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "decompress it: `zstdcat FILE | egress-audit replay -`"),
    (b"\xfd7zXZ\x00", "xz data", "decompress it: `xzcat FILE | egress-audit replay -`"),
    (b"BZh", "bzip2 data", "decompress it: `bzcat FILE | egress-audit replay -`"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"\xa1\xb2\xcd\x34", "pcap with the modified record header", CONVERT),
    (b"\x34\xcd\xb2\xa1", "pcap with the modified record header", CONVERT),
    (b"snoop\x00\x00\x00", "a snoop capture (RFC 1761)", CONVERT),
    (b"btsnoop\x00", "a Bluetooth HCI log", "it holds no IP traffic to judge"),
    (b"GMBU", "a Microsoft Network Monitor capture", CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
    (b"TRSNIFF data", "a Sniffer capture", CONVERT),
    (b"XCP\x00", "a NetXRay capture", CONVERT),
    (b"\x7fELF", "a program (ELF)", "give the capture, not the program"),
    (b"%PDF", "a PDF document", "give the capture"),
    (b"SQLite format 3", "an SQLite database", "give the capture"),
    (b"GGUF", "a GGUF model file", "give the capture, not the model"),
)
"""First bytes → what the file is, what would help."""


def open_capture(path: str) -> OpenedSource:
    """A source for the file at `path`, `-` being standard input.

    Raises InputUnreadable if it is missing, may not be read, is empty or is no capture.
    """
    stream = _opened(path)
    name = "-" if path == "-" else Path(path).name
    try:
        window = Window(stream)
        source = source_of(name, window)
    except OSError as error:
        raise InputUnreadable(f"cannot be read: {error.strerror}", where=path) from error
    if source is not None:
        return source
    window.close()
    if not window.end:
        raise InputUnreadable(
            "is empty: it has no capture header, so it is no evidence of silence",
            where=path,
            hint="a capture of silence still begins with a header of 24 bytes or more",
        )
    head = bytes(window.buffer[: min(window.end, 28)])
    extent = f"{window.end} bytes in all"
    if window.end == window.capacity:
        extent = f"{window.end} bytes or more"
    raise InputUnreadable(_what_it_is(head, extent), where=path, hint=_remedy(head))


def source_of(name: str, window: Window) -> OpenedSource | None:
    """A source for an input of that name, if it begins with a header that can be read."""
    head = bytes(window.buffer[: min(window.end, 28)])
    if head.startswith(PCAPNG_MAGIC):
        return PcapngSource(name, window) if _section_header_whole(head, window) else None
    header = read_header(head)
    return PcapSource(name, window, header) if header else None


def _section_header_whole(head: bytes, window: Window) -> bool:
    """Whether the first block can be true and is all there; reads on if it needs more room."""
    order = BYTE_ORDERS.get(head[8:12])
    if order is None:
        return False
    (length,) = struct.unpack_from(order + "I", head, 4)
    if length < SHORTEST_SECTION or length & 3 or length > MAX_BLOCK:
        return False
    if length > window.end:
        window.slide(0, room=length)
    return bool(length <= window.end)


def _opened(path: str) -> BinaryIO:
    if path == "-":
        return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    try:
        return Path(path).open("rb", buffering=0)
    except FileNotFoundError as error:
        raise InputUnreadable("does not exist", where=path, hint="check the path") from error
    except IsADirectoryError as error:
        raise InputUnreadable(
            "is a folder", where=path, hint="name one capture file in it"
        ) from error
    except PermissionError as error:
        raise InputUnreadable(
            "may not be read by this user", where=path, hint="ask for read permission, not for root"
        ) from error
    except OSError as error:
        raise InputUnreadable(f"cannot be opened: {error.strerror}", where=path) from error


def _known(head: bytes) -> tuple[str, str] | None:
    return next(((what, remedy) for magic, what, remedy in KNOWN if head.startswith(magic)), None)


def _remedy(head: bytes) -> str:
    known = _known(head)
    return known[1] if known else "egress-audit reads pcap and pcapng"


def _what_it_is(head: bytes, extent: str) -> str:
    known = _known(head)
    if known:
        return f"is {known[0]}, not pcap or pcapng"
    if read_header(head.ljust(24, b"\0")) is not None or head.startswith(PCAPNG_MAGIC):
        return f"has a capture header that is cut or damaged ({extent})"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return "is text, not a capture"
    return f"is no pcap or pcapng: it begins with {head[:4].hex(' ')}"
