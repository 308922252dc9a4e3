"""What a claim allows by place and operator: three-valued, since no list knows every address."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.country_codes import with_union
from egress_audit.judge.attempts import Address, attempts_known, tried_place, unseen_attempts
from egress_audit.judge.case import Case
from egress_audit.judge.permission import (
    address_allowed,
    literal_address,
    literals_elsewhere,
    name_allowed,
    place_allowed,
)
from egress_audit.model.audit import Match, Observation
from egress_audit.model.claim import Allow, Claim
from egress_audit.model.destination import FRONTS, Absent, Destination, located_in
from egress_audit.model.run import Attempt
from egress_audit.values import dataclass

NOWHERE: frozenset[str] = frozenset()
SHOWN = 4
"""Allowed countries or operators that a sentence lists, the Union as one of them; all of them stand
in the claim, which every document holds."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A far address of which nothing but its place can say whether the claim allows it."""

    seen: Observation
    """The contact with it, or with who was asked for it; or the question that it answers."""
    address: str
    there: Destination


def left_to_places(case: Case) -> Iterator[FarEnd]:
    """Contacts, what they asked a proxy for, then answers: all that no scope, host, prefix or
    endpoint of the claim allows.

    None if it allows nothing by place. Not what stays on the machine or its network, which has no
    place of its own, nor metadata services, which are allowed by name alone.
    """
    if not case.claim.allow.by_place:
        return
    claim = without_places(case.claim)
    for seen in case.contacts():
        granted = case.granted(seen)
        if _has_place(seen.destination) and not address_allowed(seen, claim, granted):
            yield FarEnd(seen, str(seen.far_h), seen.destination)
        for address in literals_elsewhere(seen):
            if address in case.named and _is_left(address, case.named[address], claim.allow):
                yield FarEnd(seen, address, case.named[address])
    for seen in case.questions():
        if name_allowed(seen.names[0].host, claim.allow, case.granted(seen)):
            continue
        for answer, there in zip(seen.answers, seen.answer_destinations, strict=True):
            if _is_left(answer, there, claim.allow):
                yield FarEnd(seen, answer, there)


def vendors_elsewhere(case: Case) -> Iterator[tuple[Observation, Match]]:
    """Contacts, then questions, whose name or address the catalogue knows as that of vendors under
    no jurisdiction that the claim allows, and that nothing else of the claim covers.

    The address says whose machine it is, the name who answers there: the worse counts.
    """
    allowed, bare = case.claim.allow.controlled, without_places(case.claim).allow
    if not allowed:
        return
    for seen in (*case.contacts(), *case.questions()):
        for match in seen.endpoints:
            covered = is_covered(match.by, bare, case.granted(seen))
            if _is_of_vendors_elsewhere(case, match) and not covered:
                yield seen, match
                break


def attempts_on_vendors_elsewhere(case: Case) -> Iterator[tuple[Attempt, Address, Match]]:
    """The same of attempts without a packet."""
    if not case.claim.allow.controlled or not case.tried:
        return
    bare = replace(case, claim=without_places(case.claim))
    uncovered = {tried_place(attempt, address) for attempt, address in unseen_attempts(bare)}
    for attempt, address, match in attempts_known(case, partial(_is_of_vendors_elsewhere, case)):
        if tried_place(attempt, address) in uncovered:
            yield attempt, address, match


def _is_of_vendors_elsewhere(case: Case, match: Match) -> bool:
    """True if all vendors that a name or address may be of are under no law that is allowed."""
    entries, allowed = case.accusing(match), case.claim.allow.controlled
    laws = [entry.jurisdiction for entry in entries]
    return bool(laws) and all(not isinstance(law, Absent) and law not in allowed for law in laws)


def is_covered(by: str, bare: Allow, granted: Collection[str]) -> bool:
    """True if the claim allows a name or address other than by its place."""
    literal = literal_address(by)
    if literal is None or by in granted:
        return name_allowed(by, bare, granted)
    return place_allowed(by, scope_of(literal), bare)


def attempts_left_to_places(case: Case) -> dict[str, bool | None]:
    """Addresses that the program tried to reach and never sent to, of which nothing but their place
    can say whether the claim allows them, with what it says.

    Not addresses that our own DNS invented.
    """
    if isinstance(case.run, Absent) or not (case.claim.allow.by_place and case.run.attempts):
        return {}
    bare = replace(case, claim=without_places(case.claim))
    tried = {str(address) for _, address in unseen_attempts(bare)}
    forbidden = {str(address) for _, address in unseen_attempts(case)}
    return {
        address: permitted(case.named[address], case.claim.allow) if address in case.named else None
        for address in sorted(tried - forbidden - case.run.synthetic.keys())
    }


def permitted(there: Destination, allow: Allow) -> bool | None:
    """Whether an address is where the claim allows, by every key that it sets; None if unknown.

    One surely wrong place is a no, whatever else is unknown. A front (CDN, proxy) of an allowed
    operator is unknown, since whoever stands behind it is; of another one it is a no.
    """
    answers = (
        located_in(there, allow.located) if allow.located else True,
        _of(there.controlled, allow.controlled, there),
        _of(there.operator, allow.operators, there),
    )
    if False in answers:
        return False
    return None if None in answers else True


def objection(there: Destination, allow: Allow) -> str:
    """Why an address that is not permitted is not: the first of its places that is another."""
    if allow.located and located_in(there, allow.located) is False:
        return f"located in {there.located}, and not in {some_of(allow.located)}"
    if _of(there.controlled, allow.controlled, there) is False:
        return (
            f"operated by {there.operator}, controlled from {there.controlled}, "
            f"and not from {some_of(allow.controlled)}"
        )
    return f"operated by {there.operator}, and not by {some_of(allow.operators)}"


def _of(fact: str | Absent, allowed: Collection[str], there: Destination) -> bool | None:
    if not allowed:
        return True
    if isinstance(fact, Absent):
        return None
    if fact not in allowed:
        return False
    return None if there.role in FRONTS else True


def without_places(claim: Claim) -> Claim:
    """The claim as if it allowed nothing by place."""
    bare = replace(claim.allow, located=NOWHERE, controlled=NOWHERE, operators=NOWHERE)
    return replace(claim, allow=bare)


def _is_left(address: str, there: Destination, bare: Allow) -> bool:
    """True if only the place of an address can say whether it is allowed."""
    return _has_place(there) and not place_allowed(address, there.scope, bare)


def _has_place(there: Destination) -> bool:
    return there.scope not in NEAR and there.scope is not Scope.METADATA_SERVICE


def some_of(words: Collection[str]) -> str:
    """`AT, BE, CH, LI and 25 more`; `the EU (27 countries), NO` where all of them are there."""
    listed = with_union(words)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
