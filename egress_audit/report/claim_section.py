"""The sentence under test: what is claimed, where it stands, and of whom the verdict speaks."""

from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.destination import Absent
from egress_audit.report.answers import answer
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import listed

ANONYMOUS = "this capture"


def claim_section(audit: Audit) -> Section:
    """The statement, its profile and source, the subject, what of the catalogue it allows and
    denies; if it holds, what that means and not; and what else is asked, with the answers."""
    claim = audit.claim
    subject = audit.subject
    if subject == ANONYMOUS:
        subject += ": nothing in it says which program sent"
        if any(not isinstance(seen.owner, Absent) for seen in audit.observations):
            subject += " that could be trusted; the processes that it names are shown"
    entries = [
        Entry("Sentence", (f"“{claim.statement}”",)),
        Entry("Profile", (f"{claim.name}: {claim.source}",)),
        Entry("Subject", (subject,)),
    ]
    systems = claim.applies_to.models + claim.applies_to.runtimes
    if systems:
        entries.append(Entry("Applies to", (listed(systems, 12),)))
    if claim.allow.endpoints:
        entries.append(Entry("Allows", (f"endpoints {listed(claim.allow.endpoints, 12)}",)))
    if claim.deny.purposes:
        entries.append(Entry("Denies", (f"purposes {listed(sorted(claim.deny.purposes), 12)}",)))
    if audit.verdict is Verdict.HOLDS:
        entries += _meaning(claim.holds_means, claim.holds_does_not_mean)
    entries += [Entry("Asked", (asked.ask, answer(asked, audit))) for asked in claim.questions]
    return Section("Claim", tuple(entries))


def _meaning(means: str, does_not_mean: str) -> list[Entry]:
    pairs = (("Means", means), ("Does not mean", does_not_mean))
    return [Entry(term, (text.strip(),)) for term, text in pairs if text]
