"""What a claim allows and denies, one destination or name at a time."""

import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from egress_audit.addresses import NEAR, Scope, address_of, embedded_ipv4, scope_of
from egress_audit.model.audit import NameUse, Observation
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.destination import Absent, Destination, operated_by_one_of
from egress_audit.model.flow import NameSource
from egress_audit.translated import translations_of

PROOF_OF_NAME = (NameSource.DNS_ANSWER, NameSource.SANDBOX_DNS)
"""Sources that suffice to allow. SNI, Host and NRB are written by the audited program or by the
holder of the file: they suffice to deny, never alone to allow. So does an unproven answer."""
OWN_NAME = re.compile(
    r"(?:(?:[a-z0-9_-]+\.)*localhost|(?:[0-9]{1,3}\.){0,3}127\.in-addr\.arpa|1\.(?:0\.){31}ip6\.arpa)\.?"
)
LAST_OF_OWN_NAMES = ("localhost", "localhost.", "arpa", "arpa.")
"""What each of them ends with."""

KEPT_PATTERNS = 64
"""Lists of patterns that are kept filed; a claim has two."""


def host_matches(host: str, patterns: Iterable[str]) -> bool:
    """True if a pattern is the host itself, or a suffix `*.name` of it on a label boundary.

    What it costs grows with the labels of the host, not with the patterns: a profile can have
    thousands, and a capture tens of thousands of names.
    """
    exact, suffixes = _filed(tuple(patterns))
    if host in exact:
        return True
    while suffixes and "." in host:
        host = host.partition(".")[2]
        if host in suffixes:
            return True
    return False


@lru_cache(maxsize=KEPT_PATTERNS)
def _filed(patterns: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The whole names among patterns, and the names behind `*.`."""
    suffixes = {pattern[2:] for pattern in patterns if pattern.startswith("*.")}
    return frozenset(patterns), frozenset(suffixes)


def is_own_name(host: str) -> bool:
    """True for names that RFC 6761 §6.3 keeps on the machine, and for loopback's reverse names.

    Only names of letters, digits, hyphens and underscores: what has other characters was never
    meant for a resolver of this machine, and carries something.
    """
    return host.endswith(LAST_OF_OWN_NAMES) and OWN_NAME.fullmatch(host) is not None


def name_allowed(host: str, allow: Allow, granted: Collection[str] = ()) -> bool:
    """True if asking for this name, or asking a proxy for it, does not contradict the claim.

    granted: names and addresses that the claim allows as entries of the catalogue.
    """
    return allow.any_name or is_own_name(host) or _is_allowed_host(host, allow, granted)


def _is_allowed_host(host: str, allow: Allow, granted: Collection[str]) -> bool:
    return host in granted or host_matches(host, allow.hosts)


def in_prefixes(address: str, prefixes: Collection[IPv4Network | IPv6Network]) -> bool:
    """True if one of the prefixes holds the address, or the IPv4 address that is embedded in it."""
    if not prefixes:
        return False  # and no address is read for nothing, of which there may be thousands
    known = address_of(address)
    inner = embedded_ipv4(known) if isinstance(known, IPv6Address) else None
    ends = (known,) if inner is None else (known, inner)
    return any(
        end in prefix for prefix in prefixes for end in ends if prefix.version == end.version
    )


def may_lead_into(address: str, prefixes: Collection[IPv4Network | IPv6Network]) -> bool:
    """As `in_prefixes`, and True if a translator may take the address to one in a prefix."""
    if not prefixes:
        return False
    known = address_of(address)
    others = translations_of(known) if isinstance(known, IPv6Address) else ()
    return any(in_prefixes(str(end), prefixes) for end in (known, *others))


def of_denied_operator(destination: Destination, deny: Deny) -> bool | None:
    """Whether the operator is denied, by its group or by its category; None if unknown.

    A front (CDN, proxy) that is not denied itself is unknown: whoever stands behind it may be.
    """
    facts = ((destination.operator, deny.operators), (destination.role, deny.categories))
    answers = [operated_by_one_of(destination, fact, words) for fact, words in facts if words]
    if True in answers:
        return True
    return None if None in answers else False


def address_allowed(seen: Observation, claim: Claim, granted: Collection[str] = ()) -> bool:
    """True if the claim lets packets go to this far address, or leaves it to places.py.

    Metadata services are allowed only by name: neither `any` nor a prefix, host or entry of the
    catalogue covers them. granted: as `name_allowed` has it.
    """
    allow, scope = claim.allow, seen.destination.scope
    if isinstance(seen.far_h, Absent):
        return scope in allow.scopes
    if place_allowed(seen.far_h, scope, allow):
        return True
    if scope is Scope.METADATA_SERVICE:
        return False
    return seen.far_h in granted or _host_allowed(seen.names, allow, granted)


def place_allowed(address: str, scope: Scope, allow: Allow) -> bool:
    """True if the claim allows an address of this scope, whatever its names are.

    An address that our own DNS invented lies in no prefix of the world. What a claim allows by
    place is left to places.py: it may be neither allowed nor forbidden.
    """
    if scope in allow.scopes:
        return True
    if scope is Scope.METADATA_SERVICE:
        return False
    if allow.everything or (allow.by_place and scope not in NEAR):
        return True
    if scope is Scope.SIMULATED or not allow.prefixes:
        return False
    return in_prefixes(address, _that_hold(allow.prefixes, scope))


def _that_hold(
    prefixes: Collection[IPv4Network | IPv6Network], scope: Scope
) -> Collection[IPv4Network | IPv6Network]:
    """Without the IPv4 prefixes if `scope` is RESERVED and they are not.

    A private address behind a translator is one of the translator's network, never ours.
    """
    if scope is not Scope.RESERVED:
        return prefixes
    return [p for p in prefixes if p.version == 6 or scope_of(p.network_address) is scope]


def _host_allowed(names: tuple[NameUse, ...], allow: Allow, granted: Collection[str]) -> bool:
    if not (allow.hosts or granted):
        return False  # as of most claims, and of thousands of contacts each
    return proven_by_name(names, lambda host: _is_allowed_host(host, allow, granted))


def proven_by_name(names: Iterable[NameUse], holds: Callable[[str], bool]) -> bool:
    """True if something holds of a proven name, and no other name that was used speaks against
    it."""
    weighed = [(use.host, set(use.sources) - {NameSource.DNS_UNPROVEN}) for use in names]
    spoken = [(host, sources) for host, sources in weighed if sources - {NameSource.PCAPNG_NRB}]
    used = [host for host, sources in spoken if not sources <= set(PROOF_OF_NAME)]
    proven = [host for host, sources in spoken if sources & set(PROOF_OF_NAME)]
    return any(holds(host) for host in proven) and all(holds(host) for host in used)


PROXIED = (NameSource.HTTP_CONNECT, NameSource.SOCKS)
"""Sources that name the destination of a proxy, whatever carries the request."""
IN_A_REQUEST = (NameSource.HTTP_HOST, NameSource.HTTP2_AUTHORITY)
"""Sources that stand in requests to proxies and to origins alike."""
SILENT = (*PROOF_OF_NAME, NameSource.DNS_UNPROVEN, NameSource.PCAPNG_NRB)
"""Sources that are not the far side's to hear: others hold a name to lead there."""
_NUMBER = re.compile("0x[0-9a-f]+|[0-9]+")
KEPT_WAYS = 1024
"""Combinations of sources that are kept weighed; a capture has a dozen."""


class _Ways(NamedTuple):
    """What the sources of a name say together."""

    said: bool
    """It was spoken to the far side."""
    proven: bool
    proxied: bool
    requested: bool


@lru_cache(maxsize=KEPT_WAYS)
def _ways(sources: tuple[NameSource, ...]) -> _Ways:
    known = frozenset(sources)
    return _Ways(
        said=not known.issubset(SILENT),
        proven=not known.isdisjoint(PROOF_OF_NAME),
        proxied=not known.isdisjoint(PROXIED),
        requested=not known.isdisjoint(IN_A_REQUEST),
    )


def names_beyond(seen: Observation, claim: Claim, granted: Collection[str] = ()) -> list[NameUse]:
    """Names spoken to an allowed address that name a host which the claim does not allow.

    An address in place of a name is judged as an address. A name without a dot says no more than
    the address it was sent to, unless a proxy is asked for it. granted: as `name_allowed` has it.
    """
    beyond = []
    for use in names_said(seen):
        literal = literal_address(use.host)
        if literal is not None:
            if not _literal_allowed(literal, seen, claim.allow):
                beyond.append(use)
        elif name_allowed(use.host, claim.allow, granted):
            continue
        elif _ways(use.sources).proxied or _may_lead_away(use.host):
            beyond.append(use)
    return beyond


def names_elsewhere(seen: Observation) -> list[NameUse]:
    """Names spoken in a flow that may be of another place than its far address.

    What a proxy is asked for; a name said to a near address that no answer gave for it; and a Host
    field or `:authority` without such an answer, since a request to a proxy has one as well.
    """
    elsewhere = []
    for use in names_said(seen):
        literal = literal_address(use.host)
        if literal is not None:
            leads_on = _literal_leads_on(literal, seen)
        else:
            ways = _ways(use.sources)
            near = seen.destination.scope in NEAR and _may_lead_away(use.host)
            leads_on = ways.proxied or (not ways.proven and (near or ways.requested))
            leads_on = leads_on and not is_own_name(use.host)
        if leads_on:
            elsewhere.append(use)
    return elsewhere


def literals_elsewhere(seen: Observation) -> list[str]:
    """Addresses that stood in place of such names, each once."""
    found: dict[str, None] = {}
    for use in seen.names:
        literal = literal_address(use.host)  # first, since hardly any name is one
        if literal is not None and _ways(use.sources).said and _literal_leads_on(literal, seen):
            found[str(literal)] = None
    return list(found)


def _literal_leads_on(literal: IPv4Address | IPv6Address, seen: Observation) -> bool:
    return str(literal) != seen.far_h and scope_of(literal) not in NEAR


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that stands where a name could; None for a name."""
    if ":" not in host and not host[-1:].isdigit():
        return None  # what `ip_address` would say, which takes long to refuse a name
    try:
        return address_of(host)
    except ValueError:
        return None


def _may_lead_away(host: str) -> bool:
    """False for a name that says no more than the address it was sent to: one without a dot, but
    for an address outside in one number (WHATWG URL §3.5). A small one, as of a port or container,
    is of no address that anybody has (0.0.0.0/8)."""
    if "." in host or _NUMBER.fullmatch(host) is None:
        return "." in host
    base = 16 if host.startswith("0x") else 8 if host.startswith("0") else 10
    try:
        address = IPv4Address(int(host, base))
    except ValueError:
        return False  # no number after all, or none of an address
    return int(address) >> 24 > 0 and scope_of(address) not in NEAR


def names_said(seen: Observation) -> list[NameUse]:
    """Names that were spoken to the far side; not those that others hold to lead there."""
    return [use for use in seen.names if _ways(use.sources).said]


def asks_decide(allow: Allow) -> bool:
    """True if some name is allowed: then a contact with our own resolver is as good or bad as the
    names that it is asked for."""
    return allow.any_name or bool(allow.hosts or allow.endpoints)


def _literal_allowed(literal: IPv4Address | IPv6Address, seen: Observation, allow: Allow) -> bool:
    scope = scope_of(literal)
    is_far_end = str(literal) == seen.far_h or scope is Scope.LOOPBACK
    return is_far_end or place_allowed(str(literal), scope, allow)
