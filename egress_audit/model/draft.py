"""A claim that allows what one body of evidence shows, line by line, each with its reason."""

from egress_audit.model.audit import Observation
from egress_audit.model.claim import Allow
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that was seen and that a line is needed for."""

    clause: str
    """`asked for example.org (1 A question)`."""
    seen: Observation | None = None
    """None for an attempt that became no packet."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who stands behind a line, and what it is called for; empty where nobody knows."""

    name: str = ""
    """Vendor of the catalogue, else operator of the address, else holder of its AS."""
    purposes: tuple[str, ...] = ()
    """Words of the catalogue; of several, one is meant."""
    endpoints: tuple[str, ...] = ()
    """Ids of the catalogue's entries."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value under `allow`."""

    key: str
    """`scopes`, `hosts` or `prefixes`."""
    value: str
    party: Party
    reasons: tuple[Reason, ...]
    known: bool
    """False if no list knows who is at the other end."""
    note: str = ""
    """Why it is this line and not another one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a profile must say so that nothing in the evidence contradicts it."""

    allow: Allow
    """What the lines allow, and the machine itself."""
    lines: tuple[Line, ...]
    """By key, then by party."""
    phases: tuple[str, ...]
    """What must have been done: `run`, and what this evidence proves beyond it."""
    answered: tuple[Reason, ...]
    """What came from outside and was answered."""
    uncovered: tuple[str, ...]
    """Clauses of what contradicts the claim all the same, since no line can allow it."""
    unseen: tuple[str, ...]
    """What the evidence hides from this claim, and nobody can assert away."""
    left_out: int
    """Lines beyond the bound."""
