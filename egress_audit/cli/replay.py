"""`egress-audit replay`: judge a saved capture."""

from collections.abc import Sequence
from pathlib import Path

import click

from egress_audit.cli.interrupts import interruptible
from egress_audit.cli.output import refuse_overwriting, refuse_terminal
from egress_audit.cli.own_addresses import own_prefixes
from egress_audit.cli.report_options import (
    output_options,
    profile_option,
    refuse_sharing,
    write_audit,
)
from egress_audit.paths import is_folder, is_ordinary_file

ASSERTIONS = "whole-run, no-drops, single-host, exercised, all-interfaces, unfiltered"


@click.command()
@click.argument("file")
@profile_option
@output_options
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

    refuse_terminal(file)
    refuse_overwriting((output, flows), (file, profile))
    refuse_changing(file, (output, flows))
    refuse_sharing(output, flows)
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
    write_audit(result, form, output, flows)
    return result.audit.verdict.exit_code


def refuse_changing(bundle: str, outputs: Sequence[str | None]) -> None:
    """Refuses to write into the bundle that is judged. Raises UsageError."""
    if bundle == "-" or not is_folder(bundle):
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
    return Path(path).name == "capture.pcapng" and is_ordinary_file(folder / "events.jsonl")
