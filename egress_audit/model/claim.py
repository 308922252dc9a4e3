"""The sentence under test: a profile as data."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Purpose

DEFAULT_LISTS_MAX_AGE_NS = 365 * 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Allow:
    """What the claim permits; a contact that matches nothing here contradicts the claim."""

    everything: bool = False
    """True for `scopes: [any]`: nothing is forbidden but what `deny` names."""
    scopes: frozenset[Scope] = frozenset()
    hosts: tuple[str, ...] = ()
    """Exact names, or suffixes written `*.example.org`; lower case."""
    prefixes: tuple[IPv4Network | IPv6Network, ...] = ()
    endpoints: tuple[str, ...] = ()
    """Entries of the catalogue: an id, `vendor:NAME` or `product:NAME`."""


@dataclass(frozen=True, slots=True)
class Deny:
    """What contradicts the claim even when `allow` covers it."""

    located: frozenset[str] = frozenset()
    """ISO 3166-1 alpha-2 codes."""
    controlled: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    """Operator categories, for instance `state-telecom`."""
    hosts: tuple[str, ...] = ()
    prefixes: tuple[IPv4Network | IPv6Network, ...] = ()
    purposes: frozenset[Purpose] = frozenset()
    """Why a destination is called, as the catalogue has it."""


@dataclass(frozen=True, slots=True)
class Require:
    """What must have been seen to work before silence counts."""

    whole_run: bool = True
    probes: bool = True
    phases: tuple[str, ...] = ()
    observe_ns: int = 0
    lists_max_age_ns: int = DEFAULT_LISTS_MAX_AGE_NS


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Which systems the sentence speaks of; words for people, not matched against anything."""

    models: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A profile: the statement, where it stands, and what would contradict it."""

    name: str
    statement: str
    source: str
    applies_to: AppliesTo = AppliesTo()
    scope: str = "capture"
    """`capture`: everything recorded is judged. `process-tree`: only what the tree owns."""
    allow: Allow = Allow()
    deny: Deny = Deny()
    inbound: str = "report"
    """`allow`, `report` or `deny`: flows that the far side originated."""
    require: Require = field(default_factory=Require)
    holds_means: str = ""
    """What HOLDS would say, in the profile's own words."""
    holds_does_not_mean: str = ""

    @property
    def uses_lists(self) -> bool:
        """True if the verdict depends on what the address lists say."""
        return bool(self.deny.located or self.deny.controlled or self.deny.categories)
