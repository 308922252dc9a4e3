"""Where a flow went: scope, countries, AS and operator of the far address."""

from collections.abc import Collection
from enum import StrEnum

from egress_audit.addresses import NEAR, Scope
from egress_audit.values import dataclass


class Absent(StrEnum):
    """Why a value is missing. Stands wherever `None` would hide the reason."""

    NOT_APPLICABLE = "not-applicable"
    """The question makes no sense here: a loopback address has no country."""
    NOT_FOUND = "not-found"
    """Looked up in a loaded list, which does not have it; also a fact the evidence lacks."""
    NOT_LOADED = "not-loaded"
    """No list that could answer was loaded."""
    UNREADABLE = "unreadable"
    """There, but damaged."""
    SYNTHETIC = "synthetic"
    """An address invented by our own DNS: it has no owner in the world."""
    NOT_ASKED = "not-asked"
    """Left out, as the user wished."""

    # Enum's own is a function of Python, and part of every look-up of a destination.
    __hash__ = str.__hash__


class Confidence(StrEnum):
    """How far `Destination.located` can be believed."""

    HIGH = "high"
    """Independent sources agree, and the address is not known to be anycast or a CDN front."""
    LOW = "low"
    """Sources differ, and both are shown; one source stands alone; or the operator publishes the
    address as of no region."""
    NONE = "none"
    """Anycast or CDN front: the address has no one place, `located` is NOT_APPLICABLE."""


@dataclass(frozen=True, slots=True)
class Destination:
    """What the loaded lists say of one address; never a resolver's or a network's answer."""

    scope: Scope
    located: str | Absent
    """ISO 3166-1 alpha-2 country in which the address is used; HK, MO, TW have their own codes.
    NOT_APPLICABLE for what is in many places at once, whatever country a list has for it."""
    located_confidence: Confidence | Absent
    located_alt: str | Absent
    """What the dissenting source says, where sources differ."""
    registered: str | Absent
    """Country of the registry delegation."""
    controlled: str | Absent
    """Parent jurisdiction of the operator; curated, from the operator table."""
    asn: int | Absent
    organisation: str | Absent
    """Holder of the AS, as the list spells it."""
    operator: str | Absent
    """Operator group, from the operator table."""
    role: str | Absent
    """What the operator is there for: cloud, cdn-front, anycast-dns, proxy, state-telecom …"""


CDN_FRONT = "cdn-front"
CLOUD_GLOBAL = "cloud-global"
"""Category of addresses that a cloud publishes as of no region."""
FRONTS = frozenset({CDN_FRONT, "proxy"})
"""Roles of operators that pass traffic on: where it ends cannot be read from the address."""


def role_of(category: str) -> str:
    """The role of what a table has under `category`: its own word, but `cdn` is a `cdn-front`, and
    a global address of a cloud that of a cloud."""
    return {"cdn": CDN_FRONT, CLOUD_GLOBAL: "cloud"}.get(category, category)


def located_in(destination: Destination, countries: Collection[str]) -> bool | None:
    """Whether the far side is in one of `countries` (ISO 3166-1 alpha-2); None if unknown.

    What stays on the machine or its network is in none of them. No data, one source alone, sources
    that differ (even if both name other countries), anycast and CDN fronts: unknown, never "no".
    So is every scope that leads out of the network and has no place of its own: a provider's
    (CGNAT), reserved, simulated, metadata service, or a destination known by name only.
    """
    if destination.scope in NEAR:
        return False
    located = destination.located
    if isinstance(located, Absent) or destination.located_confidence is not Confidence.HIGH:
        return None
    return located in countries


def controlled_from(destination: Destination, countries: Collection[str]) -> bool | None:
    """Whether the operator's parent stands under one of `countries`; None if unknown.

    A front (CDN, proxy) under one of them is a yes; under none of them it is unknown, since whoever
    stands behind it may be. Anycast makes no difference: many places, one operator.
    """
    return operated_by_one_of(destination, destination.controlled, countries)


def operated_by_one_of(
    destination: Destination, fact: str | Absent, words: Collection[str]
) -> bool | None:
    """Whether what is known of the operator is one of `words`; None if unknown, and where a front
    is none of them. False for what stays on the machine or its network."""
    if destination.scope in NEAR:
        return False
    if isinstance(fact, Absent):
        return None
    if fact in words:
        return True
    return None if destination.role in FRONTS else False
