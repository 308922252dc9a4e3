"""What a capture answers to the questions of a profile, and what it cannot say."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.model.audit import Audit, Direction, Kind, Observation
from egress_audit.model.claim import Question
from egress_audit.model.destination import FRONTS, Absent, Confidence, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network
from egress_audit.report.words import counted, listed

CANNOT = "a capture cannot say"
NOWHERE = "nowhere: in what was watched nothing left the machine and its network"
NOT_LET_OUT = "nowhere: the sandbox let nothing out; --network open would show it"
UNKNOWN = "not known"
SHOWN = 8
"""Places or operators in one answer."""

DNS_PORT = 53
PASSED_ON = frozenset({NameSource.HTTP_CONNECT, NameSource.SOCKS, NameSource.HTTP_HOST})
"""Sources of names that a proxy on the machine or its network may have been asked for."""

OF_VENDORS = ("controlled", "operator")
"""Answers that a name adds to."""

_Told = tuple[str, str]
"""An answer, and the name or address that it is about."""


def answer(asked: Question, audit: Audit) -> str:
    """One paragraph: what was observed, `a capture cannot say`, and what the profile adds."""
    if asked.answer_by not in _TELLERS:
        return f"{CANNOT}. {asked.text}"
    told, rows = _TELLERS[asked.answer_by], list(_outward(audit))
    said = _grouped([(told(row.destination), _whom(row)) for row in rows]) or _nowhere(audit)
    vendors = "".join(_by_name(audit, rows)) if asked.answer_by in OF_VENDORS else ""
    return f"{said}{vendors}. {asked.text}".rstrip()


def _nowhere(audit: Audit) -> str:
    closed = not isinstance(audit.run, Absent) and audit.run.network is not Network.OPEN
    return NOT_LET_OUT if closed else _beyond_rows(audit)


def _by_name(audit: Audit, rows: Sequence[Observation]) -> Iterator[str]:
    """Whose names were contacted, and whose were asked for and no more, as in a sealed sandbox."""
    contacted = _vendors(audit, rows)
    asked = _vendors(audit, (seen for seen in audit.observations if _is_asked(seen)))
    for words, vendors in (
        ("by name", list(contacted)),
        ("asked for by name alone", [vendor for vendor in asked if vendor not in contacted]),
    ):
        if vendors:
            yield f"; {words}: {listed(vendors, SHOWN)}"


def _is_asked(seen: Observation) -> bool:
    return seen.kind is Kind.QUESTION and not seen.by_helper


def _outward(audit: Audit) -> Iterator[Observation]:
    """Contacts of the program that went beyond the machine and its network; the resolver of our
    sandbox is no place that data goes to."""
    ours = () if isinstance(audit.run, Absent) else audit.run.our_resolvers
    for seen in audit.observations:
        if seen.kind is not Kind.CONTACT or seen.by_helper:
            continue
        if seen.far_h in ours and seen.far_p == DNS_PORT:
            continue
        if seen.direction is Direction.OUTBOUND and seen.destination.scope not in NEAR:
            yield seen


def _beyond_rows(audit: Audit) -> str:
    """The answer where no contact went beyond the network: nowhere, unless somebody else was asked
    to go there, or not every contact has a row."""
    named: dict[str, None] = {}
    for seen in audit.observations:
        if seen.by_helper or seen.direction is not Direction.OUTBOUND:
            continue
        if seen.kind is Kind.REST:
            return f"{UNKNOWN}: there are more contacts than rows"
        sources = PASSED_ON if seen.kind is Kind.CONTACT else frozenset(NameSource)
        passed = (use.host for use in seen.names if sources.intersection(use.sources))
        named |= dict.fromkeys(host for host in passed if "." in host and not _is_near(host))
    if not named:
        return NOWHERE
    return f"{UNKNOWN}: resolvers or proxies were asked for {listed(list(named), 4)}"


def _is_near(host: str) -> bool:
    """True for an address of the machine or its network in place of a name."""
    try:
        return scope_of(host) in NEAR
    except ValueError:
        return False


def _vendors(audit: Audit, rows: Iterable[Observation]) -> dict[str, None]:
    """`DeepSeek (CN)`: whose names were used, where all entries of the catalogue that fit agree.

    An address names whoever runs the machine; who rents it only a name can say.
    """
    known = {entry.id: entry for entry in audit.endpoints}
    told: dict[str, None] = {}
    for match in (match for seen in rows for match in seen.endpoints):
        entries = [known[identifier] for identifier in match.fitting]
        telling = [entry for entry in entries if entry.accuses] or entries
        of = {entry.vendor_and_law for entry in telling}
        if len(of) == 1:
            told[of.pop()] = None
    return told


def _whom(seen: Observation) -> str:
    """The name under which a far end was spoken to, or else its address."""
    return seen.names[0].host if seen.names else str(seen.far_h)


def _grouped(seen: list[_Told]) -> str:
    """`DE (2 destinations: a.example, b.example); not known (1 destination: 192.0.2.1)`.

    What is not known stands last.
    """
    whom: dict[str, dict[str, None]] = {}
    for told, name in seen:
        whom.setdefault(told, {})[name] = None
    order = sorted(whom, key=lambda told: (told.startswith(UNKNOWN), told))
    parts = [
        f"{told} ({counted(len(whom[told]), 'destination')}: {listed(list(whom[told]), 4)})"
        for told in order[:SHOWN]
    ]
    more = [f"and {len(order) - SHOWN} more"] if len(order) > SHOWN else []
    return "; ".join(parts + more)


def _located(there: Destination) -> str:
    if there.located_confidence is Confidence.NONE:
        return f"{UNKNOWN}, anycast or a front"
    if isinstance(there.located, Absent):
        return f"{UNKNOWN}{_invented(there)}"
    if there.located_confidence is Confidence.LOW:
        return f"{UNKNOWN}, sources differ"
    return there.located


def _controlled(there: Destination) -> str:
    if isinstance(there.controlled, Absent):
        return f"{UNKNOWN}{_invented(there)}"
    return there.controlled + _before_whom(there)


def _operator(there: Destination) -> str:
    """The operator group; the holder of the AS where the table has none."""
    known = [name for name in (there.operator, there.organisation) if not isinstance(name, Absent)]
    return known[0] + _before_whom(there) if known else f"{UNKNOWN}{_invented(there)}"


def _before_whom(there: Destination) -> str:
    return ", of a front: who is behind it is not seen" if there.role in FRONTS else ""


def _invented(there: Destination) -> str:
    return ", the address was invented in the sandbox" if there.scope is Scope.SIMULATED else ""


_TELLERS: dict[str, Callable[[Destination], str]] = {
    "located": _located,
    "controlled": _controlled,
    "operator": _operator,
}
