"""What a report for people is made of, before anybody lays it out."""

from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A term and what is to be said of it."""

    term: str
    lines: tuple[str, ...]
    """Each a paragraph of its own, not yet escaped, of any length."""
    code: str = ""
    """Something to copy: a display filter, a hash."""


@dataclass(frozen=True, slots=True)
class Section:
    """A title, perhaps a note beside it, and its entries."""

    title: str
    entries: tuple[Entry, ...]
    note: str = ""
