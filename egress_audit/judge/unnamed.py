"""Far ends of which no name is known, where the claim denies by name.

Vendors rent: of an address alone nobody can say that a denied host is not behind it. What the
claim allows by prefix, and what the catalogue knows by its address, is decided by that.
"""

from dataclasses import replace

from egress_audit.addresses import NEAR
from egress_audit.judge.attempts import tried_without_name
from egress_audit.judge.case import Case, is_kernels_error
from egress_audit.judge.permission import address_allowed, literal_address
from egress_audit.judge.places import without_places
from egress_audit.model.audit import Observation
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from egress_audit.model.protocols import DNS_PORT

OF_THE_FILE = frozenset({NameSource.PCAPNG_NRB})
"""Sources of names that nobody asked for or spoke."""


def unnamed_ends(case: Case) -> set[str]:
    """Addresses off the machine that only `any`, or their place, allows, and to which no name
    leads; those that were tried without a packet, too. Empty unless the claim denies hosts, and
    allows what it does not name.

    What a resolver is asked is judged by itself, so that its own name does not matter.
    """
    allow = case.claim.allow
    if not (case.claim.deny.hosts and (allow.everything or allow.by_place)):
        return set()
    bare = without_places(case.claim)
    stated = replace(bare, allow=replace(bare.allow, everything=False))
    ends = {str(seen.far_h) for seen in case.contacts() if _is_unnamed(case, seen, stated)}
    tried = tried_without_name(
        replace(case, claim=stated), lambda match: bool(case.accusing(match))
    )
    return ends | set(tried)


def _is_unnamed(case: Case, seen: Observation, stated: Claim) -> bool:
    near = isinstance(seen.far_h, Absent) or seen.destination.scope in NEAR
    if near or seen.far_p == DNS_PORT or case.is_link_maintenance(seen) or is_kernels_error(seen):
        return False
    if any(match.by == seen.far_h and case.accusing(match) for match in seen.endpoints):
        return False
    named = any(
        literal_address(use.host) is None and not OF_THE_FILE.issuperset(use.sources)
        for use in seen.names
    )
    return not (named or address_allowed(seen, stated, case.granted(seen, surely=True)))
