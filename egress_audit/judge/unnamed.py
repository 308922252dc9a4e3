"""Far ends of which no name is known, where the claim denies by name.

Vendors rent: of an address alone nobody can say that a denied host is not behind it, whether it is
called or a proxy is asked for it. What the claim allows by prefix, and what the catalogue knows by
its address, is decided by that.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from egress_audit.addresses import NEAR, scope_of
from egress_audit.judge.attempts import tried_without_name
from egress_audit.judge.case import Case, is_at_dns_port, is_kernels_error
from egress_audit.judge.permission import (
    PROOF_OF_NAME,
    PROXIED,
    address_allowed,
    is_own_name,
    literal_address,
    literals_elsewhere,
    names_said,
    place_allowed,
)
from egress_audit.judge.places import without_places
from egress_audit.model.audit import NameUse, Observation
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource

OF_THE_FILE = frozenset({NameSource.PCAPNG_NRB})
"""Sources of names that nobody asked for or spoke."""
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.DOTALL)
"""What is read as an IPv4 address, of whichever notation (`3405803785`, `0xcb.113.9`), and never
asked of the DNS (WHATWG URL §3.5)."""


def unnamed_ends(case: Case) -> set[str]:
    """Addresses off the machine that only `any`, or their place, allows, and to which no name
    leads; those that a proxy was asked for, or that were tried without a packet, too. Empty unless
    the claim denies hosts, and allows what it does not name.

    What a resolver is asked is judged by itself, so that its own name does not matter. Whoever was
    asked nothing is none, although he is called at its port.
    """
    allow = case.claim.allow
    if not (case.claim.deny.hosts and (allow.everything or allow.by_place)):
        return set()
    bare = without_places(case.claim)
    stated = replace(bare, allow=replace(bare.allow, everything=False))
    asked = {resolver for seen in case.questions() for resolver in seen.resolvers}
    ends = {
        str(seen.far_h)
        for seen in case.contacts()
        if not _is_asked(case, seen, asked) and _is_unnamed(case, seen, stated)
    }
    ends.update(*(_unnamed_beyond(case, seen, stated) for seen in case.contacts()))
    tried = tried_without_name(
        replace(case, claim=stated), lambda match: bool(case.accusing(match))
    )
    return ends | set(tried)


def _is_asked(case: Case, seen: Observation, asked: Collection[str]) -> bool:
    """True for a contact with a resolver that was asked, or with one of ours, at its port."""
    return is_at_dns_port(seen) and (seen.far_h in asked or case.is_own_resolver(seen))


def _is_unnamed(case: Case, seen: Observation, stated: Claim) -> bool:
    near = isinstance(seen.far_h, Absent) or seen.destination.scope in NEAR
    if near or case.is_link_maintenance(seen) or is_kernels_error(seen):
        return False
    if any(match.by == seen.far_h and case.accusing(match) for match in seen.endpoints):
        return False
    named = any(_is_telling(use) for use in seen.names)
    return not (named or address_allowed(seen, stated, case.granted(seen, surely=True)))


def _is_telling(use: NameUse) -> bool:
    """True for a name that tells whose the far end is; one without a dot, or of this machine, says
    no more than the address that it was said to, unless an answer gave it."""
    if not _is_name(use.host) or OF_THE_FILE.issuperset(use.sources):
        return False
    answered = not set(use.sources).isdisjoint(PROOF_OF_NAME)
    return answered or ("." in use.host and not is_own_name(use.host))


def _unnamed_beyond(case: Case, seen: Observation, stated: Claim) -> Iterator[str]:
    """Addresses that a proxy was asked for. Named are they by what leads there, or by what was said
    through the proxy; not by another name that it was asked for."""
    addresses = literals_elsewhere(seen)
    asked = (use.host for use in names_said(seen) if not set(use.sources).isdisjoint(PROXIED))
    others = [host for host in asked if _is_odd_address(host)]
    if not (addresses or others) or any(_is_of_far_end(use) for use in names_said(seen)):
        return
    known = {match.by for match in seen.endpoints if case.accusing(match)}
    for address in addresses:
        named = address in known or address in case.names_leading_to
        if not (named or place_allowed(address, scope_of(address), stated.allow)):
            yield address
    yield from others


def _is_of_far_end(use: NameUse) -> bool:
    return _is_name(use.host) and set(use.sources).isdisjoint(PROXIED)


def _is_name(host: str) -> bool:
    return literal_address(host) is None and not _is_odd_address(host)


def _is_odd_address(host: str) -> bool:
    """True for an address in a notation that we do not read."""
    return literal_address(host) is None and _ENDS_IN_NUMBER.fullmatch(host) is not None
