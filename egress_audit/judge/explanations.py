"""A finding in three sentences, from the catalogue: who calls there, why, how to switch it off."""

from collections.abc import Iterable, Sequence

from egress_audit.judge.blind_spots import some
from egress_audit.judge.case import Case
from egress_audit.judge.phrases import either
from egress_audit.model.audit import Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent

MOST_SWITCHES = 3
LONGEST = 240
"""Characters of one fact; the whole of it stands among the document's endpoints."""


def explanation(case: Case, seen: Observation) -> tuple[str, ...]:
    """Who, why and how to switch it off, each with its word before it; nothing if no entry of the
    catalogue fits."""
    fitting = {
        identifier: case.endpoints[identifier]
        for match in seen.endpoints
        for identifier in match.one_of
    }
    accusing = [entry for entry in fitting.values() if entry.accuses]
    entries = accusing or list(fitting.values())
    if not entries:
        return ()
    doubt = "" if accusing else " (general knowledge, no evidence)"
    return (
        f"who: {_who(entries)}{doubt}",
        f"why: {_why(entries)}",
        f"how to switch it off: {_off(entries)}",
    )


def _who(entries: Sequence[Entry]) -> str:
    """`Ollama server (Ollama, US)`; of several `one of …`, the vendors each once."""
    if len(entries) == 1:
        (entry,) = entries
        return f"{entry.product} ({_vendor(entry)})"
    products = list(dict.fromkeys(entry.product for entry in entries))
    vendors = either(map(_vendor, entries))
    if len(products) == 1:
        return f"{products[0]} ({vendors})"
    return f"one of {len(products)}: {either(products)} ({vendors})"


def _vendor(entry: Entry) -> str:
    return f"{entry.vendor}, {entry.jurisdiction}" if entry.jurisdiction else entry.vendor


def _why(entries: Sequence[Entry]) -> str:
    """The purpose with trigger and content; of several the purposes alone."""
    purposes = either(entry.purpose for entry in entries)
    if len(entries) > 1:
        return purposes
    (entry,) = entries
    sends = f"sends {entry.sends}" if entry.sends else ""
    return _joined((", ".join(filter(None, (purposes, entry.trigger))), sends))


def _off(entries: Sequence[Entry]) -> str:
    """Each way once, before it whom it silences if there are several, and when it is known not to
    help."""
    known: dict[str, Entry] = {}
    for entry in entries:
        if not isinstance(entry.switch, Absent):
            known.setdefault(entry.switch.how, entry)
    without = [entry for entry in entries if isinstance(entry.switch, Absent)]
    if not known:
        return "no switch is known"
    told = [_switch(entry, several=len(entries) > 1) for entry in known.values()]
    more = len(told) - MOST_SWITCHES
    beyond = [f"{more} more in the document"] if more > 0 else []
    none = [f"none is known for {either(e.product for e in without)}"] if without else []
    return _joined((*told[:MOST_SWITCHES], *beyond, *none))


def _switch(entry: Entry, *, several: bool) -> str:
    assert not isinstance(entry.switch, Absent)
    whom = f"{entry.product}: " if several else ""
    fails = f" (does not help: {some(entry.switch.fails)})" if entry.switch.fails else ""
    return f"{whom}{_short(entry.switch.how)}{fails}"


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(_short(part) for part in parts if part)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
