"""Which products ran, and in which versions: seen in the processes of a run, or stated."""

from enum import StrEnum

from egress_audit.model.destination import Absent
from egress_audit.values import dataclass


class VersionHow(StrEnum):
    """How it is known that a product ran, the strongest first."""

    MAPPED = "mapped"
    """Machine code of it was found in the memory of a process."""
    OPENED = "opened"
    """A Python process opened code of it, which it may have read without running it."""
    STATED = "stated"
    """By the user, who answers for it."""

    @property
    def is_seen(self) -> bool:
        """True for what the recorder saw itself; the version is still what stands beside it."""
        return self is not VersionHow.STATED


@dataclass(frozen=True, slots=True)
class ProductVersion:
    """A product in one version. One that is not listed is not known, never absent."""

    product: str
    """Name of a Python distribution, or of the module where no distribution claims it; of a
    statement, the user's word."""
    version: str | Absent
    """As its metadata, or the user, writes it; NOT_FOUND where none was found."""
    how: VersionHow
    source: str
    """Path of the metadata in which the version stands, which its maker wrote, and the program may
    have; empty where there is none."""
    modules: tuple[str, ...] = ()
    """The top-level modules by which it was recognised, sorted."""
    processes: tuple[int, ...] = ()
    """`Process.id` of those in which it was seen, ascending; none for a statement."""
