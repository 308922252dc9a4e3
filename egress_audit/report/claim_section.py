"""The sentence under test: what is claimed, where it stands, and of whom the verdict speaks."""

from collections.abc import Iterable, Sequence

from egress_audit.addresses import Scope
from egress_audit.country_codes import with_union
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.claim import Allow, Deny
from egress_audit.model.destination import Absent
from egress_audit.report.answers import answers
from egress_audit.report.plain import network_text
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import listed

ANONYMOUS = "this capture"
MOST_VALUES = 12
"""Of one key; the others are counted, and `profiles show` tells them."""


def claim_section(audit: Audit) -> Section:
    """The statement, its profile and source, the subject, what it allows beyond the machine itself
    and denies; if it holds, what that means and not; and what else is asked, with the answers."""
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
    for term, lines in (("Allows", _allowed(claim.allow)), ("Denies", _denied(claim.deny))):
        if lines:
            entries.append(Entry(term, lines))
    if audit.verdict is Verdict.HOLDS:
        entries += _meaning(claim.holds_means, claim.holds_does_not_mean)
    entries += [Entry("Asked", (told.ask, told.said)) for told in answers(audit)]
    return Section("Claim", tuple(entries))


def _allowed(allow: Allow) -> tuple[str, ...]:
    """What may be contacted beyond the machine itself, a line for each key."""
    everything = ("everything that it does not deny",) if allow.everything else ()
    scopes = sorted(allow.scopes - {Scope.LOOPBACK})
    keys = (
        ("scopes", scopes),
        ("hosts", allow.hosts),
        ("prefixes", list(map(network_text, allow.prefixes))),
        ("endpoints", allow.endpoints),
        ("located in", with_union(allow.located)),
        ("controlled from", with_union(allow.controlled)),
        ("operators", sorted(allow.operators)),
    )
    return (*everything, *_of_keys(keys))


def _denied(deny: Deny) -> tuple[str, ...]:
    return _of_keys(
        (
            ("hosts", deny.hosts),
            ("prefixes", list(map(network_text, deny.prefixes))),
            ("purposes", sorted(deny.purposes)),
            ("located in", with_union(deny.located)),
            ("controlled from", with_union(deny.controlled)),
            ("operators", sorted(deny.operators)),
            ("categories", sorted(deny.categories)),
        )
    )


def _of_keys(keys: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    return tuple(f"{words} {listed(values, MOST_VALUES)}" for words, values in keys if values)


def _meaning(means: str, does_not_mean: str) -> list[Entry]:
    pairs = (("Means", means), ("Does not mean", does_not_mean))
    return [Entry(term, (text.strip(),)) for term, text in pairs if text]
