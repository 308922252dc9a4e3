"""gzip, zstd, xz and bzip2, each as decoders of one member with bounded memory.

What decodes is imported where something is packed: few captures are.

Source: RFC 1952 (gzip), RFC 8878 (zstd), the .xz file format 1.2.0.
"""

import zlib
from collections.abc import Callable
from typing import Protocol

from egress_audit.values import dataclass

ZSTD_SLICE = 1 << 10
"""Packed bytes given to zstd at once, which cannot be told to stop: at most 128 KiB come of any
four, so 32 MiB of these."""
MAX_WINDOW = 128 << 20
"""Memory that a zstd frame or an xz block may ask for; `zstd -d` and `xz -9` stay below it."""
LONGEST_MAGIC = 6


class Decoder(Protocol):
    """One member of packed data, as bz2 and lzma have it."""

    @property
    def eof(self) -> bool:
        """The member is complete."""
        ...

    @property
    def needs_input(self) -> bool:
        """Nothing more comes without more packed bytes."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Packed bytes behind the member."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """More of what is in it."""
        ...


class GzipDecoder:
    """A gzip member. Where it is damaged, everything before comes out first."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._held = b""
        self._full = False
        self._error: zlib.error | None = None

    @property
    def eof(self) -> bool:
        """The member is complete, and its checksum is right."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Nothing more comes without more packed bytes."""
        return not (self._held or self._full or self._error)

    @property
    def unused_data(self) -> bytes:
        """Packed bytes behind the member."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """More of what is in it; raises zlib.error once everything before the damage was given."""
        if self._error is not None:
            raise self._error
        before, packed = self._inner.copy(), self._held + data
        try:
            unpacked = self._inner.decompress(packed, max_length)
        except zlib.error as error:
            self._error = error
            return _salvaged(before, packed)
        self._held, self._full = self._inner.unconsumed_tail, len(unpacked) == max_length
        return unpacked


def _salvaged(decoder: "zlib._Decompress", packed: bytes) -> bytes:
    """What comes of the bytes before the one that is wrong."""
    parts = []
    for at in range(len(packed)):
        try:
            parts.append(decoder.decompress(packed[at : at + 1]))
        except zlib.error:
            break
    return b"".join(parts)


class ZstdDecoder:
    """A zstd frame, or one that is to be skipped."""

    def __init__(self) -> None:
        import zstandard

        unlimited = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        self._inner = unlimited.decompressobj()
        self._held, self._at = b"", 0

    @property
    def eof(self) -> bool:
        """The frame is complete."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Nothing more comes without more packed bytes."""
        return self._at >= len(self._held)

    @property
    def unused_data(self) -> bytes:
        """Packed bytes behind the frame."""
        return self._inner.unused_data + self._held[self._at :]

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """More of what is in it, which may exceed `max_length` up to what ZSTD_SLICE allows."""
        if data:
            self._held, self._at = data, 0
        part = self._held[self._at : self._at + ZSTD_SLICE]
        self._at += len(part)
        return self._inner.decompress(part)


def _xz() -> Decoder:
    import lzma

    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_WINDOW)


def _bzip2() -> Decoder:
    import bz2

    return bz2.BZ2Decompressor()


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to pack files."""

    name: str
    magics: tuple[bytes, ...]
    decoder: Callable[[], Decoder]
    unpack: str
    """The command that unpacks to standard output."""
    unpack_large: str = ""
    """The same for data that need more memory than usual, where it is another."""


SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))
"""First bytes of zstd frames that hold no data (RFC 8878 §3.1.2)."""

PACKINGS: tuple[Packing, ...] = (
    Packing("gzip", (b"\x1f\x8b\x08",), GzipDecoder, "gunzip -c"),
    Packing(
        "zstd", (b"\x28\xb5\x2f\xfd", *SKIPPABLE), ZstdDecoder, "zstdcat", "zstd -dc --long=31"
    ),
    Packing("xz", (b"\xfd7zXZ\x00",), _xz, "xzcat"),
    Packing("bzip2", (b"BZh",), _bzip2, "bzcat"),
)
MEMORY_MESSAGES = ("Memory usage limit exceeded", "Frame requires too much memory")
"""What liblzma and libzstd say of data that are sound and need more than MAX_WINDOW."""


def unpacking_errors() -> tuple[type[Exception], ...]:
    """What decoders raise. Of bz2 it is OSError for damaged data; the input's own errors are raised
    outside the decoders."""
    import lzma

    import zstandard

    return zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError


def wants_memory(error: BaseException) -> bool:
    """Whether an unpacking error is about memory, not about the data."""
    return any(message in str(error) for message in MEMORY_MESSAGES)


def packing_of(head: bytes) -> Packing | None:
    """The packing whose first bytes these are; None if there is none."""
    return next((packing for packing in PACKINGS if head.startswith(packing.magics)), None)
