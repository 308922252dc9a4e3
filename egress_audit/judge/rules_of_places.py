"""The rules that look at where a destination is, who runs it, and what is denied by name. EA006 to
EA009, and EA015."""

from collections.abc import Callable, Collection, Iterator

from egress_audit.addresses import Scope
from egress_audit.judge import phrases
from egress_audit.judge.attempts import unplaced_attempts
from egress_audit.judge.case import Case, Matches, Tried
from egress_audit.judge.permission import (
    host_matches,
    literal_address,
    literals_elsewhere,
    may_lead_into,
    of_denied_operator,
)
from egress_audit.judge.places import (
    FarEnd,
    attempts_left_to_places,
    attempts_on_vendors_elsewhere,
    left_to_places,
    objection,
    permitted,
    some_of,
    vendors_elsewhere,
)
from egress_audit.judge.rules_of_attempts import tried, tried_known
from egress_audit.model.audit import Kind, Observation
from egress_audit.model.claim import Deny
from egress_audit.model.destination import Absent, Destination, controlled_from, located_in


def _denied_places(
    case: Case,
    asks: Callable[[Destination, Collection[str]], bool | None],
    denied: Collection[str],
    place: Callable[[Destination], str],
) -> Matches:
    """Contacts, questions by their first such answer, then attempts, whose place is surely a denied
    one."""
    for seen in case.contacts() if denied else ():
        if asks(seen.destination, denied):
            yield f"{phrases.clause(seen)}, {place(seen.destination)}", (seen,)
            continue
        for address, there in _asked_of_proxy(case, seen):
            if asks(there, denied):
                led = f", which was asked for {address}"
                yield f"{phrases.clause(seen)}{led}, {place(there)}", (seen,)
                break
    for seen in case.questions():
        for answer, there in zip(seen.answers, seen.answer_destinations, strict=True):
            if asks(there, denied):
                yield f"{phrases.clause(seen)}, which leads to {answer}, {place(there)}", (seen,)
                break
    for attempt, there, clause in _tried(case):
        if asks(there, denied):
            yield f"{clause}, {place(there)}", attempt


def _asked_of_proxy(case: Case, seen: Observation) -> Iterator[tuple[str, Destination]]:
    """Addresses of another place than its own that were named in a contact."""
    for address in literals_elsewhere(seen):
        if address in case.named:
            yield address, case.named[address]


def _tried(case: Case) -> Iterator[tuple[Tried, Destination, str]]:
    """Each place that was tried without a packet, with what the lists say of it, and a clause."""
    for attempt, clause in tried(case, unplaced_attempts(case)):
        if attempt.address in case.named:
            yield attempt, case.named[attempt.address], clause


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


def denied_operator(case: Case) -> Matches:
    """EA008."""
    deny = case.claim.deny
    return _denied_places(
        case,
        lambda there, _: of_denied_operator(there, deny),
        deny.operators | deny.categories,
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
        named = [use.host for use in seen.names if _denied(use.host, deny)]
        if inside or named:
            told = inside or phrases.best_name(seen) in named
            other = "" if told else f", also called {phrases.either(named)}"
            yield f"{phrases.clause(seen)}{other}, which the profile denies", (seen,)
    for seen in case.questions():
        answers = zip(seen.answers, seen.answer_destinations, strict=True)
        host = seen.names[0].host
        led = [alias for alias in case.aliases.get(host, ()) if _denied(alias, deny)]
        led += [answer for answer, there in answers if _in_denied(answer, there, deny)]
        if _denied(host, deny):
            yield f"{phrases.clause(seen)}, which the profile denies", (seen,)
        elif led:
            yield (
                f"{phrases.clause(seen)}, which leads to {led[0]}, which the profile denies",
                (seen,),
            )
    if deny.prefixes:
        for attempt, clause in tried(case, unplaced_attempts(case)):
            if may_lead_into(attempt.address, deny.prefixes):
                yield f"{clause}, which the profile denies", attempt


def elsewhere(case: Case) -> Matches:
    """EA015."""
    allow, told = case.claim.allow, set[int]()
    for end in left_to_places(case):
        seen = end.seen
        if seen.id not in told and permitted(end.there, allow) is False:
            told.add(seen.id)
            yield f"{phrases.clause(seen)}{_leading(end)}, {objection(end.there, allow)}", (seen,)
    left = attempts_left_to_places(case)
    for attempt, clause in tried(case, unplaced_attempts(case)) if left else ():
        if left.get(attempt.address) is False:
            yield f"{clause}, {objection(case.named[attempt.address], allow)}", attempt
    only = f", and not from {some_of(allow.controlled)}"
    for seen, match in vendors_elsewhere(case):
        if seen.id not in told:
            vendors = phrases.of_vendors(case.accusing(match), match.by, only)
            yield f"{phrases.clause(seen)}, {vendors}", (seen,)
    for place, match, clause in tried_known(case, attempts_on_vendors_elsewhere(case)):
        if left.get(place.address) is not False:
            yield f"{clause}, {phrases.of_vendors(case.accusing(match), match.by, only)}", place


def _leading(end: FarEnd) -> str:
    """By which way it leads to another address than its own; '' if it does not."""
    if end.seen.kind is Kind.QUESTION:
        return f", which leads to {end.address}"
    return "" if end.address == end.seen.far_h else f", which was asked for {end.address}"


def _in_denied(address: str, there: Destination, deny: Deny) -> bool:
    """True for an address in a denied prefix, unless our own DNS invented it."""
    return there.scope is not Scope.SIMULATED and may_lead_into(address, deny.prefixes)


def _denied(host: str, deny: Deny) -> bool:
    """True for a denied name, and for an address in its place that lies in a denied prefix."""
    literal = literal_address(host) is not None and may_lead_into(host, deny.prefixes)
    return literal or host_matches(host, deny.hosts)
