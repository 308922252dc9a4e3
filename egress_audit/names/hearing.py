"""What readers found, put where the judge will look: by flow, by address, by question."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.link_names import LINK_SOURCES, stays_on_link
from egress_audit.names.plain_hello import PlainHello
from egress_audit.names.plain_request import PlainRequest
from egress_audit.names.reading import Reading, Spoken
from egress_audit.names.table import NameTable
from egress_audit.values import dataclass

NO_NAME = "TLS without a server name"
QUIC = "QUIC"
HIDING_MARKS = {
    "no-sni": NO_NAME,
    "ech": "TLS with an encrypted ClientHello",
    "socks": "SOCKS",
}
"""Marks of a reading that say: a name was hidden here. Mark → its words in the report."""
_HIDING = frozenset(HIDING_MARKS)

_What = TypeVar("_What")
Heard = tuple[int, int, int, _What]
"""Flow, frame and nanoseconds of the bytes that came last, and what they said."""


class Hellos(NamedTuple):
    """Plain ClientHellos; (n,) each."""

    flow: I64
    frame: I64
    ts_ns: I64
    """Both of the bytes that came last."""
    outer: Bool
    """It stands in front of an Encrypted ClientHello."""
    named: Bool
    """It has a host."""
    hosts: Sequence[str]
    """Of those that have one."""


def hellos_of(heard: Sequence[Heard[PlainHello]]) -> Hellos:
    """The columns of some hellos."""
    rows = [(flow, frame, ts_ns, hello.outer) for flow, frame, ts_ns, hello in heard]
    flow, frame, ts_ns, outer = np.array(rows, np.int64).reshape(-1, 4).T
    hosts = [hello.host for _, _, _, hello in heard]
    named = np.array([host != "" for host in hosts], np.bool_)
    return Hellos(flow, frame, ts_ns, outer == 1, named, [host for host in hosts if host])


class Said(Protocol):
    """Where some bytes were said, when, by whom and to whom.

    By whom is asked of few messages only: of the DNS and its kin.
    """

    @property
    def flow(self) -> int: ...
    @property
    def frame(self) -> int: ...
    @property
    def ts_ns(self) -> int: ...
    @property
    def sender(self) -> str: ...
    @property
    def receiver(self) -> str: ...
    @property
    def from_resolver(self) -> bool:
        """It was sent from the port of the DNS, to another one: it may answer. What anybody else
        calls an answer is the asker's own invention."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """What is said of some bytes where everything is known at once."""

    flow: int
    frame: int
    ts_ns: int
    sender: str
    receiver: str
    from_resolver: bool = True


class Hearing:
    """Collects the names of one body of evidence."""

    def __init__(self) -> None:
        self.names = NameTable()
        self.tls: set[int] = set()
        """Flows in which a TLS ClientHello was seen."""
        self.hiding: dict[str, set[int]] = {}
        """Flows whose protocol hides the name, by the words of HIDING_MARKS."""
        self.legible: set[int] = set()
        """Flows of UDP whose port promises hidden names, and whose names were read."""
        self._unnamed: set[int] = set()
        """Flows of QUIC in which no name was heard."""

    def hear(self, reading: Reading, message: Said, *, heard: int = 0) -> None:
        """Takes in what one message said, from its name number `heard` on."""
        if not (reading.marks or reading.spoken):
            return
        flow = message.flow
        if "tls" in reading.marks and ("no-sni" in reading.marks or reading.spoken):
            self.tls.add(flow)
        if "quic" in reading.marks:
            self._hear_quic(reading, flow)
        elif not _HIDING.isdisjoint(reading.marks):
            for mark in _HIDING & reading.marks:
                self._hide(mark, flow)
        if "link-names" in reading.marks:
            self.legible.add(flow)
        for spoken in reading.spoken[heard:]:
            name = Name(
                spoken.host, spoken.source, message.ts_ns, message.frame, outer=spoken.outer
            )
            if spoken.source is NameSource.DNS_ANSWER:
                self._answer(spoken, name, message)
                continue
            self.names.mentions.add(flow, name)
            if self._is_question(spoken, reading, message):
                self.names.ask(
                    spoken.host, spoken.qtype or "?", message.receiver, name.frame, name.ts_ns
                )

    def hear_hellos(self, hellos: Hellos) -> None:
        """Takes in whole ClientHellos of TLS over TCP. As `hear` would of their readings."""
        flow, frame, ts_ns, outer, named, hosts = hellos
        if not len(flow):
            return
        self.tls.update(flow.tolist())
        for row in np.flatnonzero(outer | ~named).tolist():
            if outer[row]:
                self._hide("ech", int(flow[row]))
            if not named[row]:
                self._hide("no-sni", int(flow[row]))
        where = (outer[named], frame[named], ts_ns[named])
        self.names.mentions.add_each(flow[named], hosts, NameSource.TLS_SNI, *where)

    def hear_initials(self, hellos: Sequence[Heard[PlainHello]]) -> None:
        """The same of those of QUIC."""
        for flow, _, _, hello in hellos:
            if hello.outer or not hello.host:
                self.hiding.setdefault(QUIC, set()).add(flow)
            else:
                self.legible.add(flow)
                self._unnamed.discard(flow)
        named = [heard for heard in hellos if heard[3].host]
        if named:
            flows, frames, ts_ns, said = zip(*named, strict=True)
            hosts, outer = [hello.host for hello in said], [hello.outer for hello in said]
            where = (outer, frames, ts_ns)
            self.names.mentions.add_each(flows, hosts, NameSource.QUIC_SNI, *where)

    def hear_requests(self, requests: Sequence[Heard[PlainRequest]]) -> None:
        """Takes in requests of HTTP for one host each. As `hear` would of their readings."""
        if requests:
            flows, frames, ts_ns, said = zip(*requests, strict=True)
            hosts, outer = [request.host for request in said], [False] * len(said)
            self.names.mentions.add_each(flows, hosts, NameSource.HTTP_HOST, outer, frames, ts_ns)

    def _hide(self, mark: str, flow: int) -> None:
        self.hiding.setdefault(HIDING_MARKS[mark], set()).add(flow)

    def flows_hiding(self) -> dict[str, set[int]]:
        """`hiding`, with the flows of QUIC in which no name was read."""
        if not self._unnamed:
            return self.hiding
        return {**self.hiding, QUIC: self.hiding.get(QUIC, set()) | self._unnamed}

    def _hear_quic(self, reading: Reading, flow: int) -> None:
        """One hello with a name makes a flow legible, one without hides for good."""
        if not _HIDING.isdisjoint(reading.marks):
            self.hiding.setdefault(QUIC, set()).add(flow)
        elif reading.spoken:
            self.legible.add(flow)
            self._unnamed.discard(flow)
        elif flow not in self.legible:
            self._unnamed.add(flow)

    @staticmethod
    def _is_question(spoken: Spoken, reading: Reading, message: Said) -> bool:
        if spoken.source in LINK_SOURCES:
            response = "dns-response" in reading.marks
            return not stays_on_link(spoken, response, message.sender, message.receiver)
        return spoken.source is NameSource.DNS_QUERY

    def _answer(self, spoken: Spoken, name: Name, message: Said) -> None:
        """An answer names an address; or shows a question that the capture itself does not have.

        An address is believed from a resolver only, and only for a question whose query was seen:
        whoever can invent an answer could let any name vouch for any address.
        """
        if spoken.address is not None:
            if message.from_resolver and self._was_queried(spoken):
                self.names.answer(spoken.address, name)
                self.names.answered(spoken.host, spoken.address)
            return
        if spoken.beside and message.from_resolver:
            return
        qtype = spoken.qtype or "?"
        if not self.names.was_asked(spoken.host, qtype):
            resolver = message.sender if message.from_resolver else message.receiver
            self.names.mentions.add(message.flow, name)
            self.names.ask(spoken.host, qtype, resolver, name.frame, name.ts_ns, queried=False)

    def _was_queried(self, spoken: Spoken) -> bool:
        return spoken.question is not None and self.names.was_queried(*spoken.question)
