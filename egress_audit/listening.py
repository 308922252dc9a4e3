"""A capture as it is read: frames become packets, flows and names, batch by batch."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from egress_audit.attribute.capture_dialects import CaptureDialects
from egress_audit.attribute.observations import MAX_OBSERVATIONS
from egress_audit.capture.timeline import Timeline
from egress_audit.columns import FrameSource, PacketBatch
from egress_audit.decode.duplicates import duplicates
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import Decoder
from egress_audit.flows.datagrams import Datagram, Datagrams
from egress_audit.flows.head import Head
from egress_audit.flows.heads import DNS_PORT, Heads
from egress_audit.flows.table import MAX_FLOWS, Assigned, FlowTable
from egress_audit.names.gquic import PLAIN_VERSIONS
from egress_audit.names.hearing import Hearing, Message
from egress_audit.names.quic_protection import SALTS
from egress_audit.names.reading import NOTHING, Reader, Reading, anew
from egress_audit.names.stream import read_head, read_on
from egress_audit.names.udp import UdpReaders


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a capture is kept; what lies beyond is counted, and is a blind spot."""

    max_flows: int = MAX_FLOWS
    max_observations: int = MAX_OBSERVATIONS
    """Rows of questions, and of contacts, before the row that sums the rest."""


USUAL_BOUNDS = Bounds()


class Listening:
    """A capture as it is read: frames, packets, flows and names, batch by batch."""

    def __init__(self, source: FrameSource, bounds: Bounds) -> None:
        self._source = source
        self.ledger = Ledger()
        self.decoder = Decoder()
        self.timeline = Timeline()
        self.table = FlowTable(max_flows=bounds.max_flows)
        self.heads = Heads()
        self.hearing = Hearing()
        self.datagrams = UdpReaders()
        self._wanted = Datagrams(SALTS, PLAIN_VERSIONS)
        self.dialects = CaptureDialects()
        self.duplicates = 0

    def batches(self) -> Iterator[tuple[PacketBatch, Assigned]]:
        """Reads everything; yields each batch once it has been taken in."""
        for batch in self._source:
            self.timeline.take(batch)
            self.duplicates += int(duplicates(batch).sum())
            packets = self.decoder.packets(batch, self.ledger)
            assigned = self._take(packets)
            self.dialects.take(batch.annotations, batch.buffer, packets.frame, assigned.flow)
            yield packets, assigned
        left = self.decoder.finish()
        if left is not None:
            yield left, self._take(left)
        self.heads.finish()
        self.datagrams.finish()

    def _take(self, packets: PacketBatch) -> Assigned:
        """Puts packets into their flows, and offers what they say to the readers."""
        assigned = self.table.add(packets)
        for datagram in self._wanted.take(packets, assigned):
            self._hear_datagram(datagram)
        for head in self.heads.take(packets, assigned):
            self._hear_head(head)
        return assigned

    def _hear_datagram(self, datagram: Datagram) -> None:
        said = (datagram.flow, datagram.by_orig, datagram.payload, datagram.complete)
        reading, sated = self.datagrams.read(datagram.kind, said)
        if sated:
            self._wanted.sate(datagram.flow)
        self.hearing.hear(reading, self._message(datagram))

    def _hear_head(self, head: Head) -> None:
        """Offers a head to the readers; a second reading of contradicting segments too."""
        stream, *others = head.streams
        said_otherwise = [_reading(other, head.dns, deepcopy(head.reader)) for other in others]
        outcome = _reading(stream, head.dns, head.reader, head.read_from)
        self.hearing.hear(outcome, self._message(head), heard=head.heard)
        head.read_from, head.heard = outcome.consumed, len(outcome.spoken) - outcome.done
        head.midway, head.optional = outcome.hungry and not outcome.optional, outcome.optional
        for other in said_otherwise:
            self.hearing.hear(other, self._message(head))
        # A capture may begin in the middle of a body, with requests behind it.
        midway = outcome == NOTHING and not head.assembly.origin_known
        self.heads.settle(
            head,
            hungry=outcome.hungry or head.dns,
            unread=outcome.unread or "",
            read=outcome.consumed,
            reader=anew if midway else outcome.then,
        )

    def _message(self, part: Datagram | Head) -> Message:
        ends, ports = self.table.ends(part.flow), self.table.ports(part.flow)
        (sender, receiver), (port, to) = (
            (ends, ports) if part.by_orig else (ends[::-1], ports[::-1])
        )
        from_resolver = port == DNS_PORT != to
        return Message(part.flow, part.frame, part.ts_ns, sender, receiver, from_resolver)


def _reading(stream: bytes, dns: bool, reader: Reader | None, begin: int = 0) -> Reading:
    """What the bytes of one direction say, from their beginning or on from where it is followed."""
    if reader is not None:
        return read_on(stream, reader)
    return read_head(stream, dns=dns, begin=begin)
