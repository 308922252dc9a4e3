"""`egress-audit replay`: judge saved captures."""

from typing import TYPE_CHECKING, Any

import click

from egress_audit.cli.flow_files import flow_paths, make_folder
from egress_audit.cli.gathering import Gathered, gathered
from egress_audit.cli.output import refuse_terminal
from egress_audit.cli.own_addresses import own_prefixes
from egress_audit.cli.replay_options import (
    ReplayOptions,
    is_of_bundle,
    refuse_what_cannot_be_meant,
    replay_options,
)
from egress_audit.cli.report_options import catalogue_option, output_options, profile_option

if TYPE_CHECKING:
    from egress_audit.cli.several import Asked


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@profile_option
@output_options
@catalogue_option
@replay_options
def replay(**options: Any) -> int:
    """Judge captures or bundles against a claim.

    FILE is a pcap or pcapng, also packed (gzip, zstd, xz, bzip2), `-` for standard input, or the
    folder that `egress-audit run` left. Ctrl-C ends a live stream on standard input, and what was
    read is judged.

    Several files, or a folder of captures, are judged one by one, and a summary is written; with
    --merge they are judged as one.

    The exit code is the verdict: 0 HOLDS, 10 VIOLATED, 11 INCONCLUSIVE; 12 if there is none. Of
    several it is 10 if any is VIOLATED, else 12 if any could not be judged, else 11, else 0.
    """
    asked_for = ReplayOptions(**options)
    for path in asked_for.files:
        refuse_terminal(path)
    found = gathered(asked_for.files)
    refuse_what_cannot_be_meant(asked_for, found)
    words = asked_for.asserted_words()
    paths = flow_paths(asked_for.flows_dir, found.paths)
    for path in found.paths:
        if is_of_bundle(path):
            _warn_of_lost_record()
    asked = _asked(asked_for, words)
    if asked_for.flows_dir is not None:
        make_folder(asked_for.flows_dir)
    if found.several and not asked_for.merge:
        return _several(asked_for, asked, found, paths)
    from egress_audit.cli.one_report import judged_as_one

    return judged_as_one(asked_for, asked, found, asked_for.flows or paths[0])


def _asked(options: ReplayOptions, words: tuple[str, ...]) -> "Asked":
    """What is asked of every capture. Raises EgressAuditError for a profile, names or an assertion
    that cannot be used, before any capture is read."""
    from egress_audit.api import Asserted, catalogue_with, claim_of
    from egress_audit.cli.several import Asked
    from egress_audit.report.labels import read_labels

    who, when, why = options.asserted_by, options.asserted_on, options.because
    asserted = Asserted(words, who, when, why, options.stated_versions)
    asserted.bound_to(())
    labels = None if options.names is None else read_labels(options.names)
    local = own_prefixes(options.local)
    documents = options.form == "json"
    claim = claim_of(options.profile, catalogue_with(options.catalogue))
    return Asked(
        claim,
        local,
        asserted,
        options.lists,
        options.catalogue,
        labels,
        documents,
        hashed=not options.no_hash,
    )


def _several(
    options: ReplayOptions, asked: "Asked", found: Gathered, flows: list[str | None]
) -> int:
    from egress_audit.api import classifier_with
    from egress_audit.cli.several import outcomes, write_several

    # A list that cannot be used is no fault of any capture.
    classifier_with(asked.lists)
    results = list(outcomes(asked, found, flows, options.jobs))
    return write_several(results, found, asked.claim.name, options.form, options.output)


def _warn_of_lost_record() -> None:
    click.echo(
        "egress-audit: this capture is part of a bundle; without its record our own probes "
        "read like the program's: replay its folder",
        err=True,
    )
