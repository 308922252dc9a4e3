"""What readers found, put where the judge will look: by flow, by address, by question."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.dns_queries import Queries
from egress_audit.names.link_names import LINK_SOURCES, stays_on_link
from egress_audit.names.plain_hello import PlainHello
from egress_audit.names.plain_request import PlainRequest
from egress_audit.names.reading import Reading, Spoken
from egress_audit.names.table import NameTable

NO_NAME = "TLS without a server name"
QUIC = "QUIC"
HIDING_MARKS = {
    "no-sni": NO_NAME,
    "ech": "TLS with an encrypted ClientHello",
    "socks": "SOCKS",
    "http2-tunnel": "tunnels in HTTP/2",
    "quic-version": QUIC,
}
"""Marks of a reading that say: a name was hidden here. Mark → its words in the report."""
_HIDING = frozenset(HIDING_MARKS)
ANSWERS = (NameSource.DNS_ANSWER, NameSource.DNS_UNPROVEN)
"""Sources of what a response of the DNS says."""

MAPPED = "::ffff:"
"""In front of an IPv4 address in dots: an IPv4-mapped one (RFC 4291 §2.5.5.2)."""
MAX_DOUBTFUL = 1 << 14
"""Names that wait until it is known whose side wrote them; each takes some 500 bytes."""

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
    def by_orig(self) -> bool: ...
    @property
    def from_resolver(self) -> bool:
        """It was sent from the port of the DNS, to another one: it may answer, though the query was
        not seen. What anybody else then calls an answer may be the asker's own invention."""
        ...

    @property
    def from_dns_port(self) -> bool:
        """It was sent from the port of the DNS, to whichever; of a stream, by who was called."""
        ...


class Hearing:
    """Collects the names of one body of evidence."""

    def __init__(self) -> None:
        self.names = NameTable()
        self.tls: set[int] = set()
        """Flows in which a TLS ClientHello was seen."""
        self.hiding: dict[str, set[int]] = {}
        """Flows whose protocol hides the name, by the words of HIDING_MARKS."""
        self.legible: set[int] = set()
        """Flows whose port promises hidden names, and whose names were read."""
        self.compressed: set[int] = set()
        """Flows of HTTP/2: its requests refer to earlier ones."""
        self._unnamed: set[int] = set()
        """Flows of QUIC in which no name was heard."""
        self._queries = Queries()
        self._doubtful: dict[tuple[int, bool, str], tuple[Name, str, str]] = {}
        """By flow, whether its originator wrote it, and host: an owner of records that answer no
        query that was seen; its type, and whom it was sent to."""

    def hear(self, reading: Reading, message: Said, *, heard: int = 0) -> None:
        """Takes in what one message said, from its name number `heard` on."""
        if not (reading.marks or reading.spoken):
            return
        flow = message.flow
        self._hear_marks(reading, flow)
        if not reading.spoken:
            return
        answers = "dns-response" in reading.marks and self._answers(reading, message)
        where = message.ts_ns, message.frame
        for spoken in reading.spoken[heard:]:
            name = Name(spoken.host, spoken.source, *where, outer=spoken.outer)
            if spoken.source in ANSWERS:
                self._answer(spoken, name, message, answers)
                continue
            self.names.mentions.add(flow, name)
            if spoken.source is NameSource.DNS_QUERY:
                by_orig, transaction = message.by_orig, reading.transaction
                self._queries.take(flow, by_orig, transaction, spoken.host, spoken.qtype)
            elif not self._is_link_question(spoken, reading, message):
                continue
            self.names.ask(
                spoken.host, spoken.qtype or "?", message.receiver, name.frame, name.ts_ns
            )

    def hear_unopened(self, flow: int) -> None:
        """As `hear` of a datagram of QUIC of which nothing was read."""
        if flow not in self.legible:
            self._unnamed.add(flow)

    def _hear_marks(self, reading: Reading, flow: int) -> None:
        if "tls" in reading.marks and ("no-sni" in reading.marks or reading.spoken):
            self.tls.add(flow)
        if "quic" in reading.marks:
            self._hear_quic(reading, flow)
        elif not _HIDING.isdisjoint(reading.marks):
            for mark in _HIDING & reading.marks:
                self._hide(mark, flow)
        if "http2" in reading.marks:
            self.compressed.add(flow)
        if "names-read" in reading.marks:
            self.legible.add(flow)

    def settle(self, is_ours: Callable[[int, bool], bool]) -> None:
        """Decides on the names that only records say which answer no query that was seen.

        What our side wrote into them was said, as if it had been asked for. What the far side wrote
        was not: else one datagram of a stranger's would make us ask for anything.

        is_ours: of a flow, and whether its originator sent it, if our side may have. Called once,
        when everything was heard.
        """
        for (flow, by_orig, _), (name, qtype, receiver) in self._doubtful.items():
            if is_ours(flow, by_orig) and not self.names.was_asked(name.host, qtype):
                self._repeat(name, qtype, receiver, flow)
        self._doubtful.clear()

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
        else:
            self.hear_unopened(flow)

    @staticmethod
    def _is_link_question(spoken: Spoken, reading: Reading, message: Said) -> bool:
        if spoken.source not in LINK_SOURCES:
            return False
        response = "dns-response" in reading.marks
        return not stays_on_link(spoken, response, message.sender, message.receiver)

    def _answers(self, reading: Reading, message: Said) -> bool:
        """True if it answers a query that the receiver was seen to send to the sender."""
        flow, by_orig, transaction = message.flow, not message.by_orig, reading.transaction
        for word in reading.spoken:
            if word.question is not None or word.source is not NameSource.DNS_ANSWER:
                continue
            if self._queries.has(flow, by_orig, transaction, word.host, word.qtype):
                return True
        return False

    def _answer(self, spoken: Spoken, name: Name, message: Said, answers: bool) -> None:
        """An answer names an address; or shows a question that the capture itself does not have.

        An address is believed only for a question whose query was seen, and of a resolver: whoever
        can invent an answer could let any name vouch for any address. It proves nothing from a port
        that every program may open, or if the query has another ID or flow: it is thrown away.
        """
        if spoken.question is not None:
            if self.names.was_queried(*spoken.question) and (answers or message.from_resolver):
                taken = answers or self._was_translated(message)
                self._lead(spoken, name, proven=taken and message.from_dns_port)
                if taken and spoken.source is NameSource.DNS_ANSWER:  # no server that records name
                    self.names.led_on(spoken.question[0], spoken.host, spoken.leads_to)
            return
        qtype = spoken.qtype or "?"
        if not spoken.owner:
            if not self.names.was_asked(name.host, qtype):  # Addresses take long to write.
                resolver = message.sender if message.from_resolver or answers else message.receiver
                self._repeat(name, qtype, resolver, message.flow)
        elif not (answers or (message.from_resolver and self._is_added(spoken, message))):
            self._doubt(name, qtype, message)

    def _was_translated(self, message: Said) -> bool:
        """True if its sender is as Docker's 127.0.0.11: the kernel changes the port of a query."""
        asked = self._queries.has_any(message.flow, not message.by_orig)
        return message.sender.startswith("127.") and not asked

    def _is_added(self, owner: Spoken, message: Said) -> bool:
        """True if a resolver may have added a record: beside, or anywhere once it was asked."""
        return owner.beside or self._queries.has_any(message.flow, not message.by_orig)

    def _lead(self, spoken: Spoken, name: Name, *, proven: bool) -> None:
        """The name leads to an address, and the IPv4 one it may stand for; or to another host."""
        if not proven:
            name = replace(name, source=NameSource.DNS_UNPROVEN)
        if (address := spoken.address) is None:
            self.names.alias(spoken.leads_to or spoken.host, name)
            return
        self.names.lead(address, name)
        if address.startswith(MAPPED) and "." in address:
            self.names.lead(address.removeprefix(MAPPED), name)
        if name.source is NameSource.DNS_ANSWER:
            self.names.answered(name.host, address)

    def _doubt(self, name: Name, qtype: str, message: Said) -> None:
        """Lets a name wait for `settle`; beyond MAX_DOUBTFUL it is counted."""
        key = message.flow, message.by_orig, name.host
        if key not in self._doubtful and len(self._doubtful) >= MAX_DOUBTFUL:
            self.names.questions_dropped += 1
            return
        self._doubtful.setdefault(key, (name, qtype, message.receiver))

    def _repeat(self, name: Name, qtype: str, resolver: str, flow: int) -> None:
        """A message repeats a question that nobody was heard to ask: it is one of its own."""
        self.names.mentions.add(flow, name)
        self.names.ask(name.host, qtype, resolver, name.frame, name.ts_ns, queried=False)
