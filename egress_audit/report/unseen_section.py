"""What could not be seen, and what a person states in its place."""

from egress_audit.model.audit import Assertion, Audit, BlindSpot, Verdict
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import stated


def unseen_section(audit: Audit) -> Section:
    """The blind spots that are not among the reasons of the verdict.

    Beside a violation the material ones change nothing: there their names are enough.
    """
    material = [spot for spot in audit.blind_spots if spot.material]
    entries = [_spot(spot) for spot in audit.blind_spots if not spot.material]
    if audit.verdict is Verdict.INCONCLUSIVE:
        note = "besides the reasons above" if entries else "nothing besides the reasons above"
        return Section("Could not be seen", tuple(entries), note)
    if not material:
        return Section("Could not be seen", tuple(entries), "nothing material")
    names = Entry("Unproven", (", ".join(spot.id for spot in material),))
    note = "no effect on this verdict, but it could not be HOLDS"
    return Section("Could not be seen", (names, *entries), note)


def _spot(spot: BlindSpot) -> Entry:
    weight = f"lifted by {spot.lifted_by}" if spot.lifted else "not material to this claim"
    return Entry(spot.id, (f"{spot.message} ({weight})",))


def asserted_section(audit: Audit) -> Section:
    """What was asserted about the evidence: by whom, when and why, stated or not."""
    return Section(
        "Asserted",
        tuple(_asserted(assertion) for assertion in audit.assertions),
        "not seen in the evidence; a person answers for it",
    )


def _asserted(assertion: Assertion) -> Entry:
    facts = (("who", assertion.who), ("when", assertion.when), ("why", assertion.why))
    signed = "; ".join(f"{word}: {stated(value)}" for word, value in facts)
    return Entry(assertion.word, (assertion.meaning, signed))
