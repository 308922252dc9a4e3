"""The rules that look at what the catalogue knows of a destination. EA013 and EA014."""

from collections.abc import Collection

from egress_audit.judge import phrases
from egress_audit.judge.attempts import attempts_known
from egress_audit.judge.case import Case, Matches
from egress_audit.judge.purposes import denied_attempts, denied_matches
from egress_audit.judge.rules_of_attempts import tried_known
from egress_audit.judge.vendors import are_under
from egress_audit.model.audit import Kind, Match, Observation
from egress_audit.model.destination import controlled_from


def denied_purpose(case: Case) -> Matches:
    """EA013."""
    for seen in (*case.contacts(), *case.questions()):
        for match in denied_matches(case, seen):
            yield f"{phrases.clause(seen)}{_named(seen, match)}, {_purposes(case, match)}", (seen,)
            break
    for place, match, clause in tried_known(case, denied_attempts(case)):
        yield f"{clause}, {_purposes(case, match)}", place


def denied_vendor(case: Case) -> Matches:
    """EA014. What EA007 has said already is not repeated."""
    denied = case.claim.deny.controlled
    if not denied:
        return
    for seen in (*case.contacts(), *case.questions()):
        if _is_placed(seen, denied):
            continue
        for match in seen.endpoints:
            if are_under(case, match, denied):
                yield (
                    f"{phrases.clause(seen)}{_named(seen, match)}, {_vendors(case, match)}",
                    (seen,),
                )
                break
    accused = attempts_known(case, lambda match: are_under(case, match, denied))
    for place, match, clause in tried_known(case, accused):
        there = case.named.get(place.address)
        if there is None or not controlled_from(there, denied):
            yield f"{clause}, {_vendors(case, match)}", place


def _is_placed(seen: Observation, denied: Collection[str]) -> bool:
    """True if the address of a row, or an answer, is that of an operator under `denied`."""
    there = (seen.destination,) if seen.kind is Kind.CONTACT else seen.answer_destinations
    return any(controlled_from(place, denied) for place in there)


def _purposes(case: Case, match: Match) -> str:
    entries = case.accusing(match)
    purposes = phrases.either(entry.purpose for entry in entries)
    return f"known as {purposes} of {phrases.either(entry.vendor for entry in entries)}"


def _vendors(case: Case, match: Match) -> str:
    return phrases.of_vendors(case.accusing(match), match.by)


def _named(seen: Observation, match: Match) -> str:
    """The name or address that the catalogue knows, where the clause tells another."""
    told = (phrases.best_name(seen), str(seen.far_h))
    return "" if match.by in told else f", also named {match.by}"
