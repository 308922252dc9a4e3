"""The sentence under test: a profile as data."""

from dataclasses import field
from ipaddress import IPv4Network, IPv6Network

from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Purpose
from egress_audit.periods import DAY_NS
from egress_audit.values import dataclass

DEFAULT_LISTS_MAX_AGE_NS = 365 * DAY_NS


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
    """Entries of the catalogue: an id, `vendor:NAME`, `product:NAME` or `purpose:WORD`."""
    located: frozenset[str] = frozenset()
    """ISO 3166-1 alpha-2 codes of countries in one of which the far address has to be."""
    controlled: frozenset[str] = frozenset()
    """Those under whose jurisdiction its operator's parent has to be."""
    operators: frozenset[str] = frozenset()
    """Operator groups, of which one has to run it."""

    @property
    def by_place(self) -> bool:
        """True if an address is allowed for where it is or who runs it: for all three, if set."""
        return bool(self.located or self.controlled or self.operators)

    @property
    def any_name(self) -> bool:
        """True if any name may be asked for, since what it leads to decides."""
        return self.everything or self.by_place


@dataclass(frozen=True, slots=True)
class Deny:
    """What contradicts the claim even when `allow` covers it."""

    located: frozenset[str] = frozenset()
    """ISO 3166-1 alpha-2 codes."""
    controlled: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    """Operator categories, for instance `state-telecom`."""
    operators: frozenset[str] = frozenset()
    """Operator groups."""
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
class Question:
    """What somebody wants to know of the system beside the verdict, and what can answer it."""

    ask: str
    answer_by: str
    """`located`, `controlled` or `operator`: what was observed of every far address; `cannot`:
    nothing that a capture holds."""
    text: str = ""
    """What the answer leaves open, or where else to ask."""


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
    questions: tuple[Question, ...] = ()
    """Answered beside every verdict, from what was observed."""

    @property
    def uses_lists(self) -> bool:
        """True if the verdict depends on what the address lists say."""
        deny = self.deny
        of_operators = deny.operators or deny.categories
        return self.allow.by_place or bool(deny.located or deny.controlled or of_operators)

    @property
    def uses_catalogue(self) -> bool:
        """True if the verdict depends on what the catalogue of endpoints says."""
        return bool(self.allow.endpoints or self.deny.purposes)
