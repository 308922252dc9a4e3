"""Where a command's words go: standard output or a file, with colour only for people."""

import os
import sys
from pathlib import Path

import click

from egress_audit.errors import EgressAuditError


def wants_colour(path: str | None) -> bool:
    """True for a terminal whose user has not said NO_COLOR (no-color.org)."""
    return path is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def deliver(text: str, path: str | None) -> None:
    """Writes `text` to the file, or to standard output. Raises EgressAuditError if it cannot."""
    if path is None:
        # Not click.echo: it would strip what it takes for colour out of a capture's own text.
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: str, error: OSError) -> EgressAuditError:
    """The error for an output file that cannot be written."""
    return EgressAuditError(
        f"cannot be written: {error.strerror}", where=path, hint="choose another place"
    )


def refuse_terminal(path: str) -> None:
    """Refuses to wait for a capture to be typed. Raises UsageError."""
    if path == "-" and sys.stdin.isatty():
        raise click.UsageError("`-` reads a capture from standard input: pipe one into it")
