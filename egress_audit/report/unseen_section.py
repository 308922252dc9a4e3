"""What could not be seen, and what a person states in its place."""

from egress_audit.model.audit import Assertion, Audit, BlindSpot, Verdict
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import stated


def unseen_section(audit: Audit) -> Section:
    """The blind spots that are not among the reasons, each in a line."""
    told_above = audit.verdict is Verdict.INCONCLUSIVE
    spots = [spot for spot in audit.blind_spots if not (spot.material and told_above)]
    spots.sort(key=lambda spot: (not spot.material, spot.lifted))
    entries = tuple(Entry(spot.id, (f"{spot.message} ({_weight(spot)})",)) for spot in spots)
    if told_above:
        note = "besides the reasons above" if entries else "nothing besides the reasons above"
    else:
        note = "" if any(spot.material for spot in spots) else "nothing material"
    return Section("Could not be seen", entries, note)


def _weight(spot: BlindSpot) -> str:
    if spot.lifted:
        return f"lifted by the assertion {spot.lifted_by}"
    return "would prevent HOLDS" if spot.material else "not material to this claim"


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
