"""A finding in three sentences, from the catalogue: who calls there, why, how to switch it off."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from egress_audit.judge.blind_spots import some
from egress_audit.judge.case import Case
from egress_audit.judge.grants import nearest
from egress_audit.judge.phrases import either
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Entry, Purpose, Switch, Verified
from egress_audit.model.destination import Absent
from egress_audit.product_versions import is_same_version
from egress_audit.programs import is_interpreter, is_named, program_names

MOST_EXPLAINED = 3
"""Names, or callers, of one blind spot; its message names no more either."""
MOST_SWITCHES = 3
"""Of several callers; the others are counted."""
NO_SWITCH = "no switch is known"
THE_SERVICE = "no switch, since it is the service itself: choose another, or a local model"
"""Of hosted inference."""
LONGEST, LONGEST_OF_SEVERAL = 240, 110
"""Characters of one fact; the whole of it stands among the document's endpoints."""
SHORT = 40
"""Characters of a version, which may be anybody's text."""

_EVIDENCE = tuple(Verified)


def explanation(case: Case, matches: Sequence[Match], exe: str = "") -> tuple[str, ...]:
    """Who, why and how to switch it off, each with its word before it; nothing if no entry of the
    catalogue fits.

    exe: executable of the sender; empty where nobody knows it.
    """
    if not matches:
        return ()  # as of nearly all contacts, of which there can be ten thousand
    fitting = {entry.id: entry for match in matches for entry in _nearest(case, match)}
    accusing = [entry for entry in fitting.values() if entry.accuses]
    entries = sorted(accusing or fitting.values(), key=_doubtfulness)
    if not entries:
        return ()
    anybody = _is_for_anybody(case, matches, entries) and not _is_called_by(entries, exe)
    who = _who(entries, _loaded(case, matches, entries, exe), anybody=anybody)
    doubt = "" if accusing else " (general knowledge, no evidence)"
    return _sentences(f"{who}{doubt}{_not_covered(case, matches, exe)}", entries)


def explanations(case: Case, matches: Iterable[Match]) -> tuple[str, ...]:
    """The same of the first of several names and addresses, each for itself; of those that are
    explained alike once. Of more than one it is said of which a sentence speaks."""
    alike: dict[tuple[str, ...], list[str]] = {}
    # No more of them: a capture can have tens of thousands.
    for match in islice(matches, MOST_EXPLAINED):
        told = explanation(case, (match,))
        if told:
            alike.setdefault(told, []).append(match.by)
    return _of_each((some(names), told) for told, names in alike.items())


def explanations_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The same of callers, each for itself: the first of them."""
    each = islice(entries, MOST_EXPLAINED)
    told = ((_who([entry], {}, anybody=False), [entry]) for entry in each)
    return tuple(line for who, entries in told for line in _sentences(who, entries))


def _of_each(told: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    each = list(told)
    if len(each) == 1:
        return each[0][1]
    return tuple(f"{names}, {line}" for names, lines in each for line in lines)


def _sentences(who: str, entries: Sequence[Entry]) -> tuple[str, ...]:
    return (
        f"who: {who}",
        f"why: {_why(entries)}",
        f"how to switch it off: {_off(entries)}",
    )


def _nearest(case: Case, match: Match) -> list[Entry]:
    return nearest(match.by, [case.endpoints[identifier] for identifier in match.one_of])


def _loaded(
    case: Case, matches: Sequence[Match], entries: Sequence[Entry], exe: str
) -> dict[str, str]:
    """By product ` (1.31.1 was loaded)`, of those that were seen in the sender in a version that
    their entry covers."""
    if not case.versions:
        return {}
    told: dict[str, str] = {}
    outside = {one for match in matches for one in match.outside}
    for entry in entries:
        there = [one.version for one in case.versions.of(entry, exe) if one.how.is_seen]
        if there and entry.id not in outside:
            which = either(_short(one, SHORT) for one in there if not isinstance(one, Absent))
            told[entry.product] = f" ({which or 'it'} was loaded)"
    return told


def _not_covered(case: Case, matches: Sequence[Match], exe: str) -> str:
    """`; not covered: onnxruntime 1.20.0 (known of >=1.29)`, where a product ran in a version of
    which none of its entries is known; what it does then nobody has looked at."""
    if not case.versions:
        return ""
    outside = {one for match in matches for one in match.outside}
    fitting = [case.endpoints[one] for match in matches for one in match.fitting]
    beyond = {entry.id: _not_seen(case, entry, exe, outside) for entry in fitting}
    covered = {entry.product for entry in fitting if not beyond[entry.id]}
    told: dict[str, str] = {}
    for entry in fitting:
        for version in beyond[entry.id] if entry.product not in covered else ():
            told.setdefault(f"{entry.product} {version}", _known_versions(entry))
    each = some(f"{what} (known of {known})" for what, known in told.items())
    return f"; not covered: {each}" if told else ""


def _known_versions(entry: Entry) -> str:
    """`>=1.29, seen in 1.31.1`, as far as either is known."""
    if not (entry.versions and entry.seen_in):
        return entry.versions or some(entry.seen_in)
    return f"{entry.versions}, seen in {some(entry.seen_in)}"


def _not_seen(case: Case, entry: Entry, exe: str, outside: Collection[str]) -> list[str]:
    """The versions of an entry's product that ran, if it is known of none of them; else nothing.

    One that nobody knows is none that was looked at.
    """
    if not (entry.id in outside or entry.seen_in):
        return []
    versions = [one.version for one in case.versions.of(entry, exe)]
    texts = ["" if isinstance(one, Absent) else one for one in versions]
    if any(is_same_version(seen, text) for seen in entry.seen_in for text in texts):
        return []
    return [_short(text, SHORT) or "in an unknown version" for text in texts]


def _is_for_anybody(case: Case, matches: Sequence[Match], told: Sequence[Entry]) -> bool:
    """True if what is told leaves out that the very host serves others as well, as GitHub's do, or
    the very names below a domain, as Sentry's."""
    patterns = {pattern for entry in told for pattern in entry.hosts}
    return any(
        case.endpoints[identifier] not in told
        and not {match.by, *patterns}.isdisjoint(case.endpoints[identifier].hosts)
        for match in matches
        for identifier in match.one_of
    )


def _is_called_by(entries: Sequence[Entry], exe: str) -> bool:
    """True if each entry names the program that called; what an interpreter runs is not known."""
    names = program_names(exe, ())
    return bool(names) and not is_interpreter(exe) and all(is_named(one, names) for one in entries)


def _doubtfulness(entry: Entry) -> int:
    """0 for what was seen when the program was run, and so on: told in this order."""
    return _EVIDENCE.index(entry.verified)


def _whole(entries: Sequence[Entry]) -> str:
    """Where all that is known can be read; the same for every name that these entries fit, so that
    a report with many of them need not repeat itself."""
    return f"egress-audit whois {entries[0].example}"


def _who(entries: Sequence[Entry], loaded: Mapping[str, str], *, anybody: bool) -> str:
    """`Ollama server; at the other end: Ollama (US)`; of several `one of 3: …`, those that were
    loaded first, then those with most entries."""
    counted = Counter(entry.product for entry in entries)
    ordered = sorted(counted, key=lambda one: (one not in loaded, -counted[one]))
    products = [f"{product}{loaded.get(product, '')}" for product in ordered]
    vendors = some(entry.vendor_and_law for entry in entries)
    if products == [entries[0].vendor] and not anybody:
        return vendors
    several = f"one of {len(products)}: " if len(products) > 1 else ""
    others = ", or any other program" if anybody else ""
    return f"{several}{some(products)}{others}; at the other end: {vendors}"


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
    them first, each after whom it silences."""
    if len(entries) == 1:
        (entry,) = entries
        return _none(entry) if isinstance(entry.switch, Absent) else _switch(entry, entry.switch)
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_short_way(entry), []).append(entry)
    ways = sorted(groups, key=lambda way: (way in (NO_SWITCH, THE_SERVICE), -len(groups[way])))
    told = [_of_products(way, groups, entries) for way in ways[:MOST_SWITCHES]]
    fails = list(_fails(ways, groups))
    told += [f"but note, of {way}: {case}" for way, case in fails[:1]]
    unsaid = _unsaid(len(ways) - MOST_SWITCHES, len(fails) - 1, entries)
    return "; ".join((*told, *unsaid))


def _none(entry: Entry) -> str:
    return THE_SERVICE if entry.purpose is Purpose.HOSTED_INFERENCE else NO_SWITCH


def _switch(entry: Entry, switch: Switch) -> str:
    """Its words, and each case in which it is known not to help."""
    cases = [_short(case, LONGEST_OF_SEVERAL) for case in switch.fails[:MOST_SWITCHES]]
    noted = ["but note: " + "; ".join(cases)] if cases else []
    unsaid = _unsaid(0, len(switch.fails) - MOST_SWITCHES, (entry,))
    return "; ".join((_short(switch.how, LONGEST), *noted, *unsaid))


def _unsaid(ways: int, cases: int, entries: Sequence[Entry]) -> Iterator[str]:
    """`2 more ways and 1 more case: egress-audit whois a.example`."""
    beyond = (("way", ways), ("case", cases))
    counted = [f"{count} more {word}{'s'[: count - 1]}" for word, count in beyond if count > 0]
    if counted:
        yield f"{' and '.join(counted)}: {_whole(entries)}"


def _short_way(entry: Entry) -> str:
    """`HF_HUB_OFFLINE=1`; where no variable does it, the words."""
    if isinstance(entry.switch, Absent):
        return _none(entry)
    variables = " ".join(f"{name}={value}" for name, value in entry.switch.variables)
    return variables or _short(entry.switch.how, LONGEST_OF_SEVERAL)


def _of_products(way: str, groups: Mapping[str, Sequence[Entry]], entries: Sequence[Entry]) -> str:
    """`gradio: GRADIO_ANALYTICS_ENABLED=False`; the way alone where it is for all that is told."""
    for_all = len({entry.product for entry in entries}) == 1 or len(groups) == 1
    return way if for_all else f"{some((entry.product for entry in groups[way]), 2)}: {way}"


def _fails(ways: Sequence[str], groups: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[str, str]]:
    """Each case in which one of the ways is known not to help."""
    for way in ways:
        for entry in groups[way]:
            if not isinstance(entry.switch, Absent):
                yield from ((way, _short(case, LONGEST_OF_SEVERAL)) for case in entry.switch.fails)


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(_short(part, LONGEST) for part in parts if part)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
