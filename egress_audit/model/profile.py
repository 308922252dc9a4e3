"""A profile as it was read: the claim that it makes, and where each of its words stands."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from egress_audit.model.claim import Claim
from egress_audit.values import dataclass


class ProfileKind(StrEnum):
    """Whose sentence a profile puts as a rule."""

    SYSTEM = "system"
    """What is said of a model, a service or a runtime, by its maker or after it was run."""
    POLICY = "policy"
    """What somebody may want of any program."""
    MEASURE = "measure"
    """What a government asks for."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one key was set to, and where."""

    where: str
    """FILE:LINE."""
    value: Any
    """Of the type that the key's reader returns."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, with all that it extends."""

    claim: Claim
    kind: ProfileKind
    path: str
    """Of the file that was asked for; those that it extends stand in the places of `settings`."""
    settings: Mapping[str, Setting]
    """By key, sub keys with their group (`allow.hosts`); what is not set is not there."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """Something that a profile may mean, and that makes its HOLDS say little."""

    where: str
    """FILE:LINE, or FILE for what is left out."""
    what: str
    remedy: str
