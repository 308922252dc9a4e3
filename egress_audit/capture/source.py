"""Opens a file or standard input as a source of frames, by what its first bytes are."""

import io
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from egress_audit.capture.amended import AmendedSource
from egress_audit.capture.compressed import Origin, Unpacked, UnpackedWindow
from egress_audit.capture.foreign_formats import LOOKED_AT, foreign_format
from egress_audit.capture.live_stream import Ending, LiveStream
from egress_audit.capture.packings import Packing, packing_of
from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.pcap_variants import MODIFIED, VariantSource, layout_of
from egress_audit.capture.pcapng_blocks import MAX_BLOCK, strange_version
from egress_audit.capture.window import CountedStream, Stream, Window
from egress_audit.columns import OpenedSource
from egress_audit.errors import InputUnreadable

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
HEAD = 28
"""Bytes that say which reader an input needs."""
SHORTEST_SECTION = 28
"""Bytes of a Section Header Block without options."""
SELECTABLE = os.name == "posix"
"""Elsewhere it cannot be asked of a pipe whether there is something in it."""
NEITHER_NOR = "egress-audit reads pcap and pcapng, also packed with gzip, zstd, xz or bzip2"


def open_capture(
    path: str,
    ending: Ending | None = None,
    on_bytes: Callable[[int], None] | None = None,
    *,
    hashed: bool = True,
) -> OpenedSource:
    """A source for the file at `path`, `-` being standard input; packed ones are unpacked.

    ending: how the user ends standard input; on_bytes: told how many bytes of a file each reading
    gave; hashed: whether its facts have the file's sha256. Raises InputUnreadable if the file is
    missing, may not be read, is empty or is no capture.
    """
    stream = _opened(path, ending)
    if on_bytes is not None and path != "-":
        stream = CountedStream(stream, on_bytes)
    name = "-" if path == "-" else Path(path).name
    try:
        if isinstance(stream, LiveStream):
            source = _source(path, name, stream, hashed, stream.stalled)
            return AmendedSource(source, stream.amended)
        return _source(path, name, stream, hashed)
    except OSError as error:
        raise InputUnreadable(f"cannot be read: {error.strerror}", where=path) from error


def _source(
    path: str,
    name: str,
    stream: Stream,
    hashed: bool,
    stalled: Callable[[], bool] = lambda: False,
) -> OpenedSource:
    """A source over an open input, which is closed if it is no capture."""
    window = Window(stream, stalled=stalled, hashed=hashed)
    packing = packing_of(_head(window))
    if packing is None:
        return _known_source(path, name, window)
    origin = Origin(bytes(window.buffer[: window.end]), stream, hashed=hashed)
    unpacked = Unpacked(origin, packing)
    inside = UnpackedWindow(unpacked)
    again = packing_of(_head(inside))
    if again is None and inside.end:
        return AmendedSource(_known_source(path, name, inside, packing), unpacked.amended)
    inside.close()
    hint = f"unpack it: `{packing.unpack} FILE | egress-audit replay -`"
    if again is not None:
        raise InputUnreadable(f"is {again.name} data in {packing.name} data", where=path, hint=hint)
    what = unpacked.problem or f"the {packing.name} data hold nothing"
    if not unpacked.wants_memory:
        hint = "get the whole file"
    elif packing.unpack_large:
        hint = f"unpack it: `{packing.unpack_large} FILE | egress-audit replay -`"
    raise InputUnreadable(f"cannot be unpacked: {what}", where=path, hint=hint)


def _head(window: Window) -> bytes:
    """The first bytes of the input: LOOKED_AT, fewer of a shorter one or one that is live."""
    while window.end < HEAD and window.slide(0):
        pass
    return bytes(window.buffer[: min(window.end, LOOKED_AT)])


def _known_source(
    path: str, name: str, window: Window, packing: Packing | None = None
) -> OpenedSource:
    """The source that the header asks for. Raises InputUnreadable if there is none."""
    source = source_of(name, window)
    if source is not None:
        return source
    window.close()
    if not window.end:
        raise InputUnreadable(
            "is empty: it has no capture header, so it is no evidence of silence",
            where=path,
            hint="a capture of silence still begins with a header of 24 bytes or more",
        )
    extent = f"{window.end} bytes in all"
    if window.end == window.capacity:
        extent = f"{window.end} bytes or more"
    inside = name.rpartition(".")[0] if packing else name
    what, remedy = _what_it_is(_head(window), extent, inside)
    shell = f"{packing.name} data, and inside " if packing else ""
    raise InputUnreadable(f"is {shell}{what}", where=path, hint=remedy)


def source_of(name: str, window: Window) -> OpenedSource | None:
    """A source for an input of that name, if it begins with a header that can be read."""
    head = _head(window)
    if head.startswith(PCAPNG_MAGIC):
        from egress_audit.capture.pcapng import PcapngSource  # much that a pcap does not need

        return PcapngSource(name, window) if _section_header_whole(head, window) else None
    layout = layout_of(window)
    if layout is not None:
        return VariantSource(name, window, layout)
    header = read_header(head)
    return PcapSource(name, window, header) if header else None


def _section_header_whole(head: bytes, window: Window) -> bool:
    """Whether the first block can be true and is all there; reads on if it needs more room."""
    order = BYTE_ORDERS.get(head[8:12])
    if order is None or len(head) < SHORTEST_SECTION or strange_version(head[8:], order):
        return False
    (length,) = struct.unpack_from(order + "I", head, 4)
    if length < SHORTEST_SECTION or length & 3 or length > MAX_BLOCK:
        return False
    while length > window.end and window.slide(0, room=length):
        pass
    return bool(length <= window.end)


def _opened(path: str, ending: Ending | None) -> Stream:
    if path == "-" and SELECTABLE:
        return LiveStream(sys.stdin.fileno(), ending)
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


def _what_it_is(head: bytes, extent: str, name: str) -> tuple[str, str]:
    """What a file is that cannot be read, as in `is text`, and what would help."""
    order = BYTE_ORDERS.get(head[8:12]) if head.startswith(PCAPNG_MAGIC) else None
    if order is not None and len(head) >= HEAD and (strange := strange_version(head[8:], order)):
        return f"a pcapng capture that cannot be read: it begins with {strange}", NEITHER_NOR
    known = (PCAPNG_MAGIC, *MODIFIED)
    if read_header(head.ljust(24, b"\0")) is not None or head.startswith(known):
        return f"a capture whose header is cut or damaged ({extent})", NEITHER_NOR
    foreign = foreign_format(head, name)
    if foreign is not None:
        return f"{foreign.what}, not pcap or pcapng", foreign.remedy
    return f"no pcap or pcapng: it begins with {head[:4].hex(' ')}", NEITHER_NOR
