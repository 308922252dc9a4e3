"""The rules that look at each contact and name: is it allowed? EA001 to EA005, EA010 and EA011."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator

from egress_audit.addresses import Scope
from egress_audit.judge import phrases
from egress_audit.judge.attempts import joined_groups
from egress_audit.judge.case import (
    Case,
    Matches,
    is_kernels_error,
    reports_groups,
)
from egress_audit.judge.permission import (
    address_allowed,
    asks_decide,
    name_allowed,
    names_beyond,
)
from egress_audit.model.audit import Direction, Observation
from egress_audit.model.claim import Allow
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import TCP, UDP

LOCAL_SCOPES = (Scope.LAN, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.BROADCAST)
OUTSIDE_SCOPES = tuple(
    scope for scope in reversed(Scope) if scope not in (*LOCAL_SCOPES, Scope.METADATA_SERVICE)
)
"""All others; nearly every far end is GLOBAL, which stands in front."""

MOST_QUESTIONS = 32
HEADERS_4, HEADERS_6 = 20 + 8 + 12, 40 + 8 + 12
"""Bytes of IP, UDP and DNS in front of a question."""
AROUND_A_NAME = 1 + 1 + 4
"""Bytes of a question beside its name: first length, root, type, class (RFC 1035 §4.1.2)."""
EDNS_RECORD = 11 + 12
"""Bytes of what clients add to a question: an OPT record with a cookie (RFC 6891, RFC 7873)."""


def _forbidden_contacts(case: Case, scopes: Collection[Scope]) -> Iterator[Observation]:
    """Contacts with far ends of these scopes that the claim does not allow.

    Those with our own resolver only where no host could be asked for, and no finding about a name
    says what was asked of it; and not where it was asked for the sandbox's own names alone. The
    kernel's errors about answers say nothing that the contact which was answered does not. What it
    reports of multicast groups that the program joined are the program's words: it chose the group,
    and the sources.
    """
    contacts = [seen for seen in case.contacts() if seen.destination.scope in scopes]
    possible = _possible(case.claim.allow)
    excused = _excuses(case) if any(map(case.is_own_resolver, contacts)) else None
    answered: Counter[str | Absent] | None = None
    asked_for = joined_groups(case.run)
    for seen in contacts:
        may_be = seen.destination.scope in possible
        if may_be and address_allowed(seen, case.claim, case.granted(seen)):
            continue
        if case.is_link_maintenance(seen) and not (asked_for and reports_groups(seen)):
            continue
        if is_kernels_error(seen):
            answered = _packets_answered(case) if answered is None else answered
            if seen.pkts_out <= answered[seen.far_h]:
                continue
        if excused is not None and case.is_own_resolver(seen) and excused(seen):
            continue
        yield seen


def _excuses(case: Case) -> Callable[[Observation], bool]:
    """What tells of a contact with a resolver of ours whether it says nothing of its own."""
    told = {resolver for seen in _forbidden_questions(case) for resolver in seen.resolvers}
    itself = _asked_for_itself(case)

    def excused(seen: Observation) -> bool:
        if asks_decide(case.claim.allow) or seen.far_h in told:
            return True
        return seen.far_h in itself and _only_asks(seen, itself[str(seen.far_h)])

    return excused


def _packets_answered(case: Case) -> Counter[str | Absent]:
    """By far end, packets that came from it, but for those about the kernel's errors."""
    answered: Counter[str | Absent] = Counter()
    for seen in case.contacts():
        answered[seen.far_h] += 0 if is_kernels_error(seen) else seen.pkts_in
    return answered


def _asked_for_itself(case: Case) -> dict[str, int]:
    """Resolvers that the program asked for nothing but the sandbox's own names, each with the
    length of the longest."""
    own: dict[str, int] = {}
    others: set[str] = set()
    for seen in case.questions():
        host = seen.names[0].host
        if not case.is_own_name(host):
            others.update(seen.resolvers)
            continue
        for resolver in seen.resolvers:
            own[resolver] = max(own.get(resolver, 0), len(host))
    return {resolver: length for resolver, length in own.items() if resolver not in others}


def _only_asks(seen: Observation, longest_name: int) -> bool:
    """True for so few and so small datagrams that they can hold a question for a name of ours and
    nothing beside."""
    headers = HEADERS_6 if ":" in str(seen.far_h) else HEADERS_4
    longest = headers + longest_name + AROUND_A_NAME + EDNS_RECORD
    few = seen.proto == UDP and seen.pkts_out <= MOST_QUESTIONS
    return few and seen.ip_bytes_out <= seen.pkts_out * longest


def _forbidden_questions(case: Case) -> Iterator[Observation]:
    for seen in case.questions():
        host = seen.names[0].host
        allowed = name_allowed(host, case.claim.allow, case.granted(seen))
        if not allowed and not case.is_own_name(host):
            yield seen


def outside_contact(case: Case) -> Matches:
    """EA001."""
    for seen in _forbidden_contacts(case, OUTSIDE_SCOPES):
        yield phrases.clause(seen), (seen,)


def name_asked(case: Case) -> Matches:
    """EA002."""
    carriers = [seen for seen in case.contacts() if case.is_own_resolver(seen)]
    for seen in _forbidden_questions(case):
        carried = (row for row in carriers if row.far_h in seen.resolvers)
        yield phrases.clause(seen), (seen, *carried)


def local_contact(case: Case) -> Matches:
    """EA003."""
    for seen in _forbidden_contacts(case, LOCAL_SCOPES):
        yield phrases.clause(seen), (seen,)


def metadata_contact(case: Case) -> Matches:
    """EA004."""
    for seen in _forbidden_contacts(case, (Scope.METADATA_SERVICE,)):
        yield phrases.clause(seen), (seen,)


def name_through_carrier(case: Case) -> Matches:
    """EA005."""
    possible = _possible(case.claim.allow)
    for seen in case.contacts():
        if seen.destination.scope not in possible:
            continue
        granted = case.granted(seen)
        if not address_allowed(seen, case.claim, granted):
            continue
        beyond = names_beyond(seen, case.claim, granted)
        if beyond:
            yield f"spoke to {phrases.used_names(beyond)} through {phrases.endpoint(seen)}", (seen,)


def inbound_contact(case: Case) -> Matches:
    """EA010."""
    if case.claim.inbound != "deny":
        return
    for seen in case.answered():
        kind = "connection" if seen.proto == TCP else f"{phrases.protocol(seen.proto)} flow"
        count = phrases.plural(seen.flows, kind)
        whom = phrases.CLIENT if seen.from_client else phrases.whom(seen)
        yield f"answered {count} from {whom}", (seen,)


def contact_beyond_rows(case: Case) -> Matches:
    """EA011."""
    possible = _possible(case.claim.allow)
    for seen in case.rest():
        if seen.direction is not Direction.OUTBOUND:
            continue
        forbidden = {
            scope: count for scope, count in seen.rest_scopes.items() if scope not in possible
        }
        names = forbidden.pop(Scope.NAME, 0)
        if names:
            asked = phrases.plural(names, "further name")
            yield f"asked for {asked} beyond the rows that are kept", (seen,)
        if forbidden:
            flows = phrases.plural(sum(forbidden.values()), "further flow")
            scopes = ", ".join(f"{count} {scope}" for scope, count in forbidden.items())
            yield f"sent {flows} beyond the rows that are kept ({scopes})", (seen,)


def _possible(allow: Allow) -> Collection[Scope]:
    """Scopes in which something in the claim could allow an address, whichever it is."""
    if allow.any_name or allow.prefixes or allow.hosts or allow.endpoints:
        return allow.scopes.union(scope for scope in Scope if scope is not Scope.METADATA_SERVICE)
    return allow.scopes
