"""Where a run is, what ends it, and how it went: values that the session and its watchers share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

READY_S = 120.0
"""As long a program may take until it can be used."""


class Step(StrEnum):
    """Where a run is."""

    PROBING = "probing"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    PROBING_AGAIN = "probing again"
    HASHING = "hashing"
    DONE = "done"


@dataclass(slots=True)
class Status:
    """What a person who waits may want to see."""

    step: Step = Step.PROBING
    phase: str = "before the start"
    elapsed_s: float = 0.0
    observe_s: float = 0.0
    processes: int = 0
    calls: int = 0
    packets: int = 0
    drops: int = 0
    destinations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a run, and what it is to show."""

    observe_s: float
    ready: bool = False
    ready_s: float = READY_S


@dataclass(slots=True)
class Outcome:
    """How a run went."""

    failed_errno: int = 0
    """Why the command could not be executed; 0 if it was."""
    exit_status: int | None = None
    ended_by: str = ""
    interruptions: int = 0
