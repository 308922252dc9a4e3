"""A finding in three sentences, from the catalogue: who calls there, why, how to switch it off."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from egress_audit.judge.blind_spots import some
from egress_audit.judge.case import Case
from egress_audit.judge.phrases import either
from egress_audit.model.audit import Observation
from egress_audit.model.catalogue import Entry, Switch
from egress_audit.model.destination import Absent

MOST_SWITCHES = 3
"""Of several callers; the others are counted."""
NO_SWITCH = "no switch is known"
LONGEST, LONGEST_OF_SEVERAL = 240, 110
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
    """`Ollama server, of Ollama (US)`; of several `one of 3: …`, those with most entries first."""
    counted = Counter(entry.product for entry in entries)
    products = [product for product, _ in counted.most_common()]
    several = f"one of {len(products)}: " if len(products) > 1 else ""
    vendors = some(map(_vendor, entries))
    if products == [entries[0].vendor]:
        return vendors
    return f"{several}{some(products)}, of {vendors}"


def _vendor(entry: Entry) -> str:
    return f"{entry.vendor} ({entry.jurisdiction})" if entry.jurisdiction else entry.vendor


def _why(entries: Sequence[Entry]) -> str:
    """The purpose with trigger and content; of several the purposes alone."""
    purposes = either(entry.purpose for entry in entries)
    if len(entries) > 1:
        return purposes
    (entry,) = entries
    sends = f"sends {entry.sends}" if entry.sends else ""
    return _joined((", ".join(filter(None, (purposes, entry.trigger))), sends))


def _off(entries: Sequence[Entry]) -> str:
    """How, and the cases in which it is known not to help; of several callers what silences most of
    them first, each with whom it silences."""
    if len(entries) == 1:
        (entry,) = entries
        return NO_SWITCH if isinstance(entry.switch, Absent) else _switch(entry.switch)
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_short_way(entry), []).append(entry)
    without = groups.pop("", [])
    if not groups:
        return NO_SWITCH
    ways = sorted(groups, key=lambda way: -len(groups[way]))
    told = [f"{way} for {_products(groups[way])}" for way in ways[:MOST_SWITCHES]]
    told += [f"{len(ways) - len(told)} more in the document"] if len(ways) > len(told) else []
    told += [f"{NO_SWITCH} for {_products(without)}"] if without else []
    told += _note_of_several(ways, groups)
    return "; ".join(told)


def _switch(switch: Switch) -> str:
    """Its words, and each case in which it is known not to help."""
    beyond = len(switch.fails) - MOST_SWITCHES
    cases = (*switch.fails[:MOST_SWITCHES], *([f"{beyond} more"] if beyond > 0 else []))
    noted = ["but note: " + "; ".join(_short(case, LONGEST_OF_SEVERAL) for case in cases)]
    return "; ".join((_short(switch.how, LONGEST), *(noted if cases else ())))


def _short_way(entry: Entry) -> str:
    """`HF_HUB_OFFLINE=1`; where no variable does it, the words; '' for no switch."""
    if isinstance(entry.switch, Absent):
        return ""
    variables = " ".join(f"{name}={value}" for name, value in entry.switch.variables)
    return variables or _short(entry.switch.how, LONGEST_OF_SEVERAL)


def _note_of_several(ways: Sequence[str], groups: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """The first case in which one of the ways is known not to help, and how many more there are."""
    fails = [
        (way, case)
        for way in ways
        for entry in groups[way]
        if not isinstance(entry.switch, Absent)
        for case in entry.switch.fails
    ]
    for way, case in fails[:1]:
        more = f"; {len(fails) - 1} more such cases" if len(fails) > 1 else ""
        yield f"but note, of {way}: {_short(case, LONGEST_OF_SEVERAL)}{more}"


def _products(entries: Iterable[Entry]) -> str:
    return some((entry.product for entry in entries), 2)


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(_short(part, LONGEST) for part in parts if part)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
