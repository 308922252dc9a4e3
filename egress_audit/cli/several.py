"""Several captures, each judged alone: in processes, into rows and documents, in one report."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

from egress_audit import __version__
from egress_audit.cli.gathering import Gathered, distinct_names, size_of
from egress_audit.cli.output import deliver, terminal_width, wants_colour
from egress_audit.cli.progress import Progress
from egress_audit.cli.report_options import write_flows
from egress_audit.cli.workers import in_order, usual_jobs
from egress_audit.errors import EgressAuditError
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.api import Asserted
    from egress_audit.model.claim import Claim
    from egress_audit.report.labels import Labels
    from egress_audit.report.summary import SummaryRow


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every capture, read and checked once."""

    claim: "Claim"
    local: Sequence[IPv4Network | IPv6Network]
    asserted: "Asserted"
    lists: tuple[str, ...]
    catalogue: tuple[str, ...]
    """Files or folders of endpoints of the user's."""
    labels: "Labels | None"
    documents: bool
    """Whether the whole document of each is wanted."""
    hashed: bool
    """Whether the sha256 of each is wanted."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of the captures."""

    path: str
    name: str
    flows: str | None
    """Where its flows are written; None if they are not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    row: "SummaryRow"
    document: str
    """As JSON; empty if it is not wanted, or there is none."""


class Judge:
    """Judges capture after capture, with lists that are opened once."""

    def __init__(self, asked: Asked) -> None:
        from egress_audit.api import catalogue_with, classifier_with

        self._asked = asked
        self._classifier = classifier_with(asked.lists)
        self._catalogue = catalogue_with(asked.catalogue)

    def outcome(self, task: Task) -> Outcome:
        """The row of one capture, also of one that cannot be judged."""
        from egress_audit.api import audit_capture
        from egress_audit.report.beside import Beside, Envelope
        from egress_audit.report.document import json_text
        from egress_audit.report.summary import row_of, row_without_audit

        asked = self._asked
        try:
            result = audit_capture(
                task.path,
                asked.claim,
                local=asked.local,
                asserted=asked.asserted,
                classifier=self._classifier,
                catalogue=self._catalogue,
                hashed=asked.hashed,
            )
            if task.flows is not None:
                write_flows(result, task.flows)
        except EgressAuditError as error:
            return Outcome(row_without_audit(task.name, _why(error, task.path)), "")
        document = ""
        if asked.documents:
            labels = None if asked.labels is None else asked.labels.of(result.audit)
            envelope = Envelope(__version__, result.inputs)
            document = json_text(result.audit, envelope=envelope, beside=Beside(labels=labels))
        return Outcome(row_of(task.name, result.audit), document)


_judges: list[Judge] = []
"""The judge of this process."""


def begin(asked: Asked) -> None:
    """Makes the judge of this process."""
    _judges[:] = [Judge(asked)]


def outcome_of(task: Task) -> Outcome:
    """The outcome of one capture, by the judge of this process."""
    return _judges[0].outcome(task)


def outcomes(
    asked: Asked, found: Gathered, flows: Sequence[str | None], jobs: int | None
) -> Iterator[Outcome]:
    """The outcome of each capture, in the order given, whoever was ready first.

    flows: where those of each are written; jobs: processes, None for as many as are worth it.
    """
    names = distinct_names(found.paths)
    tasks = [Task(*task) for task in zip(found.paths, names, flows, strict=True)]
    number = usual_jobs([size_of(path) for path in found.paths]) if jobs is None else jobs
    number = min(number, len(tasks))
    with Progress(len(tasks), "captures") as progress:
        count = 0
        done = in_order(
            outcome_of,
            tasks,
            number,
            begin=begin,
            given=(asked,),
            idle=lambda: progress.show(count),
        )
        for outcome in done:
            count += 1
            progress.show(count)
            yield outcome


def write_several(
    results: Sequence[Outcome], found: Gathered, claim: str, form: str, output: str | None
) -> int:
    """Writes the summary, with all documents if it is JSON, and gives the exit code of all."""
    from egress_audit.report.beside import Envelope
    from egress_audit.report.summary import summary_of
    from egress_audit.report.summary_formats import (
        summary_json,
        summary_markdown,
        summary_text,
    )

    summary = summary_of([result.row for result in results], found.set_aside)
    if form == "json":
        envelope = Envelope(__version__, tuple(row.name for row in summary.captures))
        documents = [result.document for result in results if result.document]
        text = summary_json(summary, documents, envelope=envelope)
    elif form == "markdown":
        text = summary_markdown(summary, claim=claim)
    else:
        colour, width = wants_colour(output), terminal_width(output)
        text = summary_text(summary, claim=claim, colour=colour, width=width)
    deliver(text, output)
    return summary.exit_code


def _why(error: EgressAuditError, path: str) -> str:
    """What is wrong with a capture, without its path: the row has its name."""
    if error.where != path:
        return str(error).replace(path, Path(path).name)
    return f"{error.what} ({error.hint})" if error.hint else error.what
