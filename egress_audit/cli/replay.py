"""`egress-audit replay`: judge a saved capture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egress_audit import __version__
from egress_audit.cli.interrupts import interruptible
from egress_audit.cli.output import (
    ReaderLeft,
    cannot_write,
    deliver,
    refuse_overwriting,
    refuse_terminal,
    wants_colour,
)
from egress_audit.cli.own_addresses import own_prefixes

if TYPE_CHECKING:
    from egress_audit.api import Audited

ASSERTIONS = "whole-run, no-drops, single-host, exercised, all-interfaces, unfiltered"


@click.command()
@click.argument("file")
@click.option(
    "--profile",
    metavar="NAME|PATH",
    default="offline",
    show_default=True,
    help="The claim: a name, or a YAML file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option("-o", "--output", metavar="OUT", help="Write the report to this file.")
@click.option("--flows", metavar="OUT.jsonl", help="Write every flow, one JSON object a line.")
@click.option(
    "--assert",
    "assertions",
    metavar="WORDS",
    multiple=True,
    help=f"State what the capture cannot say: {ASSERTIONS}, or all; with commas or repeated.",
)
@click.option("--asserted-by", metavar="WHO", help="Who answers for the assertions.")
@click.option("--asserted-on", metavar="WHEN", help="When they were made.")
@click.option("--because", metavar="WHY", help="Why they are true.")
@click.option(
    "--local",
    metavar="PREFIX",
    multiple=True,
    help="An address or prefix of the audited host; repeatable. Guessed if not given.",
)
def replay(
    file: str,
    profile: str,
    form: str,
    output: str | None,
    flows: str | None,
    assertions: tuple[str, ...],
    asserted_by: str | None,
    asserted_on: str | None,
    because: str | None,
    local: tuple[str, ...],
) -> int:
    """Judge a capture or a bundle against a claim.

    FILE is a pcap or pcapng, also packed (gzip, zstd, xz, bzip2), `-` for standard input, or the
    folder that `egress-audit run` left. Ctrl-C ends a live stream on standard input, and what was
    read is judged.

    The exit code is the verdict: 0 HOLDS, 10 VIOLATED, 11 INCONCLUSIVE; 12 if there is none.
    """
    from egress_audit.api import Asserted, audit_capture
    from egress_audit.report.document import Envelope
    from egress_audit.report.renderers import RENDERERS, Presentation

    refuse_terminal(file)
    refuse_overwriting((output, flows), (file, profile))
    refuse_changing(file, (output, flows))
    if flows == "-" and output in (None, "-"):
        raise click.UsageError("the report and the flows cannot share standard output: use -o")
    if (asserted_by or asserted_on or because) and not assertions:
        raise click.UsageError("who, when and why are said of assertions: add --assert")
    words = tuple(word for given in assertions for word in given.replace(",", " ").split())
    if assertions and not words:
        raise click.UsageError("--assert names no assertion")
    warn_of_bundle(file)
    with interruptible(file) as ending:
        result = audit_capture(
            file,
            profile,
            local=own_prefixes(local),
            asserted=Asserted(words, asserted_by, asserted_on, because),
            ending=ending,
        )
    if flows is not None:
        write_flows(result, flows)
    presentation = Presentation(Envelope(__version__, (result.name,)), wants_colour(output))
    deliver(RENDERERS[form](result.audit, presentation), output)
    return result.audit.verdict.exit_code


def refuse_changing(bundle: str, outputs: Sequence[str | None]) -> None:
    """Refuses to write into the bundle that is judged. Raises UsageError."""
    if bundle == "-" or not Path(bundle).is_dir():
        return
    folder = Path(bundle).resolve()
    for path in outputs:
        if path not in (None, "-") and folder in Path(path).resolve().parents:
            raise click.UsageError(f"{path} lies in the bundle, which would not be as it was made")


def warn_of_bundle(path: str) -> None:
    """Tells of the bundle that a capture belongs to, if it does."""
    if is_of_bundle(path):
        click.echo(
            "egress-audit: this capture is part of a bundle; without its record our own probes "
            "read like the program's: replay its folder",
            err=True,
        )


def is_of_bundle(path: str) -> bool:
    """True for the capture inside a bundle, which means little without the rest."""
    folder = Path(path).parent
    return Path(path).name == "capture.pcapng" and (folder / "events.jsonl").is_file()


def write_flows(result: "Audited", path: str) -> None:
    """Writes every flow as a line of JSON. Raises EgressAuditError if it cannot."""
    from egress_audit.report.flow_records import flow_line

    try:
        with Path("/dev/stdout" if path == "-" else path).open("w", encoding="utf-8") as lines:
            for flow, names, destination in result.flow_records():
                lines.write(flow_line(flow, names, destination) + "\n")
    except BrokenPipeError as error:
        raise ReaderLeft from error
    except OSError as error:
        raise cannot_write(path, error) from error
