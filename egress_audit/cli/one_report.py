"""One report: of one capture or bundle, or of several captures that are judged as one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from egress_audit.cli.cited import read_again
from egress_audit.cli.gathering import Gathered, size_of
from egress_audit.cli.interrupts import interruptible
from egress_audit.cli.progress import Progress
from egress_audit.cli.replay_options import ReplayOptions
from egress_audit.cli.report_options import write_audit

if TYPE_CHECKING:
    from egress_audit.api import Audited
    from egress_audit.cli.several import Asked


def judged_as_one(
    options: ReplayOptions, asked: "Asked", found: Gathered, flows: str | None
) -> int:
    """Judges and reports; gives the verdict's exit code. Raises EgressAuditError."""
    from egress_audit.report.beside import Beside

    for each in found.set_aside:
        click.echo(f"egress-audit: {each.name} is {each.what}: not judged", err=True)
    result = _judged(asked, found.paths)
    origins = None
    if options.frames is not None or result.parts:
        places = read_again(result, found.paths, options.frames)
        origins = tuple(places) if result.parts else None
    labels = None if asked.labels is None else asked.labels.of(result.audit)
    write_audit(result, options.form, options.output, flows, Beside(origins, labels))
    return result.audit.verdict.exit_code


def _judged(asked: "Asked", paths: Sequence[str]) -> "Audited":
    """The audit, with a bar while it lasts."""
    from egress_audit.api import audit_capture, audit_merged, catalogue_with, classifier_with

    classifier, catalogue = classifier_with(asked.lists), catalogue_with(asked.catalogue)
    sizes = [size_of(path) for path in paths]
    total = sum(sizes) if all(sizes) else None
    with Progress(total, "bytes" if total else "frames") as progress:

        def watch(read: int, frames: int) -> None:
            progress.show(read if total else frames)

        if len(paths) > 1:
            return audit_merged(
                paths,
                asked.claim,
                local=asked.local,
                asserted=asked.asserted,
                classifier=classifier,
                catalogue=catalogue,
                watch=watch,
                hashed=asked.hashed,
            )
        with interruptible(paths[0]) as ending:
            return audit_capture(
                paths[0],
                asked.claim,
                local=asked.local,
                asserted=asked.asserted,
                classifier=classifier,
                catalogue=catalogue,
                ending=ending,
                watch=watch,
                hashed=asked.hashed,
            )
