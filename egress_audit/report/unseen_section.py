"""What could not be seen, and what a person states in its place."""

from egress_audit.model.audit import Assertion, Audit, BlindSpot, Verdict
from egress_audit.model.destination import Absent
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import stated

NO_RUN_SHOWS = (
    "what another process does later with a file that the program left",
    "what devices send that reach memory by themselves (GPU, RDMA), or the machine below this one",
    "what somebody else could read from timing or load",
)
"""Ways out that no recording of a process can close; said of every run."""


def unseen_section(audit: Audit) -> Section:
    """The blind spots that are neither reasons of the verdict nor lifted by an assertion.

    Beside a violation the material ones change nothing: there their names are enough.
    """
    material = [spot for spot in audit.blind_spots if spot.material]
    rest = [spot for spot in audit.blind_spots if not spot.material and not spot.lifted]
    entries = [Entry(s.id, (f"{s.message} (not material to this claim)",)) for s in rest]
    if not isinstance(audit.run, Absent):
        entries.append(Entry("In no run", NO_RUN_SHOWS))
    lifted = any(spot.lifted for spot in audit.blind_spots)
    if audit.verdict is Verdict.INCONCLUSIVE:
        note = "besides the reasons above" if entries else "nothing besides the reasons above"
        return Section("Could not be seen", tuple(entries), note)
    if not material:
        note = "nothing material is left beside what is asserted" if lifted else "nothing material"
        return Section("Could not be seen", tuple(entries), note)
    names = Entry("Unproven", (", ".join(spot.id for spot in material),))
    note = "no effect on this verdict, but it could not be HOLDS"
    return Section("Could not be seen", (names, *entries), note)


def asserted_section(audit: Audit) -> Section:
    """What was asserted about the evidence, what that lifts, and who answers for it."""
    signatures = dict.fromkeys(_signed(assertion) for assertion in audit.assertions)
    entries = [_asserted(assertion, audit.blind_spots) for assertion in audit.assertions]
    if len(signatures) == 1:
        entries.append(Entry("signed", tuple(signatures)))
    else:
        entries = [
            Entry(entry.term, (*entry.lines, _signed(assertion)))
            for entry, assertion in zip(entries, audit.assertions, strict=True)
        ]
    note = "not seen in the evidence; a person answers for it"
    return Section("Asserted", tuple(entries), note)


def _asserted(assertion: Assertion, spots: tuple[BlindSpot, ...]) -> Entry:
    lifted = [spot.id for spot in spots if spot.lifted and spot.lifted_by == assertion.word]
    what = f"lifts {', '.join(lifted)}" if lifted else "lifts nothing here"
    return Entry(assertion.word, (assertion.meaning, what))


def _signed(assertion: Assertion) -> str:
    who = assertion.who
    by = "nobody named" if isinstance(who, Absent) or not who.strip() else who
    facts = (("when", assertion.when), ("why", assertion.why))
    return "; ".join([f"by {by}", *(f"{word}: {stated(value)}" for word, value in facts)])
