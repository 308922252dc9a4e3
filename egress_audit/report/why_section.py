"""Why the verdict is what it is: the findings, or the blind spots that stand before HOLDS."""

from egress_audit.model.audit import Audit, BlindSpot, Finding, Verdict
from egress_audit.model.destination import Absent
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import display_filter, frames_text, number

MAX_FINDINGS = 20
FILTER = "as a Wireshark display filter:"


def why_section(audit: Audit) -> Section:
    """The reasons, by verdict: contradictions, what was not seen, or that neither is left."""
    if audit.verdict is Verdict.VIOLATED:
        return _contradictions(audit.findings)
    if audit.verdict is Verdict.INCONCLUSIVE:
        material = [spot for spot in audit.blind_spots if spot.material]
        note = "silence is not proof while this could have happened unseen"
        return Section("Why", tuple(_reason(spot) for spot in material), note)
    return Section("Why", (), "nothing contradicts the claim, and no material blind spot is left")


def _contradictions(findings: tuple[Finding, ...]) -> Section:
    entries = [
        Entry(
            finding.rule,
            (finding.message, f"{frames_text(finding.frames)}; {FILTER}"),
            display_filter(finding.frames),
        )
        for finding in findings[:MAX_FINDINGS]
    ]
    beyond = len(findings) - MAX_FINDINGS
    if beyond > 0:
        entries.append(Entry("…", (f"and {number(beyond)} more findings: --format json",)))
    return Section("Why", tuple(entries), "this contradicts the claim")


def _reason(spot: BlindSpot) -> Entry:
    lines = [spot.message]
    if spot.remedy:
        lines.append(f"Remedy: {spot.remedy}")
    if isinstance(spot.lifted_by, Absent):
        lines.append("No assertion lifts it.")
    else:
        lines.append(f"Lifted by: --assert {spot.lifted_by}")
    return Entry(spot.id, tuple(lines))
