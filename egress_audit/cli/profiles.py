"""`egress-audit profiles`: which claims there are, what one says, and whether one can be used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from egress_audit.cli.output import (
    deliver,
    refuse_overwriting,
    refuse_terminal,
    terminal_width,
    wants_colour,
)
from egress_audit.cli.own_addresses import own_prefixes
from egress_audit.cli.replay_options import refuse_changing
from egress_audit.cli.report_options import (
    catalogue_option,
    format_option,
    lists_option,
    page_format_option,
)
from egress_audit.errors import EgressAuditError
from egress_audit.paths import is_ordinary_file

if TYPE_CHECKING:
    from egress_audit.endpoints import ReadCatalogue
    from egress_audit.report.profile_pages import Checked


@click.group(no_args_is_help=False)
def profiles() -> None:
    """Show the claims that come with the program, check your own, draft one from a run."""


@profiles.command("list")
@format_option
def list_all(form: str) -> int:
    """List the claims that come with the program, by kind."""
    from egress_audit.api import packaged_profiles
    from egress_audit.report.profile_pages import list_json, list_text

    found = packaged_profiles()
    if form == "json":
        deliver(list_json(found), None)
    else:
        deliver(list_text(found, colour=wants_colour(None), width=terminal_width(None)), None)
    return 0


@profiles.command()
@click.argument("profile", metavar="NAME|PATH")
@catalogue_option
@page_format_option
def show(profile: str, catalogue: tuple[str, ...], form: str) -> int:
    """Show a whole claim in words: what it allows and denies, what it needs, what HOLDS would mean.

    What it extends is put in; with --format json each setting has its file and line.
    """
    from egress_audit.claims import catalogue_with, profile_of, vendors_of, weaknesses_of
    from egress_audit.report.profile_pages import profile_json, profile_markdown, profile_text

    endpoints = catalogue_with(catalogue)
    found = profile_of(profile, endpoints)
    weak = weaknesses_of(found)
    if form == "json":
        deliver(profile_json(found, weak), None)
        return 0
    vendors = vendors_of(found, endpoints)
    if form == "markdown":
        deliver(profile_markdown(found, weak, vendors), None)
    else:
        colour, width = wants_colour(None), terminal_width(None)
        deliver(profile_text(found, weak, vendors, colour=colour, width=width), None)
    return 0


@profiles.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@catalogue_option
@format_option
def check(paths: tuple[str, ...], catalogue: tuple[str, ...], form: str) -> int:
    """Say whether profiles can be used, and what is weak about them.

    PATH: a file, a name, or a folder for every .yaml file in it, without folders below. Weak points
    are no errors. The exit code is 0 if all can be used; else 12, or 2 if all that is wrong is a
    name that no profile has.
    """
    from egress_audit.api import catalogue_with
    from egress_audit.report.profile_pages import checked_json, checked_text

    endpoints = catalogue_with(catalogue)
    found = [one for path in paths for one in _checked(path, endpoints)]
    render = {"text": checked_text, "json": checked_json}[form]
    deliver(render([checked for checked, _ in found]), None)
    return max(code for _, code in found)


def _checked(path: str, endpoints: "ReadCatalogue") -> Iterator[tuple["Checked", int]]:
    """What was found of a profile, or of each in a folder, with the exit code for it."""
    from egress_audit.claims import profile_of, profiles_at, weaknesses_of
    from egress_audit.report.profile_pages import Checked

    inside: tuple[str, ...] = ()
    try:
        inside = profiles_at(path)
    except EgressAuditError as error:
        yield Checked(path, str(error)), error.exit_code
    for each in inside:
        try:
            yield Checked(each, "", weaknesses_of(profile_of(each, endpoints))), 0
        except EgressAuditError as error:
            yield Checked(each, str(error)), error.exit_code


@profiles.command()
@click.option("--from", "source", metavar="CAPTURE|BUNDLE", required=True, help="What was seen.")
@click.option("--name", default="", help="Of the profile; without it, made of the file's.")
@click.option("-o", "--out", "--output", "out", metavar="FILE", help="Write to this new file.")
@click.option(
    "--local", metavar="PREFIX", multiple=True, help="An address or prefix of the audited host."
)
@lists_option
@catalogue_option
@click.option(
    "--known-only", is_flag=True, help="Comment out whatever no list knows who it belongs to."
)
def new(
    source: str,
    name: str,
    out: str | None,
    local: tuple[str, ...],
    lists: tuple[str, ...],
    catalogue: tuple[str, ...],
    known_only: bool,
) -> int:
    """Draft a claim that allows what a capture or bundle shows, and nothing else.

    Every line has its reason as a comment: who, what, how much, when, and in which frames. Hosts
    are preferred to addresses where a DNS answer in the same evidence proves them. Judged by its
    draft, the same evidence is not VIOLATED; what no line can allow is told at its top.
    """
    from egress_audit.api import catalogue_with, classifier_with, draft_profile

    refuse_terminal(source)
    refuse_overwriting((out,), (source, *lists, *catalogue))
    refuse_changing(source, (out,))
    if out is not None and is_ordinary_file(out):
        raise click.UsageError(
            f"{out} is there already, perhaps edited: name another, or remove it"
        )
    text = draft_profile(
        source,
        name,
        local=own_prefixes(local),
        classifier=classifier_with(lists),
        catalogue=catalogue_with(catalogue),
        known_only=known_only,
    )
    deliver(text, out)
    return 0
