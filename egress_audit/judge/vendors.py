"""Whose law the vendors are under that a name or address may be of, as the catalogue knows them.

What is surely of vendors under a law contradicts a claim about control. What only some of them
are under, or one that merely labels the place, decides nothing: it neither accuses nor acquits.
"""

from collections.abc import Callable, Collection
from functools import partial

from egress_audit.judge.attempts import attempts_known
from egress_audit.judge.case import Case
from egress_audit.judge.grants import speaking_labels
from egress_audit.judge.places import is_covered, without_places
from egress_audit.model.audit import Match
from egress_audit.model.destination import Absent


def are_under(case: Case, match: Match, laws: Collection[str]) -> bool:
    """True if all vendors that a name or address may be of are under one of these laws."""
    entries = case.accusing(match)
    return bool(entries) and all(entry.jurisdiction in laws for entry in entries)


def vendors_in_doubt(case: Case) -> dict[str, Match]:
    """Names and addresses of which it is open whether their vendor is under a law that the claim
    denies, or under none that it allows; those that were tried without a packet, too."""
    allow, deny = case.claim.allow, case.claim.deny
    bare = without_places(case.claim).allow
    found: dict[str, Match] = {}
    if not (allow.controlled or deny.controlled):
        return found
    may_be_denied = partial(_may_be, case, lambda law: law in deny.controlled)
    may_be_elsewhere = partial(_may_be, case, lambda law: law not in allow.controlled)
    for seen in (*case.contacts(), *case.questions()):
        for match in seen.endpoints:
            left = allow.controlled and not is_covered(match.by, bare, case.granted(seen))
            if may_be_denied(match) or (left and may_be_elsewhere(match)):
                found[match.by] = match
    tried = attempts_known(case, may_be_denied)
    return found | {match.by: match for _, _, match in tried}


def _may_be(case: Case, meant: Callable[[str], bool], match: Match) -> bool:
    """True if a law of one of its vendors is meant, and not surely those of all."""
    accusing = case.accusing(match)
    surely = [
        not isinstance(one.jurisdiction, Absent) and meant(one.jurisdiction) for one in accusing
    ]
    entries = (*accusing, *speaking_labels(match.by, case.fitting(match)))
    laws = {one.jurisdiction for one in entries if not isinstance(one.jurisdiction, Absent)}
    return any(map(meant, laws)) and not (surely and all(surely))
