"""What every command that judges has in common: the claim, and where the report goes."""

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

import click

from egress_audit import __version__
from egress_audit.cli.output import (
    deliver,
    terminal_width,
    wants_colour,
)

if TYPE_CHECKING:
    from egress_audit.api import Audited
    from egress_audit.report.beside import Beside

Command = TypeVar("Command", bound=Callable[..., object])

profile_option = click.option(
    "--profile",
    metavar="NAME|PATH",
    default="offline",
    show_default=True,
    help="The claim: a name, or a YAML file.",
)

catalogue_option = click.option(
    "--catalogue",
    metavar="FILE|FOLDER",
    multiple=True,
    help="Endpoints of your own (YAML), beside those that come with the program; repeatable.",
)

lists_option = click.option(
    "--lists",
    metavar="FILE.mmdb",
    multiple=True,
    help="Another list of countries or AS (GeoLite2, DB-IP, IPinfo), asked first; repeatable.",
)

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)

FORMATS = ("text", "json", "markdown")
"""In which whatever is told as a page can be had."""

page_format_option = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True
)

_OUTPUTS: tuple[Callable[[Callable[..., object]], Callable[..., object]], ...] = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How the report is written.",
    ),
    click.option("-o", "--output", metavar="OUT", help="Write the report to this file."),
    click.option("--flows", metavar="OUT.jsonl", help="Write every flow, one JSON object a line."),
)


def output_options(command: Command) -> Command:
    """Adds --format, --output and --flows, as `form`, `output` and `flows`."""
    return reduce(lambda made, option: option(made), reversed(_OUTPUTS), command)


def refuse_sharing(output: str | None, flows: str | None) -> None:
    """Refuses to write the report and the flows into one stream. Raises UsageError."""
    if flows == "-" and output in (None, "-"):
        raise click.UsageError("the report and the flows cannot share standard output: use -o")


def write_audit(
    result: "Audited",
    form: str,
    output: str | None,
    flows: str | None,
    beside: "Beside | None" = None,
) -> None:
    """Writes the flows, if they are wanted, and then the report. Raises EgressAuditError.

    beside: what is told beside the audit; None for nothing.
    """
    from egress_audit.report.beside import NOTHING_BESIDE, Envelope
    from egress_audit.report.renderers import RENDERERS, Presentation

    if flows is not None:
        write_flows(result, flows)
    envelope = Envelope(__version__, result.inputs)
    colour, width = wants_colour(output), terminal_width(output)
    presentation = Presentation(envelope, colour, width, beside or NOTHING_BESIDE)
    deliver(RENDERERS[form](result.audit, presentation), output)


def write_flows(result: "Audited", path: str) -> None:
    """Writes every flow as one line of JSON; `-` is standard output. Raises EgressAuditError."""
    from egress_audit.report.flow_records import flow_line

    deliver((flow_line(*record) + "\n" for record in result.flow_records()), path)
