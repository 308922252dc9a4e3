"""With which lists and rules it was judged, so that somebody else can do it again."""

from collections.abc import Iterator

from egress_audit.model.audit import Audit
from egress_audit.model.catalogue import CATALOGUE
from egress_audit.model.destination import Absent
from egress_audit.report.section import Entry, Section


def evidence_section(audit: Audit) -> Section:
    """Each list with its date, attribution where due, and the version of the rules."""
    entries = []
    if audit.lists:
        lines = (f"{used.name} of {used.date}, {used.licence}" for used in audit.lists)
        entries.append(Entry("Lists", tuple(lines)))
    credits = dict.fromkeys(_credits(audit))
    if credits:
        entries.append(Entry("Attribution", tuple(credits)))
    entries.append(Entry("Rules", (f"version {audit.rules_version}",)))
    return Section("Judged with", tuple(entries))


def _credits(audit: Audit) -> Iterator[str]:
    """What licences ask for: of the catalogue where it is quoted, of lists where countries are."""
    country = shows_country(audit)
    for used in audit.lists:
        quoted = bool(audit.endpoints) if used.name == CATALOGUE else country
        if used.attribution and quoted:
            yield used.attribution


def shows_country(audit: Audit) -> bool:
    """True if a row gives a country: the licences of the lists then ask for attribution."""
    places = (
        place
        for seen in audit.observations
        for place in (seen.destination, *seen.answer_destinations)
    )
    return any(
        not isinstance(country, Absent)
        for place in places
        for country in (place.located, place.registered, place.controlled)
    )
