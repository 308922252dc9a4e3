"""The rules that look at where a destination is, who runs it, and what is denied by name. EA006 to
EA009, and EA015."""

from collections.abc import Callable, Collection

from egress_audit.addresses import Scope
from egress_audit.judge import phrases
from egress_audit.judge.case import Case, Matches
from egress_audit.judge.permission import (
    host_matches,
    in_prefixes,
    literal_address,
    of_category,
)
from egress_audit.judge.places import (
    left_to_places,
    objection,
    permitted,
    some_of,
    vendors_elsewhere,
)
from egress_audit.model.audit import Kind
from egress_audit.model.claim import Deny
from egress_audit.model.destination import Absent, Destination, controlled_from, located_in


def _denied_places(
    case: Case,
    asks: Callable[[Destination, Collection[str]], bool | None],
    denied: Collection[str],
    place: Callable[[Destination], str],
) -> Matches:
    """Contacts, then questions by their first such answer, whose place is surely a denied one."""
    for seen in case.contacts():
        if asks(seen.destination, denied):
            yield f"{phrases.clause(seen)}, {place(seen.destination)}", (seen,)
    for seen in case.questions():
        for answer, there in zip(seen.answers, seen.answer_destinations, strict=True):
            if asks(there, denied):
                yield f"{phrases.clause(seen)}, which leads to {answer}, {place(there)}", (seen,)
                break


def denied_location(case: Case) -> Matches:
    """EA006."""
    return _denied_places(
        case, located_in, case.claim.deny.located, lambda there: f"located in {there.located}"
    )


def denied_control(case: Case) -> Matches:
    """EA007."""
    return _denied_places(
        case,
        controlled_from,
        case.claim.deny.controlled,
        lambda there: f"operated by {there.operator}, controlled from {there.controlled}",
    )


def denied_category(case: Case) -> Matches:
    """EA008."""
    return _denied_places(
        case,
        of_category,
        case.claim.deny.categories,
        lambda there: f"operated by {there.operator} ({there.role})",
    )


def denied_host_or_prefix(case: Case) -> Matches:
    """EA009."""
    deny = case.claim.deny
    if not (deny.hosts or deny.prefixes):
        return
    for seen in case.contacts():
        inside = not isinstance(seen.far_h, Absent) and _in_denied(
            seen.far_h, seen.destination, deny
        )
        if inside or any(_denied(use.host, deny) for use in seen.names):
            yield f"{phrases.clause(seen)}, which the profile denies", (seen,)
    for seen in case.questions():
        answers = zip(seen.answers, seen.answer_destinations, strict=True)
        led = [answer for answer, there in answers if _in_denied(answer, there, deny)]
        if _denied(seen.names[0].host, deny):
            yield f"{phrases.clause(seen)}, which the profile denies", (seen,)
        elif led:
            yield (
                f"{phrases.clause(seen)}, which leads to {led[0]}, which the profile denies",
                (seen,),
            )


def elsewhere(case: Case) -> Matches:
    """EA015."""
    allow, told = case.claim.allow, set[int]()
    for end in left_to_places(case):
        seen = end.seen
        if seen.id not in told and permitted(end.there, allow) is False:
            told.add(seen.id)
            led = f", which leads to {end.address}" if seen.kind is Kind.QUESTION else ""
            yield f"{phrases.clause(seen)}{led}, {objection(end.there, allow)}", (seen,)
    for seen, entries in vendors_elsewhere(case):
        if seen.id not in told:
            vendors = phrases.either(entry.vendor for entry in entries)
            law = phrases.either(entry.jurisdiction for entry in entries)
            yield (
                f"{phrases.clause(seen)}, of {vendors}, controlled from {law}, and not from "
                f"{some_of(allow.controlled)} (known by name)",
                (seen,),
            )


def _in_denied(address: str, there: Destination, deny: Deny) -> bool:
    """True for an address in a denied prefix, unless our own DNS invented it."""
    return there.scope is not Scope.SIMULATED and in_prefixes(address, deny.prefixes)


def _denied(host: str, deny: Deny) -> bool:
    """True for a denied name, and for an address in its place that lies in a denied prefix."""
    literal = literal_address(host) is not None and in_prefixes(host, deny.prefixes)
    return literal or host_matches(host, deny.hosts)
