"""What a file is that was given as a list and is none: empty, packed, cut off or something else."""

import zlib
from pathlib import Path

from egress_audit.errors import ListUnreadable

HEAD = 1 << 16
"""Octets that are looked at: text has no NUL, and an MMDB begins with a tree full of them."""
DAMAGED, AGAIN = "is damaged, or no MMDB file", "download it again"
GZIP = b"\x1f\x8b"
PACKINGS = (
    (GZIP, "gzip", "gunzip it first; a .tar.gz with `tar xzf`"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd it first"),
    (b"\xfd7zXZ\0", "xz", "unxz it first"),
    (b"BZh", "bzip2", "bunzip2 it first"),
    (b"PK\x03\x04", "zip", "unzip it first"),
)
"""Mark at the beginning, name, and what unpacks it."""


def what_is_wrong(path: Path) -> tuple[str, str]:
    """What is wrong with a file that is no readable MMDB, and what would help."""
    try:
        head = _head(path)
    except OSError:  # gone since it was opened
        return DAMAGED, AGAIN
    for mark, name, remedy in PACKINGS:
        if head.startswith(mark):
            return f"is packed with {name}", remedy
    return DAMAGED if head else "is empty", AGAIN


def refuse_what_is_no_text(path: Path) -> None:
    """Raises ListUnreadable for a file without the mark of an MMDB that must be one: it is called
    so, or is no text, also once unpacked. It was cut off or damaged, or is packed. Raises OSError.
    """
    head = _head(path)
    inside = _unpacked(head) if head.startswith(GZIP) else head
    if not head or b"\0" in inside or path.suffix == ".mmdb":
        what, remedy = what_is_wrong(path)
        raise ListUnreadable(f"address list {what}", where=str(path), hint=remedy)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD)


def _unpacked(head: bytes) -> bytes:
    """What the beginning of a gzip file unpacks to, as far as it is needed; b"" if to nothing."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, HEAD)
    except zlib.error:
        return b""
