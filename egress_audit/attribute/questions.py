"""Names that were asked for, as rows: asked is egress, whoever carried the question."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from egress_audit.addresses import Scope
from egress_audit.attribute.observations import MAX_OBSERVATIONS, NOWHERE
from egress_audit.attribute.owners import is_helper
from egress_audit.attribute.sums import MAX_FRAMES
from egress_audit.model.audit import Direction, Frames, Kind, NameUse, Observation, Owner
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


NONE: Mapping[str, int] = {}
NOWHERE_ELSE: Mapping[Scope, int] = {}
Sender = tuple[Owner | Absent, str | Absent]
"""Who asked, and in which phase."""


def nobody(host: str) -> Sender:
    """What a capture that names nobody says of who asked for a host."""
    return Absent.NOT_FOUND, Absent.NOT_FOUND


def questions(
    asked: Iterable[Asked],
    destination_of: Callable[[str], Destination],
    limit: int = MAX_OBSERVATIONS,
    sender_of: Callable[[str], Sender] = nobody,
) -> list[Observation]:
    """One row a host, in the order of the first question, numbered from 1.

    Hosts past the first `limit` are summed in one row of the rest, whose `rest_scopes` says how
    many names there are; nothing is looked up for them. What our own helpers asked for has a row of
    the rest of its own.
    """
    hosts = iter(asked)
    rows = [
        _question(number, host, destination_of, sender_of(host.host))
        for number, host in enumerate(islice(hosts, limit), 1)
    ]
    by_helper: dict[bool, list[Asked]] = {}
    owners: dict[bool, Owner | Absent] = {}
    for host in hosts:
        owner, _ = sender_of(host.host)
        by_helper.setdefault(is_helper(owner), []).append(host)
        owners.setdefault(is_helper(owner), owner)
    for number, helper in enumerate(sorted(by_helper), len(rows) + 1):
        beyond: list[Asked] = by_helper[helper]
        sender: Sender = owners[helper], Absent.NOT_FOUND
        counted = {Scope.NAME: len(beyond)}
        rows.append(_row(number, beyond, sender, kind=Kind.REST, rest_scopes=counted))
    return rows


def _question(
    number: int, asked: Asked, destination_of: Callable[[str], Destination], sender: Sender
) -> Observation:
    answers = tuple(asked.addresses)
    return _row(
        number,
        [asked],
        sender,
        names=(NameUse(asked.host, (NameSource.DNS_QUERY,)),),
        questions={word: asked.qtypes[word] for word in sorted(asked.qtypes)},
        resolvers=tuple(asked.resolvers),
        answers=answers,
        answer_destinations=tuple([destination_of(address) for address in answers]),
    )


def _row(
    number: int,
    asked: Sequence[Asked],
    sender: Sender,
    kind: Kind = Kind.QUESTION,
    *,
    names: tuple[NameUse, ...] = (),
    questions: Mapping[str, int] = NONE,
    resolvers: tuple[str, ...] = (),
    answers: tuple[str, ...] = (),
    answer_destinations: tuple[Destination, ...] = (),
    rest_scopes: Mapping[Scope, int] = NOWHERE_ELSE,
) -> Observation:
    """What is known of all these questions together: how often, when, and in which frames."""
    frames = sorted({frame for host in asked for frame in host.frames})[:MAX_FRAMES]
    total = sum([host.total for host in asked])
    owner, phase = sender
    return Observation(
        id=number,
        kind=kind,
        owner=owner,
        direction=Direction.OUTBOUND,
        far_h=Absent.NOT_APPLICABLE,
        far_p=Absent.NOT_APPLICABLE,
        proto=0,
        names=names,
        destination=NOWHERE,
        phase=phase,
        flows=0,
        tls_flows=0,
        pkts_out=total,
        pkts_in=0,
        ip_bytes_out=0,
        ip_bytes_in=0,
        first_ts_ns=min([host.first_ts_ns for host in asked]),
        last_ts_ns=max([host.last_ts_ns for host in asked]),
        frames=Frames(tuple(frames), total),
        conn_states={},
        questions=questions,
        resolvers=resolvers,
        answers=answers,
        answer_destinations=answer_destinations,
        rest_scopes=rest_scopes,
    )
