"""The rows of the table of destinations: who was reached, where it is, how much, and when first."""

from collections.abc import Iterable

from egress_audit.addresses import Scope
from egress_audit.model.audit import Audit, Direction, Kind, NameUse, Observation, Owner
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import EITHER_ICMP, WITH_PORTS
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.known_as import known_as
from egress_audit.report.places import place_lines
from egress_audit.report.safe_text import clean, middle_cut
from egress_audit.report.words import (
    counted,
    listed,
    number,
    protocol,
    short_number,
    tally,
    time_text,
)
from egress_audit.values import dataclass

MAX_ROWS = 30
COMMAND_COLUMNS = 40
CLIENT = "the user's client on this host"
"""Who came in over loopback."""
MAX_NAMES = 3
"""Names of one row that are told, since they may disagree; the others are counted."""
"""Protocols whose `far_p` is the type of the message."""

WORST_SCOPES = (
    Scope.GLOBAL,
    Scope.NAME,
    Scope.SIMULATED,
    Scope.METADATA_SERVICE,
    Scope.RESERVED,
    Scope.CGNAT,
    Scope.BENCHMARK,
    Scope.DOCUMENTATION,
    Scope.MULTICAST,
    Scope.BROADCAST,
    Scope.LINK_LOCAL,
    Scope.LAN,
    Scope.UNSPECIFIED,
    Scope.LOOPBACK,
)
"""From the whole world to the machine itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One observation as cells; every cell is lines, not yet escaped."""

    violates: bool
    """True if a finding rests on it."""
    far_end: tuple[str, ...]
    """The name or the address first, then everything else that identifies it."""
    place: tuple[str, ...]
    packets: tuple[str, ...]
    """Out, in; of a question how often it was asked, since a carrier's row has the rest."""
    ip_bytes: tuple[str, ...]
    first_seen: tuple[str, str]
    """Day and time of day, UTC."""


def worst_first(audit: Audit) -> list[Observation]:
    """Observations in the order a reader needs them: violations, then by how far and how much.

    Without those of our own helpers, which are told apart.
    """
    violating = violating_ids(audit)
    directions = {direction: place for place, direction in enumerate(Direction)}
    scopes = {scope: place for place, scope in enumerate(WORST_SCOPES)}

    def badness(seen: Observation) -> tuple[bool, bool, int, int, int, int]:
        return (
            seen.id not in violating,
            seen.kind is Kind.REST,
            directions[seen.direction],
            scopes[seen.destination.scope],
            -seen.ip_bytes_out,
            seen.id,
        )

    return sorted(_told(audit), key=badness)


def count_of_rows(audit: Audit) -> int:
    """How many rows there are, with those that are not shown."""
    return len(_told(audit))


def _told(audit: Audit) -> list[Observation]:
    return [seen for seen in audit.observations if not seen.by_helper]


def violating_ids(audit: Audit) -> set[int]:
    """Ids of the observations that findings rest on."""
    return {identifier for finding in audit.findings for identifier in finding.observations}


def destination_rows(audit: Audit, beside: Beside = NOTHING_BESIDE) -> list[Row]:
    """The first MAX_ROWS rows, worst first."""
    violating, entries = violating_ids(audit), {entry.id: entry for entry in audit.endpoints}
    return [
        row_of(
            seen,
            violates=seen.id in violating,
            label=beside.label_of(seen.far_h),
            known=known_as(seen, entries),
        )
        for seen in worst_first(audit)[:MAX_ROWS]
    ]


def row_of(seen: Observation, *, violates: bool, label: str = "", known: str = "") -> Row:
    """One observation as a row. label: what the user calls the far end; known: what the catalogue
    does; empty for nothing."""
    far_end = {Kind.CONTACT: _contact, Kind.QUESTION: _question, Kind.REST: _rest}[seen.kind]
    called = f"you call it {label}" if label else ""
    day, _, clock = time_text(seen.first_ts_ns).partition(".")[0].partition("T")
    return Row(
        violates=violates,
        far_end=tuple(
            line for line in (*far_end(seen), known, called, _circumstances(seen)) if line
        ),
        place=place_lines(seen),
        packets=_packets(seen),
        ip_bytes=_ip_bytes(seen),
        first_seen=(day, clock),
    )


def _packets(seen: Observation) -> tuple[str, ...]:
    if _is_asking(seen):
        return short_number(seen.pkts_out), "asked"
    return f"{short_number(seen.pkts_out)} out", f"{short_number(seen.pkts_in)}  in"


def _ip_bytes(seen: Observation) -> tuple[str, ...]:
    if _is_asking(seen):
        return ()
    return short_number(seen.ip_bytes_out), short_number(seen.ip_bytes_in)


def _is_asking(seen: Observation) -> bool:
    """A question, or the rest of all questions."""
    return seen.kind is Kind.QUESTION or Scope.NAME in seen.rest_scopes


def _contact(seen: Observation) -> Iterable[str]:
    yield from _names(tuple(use for use in seen.names if use.host != seen.far_h))
    if seen.from_client:
        yield CLIENT
    yield str(seen.far_h)
    tls = f" ({number(seen.tls_flows)} TLS)" if seen.tls_flows else ""
    yield f"{_service(seen)}, {counted(seen.flows, 'flow')}{tls}"


def _service(seen: Observation) -> str:
    """`port 443/tcp`, `icmp type 3`, or the protocol alone where no number is known."""
    if isinstance(seen.far_p, Absent):
        return protocol(seen.proto)
    if seen.proto in WITH_PORTS:
        return f"port {seen.far_p}/{protocol(seen.proto)}"
    if seen.proto in EITHER_ICMP:
        return f"{protocol(seen.proto)} type {seen.far_p}"
    return protocol(seen.proto)


def _names(names: tuple[NameUse, ...]) -> Iterable[str]:
    """Each name and how it is known; how many more there are."""
    if len(names) == 1:
        yield names[0].host
        yield f"known by {', '.join(names[0].sources)}"
        return
    yield from (f"{use.host} ({', '.join(use.sources)})" for use in names[:MAX_NAMES])
    beyond = len(names) - MAX_NAMES
    if beyond > 0:
        yield f"and {counted(beyond, 'more name')}"


def _question(seen: Observation) -> Iterable[str]:
    yield from (use.host for use in seen.names)
    yield f"asked: {tally(seen.questions)}"
    if seen.resolvers:
        yield f"resolver {listed(seen.resolvers, 2)}"
    yield f"answer {listed(seen.answers, 2)}" if seen.answers else "no answer with an address"


def _rest(seen: Observation) -> Iterable[str]:
    names = seen.rest_scopes.get(Scope.NAME, 0)
    if names:
        yield f"{counted(names, 'name')} past the rows that are kept"
        return
    yield f"{counted(seen.flows, 'flow')} past the rows that are kept"
    yield tally({str(scope): flows for scope, flows in seen.rest_scopes.items()})


def _circumstances(seen: Observation) -> str:
    """Direction, phase and process, where they are more than the ordinary."""
    facts = [] if seen.direction is Direction.OUTBOUND else [str(seen.direction)]
    if not isinstance(seen.phase, Absent):
        facts.append(f"during {seen.phase}")
    if not isinstance(seen.owner, Absent):
        facts.append(_process(seen.owner))
    return ", ".join(facts)


def _process(owner: Owner) -> str:
    """`by python3 (pid 4711)`, `by the kernel, on behalf of … (first of 3 processes)`.

    Its path and arguments stand where the run is told.
    """
    shown = middle_cut(clean(owner.exe.rpartition("/")[2] or owner.exe), COMMAND_COLUMNS)
    how = "the kernel, on behalf of " if owner.how.startswith("kernel") else ""
    several = f", first of {number(owner.processes)} processes" if owner.processes > 1 else ""
    return f"by {how}{shown} (pid {owner.pid}{several})"
