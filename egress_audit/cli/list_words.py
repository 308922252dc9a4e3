"""What `lists` prints: of lists in use, of addresses, of what was imported, fetched or removed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egress_audit.addresses import Scope, embedded_in
from egress_audit.model.destination import (
    Absent,
    Destination,
    controlled_from,
    located_in,
)
from egress_audit.report.places import SCOPE_WORDS, UNANNOUNCED, behind_front, located_words
from egress_audit.report.plain import plain
from egress_audit.report.safe_text import clean, wrapped
from egress_audit.report.words import counted, number

if TYPE_CHECKING:
    from egress_audit.api import LookedUp
    from egress_audit.keeping.shown import ShownList
    from egress_audit.update.manifest import Offered

WIDTH = 80
LABEL = 14
"""Columns of a label and the space around it."""
KEYS = (
    "scope", "located", "located_confidence", "located_alt", "registered", "controlled", "asn",
    "organisation", "operator", "role",
)  # fmt: skip
YES, NO, UNKNOWN = "yes", "no", "unknown"
AGES = {
    "fresh": "",
    "old": ", OLD: past 90 days",
    "stale": ", STALE: past 365 days",
}
WHY_ABSENT = {
    Absent.NOT_FOUND: "not in the lists",
    Absent.NOT_LOADED: "no list loaded",
    Absent.NOT_APPLICABLE: "does not apply",
}

SOURCES_WORDS = """\
Nothing was fetched: newer lists are taken only from where you say.

  lists update --from FOLDER   a folder that holds a manifest.json and the lists
  lists update --from URL      the same behind http or https; only then is
                               anything sent, and only there

The lists are built from these, by whoever wants newer ones:

  npm packages   @ip-location-db/asn, dbip-country, geo-whois-asn-country,
                 asn-country (CC BY 4.0; frozen at 2026-06)
  ip-location-db origin-asn, server-country, user-country (PDDL 1.0), in the
                 releases of sapics/ip-location-db
  iptoasn        ip2asn-v4.tsv.gz, ip2asn-v6.tsv.gz (PDDL 1.0), iptoasn.com

  scripts/build_lists.py fetch SOURCES       the npm packages, by your own npm
  scripts/build_lists.py build SOURCES -o LISTS
  scripts/build_lists.py manifest LISTS
  egress-audit lists update --from LISTS

One list alone, as it was published: egress-audit lists import FILE
"""
SOURCES_NAMES = (
    "@ip-location-db/asn",
    "@ip-location-db/dbip-country",
    "@ip-location-db/geo-whois-asn-country",
    "@ip-location-db/asn-country",
    "sapics/ip-location-db origin-asn, server-country, user-country",
    "iptoasn.com ip2asn TSV",
)


def shown_text(found: Sequence["ShownList"]) -> str:
    """Each list in use, in the order in which they are asked."""
    return "\n".join(line for one in found for line in _shown(one))


def _shown(one: "ShownList") -> Iterator[str]:
    name = f"{one.name} ({one.source})"
    yield clean(name)
    yield from _field("date", f"{one.date}, {counted(one.age_days, 'day')} ago{AGES[one.age]}")
    yield from _field("rows", number(one.rows))
    yield from _field("licence", one.licence)
    yield from _field("sha256", one.sha256 + ("" if one.intact else " NOT as described"))
    yield from _field("file", str(one.path))
    for origin in one.origins:
        yield from _field("from", origin)
    yield from _field("credit", one.attribution)
    yield ""


def _field(label: str, text: str) -> Iterator[str]:
    """A label and its text, wrapped; nothing if there is no text."""
    if text:
        first, *rest = wrapped(text, WIDTH - LABEL)
        yield f"  {label:<{LABEL - 2}}{first}"
        yield from (" " * LABEL + line for line in rest)


def shown_json(found: Sequence["ShownList"]) -> str:
    """The same as an array of objects."""
    return _json([{**asdict(one), "path": str(one.path)} for one in found])


def looked_up_text(found: Iterable["LookedUp"]) -> Iterator[str]:
    """What the lists say of each address, a block each."""
    for place, one in enumerate(found):
        lines = list(_looked_up(one))
        yield ("\n" if place else "") + "\n".join(lines) + "\n"


def _looked_up(one: "LookedUp") -> Iterator[str]:
    found = one.destination
    yield clean(one.address)
    inner = embedded_in(one.address)
    yield from _field("embeds", f"{inner}, of which the answer is" if inner else "")
    if found.scope is not Scope.GLOBAL:
        yield from _field("scope", SCOPE_WORDS.get(found.scope, found.scope.value))
    else:
        yield from _field("located", _words(located_words(found)))
        yield from _field("registered", _words(found.registered))
        yield from _field("controlled", _words(found.controlled))
        yield from _field("AS", _holder(found))
        yield from _field("operator", _operator(found))
    located, controlled = located_in(found, {"CN"}), controlled_from(found, {"CN"})
    china = f"located there: {_truth(located)}; controlled from there: {_truth(controlled)}"
    behind = behind_front(found) if controlled is None else ""
    yield from _field("China?", china + (f" ({behind})" if behind else ""))


def _holder(found: Destination) -> str:
    if found.asn is Absent.NOT_FOUND:
        return UNANNOUNCED
    if isinstance(found.asn, Absent):
        return _words(found.asn)
    return f"{found.asn} {'' if isinstance(found.organisation, Absent) else found.organisation}"


def _operator(found: Destination) -> str:
    if isinstance(found.operator, Absent):
        return _words(found.operator)
    return f"{found.operator} ({_words(found.role)})"


def _words(value: str | Absent) -> str:
    return WHY_ABSENT.get(value, value.value) if isinstance(value, Absent) else value


def _truth(answer: bool | None) -> str:
    return UNKNOWN if answer is None else YES if answer else NO


def looked_up_json(found: Iterable["LookedUp"]) -> Iterator[str]:
    """The same as an array of objects, in pieces: there may be a million."""
    before = "["
    for one in found:
        record: dict[str, object] = {"address": one.address}
        record |= {key: plain(getattr(one.destination, key)) for key in KEYS}
        yield f"{before}\n  {json.dumps(record)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def imported_text(entry: Mapping[str, Any]) -> str:
    """What was taken in, and the way back."""
    lines = [
        f"Imported {entry['name']}: {counted(entry['rows'], 'range')}, data of {entry['date']}.",
        "It is asked before the lists that come with the program, which corroborate it;",
        "where they differ, both show. `replay --lists` asks other lists in its place.",
        f"The way back: egress-audit lists import --remove {entry['name']}",
    ]
    return "\n".join(clean(line) for line in lines) + "\n"


def imported_json(entry: Mapping[str, Any]) -> str:
    """The entry as an object."""
    return _json(dict(entry))


def removed_words(path: Path, form: str) -> str:
    """That a list was removed."""
    if form == "json":
        return _json({"removed": str(path)})
    return f"Removed {clean(str(path))}\n"


def offered_words(address: Callable[[str], str], offered: Sequence["Offered"]) -> str:
    """What will be fetched, before it is."""
    lines = [
        f"will fetch {address(one.fetched)}, {counted(one.fetched_size, 'octet')},"
        f" data of {one.date}"
        for one in offered
    ]
    return "\n".join(clean(line) for line in lines)


def updated_text(taken: Sequence["Offered"]) -> str:
    """What counts now."""
    if not taken:
        return "Nothing was changed: these lists are in use already.\n"
    lines = [f"Updated {one.file}: data of {one.date}, sha256 {one.sha256}" for one in taken]
    lines.append("The way back: egress-audit lists update --undo")
    return "\n".join(lines) + "\n"


def updated_json(taken: Sequence["Offered"]) -> str:
    """The same as an object."""
    members = [{"file": one.file, "date": one.date, "sha256": one.sha256} for one in taken]
    return _json({"updated": members})


def undone_words(form: str, *, undone: bool) -> str:
    """That the lists of the program count again, or that they did all the time."""
    if form == "json":
        return _json({"updated": [], "undone": undone})
    if not undone:
        return "Nothing to undo: the lists that came with the program are in use.\n"
    return "The lists that came with the program are in use again.\n"


def nowhere_words(form: str) -> str:
    """What newer lists can be built from, where nobody said where they are."""
    if form == "json":
        return _json({"updated": [], "sources": list(SOURCES_NAMES)})
    return SOURCES_WORDS


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
