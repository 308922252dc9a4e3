"""A capture as it is read: frames become packets, flows and names, batch by batch."""

from collections.abc import Iterator
from copy import deepcopy

import numpy as np

from egress_audit.attribute.capture_dialects import CaptureDialects
from egress_audit.attribute.observations import MAX_OBSERVATIONS
from egress_audit.capture.timeline import Timeline
from egress_audit.columns import I64, U8, Annotations, FrameSource, PacketBatch
from egress_audit.decode.duplicates import Duplicates
from egress_audit.decode.further_readings import among
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import Decoder
from egress_audit.flows.datagrams import Datagram, Datagrams
from egress_audit.flows.glance import UNKNOWN, Done, Glance, Look
from egress_audit.flows.head import Head
from egress_audit.flows.heads import Heads
from egress_audit.flows.quotes import Quotes
from egress_audit.flows.table import MAX_FLOWS, Assigned, FlowTable
from egress_audit.flows.urgent import URGENT, Urgent
from egress_audit.model.protocols import DNS_PORT
from egress_audit.names.dns import is_no_stream
from egress_audit.names.dns_shape import segments
from egress_audit.names.gquic import PLAIN_VERSIONS
from egress_audit.names.hearing import Heard, Hearing, hellos_of
from egress_audit.names.http import read_further
from egress_audit.names.plain_hello import PlainHello, plain_hello
from egress_audit.names.plain_request import PlainRequest, plain_request
from egress_audit.names.quic import OF_SERVER
from egress_audit.names.quic_protection import SALTS
from egress_audit.names.reading import Reader, Reading
from egress_audit.names.stream import read_head, read_on
from egress_audit.names.udp import SEVERAL, UdpReaders
from egress_audit.names.whole_hellos import Beginning, WholeHellos
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a capture is kept; what lies beyond is counted, and is a blind spot."""

    max_flows: int = MAX_FLOWS
    max_observations: int = MAX_OBSERVATIONS
    """Rows of questions, and of contacts, before the row that sums the rest."""


USUAL_BOUNDS = Bounds()
MAX_WAITING = 1 << 20
"""Bytes of datagrams and hellos that wait to be read, beyond those of one batch. The readers are
much code, and find the caches of the processor full of packets after each batch: reading a batch at
a time took a sixth longer."""
MOST_WAITING = 1 << 14
"""Of both together, beyond those of one batch: each takes some hundred bytes besides, and of those
that a capture cut off at their headers nothing else is there to be counted."""


@dataclass(slots=True)
class Told:
    """Where some bytes were said, and by whom, as the table of flows has it.

    Looked up when it is asked for: writing addresses costs more than reading most heads.
    """

    table: FlowTable
    part: Datagram | Head | Beginning

    @property
    def flow(self) -> int:
        """Row of the flow."""
        return self.part.flow

    @property
    def frame(self) -> int:
        """Of the bytes that came last."""
        return self.part.frame

    @property
    def ts_ns(self) -> int:
        """Of that frame."""
        return self.part.ts_ns

    @property
    def by_orig(self) -> bool:
        """The originator of the flow sent it."""
        return self.part.by_orig

    @property
    def sender(self) -> str:
        """Address that sent."""
        return self.table.end(self.part.flow, of_orig=self.part.by_orig)

    @property
    def receiver(self) -> str:
        """Address it was sent to."""
        return self.table.end(self.part.flow, of_orig=not self.part.by_orig)

    @property
    def from_resolver(self) -> bool:
        """It was sent from the port of the DNS, to another one."""
        port, to = self._ports
        return port == DNS_PORT != to

    @property
    def from_dns_port(self) -> bool:
        """It was sent from the port of the DNS, to whichever; of a stream, by who was called there.

        Whoever calls us from that port was asked nothing, and would vouch for himself.
        """
        called = isinstance(self.part, Datagram) or not self.part.by_orig
        return called and self._ports[0] == DNS_PORT

    @property
    def _ports(self) -> tuple[int, int]:
        """The sender's and the receiver's."""
        ports = self.table.ports(self.part.flow)
        return ports if self.part.by_orig else ports[::-1]


class Listening:
    """A capture as it is read: frames, packets, flows and names, batch by batch."""

    def __init__(self, source: FrameSource, bounds: Bounds) -> None:
        self._source = source
        self.ledger = Ledger()
        self.decoder = Decoder()
        self.timeline = Timeline()
        self.table = FlowTable(max_flows=bounds.max_flows)
        self._hellos = WholeHellos()
        self.heads = Heads(Glance(self._hellos.take, _look, self._hear_looks))
        self.quotes = Quotes()
        self._urgent = Urgent()
        self.hearing = Hearing()
        self.datagrams = UdpReaders()
        self._datagrams: list[Datagram] = []
        self._waiting = 0
        """Bytes of them, which wait to be read, many at a time."""
        self._wanted = Datagrams(SALTS, PLAIN_VERSIONS)
        self.dialects = CaptureDialects()
        self.duplicates = 0
        self._repeated = Duplicates()

    def batches(self) -> Iterator[tuple[PacketBatch, Assigned]]:
        """Reads everything; yields each batch once it has been taken in."""
        for batch in self._source:
            self.timeline.take(batch)
            self.duplicates += int(np.count_nonzero(self._repeated.take(batch)))
            packets = self.decoder.packets(batch, self.ledger)
            assigned = self._take(packets)
            self._take_dialects(batch.annotations, batch.buffer, packets.frame, assigned.flow)
            yield packets, assigned
        left = self.decoder.finish()
        if left is not None:
            assigned = self._take(left)
            self._take_dialects(None, left.buffer, left.frame, assigned.flow)
            yield left, assigned
        self._read_further()
        self._hear_waiting()
        self.table.finish()
        self.heads.finish()
        self.datagrams.finish()

    def _take(self, packets: PacketBatch) -> Assigned:
        """Puts packets into their flows, and offers what they say to the readers."""
        assigned = self.table.add(packets)
        self.quotes.take(packets, assigned)
        readings = self.decoder.further_readings()
        if readings is None:
            self._hear(packets, assigned)
            return assigned
        # What fragments may have said beyond the packets they made is read where it was said, lest
        # the length of a batch decide on what came first.
        further, behind = readings
        theirs = self.table.found(further, behind)
        together, order = among(packets, further, behind)
        flow = np.concatenate([assigned.flow, theirs.flow])[order]
        by_orig = np.concatenate([assigned.by_orig, theirs.by_orig])[order]
        self._hear(together, Assigned(flow, by_orig))
        return assigned

    def _read_further(self) -> None:
        """Offers to the readers what fragments said whose datagrams never became whole."""
        readings = self.decoder.further_readings()
        if readings is not None:
            self._hear(readings[0], self.table.found(*readings))

    def _take_dialects(
        self, annotations: Annotations | None, buffer: U8, frame: I64, flow: I64
    ) -> None:
        """Takes in what stands beside the frames of packets."""
        self.dialects.take(annotations, buffer, frame, flow, self.decoder.waiting)

    def _hear(self, packets: PacketBatch, assigned: Assigned) -> None:
        datagrams = self._wanted.take(packets, assigned)
        self._datagrams += datagrams
        self._waiting += sum([len(datagram.payload) for datagram in datagrams])
        for head in self.heads.take(packets, assigned):
            self._hear_head(head)
        for flow in self._urgent.take(packets, assigned):
            self.heads.give_up(flow, URGENT)
        octets = self._waiting + self._hellos.octets
        count = len(self._datagrams) + self._hellos.count
        if octets >= MAX_WAITING or count >= MOST_WAITING:
            self._hear_waiting()

    def _hear_waiting(self) -> None:
        """Hears the datagrams and the whole hellos of some batches."""
        initials = [self._initial(datagram) for datagram in self._datagrams]
        self.hearing.hear_initials([initial for initial in initials if initial])
        self._datagrams, self._waiting = [], 0
        plain, others = self._hellos.taken()
        for beginning in others:
            self._hear_beginning(beginning)
        for hellos in plain:
            self.hearing.hear_hellos(hellos)

    def _initial(self, datagram: Datagram) -> Heard[PlainHello] | None:
        """The plain hello of QUIC in a datagram; if it is another one, None once it is heard."""
        kind, flow, by_orig, frame, ts_ns, payload, complete = datagram
        if flow in self._wanted.sated and not self._wanted.wants(kind, flow):
            return None
        reading, sated = self.datagrams.read(kind, (flow, by_orig, payload, complete))
        if sated:
            self._wanted.sate(flow)
        if isinstance(reading, PlainHello):
            return flow, frame, ts_ns, reading
        if reading is OF_SERVER:
            self.hearing.hear_unopened(flow)
            return None
        if reading is SEVERAL:
            for message in segments(payload):
                self._initial(datagram._replace(payload=message))
            return None
        self.hearing.hear(reading, Told(self.table, datagram))
        return None

    def _hear_beginning(self, beginning: Beginning) -> None:
        """Offers a stream to the readers that is done with its first payload."""
        reading = read_head(beginning.stream, dns=False)
        self.hearing.hear(reading, Told(self.table, beginning))
        if reading.unread:
            self.heads.give_up(beginning.flow, reading.unread)

    def _hear_looks(self, looks: list[Done]) -> None:
        """Hears what `_look` found."""
        hellos: list[Heard[PlainHello]] = []
        requests: list[Heard[PlainRequest]] = []
        for flow, frame, ts_ns, look in looks:
            if isinstance(look.said, PlainHello):
                hellos.append((flow, frame, ts_ns, look.said))
            else:
                requests.append((flow, frame, ts_ns, look.said))
        self.hearing.hear_hellos(hellos_of(hellos))
        self.hearing.hear_requests(requests)

    def _hear_head(self, head: Head) -> None:
        """Offers a head to the readers; a second reading of contradicting segments too."""
        stream, *others = head.streams
        message = Told(self.table, head)
        said_otherwise = [_reading(other, head.dns, deepcopy(head.reader)) for other in others]
        outcome = _reading(stream, head.dns, head.reader, head.read_from)
        first = head.dns and head.reader is None and not head.read_from
        head.stranger = first and is_no_stream(stream)
        head.dns &= outcome.hungry or not head.stranger
        if any(said.spoken for said in (outcome, *said_otherwise)):
            self._hear_waiting()  # It may answer what a datagram asked.
        self.hearing.hear(outcome, message, heard=head.heard)
        head.read_from, head.heard = outcome.consumed, len(outcome.spoken) - outcome.done
        head.midway, head.optional = outcome.hungry and not outcome.optional, outcome.optional
        for other in said_otherwise:
            self.hearing.hear(other, message)
        self.heads.settle(
            head,
            hungry=outcome.hungry or head.dns,
            unread=outcome.unread or "",
            read=outcome.consumed,
            reader=outcome.then,
        )


def _look(stream: bytes) -> Look:
    """A plain ClientHello or request; with one most streams of clients begin."""
    hello = plain_hello(stream)
    if hello is not None:
        return Look(not hello.needs, hello.needs, said=hello)
    request = plain_request(stream)
    if request is None:
        return UNKNOWN
    return Look(done=True, read=request.end, reader=read_further, said=request)


def _reading(stream: bytes, dns: bool, reader: Reader | None, begin: int = 0) -> Reading:
    """What the bytes of one direction say, from their beginning or on from where it is followed."""
    if reader is not None:
        return read_on(stream, reader)
    return read_head(stream, dns=dns, begin=begin)
