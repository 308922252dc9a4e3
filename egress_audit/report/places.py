"""Where a destination is and whose: countries, AS and operator in a few words."""

from egress_audit.addresses import Scope
from egress_audit.model.audit import Kind, Observation
from egress_audit.model.destination import FRONTS, Absent, Confidence, Destination

UNANNOUNCED = "none: the lists have no announcement of this address"
"""Of an address without an AS. What a company owns it need not announce at every time."""
UNKNOWN, LOW, NO_ONE_PLACE = "?", "~", "*"

LEGEND = (
    "countries: located / registered / controlled from;"
    f" {UNKNOWN} unknown, {LOW} low confidence, {NO_ONE_PLACE} anycast or front: no one place"
)

SCOPE_WORDS = {
    Scope.BENCHMARK: "benchmark range",
    Scope.CGNAT: "provider's network",
    Scope.DOCUMENTATION: "documentation range",
    Scope.LAN: "local network",
    Scope.METADATA_SERVICE: "metadata service",
    Scope.NAME: "by name only",
    Scope.SIMULATED: "simulated by us",
}
"""Scopes whose own word would need explaining; the others are shown as they are."""


def place_lines(seen: Observation) -> tuple[str, ...]:
    """Of a contact its destination; of a question those of its answers, each once, at most two."""
    if seen.kind is Kind.REST:
        return ()
    if seen.kind is Kind.CONTACT:
        return place_of(seen.destination)
    answers = list(dict.fromkeys(place_of(answer) for answer in seen.answer_destinations))
    lines = [line for place in answers[:2] for line in place]
    more = ("…",) if len(answers) > 2 else ()
    return ("a name", *(f"→ {line}" for line in lines), *more)


def place_of(destination: Destination) -> tuple[str, ...]:
    """Countries, then AS and operator; for an address that no list knows of, its scope."""
    if destination.scope is not Scope.GLOBAL:
        return (SCOPE_WORDS.get(destination.scope, destination.scope.value),)
    return countries(destination), holder(destination)


def countries(destination: Destination) -> str:
    """`US / US / CN`: located, registered, controlled from; see LEGEND for the marks."""
    facts = (destination.registered, destination.controlled)
    known = [UNKNOWN if isinstance(fact, Absent) else fact for fact in facts]
    return " / ".join([_located(destination), *known])


def located_words(destination: Destination) -> str | Absent:
    """The country with how sure it is; no country of what is in many places at once. Why there is
    none, where a list should have had one."""
    located, other = destination.located, destination.located_alt
    if destination.located_confidence is Confidence.NONE:
        behind = behind_front(destination)
        return f"no one place: {behind or 'anycast'}"
    if isinstance(located, Absent):
        return located
    if destination.located_confidence is Confidence.HIGH:
        return f"{located} (high confidence: sources agree)"
    if isinstance(other, Absent):
        return f"{located} (low confidence: nothing confirms it)"
    return f"{located} or {other} (low confidence: sources differ)"


def behind_front(destination: Destination) -> str:
    """Why an address does not say where what is sent to it ends; '' for what is no front."""
    if destination.role not in FRONTS:
        return ""
    law = "" if isinstance(destination.controlled, Absent) else f" ({destination.controlled})"
    return f"terminates at {destination.operator}{law}; origin not observable from the address"


def _located(destination: Destination) -> str:
    if destination.located_confidence is Confidence.NONE:
        return NO_ONE_PLACE
    if isinstance(destination.located, Absent):
        return UNKNOWN
    if destination.located_confidence is Confidence.HIGH:
        return destination.located
    if isinstance(destination.located_alt, Absent):
        return destination.located + LOW
    return f"{destination.located} or {destination.located_alt}{LOW}"


def holder(destination: Destination) -> str:
    """`AS13335 Cloudflare (cdn-front)`: operator group if the table has one, else the AS holder."""
    asn = UNKNOWN if isinstance(destination.asn, Absent) else str(destination.asn)
    names = (destination.operator, destination.organisation)
    known = [name for name in names if not isinstance(name, Absent)]
    if not known and asn == UNKNOWN:
        return "AS, operator unknown"
    role = "" if isinstance(destination.role, Absent) else f" ({destination.role})"
    return f"AS{asn} {known[0] if known else 'of unknown holder'}{role}"
