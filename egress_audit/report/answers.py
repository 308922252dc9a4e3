"""What a capture answers to the questions of a profile, and what it cannot say."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.model.audit import Audit, Direction, Kind, Observation
from egress_audit.model.claim import Question
from egress_audit.model.destination import FRONTS, Absent, Confidence, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.protocols import DNS_PORT
from egress_audit.model.run import Network
from egress_audit.report.flow_records import FROM_HTTP
from egress_audit.report.words import counted, listed
from egress_audit.values import dataclass

CANNOT = "No capture can say"
NOWHERE = "Nowhere: in what was watched nothing left the machine and its network"
NOT_LET_OUT = "Nowhere: the sandbox let nothing out; --network open would show it"
UNKNOWN = "not known"
SHOWN = 8
"""Places or operators in one answer."""

PASSED_ON = frozenset((*FROM_HTTP, NameSource.SOCKS))
"""Sources of names that a proxy on the machine or its network may have been asked for."""

OF_VENDORS = ("controlled", "operator")
"""Answers that a name adds to."""

_Told = tuple[str | Absent, str]
"""A country or an operator, and what else has to be said of it."""


class Extent(StrEnum):
    """How much of a question is answered."""

    WHOLE = "whole"
    PART = "part"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Observed:
    """Destinations of which one and the same thing is known."""

    told: str | Absent
    """The country, jurisdiction or operator."""
    beside: str
    """Why it is not known, or what it leaves open: `anycast or a front`; '' if nothing."""
    destinations: tuple[str, ...]
    """The names they were spoken to by, else their addresses."""

    @property
    def words(self) -> str:
        """`DE`; `not known, anycast or a front`."""
        told = UNKNOWN if isinstance(self.told, Absent) else self.told
        return ", ".join(part for part in (told, self.beside) if part)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the evidence answers to one question of the profile."""

    ask: str
    answer_by: str
    """`located`, `controlled` or `operator`: what was observed; `cannot`: no capture can say."""
    answered: Extent
    observed: tuple[Observed, ...]
    """Of every contact beyond the machine and its network; what is not known stands last."""
    by_name: tuple[str, ...]
    """Vendors whose names were contacted, with their jurisdiction: `Acme (SE)`."""
    asked_by_name: tuple[str, ...]
    """Vendors whose names were asked for and no more, as in a sealed sandbox."""
    said: str
    """The same in words, and what the profile adds."""


def answers(audit: Audit) -> tuple[Answer, ...]:
    """Of each question of the profile what the evidence answers, in the order of the profile."""
    return tuple(answer(asked, audit) for asked in audit.claim.questions)


def answer(asked: Question, audit: Audit) -> Answer:
    """What was observed, or that no capture can say, and what the profile adds."""
    if asked.answer_by not in _TELLERS:
        said = f"{CANNOT}. {asked.text}"
        return Answer(asked.ask, asked.answer_by, Extent.NOT, (), (), (), said)
    rows = list(_outward(audit))
    observed = _observed(_TELLERS[asked.answer_by], rows)
    by_name, asked_by_name = _by_name(audit, rows) if asked.answer_by in OF_VENDORS else ((), ())
    said = _grouped(observed) or _nowhere(audit)
    vendors = _vendor_words(by_name, asked_by_name)
    extent = _extent(observed, said, by_name + asked_by_name)
    text = f"{_capital(said)}{vendors}. {asked.text}".rstrip()
    return Answer(asked.ask, asked.answer_by, extent, observed, by_name, asked_by_name, text)


def _extent(observed: Sequence[Observed], said: str, vendors: Sequence[str]) -> Extent:
    """WHOLE if all is known of every destination, or if nothing went anywhere."""
    known = [one for one in observed if not isinstance(one.told, Absent)]
    if said == NOWHERE or (known and not any(one.beside for one in observed)):
        return Extent.WHOLE if len(known) == len(observed) else Extent.PART
    return Extent.PART if known or vendors else Extent.NOT


def _capital(said: str) -> str:
    """Capital for words of ours; an operator is spelled as it spells itself."""
    return said[0].upper() + said[1:] if said.startswith(UNKNOWN) else said


def _nowhere(audit: Audit) -> str:
    closed = not isinstance(audit.run, Absent) and audit.run.network is not Network.OPEN
    return NOT_LET_OUT if closed else _beyond_rows(audit)


def _by_name(audit: Audit, rows: Sequence[Observation]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose names were contacted, and whose were asked for and no more, as in a sealed sandbox."""
    contacted = _vendors(audit, rows)
    asked = _vendors(audit, (seen for seen in audit.observations if _is_asked(seen)))
    return tuple(contacted), tuple(vendor for vendor in asked if vendor not in contacted)


def _vendor_words(contacted: Sequence[str], asked: Sequence[str]) -> str:
    each = (("by name", contacted), ("asked for by name alone", asked))
    return "".join(f"; {words}: {listed(vendors, SHOWN)}" for words, vendors in each if vendors)


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


def _observed(
    told: Callable[[Destination], _Told], rows: Iterable[Observation]
) -> tuple[Observed, ...]:
    """What is told of each destination, with all that the same is told of; the unknown last."""
    whom: dict[_Told, dict[str, None]] = {}
    for row in rows:
        whom.setdefault(told(row.destination), {})[_whom(row)] = None
    each = [Observed(fact, beside, tuple(names)) for (fact, beside), names in whom.items()]
    return tuple(sorted(each, key=lambda one: (isinstance(one.told, Absent), one.words)))


def _grouped(observed: Sequence[Observed]) -> str:
    """`DE (2 destinations: a.example, b.example); not known (1 destination: 192.0.2.1)`."""
    parts = [
        f"{one.words} ({counted(len(one.destinations), 'destination')}: "
        f"{listed(one.destinations, 4)})"
        for one in observed[:SHOWN]
    ]
    more = [f"and {len(observed) - SHOWN} more"] if len(observed) > SHOWN else []
    return "; ".join(parts + more)


def _located(there: Destination) -> _Told:
    if there.located_confidence is Confidence.NONE:
        return Absent.NOT_APPLICABLE, "anycast or a front"
    if isinstance(there.located, Absent):
        return there.located, _invented(there)
    if there.located_confidence is Confidence.HIGH:
        return there.located, ""
    if isinstance(there.located_alt, Absent):
        return Absent.NOT_FOUND, f"nothing confirms: {there.located}"
    return Absent.NOT_FOUND, f"sources differ: {there.located} or {there.located_alt}"


def _controlled(there: Destination) -> _Told:
    if isinstance(there.controlled, Absent):
        return there.controlled, _invented(there)
    return there.controlled, _before_whom(there)


def _operator(there: Destination) -> _Told:
    """The operator group; the holder of the AS where the table has none."""
    known = [name for name in (there.operator, there.organisation) if not isinstance(name, Absent)]
    return (known[0], _before_whom(there)) if known else (Absent.NOT_FOUND, _invented(there))


def _before_whom(there: Destination) -> str:
    return "of a front: who is behind it is not seen" if there.role in FRONTS else ""


def _invented(there: Destination) -> str:
    return "the address was invented in the sandbox" if there.scope is Scope.SIMULATED else ""


_TELLERS: dict[str, Callable[[Destination], _Told]] = {
    "located": _located,
    "controlled": _controlled,
    "operator": _operator,
}
