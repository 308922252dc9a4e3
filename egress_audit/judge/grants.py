"""What `allow.endpoints` of a claim allows: a name or address, if all that it may be is allowed.

An id says which place is meant, and a vendor whose; whoever calls it. A product or a purpose says
who calls and why, which a place that anybody uses does not show, nor one that another program
called. Entries that merely label allow nothing, but they speak against what they label otherwise.
"""

from collections.abc import Collection, Sequence
from enum import Enum, auto

from egress_audit.model.audit import Owner
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process
from egress_audit.programs import is_interpreter, is_named, program_names
from egress_audit.values import dataclass

Caller = Owner | Process | Absent


class Grant(Enum):
    """Whether a claim allows a place as entries of the catalogue."""

    NO = auto()
    CALLER_UNKNOWN = auto()
    """Yes, if it was one of the programs that are known to call it; which is not known."""
    YES = auto()


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a claim that stand for one entry."""

    place: bool
    """By id or vendor."""
    identifier: bool
    use: bool
    """By product, or by a purpose that it has in every version."""


def grant(place: str, entries: Sequence[Entry], words: Collection[str], caller: Caller) -> Grant:
    """Whether the claim allows a name or address of which `entries` are all that fit, labels too.

    words: `allow.endpoints`; caller: who called, NOT_APPLICABLE or NOT_FOUND where nobody knows.
    """
    accusing = [entry for entry in nearest(place, entries) if entry.accuses]
    meant = [_words(entry, words) for entry in accusing]
    if not (meant and all(word.place or word.use for word in meant)):
        return Grant.NO
    if all(word.identifier for word in meant):
        return Grant.YES
    labels = [_words(label, words) for label in speaking_labels(place, entries)]
    if not all(word.place or word.use for word in labels):
        return Grant.NO
    return Grant.YES if all(word.place for word in meant) else _by_caller(accusing, caller)


def speaking_labels(place: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that only label a place; not what is said of all names around it, where another
    entry knows just this one."""
    name = place.lower().removesuffix(".")
    exact = any(name in entry.hosts for entry in entries if entry.accuses)
    labels = (entry for entry in entries if not entry.accuses)
    return [label for label in labels if not exact or name in label.hosts]


def nearest(place: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that fit, without what is said of all names below a domain where the same vendor
    has an accusing one for this very name."""
    name = place.lower().removesuffix(".")
    exact = {entry.vendor for entry in entries if entry.accuses and name in entry.hosts}
    return [entry for entry in entries if name in entry.hosts or entry.vendor not in exact]


def _words(entry: Entry, words: Collection[str]) -> _Words:
    identifier = entry.id in words
    purpose = f"purpose:{entry.purpose.value}" in words and not entry.versions
    return _Words(
        place=identifier or f"vendor:{entry.vendor}" in words,
        identifier=identifier,
        use=purpose or f"product:{entry.product}" in words,
    )


def _by_caller(entries: Sequence[Entry], caller: Caller) -> Grant:
    """Who called decides, where it is known: one of the programs that an entry names, if it names
    any. What an interpreter runs is not known, nor who is only called like that."""
    if isinstance(caller, Absent) or not all(entry.processes for entry in entries):
        return Grant.YES
    arguments = () if isinstance(caller.cmdline, Absent) else caller.cmdline.split()
    if _any_named(entries, program_names(caller.exe, arguments)):
        return Grant.YES
    called = _any_named(entries, program_names("", arguments))
    return Grant.CALLER_UNKNOWN if called or is_interpreter(caller.exe) else Grant.NO


def _any_named(entries: Sequence[Entry], names: frozenset[str]) -> bool:
    return any(is_named(entry, names) for entry in entries)
