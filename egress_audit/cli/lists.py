"""`egress-audit lists`: which lists stand behind the answers, what they say, and newer ones."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from egress_audit.cli.output import deliver
from egress_audit.cli.report_options import format_option
from egress_audit.errors import ExitCode, WrongUsage


@click.group(no_args_is_help=False)
def lists() -> None:
    """Say which lists are in use, ask them, and keep others or newer ones.

    Nothing is resolved and nothing is sent, but by `update --from URL`.
    """


@lists.command(short_help="Show the lists in use.")
@format_option
def show(form: str) -> int:
    """Show each list in use: date, age, licence, sha256, rows, and where it came from.

    In the order in which they are asked. Past 90 days a list is called old, past 365 stale; a
    verdict counts the age to the last packet of its evidence, never to today.
    """
    from egress_audit.cli.list_words import shown_json, shown_text
    from egress_audit.keeping.shown import shown_lists

    found = shown_lists(datetime.now(UTC).date())
    deliver({"text": shown_text, "json": shown_json}[form](found), None)
    return 0


@lists.command(short_help="Say what the lists know of addresses.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option(
    "--lists",
    "supplied",
    metavar="FILE.mmdb",
    multiple=True,
    help="Another list, asked first, in place of those imported; repeatable.",
)
@format_option
def lookup(addresses: tuple[str, ...], supplied: tuple[str, ...], form: str) -> int:
    """Say what the lists know of addresses; `-` reads them from standard input.

    Three countries, never one: where an address is located, where it is registered, and from where
    its operator is controlled. What is in many places at once (anycast, a CDN) is located nowhere.
    """
    from egress_audit.api import lookup_addresses
    from egress_audit.cli.list_words import looked_up_json, looked_up_text

    # All are looked at before the first answer is out: half an array is no JSON.
    found = lookup_addresses(list(_given(addresses)), lists=supplied)
    deliver({"text": looked_up_text, "json": looked_up_json}[form](found), None)
    return 0


def _given(addresses: tuple[str, ...]) -> Iterator[str]:
    """The addresses of the command line, and in place of `-` the words of standard input.

    Raises WrongUsage for what is no address.
    """
    from egress_audit.keeping.lookup import refuse_no_address

    for address in addresses:
        if address == "-":
            if sys.stdin is None:
                raise WrongUsage("standard input is closed", hint="name the addresses")
            for number, line in enumerate(sys.stdin, 1):
                for word in line.removeprefix("\ufeff").split():
                    refuse_no_address(word, f"standard input:{number}")
                    yield word
        else:
            refuse_no_address(address)
            yield address


@lists.command("import", short_help="Keep another list, or remove it.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Keep it under this name; else that of the file.")
@click.option("--date", metavar="YYYY-MM-DD", help="Date of its data, where the file has none.")
@click.option("--licence", metavar="WORDS", help="Its licence, for the record.")
@click.option("--remove", "gone", metavar="NAME", help="Remove the imported list of this name.")
@format_option
def import_(
    file: Path | None,
    name: str | None,
    date: str | None,
    licence: str | None,
    gone: str | None,
    form: str,
) -> int:
    """Check a list whole and keep it, to be asked before those that come with the program.

    FILE: an MMDB with countries or AS numbers (GeoLite2, DB-IP, IPinfo, ours), iptoasn's TSV, or a
    CSV by range or prefix; gzip around a text is taken off. `replay --lists` asks the lists that it
    names in place of the imported ones. The way back is --remove.
    """
    from egress_audit.cli.list_words import imported_json, imported_text, removed_words
    from egress_audit.keeping.importing import import_list
    from egress_audit.keeping.shelf import remove

    if (file is None) == (gone is None):
        raise click.UsageError("give either FILE or --remove NAME")
    if gone is not None:
        if name or date or licence:
            raise click.UsageError("--remove stands alone")
        deliver(removed_words(remove(gone), form), None)
    elif file is not None:
        entry = import_list(file, name=name, date=date, licence=licence)
        deliver({"text": imported_text, "json": imported_json}[form](entry), None)
    return 0


@lists.command(short_help="Take newer versions of the lists.")
@click.option("--from", "origin", metavar="URL|FOLDER", help="A folder with a manifest.json.")
@click.option("--undo", is_flag=True, help="Go back to the lists that came with the program.")
@format_option
def update(origin: str | None, undo: bool, form: str) -> int:
    """Take newer versions of the lists that come with the program.

    The one command that may go online, and only to the URL that it is given, or to where that
    redirects; it says what it will fetch, and where it is led, before it does. Sizes and sha256 are
    those of the manifest, or nothing is changed. The embedded lists stay, and --undo goes back to
    them.
    """
    from egress_audit.cli.list_words import (
        nowhere_words,
        offered_words,
        undone_words,
        updated_json,
        updated_text,
    )
    from egress_audit.report.safe_text import clean

    if undo == (origin is not None):
        if undo:
            raise click.UsageError("--undo stands alone")
        deliver(nowhere_words(form), None)
        return ExitCode.USAGE
    # Here and nowhere else: no other command may so much as load what goes online.
    from egress_audit.update.manifest import MANIFEST
    from egress_audit.update.places import place_of
    from egress_audit.update.updating import newer_of, offered_at, undo_update, update_from

    if origin is None:
        deliver(undone_words(form, undone=undo_update()), None)
        return 0
    place = place_of(origin, _redirected)
    click.echo(f"fetching {clean(place.address(MANIFEST))}", err=True)
    newer = newer_of(place, offered_at(place))
    if newer:
        click.echo(offered_words(place.address, newer), err=True)
        update_from(place, newer, _accept)
    deliver({"text": updated_text, "json": updated_json}[form](newer), None)
    return 0


def _redirected(url: str) -> None:
    from egress_audit.report.safe_text import clean

    click.echo(f"redirected to {clean(url)}", err=True)


def _accept(made: Path) -> None:
    """Raises ListUnreadable for a catalogue without what the profiles name: they could not be used
    with it."""
    from egress_audit.claims import refuse_unknown_words
    from egress_audit.classify.catalogue_files import COMPILED

    refuse_unknown_words(made / COMPILED.name)
