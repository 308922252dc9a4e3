"""The order of a report for people: the same in a terminal and in Markdown."""

from egress_audit.model.audit import Audit, Verdict
from egress_audit.report.claim_section import claim_section
from egress_audit.report.section import Section
from egress_audit.report.unseen_section import asserted_section, unseen_section
from egress_audit.report.watched_section import watched_section
from egress_audit.report.why_section import remedies_section, why_section


def sections_before_table(audit: Audit) -> list[Section]:
    """What stands between the headline and the table of destinations; evidence comes after it."""
    sections = [claim_section(audit), why_section(audit)]
    if audit.verdict is Verdict.INCONCLUSIVE:
        sections.append(remedies_section(audit))
    if audit.assertions:
        sections.append(asserted_section(audit))
    return [*sections, watched_section(audit), unseen_section(audit)]
