"""Where a command's words go: standard output or a file, with colour only for people."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from egress_audit.errors import EgressAuditError
from egress_audit.paths import is_ordinary_file, is_there

USUAL_WIDTH, NARROWEST, WIDEST = 100, 80, 160
"""Columns of a report: where it is not for a terminal, and what a terminal may have."""


class ReaderLeft(Exception):
    """Whoever read our output has gone. No OSError: click would make a crash of a broken pipe."""


NO_TERMINALS = ("", "dumb", "unknown")
"""Values of TERM that promise no escape sequence, and so neither colour nor a line that moves."""


def wants_colour(path: str | None) -> bool:
    """True for a terminal that has colours, and whose user has not said NO_COLOR (no-color.org)."""
    if path not in (None, "-") or sys.stdout is None or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in NO_TERMINALS


def terminal_width(path: str | None) -> int:
    """Columns for a report: those of the terminal it goes to, within bounds; else USUAL_WIDTH.

    A terminal may say that it has none.
    """
    if path not in (None, "-") or sys.stdout is None or not sys.stdout.isatty():
        return USUAL_WIDTH
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return USUAL_WIDTH
    return min(max(columns, NARROWEST), WIDEST) if columns else USUAL_WIDTH


def deliver(text: str | Iterable[str], path: str | None) -> None:
    """Writes a text, or its pieces, to the file or to standard output. Raises EgressAuditError if
    it cannot."""
    pieces = (text,) if isinstance(text, str) else text
    try:
        if path is None or path == "-":
            _to_standard_output(pieces)
        else:
            with Path(path).open("w", encoding="utf-8") as file:
                file.writelines(pieces)
    except BrokenPipeError as error:
        raise ReaderLeft from error
    except OSError as error:
        place = "standard output" if path is None or path == "-" else path
        raise cannot_write(place, error) from error


@contextmanager
def held(paths: Sequence[str | None]) -> Iterator[list[str | None]]:
    """Opens output files now, and gives paths that lead to what was opened, and to nothing else.

    A program that runs meanwhile could put a link in their place. What was made is removed again
    if nothing came of it. Raises EgressAuditError if a file cannot be opened.
    """
    opened: dict[str, int] = {}
    made = [path for path in paths if path not in (None, "-") and not is_there(path)]
    try:
        for path in paths:
            if path is not None and path != "-":
                flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
                try:
                    opened[path] = os.open(path, flags, 0o666)
                except OSError as error:
                    raise cannot_write(path, error) from error
        ways = {path: f"/proc/self/fd/{number}" for path, number in opened.items()}
        try:
            yield [path and ways.get(path, path) for path in paths]
        except EgressAuditError as error:
            for path, way in ways.items():
                if error.where == way:  # Nobody would know it by that.
                    raise EgressAuditError(error.what, where=path, hint=error.hint) from error
            raise
        made = []
    finally:
        for path, number in opened.items():
            if path in made:
                Path(path).unlink(missing_ok=True)
            os.close(number)


def _to_standard_output(pieces: Iterable[str]) -> None:
    if sys.stdout is None:
        raise EgressAuditError("standard output is closed", hint="write to a file with -o")
    # Not opened anew by its name, which would empty a file that was there before (`>> log`).
    # Not click.echo: it would strip what it takes for colour out of a capture's own text.
    for piece in pieces:
        sys.stdout.buffer.write(piece.encode("utf-8"))
    sys.stdout.buffer.flush()


def cannot_write(path: str, error: OSError) -> EgressAuditError:
    """The error for an output file that cannot be written."""
    return EgressAuditError(
        f"cannot be written: {error.strerror}", where=path, hint="choose another place"
    )


def refuse_terminal(path: str) -> None:
    """Refuses to wait for a capture to be typed. Raises UsageError."""
    if path == "-" and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("`-` reads a capture from standard input: pipe one into it")


def refuse_overwriting(outputs: Sequence[str | None], inputs: Sequence[str]) -> None:
    """Refuses to write over what is read, or two things into one file. Raises UsageError."""
    written = [Path(path) for path in outputs if path not in (None, "-")]
    for place, path in enumerate(written):
        for other in [*(Path(read) for read in inputs), *written[:place]]:
            if _same_file(path, other):
                raise click.UsageError(f"{path} would overwrite what is read or written elsewhere")


def _same_file(path: Path, other: Path) -> bool:
    if is_there(path) and is_there(other):
        return is_ordinary_file(path) and path.samefile(other)
    return path.absolute() == other.absolute()
