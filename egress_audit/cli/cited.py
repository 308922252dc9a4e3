"""The frames that findings cite, read again: where they are from, and a file of their own."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from typing import TYPE_CHECKING

import click

from egress_audit.cli.output import cannot_write

if TYPE_CHECKING:
    from egress_audit.api import Audited
    from egress_audit.capture.tap import TappedFrame
    from egress_audit.model.audit import Audit
    from egress_audit.report.beside import FrameOrigin

Write = Callable[["TappedFrame"], None]


def read_again(result: "Audited", paths: Sequence[str], frames: str | None) -> "list[FrameOrigin]":
    """Where each cited frame is from; all of them are written to `frames`, if that is a file.

    Raises EgressAuditError if that cannot be written, or the captures are others by now.
    """
    from egress_audit.api import cited_frames
    from egress_audit.report.beside import FrameOrigin

    origins = []
    with _written_to(frames, result) as write:
        for frame in cited_frames(paths, result):
            write(frame)
            origins.append(FrameOrigin(frame.number, frame.file, frame.number_in_file))
    if frames is not None and not origins:
        click.echo(f"egress-audit: no finding cites a frame, so {frames} holds none", err=True)
    return origins


@contextmanager
def _written_to(path: str | None, result: "Audited") -> Iterator[Write]:
    """What writes a frame to the file; nothing if there is none."""
    if path is None:
        yield lambda frame: None
        return
    from egress_audit.evidence.cited_frames import CitedFramesWriter

    reasons = _reasons(result.audit)
    first = first_interfaces(result)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise cannot_write(path, error) from error
    with FileIO(descriptor, "w") as stream:
        writer = CitedFramesWriter(stream, result.audit.coverage.interfaces, name=path)

        def write(frame: "TappedFrame") -> None:
            number = frame.number_in_file or frame.number
            comments = [*reasons[frame.number], f"frame {number} of {result.inputs[frame.file]}"]
            interface = first[frame.file] + frame.interface
            writer.write(interface, frame.ts_ns, frame.captured, frame.wirelen, comments)

        yield write


def first_interfaces(result: "Audited") -> list[int]:
    """Of each capture that was read, the number of its first interface among those of all."""
    first = [0]
    for part in result.parts:
        first.append(first[-1] + len(part.interfaces))
    return first


def _reasons(audit: "Audit") -> Mapping[int, list[str]]:
    """Rule and clause of each finding, by the frames that it cites."""
    reasons: dict[int, list[str]] = {}
    for finding in audit.findings:
        for frame in finding.frames.first:
            reasons.setdefault(frame, []).append(f"{finding.rule}: {finding.message}")
    return reasons
