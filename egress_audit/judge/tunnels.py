"""Tunnels that the catalogue knows by name: who is at their other end no capture shows.

A tunnel is like a front: the far address says where it is entered, and its name whose it is. What
goes through can be for anybody, so that a claim about names or places is decided by neither.
"""

from dataclasses import replace

from egress_audit.judge.case import Case
from egress_audit.judge.places import is_covered, without_places
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Purpose


def tunnels_entered(case: Case) -> dict[str, Match]:
    """Names and addresses of contacts that are known to be called for tunnels and nothing else, and
    that no host, prefix or endpoint of the claim allows.

    Empty unless the claim denies hosts or prefixes, or allows or denies by place or operator.
    """
    claim = case.claim
    if not (claim.deny.hosts or claim.deny.prefixes or claim.uses_lists):
        return {}
    named = replace(without_places(claim).allow, everything=False)
    return {
        match.by: match
        for seen in case.contacts()
        for match in seen.endpoints
        if _is_tunnel(case, match) and not is_covered(match.by, named, case.granted(seen))
    }


def _is_tunnel(case: Case, match: Match) -> bool:
    """Whether all that accuse say so. What merely labels a place as anybody's, as most of a cloud
    is, makes no tunnel of it."""
    entries = case.accusing(match)
    return bool(entries) and all(entry.purpose is Purpose.TUNNEL for entry in entries)
