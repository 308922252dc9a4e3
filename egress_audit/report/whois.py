"""What the lists know of a host, an address or an AS: for people in lines, for programs in JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence

from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Entry, Purpose, Switch, Verified
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.whois import AutonomousSystem, Kind, WhoIs
from egress_audit.report import section
from egress_audit.report.json_pieces import json_of
from egress_audit.report.places import SCOPE_WORDS, UNANNOUNCED, located_words
from egress_audit.report.safe_text import NO_BREAK, clean
from egress_audit.report.section import Section
from egress_audit.report.terminal import bold, indented, section_lines
from egress_audit.report.words import every, period

INDENT = 2
FEW = 3
"""Entries that are told without an overview before them."""

VERIFIED_WORDS = {
    Verified.RAN: "seen when the program was run",
    Verified.CODE: "read in code",
    Verified.DOCUMENTS: "read in documents",
    Verified.CURATED: "from a list, or general knowledge",
}

NO_SWITCH = "no way is known"
THE_SERVICE = "no way, since it is the service itself: choose another, or a local model"

UNKNOWN = "Not in the catalogue of endpoints."
UNREAD = "which names it is asked for, egress-audit does not read from a capture"
LOCALHOST = "The machine itself, whichever it is used on (RFC 6761 §6.3)."
NOT_HARMLESS = "That does not mean harmless: no list has every place that programs call."

Line = tuple[str, str]
"""A term, and one paragraph beside it; a term that is '' goes on with the last one."""


def whois_text(found: WhoIs, *, colour: bool = False, width: int = 100) -> str:
    """The answer for people; no line has more than `width` columns."""
    parts = [[bold(clean(_headline(found)), colour), *_below_headline(found, width)]]
    titles = _overview(found.endpoints)
    if len(titles) > FEW:
        parts[0] += ["", *(line for title in titles for line in indented(title, INDENT, width))]
    parts += [section_lines(each, colour, width) for each in _sections(found)]
    text = "\n\n".join("\n".join(part) for part in parts)
    return text.replace(NO_BREAK, " ") + "\n"


def whois_markdown(found: WhoIs) -> str:
    """The same for a ticket or a pull request."""
    from egress_audit.report.markdown import escaped, section_text  # only where it is asked for

    titles = _overview(found.endpoints)
    overview = [f"- {escaped(title)}" for title in titles] if len(titles) > FEW else []
    blocks = [f"# {escaped(_headline(found))}", *map(escaped, _amounts_to(found))]
    blocks += ["\n".join(overview)] if overview else []
    blocks += [section_text(each) for each in _sections(found)]
    return "\n\n".join(blocks).replace(NO_BREAK, " ") + "\n"


def _sections(found: WhoIs) -> Iterator[Section]:
    """Where it is, and then each entry that fits."""
    yield from _sections_of_place(found)
    told = set[str]()
    for title, entry in zip(_titles(found.endpoints), found.endpoints, strict=True):
        yield _section(title, _lines_of_entry(entry, noted=entry.note not in told))
        told.add(entry.note)


def whois_json(found: WhoIs) -> str:
    """The answer as one JSON object."""
    return json_of(found) + "\n"


def _titles(entries: Sequence[Entry]) -> Iterator[str]:
    """`2 Acme server: telemetry`; a single entry has no number."""
    for place, entry in enumerate(entries, 1):
        number = f"{place} " if len(entries) > 1 else ""
        yield f"{number}{entry.product}: {entry.purpose}"


def _overview(entries: Sequence[Entry]) -> list[str]:
    """The titles; of those that are for one purpose of one product, each with its occasion."""
    alike = Counter((entry.product, entry.purpose) for entry in entries)
    return [
        f"{title}, {entry.trigger or entry.id}"
        if alike[entry.product, entry.purpose] > 1
        else title
        for title, entry in zip(_titles(entries), entries, strict=True)
    ]


def _headline(found: WhoIs) -> str:
    port = "" if isinstance(found.port, Absent) else f", port {found.port}"
    protocol = "" if isinstance(found.protocol, Absent) else f"/{found.protocol}"
    return f"{found.asked}{port}{protocol}"


def _below_headline(found: WhoIs, width: int) -> Iterator[str]:
    """What the answer amounts to, in a sentence or two."""
    for text in _amounts_to(found):
        yield from indented(text, INDENT, width)


def _amounts_to(found: WhoIs) -> Iterator[str]:
    entries = found.endpoints
    if len(entries) > 1:
        what = "a host" if found.kind is Kind.HOST else "an address"
        vendors = "" if len({entry.vendor for entry in entries}) == 1 else ", of several vendors"
        yield (
            f"One of {len(entries)} things that the catalogue knows{vendors}. Which of them, "
            f"{what} alone does not say: look at the program that calls, and when."
        )
    elif entries:
        yield "The catalogue knows one reason to call there; there may be others."
    elif found.kind is Kind.AS:
        if isinstance(found.autonomous_system, Absent):
            yield f"Not in the table of operators. {NOT_HARMLESS}"
    elif isinstance(found.destination, Destination) and found.destination.scope is not Scope.GLOBAL:
        yield f"{UNKNOWN} Who is there depends on the network it is used in."
    elif f".{found.asked}".endswith(".localhost"):
        yield LOCALHOST
    else:
        yield f"{UNKNOWN} {NOT_HARMLESS}"
    if not isinstance(found.above, Absent):
        yield f"The catalogue knows {found.above}, whose owner may be the same."
    if entries and not any(entry.accuses for entry in entries):
        yield "These are labels, from general knowledge; no finding rests on them."


def _sections_of_place(found: WhoIs) -> Iterator[Section]:
    """What is known beside the catalogue: where it is, who runs it, whether it resolves names."""
    if not isinstance(found.destination, Absent):
        inner = "" if isinstance(found.embeds, Absent) else found.embeds
        yield _section("Address", _lines_of_destination(found.destination, inner))
    if not isinstance(found.autonomous_system, Absent):
        yield _section("Autonomous system", _lines_of_system(found.autonomous_system))
    if not isinstance(found.resolver, Absent):
        said = f"{found.resolver}; {UNREAD}"
        yield _section("Resolver", iter([("Answers", said)]))


def _lines_of_destination(destination: Destination, inner: str) -> Iterator[Line]:
    """What the lists say of an address. inner: the IPv4 address to which one of IPv6 leads."""
    if inner:
        yield "Embeds", f"{inner}: the answer is that of this IPv4 address"
    scope = destination.scope
    words = SCOPE_WORDS.get(scope, scope.value)
    yield "Scope", words if scope is not Scope.GLOBAL else "global: a place on the internet"
    if scope is not Scope.GLOBAL:
        return
    yield "Located", _fact(located_words(destination))
    yield "Registered", _fact(destination.registered)
    yield "Controlled by", _of_parent(destination.controlled)
    holder = "" if isinstance(destination.organisation, Absent) else f" {destination.organisation}"
    if destination.asn is Absent.NOT_FOUND:
        yield "AS", UNANNOUNCED
    else:
        known = not isinstance(destination.asn, Absent)
        yield "AS", f"AS{destination.asn}{holder}" if known else "unknown"
    yield "Operator", _fact(destination.operator)
    yield "Role", _fact(destination.role)


def _of_parent(jurisdiction: str | Absent) -> str:
    if isinstance(jurisdiction, Absent):
        return "unknown"
    return f"{jurisdiction}, where the operator's parent company is"


def _under(entry: Entry) -> str:
    if isinstance(entry.jurisdiction, Absent):
        return "under a jurisdiction that is not known"
    return f"under the jurisdiction of {entry.jurisdiction}"


def _fact(value: str | Absent) -> str:
    return "unknown" if isinstance(value, Absent) else value


def _lines_of_system(system: AutonomousSystem) -> Iterator[Line]:
    yield "Organisation", _fact(system.organisation)
    yield "Operator", system.operator
    yield "Jurisdiction", _of_parent(system.jurisdiction)
    yield "Category", system.category
    yield "Registered", _fact(system.registered)
    if system.note:
        yield "Note", system.note


def _lines_of_entry(entry: Entry, *, noted: bool) -> Iterator[Line]:
    """Who, when, what, how it is stopped, and how that is known. noted: with what is to be known of
    the vendor, where no entry before it has said so."""
    yield "Vendor", f"{entry.vendor}, {_under(entry)}"
    if entry.note and noted:
        yield "", entry.note
    seen = f"seen in {', '.join(entry.seen_in)}; others were not looked at"
    if entry.versions:
        beside = f"; {seen}" if entry.seen_in else "; others are not covered"
        yield "Versions", entry.versions + beside
    elif entry.seen_in:
        yield "Versions", seen
    yield from _lines_of_times(entry)
    if entry.processes:
        yield "Called by", ", ".join(entry.processes)
    if entry.sends:
        yield "Sends", entry.sends
    yield from _lines_of_switch(entry)
    if entry.stamps:
        yield "Silenced by", f"{', '.join(entry.stamps)}, until that is old"
    yield "Fits", ", ".join([*entry.hosts, *map(str, entry.prefixes)])
    if entry.ports:
        yield "", f"at {', '.join(entry.ports)}"
    label = "" if entry.accuses else "; a label, on which no finding rests"
    yield "Known", f"{VERIFIED_WORDS[entry.verified]}; confidence {entry.confidence}{label}"
    yield "Source", entry.source
    yield "Id", entry.id


def _lines_of_times(entry: Entry) -> Iterator[Line]:
    times = []
    if not isinstance(entry.first_ns, Absent):
        times.append(f"first after {period(entry.first_ns)}")
    if not isinstance(entry.every_ns, Absent):
        times.append(every(entry.every_ns))
    if entry.phases:
        times.append(f"phase {', '.join(entry.phases)}")
    said = [text for text in (entry.trigger, "; ".join(times)) if text]
    yield from zip(("When", ""), said, strict=False)


def _lines_of_switch(entry: Entry) -> Iterator[Line]:
    if isinstance(entry.switch, Absent):
        yield "Switch off", without_switch(entry)
        return
    yield "Switch off", entry.switch.how
    unsaid = unsaid_variables(entry.switch)
    if unsaid:
        yield "", " ".join(unsaid)
    for case in entry.switch.fails:
        yield "", f"But: {case}"


def without_switch(entry: Entry) -> str:
    """What is said of a call for which no switch is known."""
    return THE_SERVICE if entry.purpose is Purpose.HOSTED_INFERENCE else NO_SWITCH


def unsaid_variables(switch: Switch) -> list[str]:
    """`NAME=value` of those that its words leave out."""
    each = (f"{name}={value}" for name, value in switch.variables)
    return [variable for variable in each if variable not in switch.how]


def _section(title: str, lines: Iterator[Line]) -> Section:
    """A section of terms, with the paragraphs that belong to one term together."""
    grouped: list[tuple[str, list[str]]] = []
    for term, text in lines:
        if term:
            grouped.append((term, []))
        grouped[-1][1].append(text)
    return Section(title, tuple(section.Entry(term, tuple(texts)) for term, texts in grouped))
