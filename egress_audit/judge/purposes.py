"""What the catalogue says a destination is for, and whether the claim denies that.

A name or address may be one of several entries. It is denied when every accusing one of them is for
something denied; when only some are, or the place is anybody's, nothing is decided. What merely
labels never accuses, nor does it lift what accuses; but what is labelled with a denied purpose, or
as a place of anybody's, is not excused. Nor is a tunnel, which carries anything, a purpose that is
known for some versions only, or a name of which no more is known than whose domain it is in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum, auto

from egress_audit.addresses import NEAR
from egress_audit.judge.attempts import Address, attempts_known, tried_without_name
from egress_audit.judge.case import Case, is_kernels_error
from egress_audit.judge.grants import speaking_labels
from egress_audit.judge.permission import (
    address_allowed,
    is_own_name,
    literal_address,
    name_allowed,
    names_elsewhere,
    names_said,
    proven_by_name,
)
from egress_audit.judge.phrases import best_name
from egress_audit.model.audit import Kind, Match, Observation
from egress_audit.model.catalogue import Entry, Purpose, Verified
from egress_audit.model.claim import Claim
from egress_audit.model.run import Attempt


class Decision(Enum):
    """What can be said of the purpose of a destination, for a claim that denies some."""

    DENIED = auto()
    UNDECIDED = auto()
    """Some of the entries that fit have a denied purpose, and some have not."""
    OTHER = auto()
    """None of them has."""
    NOT_COVERED = auto()
    """None of them has, but all are known of some versions only."""
    UNKNOWN = auto()
    """No entry that could say fits."""


ANYTHING = frozenset({Purpose.TUNNEL})
"""Purposes of places that take whatever they are sent."""


OF_VENDORS = frozenset(
    {Purpose.AUTH, Purpose.HOSTED_INFERENCE, Purpose.MODEL_DOWNLOAD, Purpose.UPDATE_CHECK}
)
"""Purposes of services, whose vendors have other names in the same domain for other purposes."""
READ = frozenset({Verified.RAN, Verified.CODE})
"""How a pattern of names is known that a program really makes names by."""


def decision(
    place: str, entries: Sequence[Entry], claim: Claim, labels: Sequence[Entry] = ()
) -> Decision:
    """What the accusing entries that fit a name or address come to, with those that label it."""
    if not entries:
        return Decision.UNKNOWN
    denied = [entry.purpose in claim.deny.purposes for entry in entries]
    marks = {label.purpose for label in labels}
    if all(denied):
        return Decision.UNDECIDED if marks & ANYTHING - claim.deny.purposes else Decision.DENIED
    if any(denied):
        return Decision.UNDECIDED
    if marks & (claim.deny.purposes | ANYTHING) or any(one.purpose in ANYTHING for one in entries):
        return Decision.UNKNOWN
    if not any(_says_what_for(entry, place) for entry in entries):
        return Decision.UNKNOWN
    return Decision.NOT_COVERED if all(entry.versions for entry in entries) else Decision.OTHER


def decided(case: Case, match: Match) -> Decision:
    """What can be said of the purpose of a name or address."""
    labels = speaking_labels(match.by, case.fitting(match))
    return decision(match.by, case.accusing(match), case.claim, labels)


def _says_what_for(entry: Entry, place: str) -> bool:
    """False if all that the entry says of a name is whose domain it is in: somebody listed that
    domain, and no program is known to call this name."""
    if entry.purpose not in OF_VENDORS or entry.verified in READ:
        return True
    name = place.lower().removesuffix(".")
    return name in entry.hosts or f"*.{name}" in entry.hosts or literal_address(name) is not None


def denied_matches(case: Case, seen: Observation) -> Iterator[Match]:
    """The names and addresses of a row whose purpose is surely denied."""
    if case.claim.deny.purposes:
        for match in seen.endpoints:
            if decided(case, match) is Decision.DENIED:
                yield match


def denied_attempts(case: Case) -> Iterator[tuple[Attempt, Address, Match]]:
    """The attempts without a packet to what is surely for a denied purpose."""
    if case.claim.deny.purposes:
        yield from attempts_known(case, lambda match: decided(case, match) is Decision.DENIED)


def undecided_matches(case: Case) -> dict[str, Match]:
    """Names and addresses of which some entries have a denied purpose, and some have not; those
    that were tried without a packet, too."""
    found: dict[str, Match] = {}
    if not case.claim.deny.purposes:
        return found
    for seen in (*case.questions(), *case.contacts()):
        for match in seen.endpoints:
            if decided(case, match) is Decision.UNDECIDED:
                found[match.by] = match
    undecided = attempts_known(case, lambda match: decided(case, match) is Decision.UNDECIDED)
    return found | {match.by: match for _, _, match in undecided}


def is_known_by_domain(case: Case, match: Match) -> bool:
    """True if all that is known of a name is in whose domain it is."""
    entries = case.accusing(match)
    return bool(entries) and not any(_says_what_for(entry, match.by) for entry in entries)


def purposes_open(case: Case, match: Match) -> set[Purpose]:
    """What an undecided name or address may be for, by what labels it too."""
    labels = speaking_labels(match.by, case.fitting(match))
    return {entry.purpose for entry in (*case.accusing(match), *labels)}


def unknown_purposes(case: Case) -> dict[str, list[Entry]]:
    """Names and addresses that nothing but `any` allows, and of which no entry says what they are
    for; those that were tried without a packet, too. Each with the entries that know it of some
    versions.

    What the claim allows by name, address or entry is decided by that.
    """
    claim = case.claim
    if not (claim.deny.purposes and claim.allow.everything):
        return {}
    stated = replace(claim, allow=replace(claim.allow, everything=False))
    found: dict[str, list[Entry]] = {}
    for seen in (*case.questions(), *case.contacts()):
        for place in _unknown_places(case, seen, stated):
            found.setdefault(place, _not_covering(case, seen, place))
    told = (Decision.DENIED, Decision.UNDECIDED)
    tried = tried_without_name(
        replace(case, claim=stated), lambda match: decided(case, match) in told
    )
    return found | {address: [] for address in tried}


def _unknown_places(case: Case, seen: Observation, stated: Claim) -> Iterator[str]:
    """The name or address of a row, and names that it was asked to pass on to, if unknown."""
    granted = case.granted(seen, surely=True)
    settled = _settled(case, seen)
    if seen.kind is Kind.QUESTION:
        hosts = [seen.names[0].host]
    else:
        hosts = [use.host for use in names_elsewhere(seen)]
        if _is_unknown_end(case, seen, stated):
            name = best_name(seen)
            yield str(seen.far_h) if settled.get(name, not name) else name
    for host in hosts:
        own = is_own_name(host) or case.is_own_name(host)
        if not (own or settled.get(host) or name_allowed(host, stated.allow, granted)):
            yield host


def _is_unknown_end(case: Case, seen: Observation, stated: Claim) -> bool:
    """True for a far end outside that neither an entry nor the claim decides."""
    ours = case.is_own_resolver(seen) or case.is_link_maintenance(seen) or is_kernels_error(seen)
    if seen.destination.scope in NEAR or ours:
        return False
    settled, granted = _settled(case, seen), case.granted(seen, surely=True)
    named = proven_by_name(seen.names, lambda host: settled.get(host, False))
    said = [settled.get(use.host, False) for use in names_said(seen)]
    by_address = settled.get(str(seen.far_h), False) and all(said)
    return not (named or by_address or address_allowed(seen, stated, granted))


def _settled(case: Case, seen: Observation) -> dict[str, bool]:
    """Whether the entries of each name and address that has some settle what it is for; where
    some do accuse, other words say so."""
    open_ended = (Decision.UNKNOWN, Decision.NOT_COVERED)
    return {match.by: decided(case, match) not in open_ended for match in seen.endpoints}


def _not_covering(case: Case, seen: Observation, place: str) -> list[Entry]:
    """Of a name or address the entries that know it of some versions; of an address without any,
    those of its names."""
    matches = [match for match in seen.endpoints if match.by == place] or list(seen.endpoints)
    return [entry for match in matches for entry in case.accusing(match) if entry.versions]
