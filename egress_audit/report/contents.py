"""The order of a report for people: the same in a terminal and in Markdown."""

from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.destination import Absent
from egress_audit.report.attempts_section import attempts_section, helpers_section
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.beside_sections import labels_section, origins_section
from egress_audit.report.claim_section import claim_section
from egress_audit.report.conditions_section import cannot_see_section, conditions_section
from egress_audit.report.evidence_section import evidence_section
from egress_audit.report.run_section import run_section, written_section
from egress_audit.report.section import Section
from egress_audit.report.unseen_section import asserted_section, unseen_section
from egress_audit.report.versions_section import versions_section
from egress_audit.report.watched_section import watched_section
from egress_audit.report.why_section import remedies_section, why_section


def sections_before_table(
    audit: Audit, beside: Beside = NOTHING_BESIDE, inputs: tuple[str, ...] = ()
) -> list[Section]:
    """What stands between the headline and the table of destinations.

    inputs: names of the captures, if frames of several are told apart.
    """
    sections = [claim_section(audit), why_section(audit)]
    if beside.origins is not None:
        origins = origins_section(audit, beside.origins, inputs)
        sections += [origins] if origins else []
    if audit.verdict is Verdict.INCONCLUSIVE:
        sections.append(remedies_section(audit))
    if audit.assertions:
        sections.append(asserted_section(audit))
    if not isinstance(audit.run, Absent):
        conditions = conditions_section(audit, audit.run)
        sections += [run_section(audit, audit.run), *([conditions] if conditions else [])]
    versions = versions_section(audit)
    sections += [versions] if versions else []
    labels = [] if beside.labels is None else [labels_section(beside.labels)]
    return [*sections, watched_section(audit, inputs), *labels, unseen_section(audit)]


def sections_after_table(audit: Audit) -> list[Section]:
    """What stands behind the table: of a run what has no packet, was left, or was not its own."""
    sections: list[Section | None] = []
    if not isinstance(audit.run, Absent):
        run = audit.run
        sections += [attempts_section(audit, run), helpers_section(audit, run)]
        sections += [written_section(run)] if run.written_files else []
        sections += [cannot_see_section(run)]
    return [*(section for section in sections if section is not None), evidence_section(audit)]
