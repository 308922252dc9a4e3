"""Writes to evidence files: all of it, or an error that says which file and what is kept."""

from contextlib import suppress
from typing import BinaryIO

from egress_audit.errors import EgressAuditError

Bytes = bytes | bytearray


def write_all(stream: BinaryIO, data: Bytes) -> tuple[int, OSError | None]:
    """Bytes that reached the file, and why that is not all of them; None if it is.

    A raw stream may take a part; then the rest is tried until the system says why it will not.
    """
    written = 0
    try:
        written = stream.write(data)
        while written < len(data):
            written += stream.write(data[written:])
        stream.flush()
    except OSError as error:
        return written, error
    return written, None


def cut_to(stream: BinaryIO, size: int) -> None:
    """Cuts a file behind its last whole part; a pipe keeps what it has."""
    with suppress(OSError):
        stream.truncate(size)
        stream.seek(size)


def cannot_write(name: str, error: OSError, kept: str) -> EgressAuditError:
    """The error for evidence that could not be written. `kept`: what the file still holds."""
    return EgressAuditError(
        f"cannot be written: {error.strerror}; {kept}",
        where=name,
        hint="free some room on that disk, or name another place with --bundle",
    )
