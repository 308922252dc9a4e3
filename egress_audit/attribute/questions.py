"""Names that were asked for, as rows: asked is egress, whoever carried the question."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from egress_audit.attribute.observations import NOWHERE
from egress_audit.model.audit import Direction, Frames, Kind, NameUse, Observation
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import NameSource


class Asked(Protocol):
    """A host that the DNS was asked for, with everything that is known of the asking."""

    host: str
    first_ts_ns: int
    last_ts_ns: int
    total: int

    @property
    def qtypes(self) -> Mapping[str, int]: ...
    @property
    def frames(self) -> Sequence[int]: ...
    @property
    def resolvers(self) -> Sequence[str]: ...
    @property
    def addresses(self) -> Sequence[str]: ...


def questions(
    asked: Iterable[Asked], destination_of: Callable[[str], Destination]
) -> list[Observation]:
    """One row a host, in the order of the first question; ids still 0."""
    return [_question(host, destination_of) for host in asked]


def _question(asked: Asked, destination_of: Callable[[str], Destination]) -> Observation:
    answers = tuple(asked.addresses)
    return Observation(
        id=0,
        kind=Kind.QUESTION,
        owner=Absent.NOT_FOUND,
        direction=Direction.OUTBOUND,
        far_h=Absent.NOT_APPLICABLE,
        far_p=Absent.NOT_APPLICABLE,
        proto=0,
        names=(NameUse(asked.host, (NameSource.DNS_QUERY,)),),
        destination=NOWHERE,
        phase=Absent.NOT_FOUND,
        flows=0,
        tls_flows=0,
        pkts_out=asked.total,
        pkts_in=0,
        ip_bytes_out=0,
        ip_bytes_in=0,
        first_ts_ns=asked.first_ts_ns,
        last_ts_ns=asked.last_ts_ns,
        frames=Frames(tuple(sorted(asked.frames)), asked.total),
        conn_states={},
        questions={word: asked.qtypes[word] for word in sorted(asked.qtypes)},
        resolvers=tuple(asked.resolvers),
        answers=answers,
        answer_destinations=tuple(destination_of(address) for address in answers),
        rest_scopes={},
    )
