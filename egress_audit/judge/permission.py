"""What a claim allows and denies, one destination or name at a time."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

from egress_audit.addresses import Scope
from egress_audit.model.audit import NameUse, Observation
from egress_audit.model.claim import Allow, Claim
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource

PROOF_OF_NAME = (NameSource.DNS_ANSWER, NameSource.SANDBOX_DNS)
"""Sources that suffice to allow. SNI, Host and NRB are written by the audited program or by the
holder of the file: they suffice to deny, never alone to allow."""
LOOPBACK_IPV6_REVERSE = "1." + "0." * 31 + "ip6.arpa"


def host_matches(host: str, patterns: Iterable[str]) -> bool:
    """True if a pattern is the host itself, or a suffix `*.name` of it on a label boundary."""
    for pattern in patterns:
        if pattern.startswith("*."):
            if host.endswith(pattern[1:]):
                return True
        elif host == pattern:
            return True
    return False


def is_own_name(host: str) -> bool:
    """True for names that RFC 6761 §6.3 keeps on the machine, and for loopback's reverse names."""
    bare = host.rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    return bare.endswith(".127.in-addr.arpa") or bare == LOOPBACK_IPV6_REVERSE


def name_allowed(host: str, allow: Allow) -> bool:
    """True if asking for this name, or asking a proxy for it, does not contradict the claim."""
    return allow.everything or is_own_name(host) or host_matches(host, allow.hosts)


def in_prefixes(address: str, prefixes: Iterable[IPv4Network | IPv6Network]) -> bool:
    """True if one of the prefixes holds the address."""
    known = ip_address(address)
    return any(known in prefix for prefix in prefixes if prefix.version == known.version)


def address_allowed(seen: Observation, claim: Claim) -> bool:
    """True if the claim lets packets go to this far address.

    Metadata services are allowed only by name: neither `any` nor a prefix or host covers them.
    """
    allow, scope = claim.allow, seen.destination.scope
    if scope in allow.scopes:
        return True
    if scope is Scope.METADATA_SERVICE:
        return False
    if allow.everything:
        return True
    if isinstance(seen.far_h, str) and in_prefixes(seen.far_h, allow.prefixes):
        return True
    return _host_allowed(seen.names, allow)


def _host_allowed(names: tuple[NameUse, ...], allow: Allow) -> bool:
    """True if a proven name is allowed and no other name that was used speaks against it."""
    spoken = [use for use in names if set(use.sources) != {NameSource.PCAPNG_NRB}]
    used = [use for use in spoken if not set(use.sources) <= set(PROOF_OF_NAME)]
    proven = [use for use in spoken if set(use.sources) & set(PROOF_OF_NAME)]
    if not any(host_matches(use.host, allow.hosts) for use in proven):
        return False
    return all(host_matches(use.host, allow.hosts) for use in used)


PROXIED = (NameSource.HTTP_CONNECT, NameSource.SOCKS)
"""Sources that name the destination of a proxy, whatever carries the request."""


def names_beyond(seen: Observation, claim: Claim) -> list[NameUse]:
    """Names spoken to an allowed address that name a host which the claim does not allow.

    A name without a dot, or that is an address, says no more than the address it was sent to.
    """
    beyond = []
    for use in seen.names:
        if set(use.sources) <= {*PROOF_OF_NAME, NameSource.PCAPNG_NRB}:
            continue
        proxied = bool(set(use.sources) & set(PROXIED))
        if name_allowed(use.host, claim.allow) or _is_the_address(use.host, seen):
            continue
        if proxied or ("." in use.host and not _is_loopback_text(use.host)):
            beyond.append(use)
    return beyond


def _is_the_address(host: str, seen: Observation) -> bool:
    return not isinstance(seen.far_h, Absent) and host == seen.far_h


def _is_loopback_text(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
