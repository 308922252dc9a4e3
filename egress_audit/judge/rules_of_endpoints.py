"""The rules that look at what the catalogue knows of a destination. EA013 and EA014."""

from collections.abc import Collection

from egress_audit.judge import phrases
from egress_audit.judge.case import Case, Matches
from egress_audit.judge.purposes import denied_matches
from egress_audit.model.audit import Kind, Match, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import controlled_from


def denied_purpose(case: Case) -> Matches:
    """EA013."""
    for seen in (*case.contacts(), *case.questions()):
        for match in denied_matches(case, seen):
            entries = case.accusing(match)
            purposes = phrases.either(entry.purpose for entry in entries)
            what = f"known as {purposes} of {phrases.either(entry.vendor for entry in entries)}"
            yield f"{phrases.clause(seen)}{_named(seen, match)}, {what}", (seen,)
            break


def denied_vendor(case: Case) -> Matches:
    """EA014."""
    denied = case.claim.deny.controlled
    if not denied:
        return
    for seen in (*case.contacts(), *case.questions()):
        if _is_placed(seen, denied):
            continue  # and EA007 has said so
        for match in seen.endpoints:
            entries = case.accusing(match)
            if entries and all(entry.jurisdiction in denied for entry in entries):
                yield f"{phrases.clause(seen)}{_named(seen, match)}, {_vendors(entries)}", (seen,)
                break


def _is_placed(seen: Observation, denied: Collection[str]) -> bool:
    """True if the address of a row, or an answer, is that of an operator under `denied`."""
    there = (seen.destination,) if seen.kind is Kind.CONTACT else seen.answer_destinations
    return any(controlled_from(place, denied) for place in there)


def _vendors(entries: list[Entry]) -> str:
    vendors = phrases.either(entry.vendor for entry in entries)
    countries = phrases.either(entry.jurisdiction for entry in entries)
    return f"of {vendors}, controlled from {countries} (known by name)"


def _named(seen: Observation, match: Match) -> str:
    """The name or address that the catalogue knows, where the clause tells another."""
    told = (phrases.best_name(seen), str(seen.far_h))
    return "" if match.by in told else f", also named {match.by}"
