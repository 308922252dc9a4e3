"""Several captures that were judged one by one: a row of each, and what they come to together."""

from collections.abc import Mapping, Sequence

from egress_audit.errors import ExitCode
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

WORST_FIRST = (ExitCode.VIOLATED, ExitCode.NO_AUDIT, ExitCode.INCONCLUSIVE, ExitCode.HOLDS)
"""The order of rows for people; the first exit code that any capture has is that of all."""
NO_AUDIT = "NO AUDIT"
"""Stands where a verdict would, for a capture that could not be judged."""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One of several captures, and what was concluded from it."""

    name: str
    """Of the file or bundle, with as much of its folder as tells it from the others."""
    verdict: Verdict | Absent
    """UNREADABLE if no audit could be made."""
    headline: str
    """The verdict in one sentence; or why there is none."""
    reason: str | Absent
    """Id of the first finding, or else of the first material blind spot; NOT_APPLICABLE for
    neither."""
    because: str | Absent
    """What that says."""
    findings: int
    blind_spots: int
    """Those that stand before HOLDS."""
    frames: int
    flows: int
    audit: int | Absent = Absent.NOT_APPLICABLE
    """Index of its document among `audits`; NOT_APPLICABLE if there is none."""

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that it would have alone."""
        return ExitCode.NO_AUDIT if isinstance(self.verdict, Absent) else self.verdict.exit_code

    @property
    def word(self) -> str:
        """The verdict, or NO_AUDIT."""
        return NO_AUDIT if isinstance(self.verdict, Absent) else self.verdict.value


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something in a folder of captures that is none, and was not judged."""

    name: str
    what: str
    """As in `is text`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What several captures come to."""

    exit_code: int
    """10 if any capture violates the claim, else 12 if any could not be judged, else 11, else 0."""
    verdicts: Mapping[str, int]
    """How many captures, by verdict; `NO AUDIT` for those without."""
    captures: tuple[SummaryRow, ...]
    """In the order given; of a folder by name."""
    set_aside: tuple[SetAside, ...] = ()

    @property
    def word(self) -> str:
        """The worst verdict, or NO_AUDIT."""
        return next(row.word for row in self.worst_first())

    def worst_first(self) -> list[SummaryRow]:
        """The rows for people: violations, then what could not be judged, then the rest."""
        return sorted(self.captures, key=lambda row: WORST_FIRST.index(row.exit_code))

    def tally(self) -> str:
        """`1 VIOLATED, 2 NO AUDIT, 40 INCONCLUSIVE`, worst first."""
        words = dict.fromkeys(row.word for row in self.worst_first())
        return ", ".join(f"{self.verdicts[word]} {word}" for word in words)


def row_of(name: str, audit: Audit) -> SummaryRow:
    """The row of a capture that was judged."""
    material = [spot for spot in audit.blind_spots if spot.material]
    reason: str | Absent = Absent.NOT_APPLICABLE
    because: str | Absent = Absent.NOT_APPLICABLE
    if audit.findings:
        reason, because = audit.findings[0].rule, audit.findings[0].message
    elif material:
        reason, because = material[0].id, material[0].message
    return SummaryRow(
        name=name,
        verdict=audit.verdict,
        headline=audit.headline,
        reason=reason,
        because=because,
        findings=len(audit.findings),
        blind_spots=len(material),
        frames=audit.coverage.frames,
        flows=audit.coverage.flows,
    )


def row_without_audit(name: str, why: str) -> SummaryRow:
    """The row of a capture that could not be judged."""
    nothing = Absent.NOT_APPLICABLE
    return SummaryRow(name, Absent.UNREADABLE, why, nothing, nothing, 0, 0, 0, 0)


def summary_of(rows: Sequence[SummaryRow], set_aside: Sequence[SetAside] = ()) -> Summary:
    """What the rows, at least one, come to."""
    verdicts: dict[str, int] = {}
    for row in rows:
        verdicts[row.word] = verdicts.get(row.word, 0) + 1
    worst = min((row.exit_code for row in rows), key=WORST_FIRST.index)
    return Summary(int(worst), verdicts, tuple(rows), tuple(set_aside))
