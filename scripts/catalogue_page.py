"""The second half of docs/catalogue.md: what is known of every endpoint, by vendor."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.model.catalogue import Entry, Purpose
from egress_audit.model.destination import Absent
from egress_audit.report.plain import network_text
from egress_audit.report.whois import unsaid_variables, without_switch
from egress_audit.report.words import every, whole_units
from scripts.page_text import bullet, by_hand, filled

HEAD = """\
## What it has

Below are all entries that come with the program, by vendor. A host alone cannot say which it was:
several can fit, and then it is one of them. A version that an entry does not name is not covered,
and never clean. A switch proves nothing: what was measured does. Entries that are *label only* rest
on general knowledge: they name, and never accuse. Hosts of package registries are not in the
catalogue, and no entry names one.
"""


def catalogue_page(page: Path) -> str:
    """The whole text of the page, whose first half stays as it is."""
    entries = sorted(packaged_catalogue(), key=lambda entry: (entry.vendor.casefold(), entry.id))
    vendors = [(name, list(found)) for name, found in groupby(entries, lambda entry: entry.vendor)]
    parts = [by_hand(page), HEAD, _index(vendors)]
    parts += [_vendor(name, found) for name, found in vendors]
    return "\n".join(parts)


def _index(vendors: list[tuple[str, list[Entry]]]) -> str:
    """A row for each vendor, and one for each purpose with those who have it."""
    lines = ["| vendor | under | entries | for |", "|---|---|---|---|"]
    for name, entries in vendors:
        purposes = ", ".join(sorted({entry.purpose for entry in entries}))
        law = entries[0].jurisdiction
        under = "?" if isinstance(law, Absent) else law
        lines.append(f"| [{name}](#{anchor(name)}) | {under} | {len(entries)} | {purposes} |")
    lines += ["", "By purpose:", ""]
    for purpose in Purpose:
        having = [name for name, entries in vendors if any(e.purpose == purpose for e in entries)]
        if having:
            links = ", ".join(f"[{name}](#{anchor(name)})" for name in having)
            lines.append(f"- **{purpose}:** {links}")
    return "\n".join([*lines, ""])


def anchor(title: str) -> str:
    """The anchor of a heading, as it is made on the web."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in "-_ ")
    return kept.strip().replace(" ", "-")


def _vendor(name: str, entries: list[Entry]) -> str:
    notes = dict.fromkeys(entry.note for entry in entries if entry.note)
    parts = [f"### {name}\n", *(f"{filled(escaped(note))}\n" for note in notes)]
    return "\n".join([*parts, *map(_entry, entries)])


def _entry(entry: Entry) -> str:
    head = f"#### {entry.id}\n"
    label = ", label only" if entry.labels_only else ""
    versions = f", versions {entry.versions}" if entry.versions else ""
    if entry.seen_in:
        versions += f", seen in {', '.join(entry.seen_in)}"
    title = f"**{escaped(entry.product)}**{versions}: {entry.purpose}{label}"
    bullets = [bullet(f"*{term}:* {words}") for term, words in _facts(entry) if words]
    return "\n".join([head, filled(title) + "\n", *bullets, ""])


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    ports = f", port {', '.join(entry.ports)}" if entry.ports else ""
    places = [*entry.hosts, *map(network_text, entry.prefixes)]
    yield "Where", ", ".join(f"`{place}`" for place in places) + ports
    yield "When", escaped(_when(entry))
    yield "By", escaped(", ".join(entry.processes))
    yield "Sends", escaped(entry.sends)
    if not isinstance(entry.switch, Absent):
        variables = ", ".join(f"`{variable}`" for variable in unsaid_variables(entry.switch))
        how = escaped(entry.switch.how)
        yield "Switched off by", f"{how} ({variables})" if variables else how
        yield "The switch fails", escaped("; ".join(entry.switch.fails))
    else:
        yield "Switched off by", without_switch(entry)
    yield "Silenced while fresh by", ", ".join(f"`{stamp}`" for stamp in entry.stamps)
    known = f"{entry.verified}; confidence {entry.confidence}"
    yield "Source", f"{escaped(entry.source)} ({known})"


def _when(entry: Entry) -> str:
    """The trigger in words, then first call, period and phases as far as they are known and the
    words leave them out."""
    facts = [entry.trigger] if entry.trigger else []
    if not isinstance(entry.first_ns, Absent):
        facts.append(f"first after {_duration(entry.first_ns)}" if entry.first_ns else "at once")
    if not isinstance(entry.every_ns, Absent):
        period = every(entry.every_ns).replace("\u00a0", " ")
        facts += [] if period in entry.trigger else [period]
    if entry.phases:
        facts.append(f"in phase {' or '.join(entry.phases)}")
    return "; ".join(facts)


def _duration(length_ns: int) -> str:
    return whole_units(length_ns).replace("\u00a0", " ")


def escaped(text: str) -> str:
    """Words in which Markdown would see marks, shown as they are."""
    return "".join(f"\\{c}" if c in "*_<>[]|`\\" else c for c in text)
