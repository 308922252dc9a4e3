"""Blind spots that depend on what is claimed: names that are hidden, places that are unknown."""

from collections.abc import Callable, Collection

from egress_audit.addresses import Scope
from egress_audit.judge.attempts import unplaced_attempts
from egress_audit.judge.blind_spots import Spot, always, count_of, some
from egress_audit.judge.case import Case
from egress_audit.judge.permission import is_own_name, names_elsewhere, of_denied_operator
from egress_audit.judge.places import attempts_left_to_places, left_to_places, permitted
from egress_audit.judge.unnamed import unnamed_ends
from egress_audit.model.audit import Direction
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent, Destination, controlled_from, located_in

NONE = Absent.NOT_APPLICABLE
KNOW_BETTER = (
    "see `egress-audit whois ADDRESS`; another list (`--lists FILE.mmdb`) may know it, but of "
    "anycast and CDN only the other end can tell"
)
Asks = Callable[[Destination, Collection[str]], bool | None]
Picks = Callable[[Case], set[str]]


def _depends_on_names(case: Case) -> bool:
    """True if a contact off this machine that is allowed by address could be denied by its name."""
    allow, deny = case.claim.allow, case.claim.deny
    beyond = bool(allow.scopes - {Scope.LOOPBACK} or allow.prefixes or allow.hosts)
    named = bool(allow.endpoints or deny.hosts or deny.purposes)
    return allow.any_name or beyond or named


def _hidden(case: Case) -> int | None:
    """All of them where names matter; else those that a local proxy could have carried further."""
    coverage = case.coverage
    kinds = coverage.hidden_names if _depends_on_names(case) else coverage.hidden_near
    return sum(kinds.values()) or None


def _unread(case: Case) -> int | None:
    return sum(case.coverage.unread_heads.values()) or None


def _names_dropped(case: Case) -> int | None:
    """Recorded names can only deny, so those beyond the bound count where names are denied."""
    deny = case.claim.deny
    recorded = case.coverage.host_records_beyond if deny.hosts or deny.purposes else 0
    return case.coverage.names_dropped + recorded or None


def _rows_dropped(case: Case) -> int | None:
    return sum(seen.flows + seen.rest_scopes.get(Scope.NAME, 0) for seen in case.rest()) or None


def _rows_matter(case: Case) -> bool:
    """Rows of what came from outside and was answered are only listed."""
    outside = (Direction.INBOUND, Direction.RECEIVED)
    return any(seen.direction not in outside for seen in case.rest())


def _unknown(case: Case, asks: Asks, countries: Collection[str]) -> set[str]:
    """Far addresses of which it cannot be said whether they are in `countries`.

    Not those that our own side invented in a run (see `places-simulated`), nor its resolvers.
    """
    if not countries:
        return set()
    of_run = not isinstance(case.run, Absent)
    places = [
        (str(seen.far_h), seen.destination)
        for seen in case.contacts()
        if not case.is_own_resolver(seen)
    ]
    for seen in case.questions():
        places += zip(seen.answers, seen.answer_destinations, strict=True)
    tried = {str(address) for _, address in unplaced_attempts(case)}
    places += ((address, case.named[address]) for address in tried & case.named.keys())
    return tried - case.named.keys() | {
        address
        for address, there in places
        if asks(there, countries) is None and not (of_run and there.scope is Scope.SIMULATED)
    }


def _some_of(pick: Picks) -> Callable[[Case], str]:
    return lambda case: some(sorted(pick(case)))


def _located(case: Case) -> set[str]:
    return _unknown(case, located_in, case.claim.deny.located)


def _controlled(case: Case) -> set[str]:
    return _unknown(case, controlled_from, case.claim.deny.controlled)


def _categories(case: Case) -> set[str]:
    deny = case.claim.deny
    denied = deny.operators | deny.categories
    return _unknown(case, lambda there, _: of_denied_operator(there, deny), denied)


def _undecided(case: Case) -> set[str]:
    """Far addresses that a claim by place neither allows nor forbids for sure.

    Not those that our own side invented in a run, nor its resolvers, as in `_unknown`.
    """
    of_run, allow = not isinstance(case.run, Absent), case.claim.allow
    undecided = {
        end.address
        for end in left_to_places(case)
        if not (case.is_own_resolver(end.seen) or (of_run and end.there.scope is Scope.SIMULATED))
        and permitted(end.there, allow) is None
    }
    left = attempts_left_to_places(case)
    return undecided | {address for address in left if left[address] is None}


def _unplaced(case: Case) -> set[str]:
    """Names asked of a resolver, or of a proxy, and nothing shows what they lead to."""
    if not (case.claim.uses_lists or case.claim.deny.prefixes):
        return set()
    asked = {seen.names[0].host: seen.answers for seen in case.questions()}
    carried = {use.host for seen in case.contacts() for use in names_elsewhere(seen)}
    open_ended = {host for host in {*asked, *carried} if not asked.get(host)}
    return {host for host in open_ended if not is_own_name(host)}


def _no_lists(case: Case) -> int | None:
    return 0 if case.claim.uses_lists and not case.lists else None


def _stale(case: Case) -> int | None:
    claim: Claim = case.claim
    lists = case.lists if claim.uses_lists else ()
    lists += case.catalogue if claim.uses_catalogue else ()
    ages = [case.list_age_ns(used) for used in lists]
    limit = claim.require.lists_max_age_ns
    return sum(not isinstance(age, Absent) and age > limit for age in ages) or None


SPOTS_OF_CLAIM: tuple[Spot, ...] = (
    Spot(
        "names-hidden",
        "Names that the protocol hides",
        "flows that hide the name they are for (encrypted, or not read in this version): {count}",
        "flows whose names can be read",
        NONE,
        "claims that allow anything off the machine or deny by name; every claim where such a "
        "flow stays on the machine",
        "switch encrypted DNS, encrypted hellos and tunnels off in the program, or claim only what "
        "does not depend on names",
        _hidden,
        always,
    ),
    Spot(
        "names-unread",
        "Names that could not be read",
        "messages that should hold a name and could not be read to their end: {count}",
        "whole messages",
        NONE,
        "every claim",
        "record whole frames from the beginning",
        _unread,
        always,
    ),
    Spot(
        "name-unknown",
        "Whose an address is",
        "addresses off the machine to which no name leads, so that a denied host may be behind "
        "them: {count} ({what})",
        "a name that was asked for or spoken, or an address that the catalogue knows",
        NONE,
        "claims that deny by name",
        "find out who is there (`egress-audit whois ADDRESS`), then allow it by prefix, or keep "
        "the program from calling it",
        count_of(unnamed_ends),
        always,
        _some_of(unnamed_ends),
    ),
    Spot(
        "names-dropped",
        "More names than are kept",
        "names that were not kept, because there were too many: {count}",
        "fewer names",
        NONE,
        "every claim",
        "split the capture",
        _names_dropped,
        always,
    ),
    Spot(
        "rows-dropped",
        "More destinations than rows",
        "flows and names that are summed in the last rows, without place and name: {count}",
        "fewer destinations",
        NONE,
        "every claim, unless those flows all came from outside",
        "split the capture",
        _rows_dropped,
        _rows_matter,
    ),
    Spot(
        "location-unknown",
        "Where a destination is",
        "addresses of which it is not known whether they are in a denied country (no data, "
        "sources differ, anycast or CDN): {count} ({what})",
        "sources that agree",
        NONE,
        "claims that deny by location",
        KNOW_BETTER,
        count_of(_located),
        always,
        _some_of(_located),
    ),
    Spot(
        "control-unknown",
        "Who controls a destination",
        "addresses of which it is not known whose jurisdiction their operator is under: {count} "
        "({what})",
        "an operator that is in the table, and is no CDN or proxy",
        NONE,
        "claims that deny by control",
        KNOW_BETTER,
        count_of(_controlled),
        always,
        _some_of(_controlled),
    ),
    Spot(
        "category-unknown",
        "Who operates it, and of what kind that is",
        "addresses whose operator is not in the table, or is a CDN or proxy: {count} ({what})",
        "an operator that is in the table, and is no CDN or proxy",
        NONE,
        "claims that deny by operator or category",
        KNOW_BETTER,
        count_of(_categories),
        always,
        _some_of(_categories),
    ),
    Spot(
        "place-undecided",
        "Whether a place is allowed",
        "addresses of which it is not known whether they are where the claim allows them to be, "
        "or of an operator that it allows (no data, sources differ, anycast, CDN or proxy): "
        "{count} ({what})",
        "sources that agree, and an operator that is in the table and is no CDN or proxy",
        NONE,
        "claims that allow by place or operator",
        "see `egress-audit whois ADDRESS`, then allow it by host, prefix or endpoint, or add a "
        "list that knows it (`--lists FILE.mmdb`)",
        count_of(_undecided),
        always,
        _some_of(_undecided),
    ),
    Spot(
        "question-unplaced",
        "Names without an answer",
        "names asked of a resolver or a proxy, and nothing shows where they lead: {count} ({what})",
        "an answer in the same evidence",
        NONE,
        "claims that allow or deny by place or operator, or deny by prefix",
        "record the answers too, with no proxy in between; of a run, --network open asks real "
        "resolvers",
        count_of(_unplaced),
        always,
        _some_of(_unplaced),
    ),
    Spot(
        "lists-missing",
        "No address lists",
        "no address list was loaded, so no place and no operator is known",
        "lists that are loaded",
        NONE,
        "claims that allow or deny by place or operator",
        "install the lists",
        _no_lists,
        always,
    ),
    Spot(
        "lists-stale",
        "Stale lists",
        "lists that are further from the capture's end than the profile allows: {count}",
        "lists of the time of the capture",
        NONE,
        "claims that allow or deny by place or operator, deny by purpose, or allow endpoints",
        "use lists of that time, or raise require.lists_max_age",
        _stale,
        always,
    ),
)
