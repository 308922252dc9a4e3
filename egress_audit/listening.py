"""A capture as it is read: frames become packets, flows and names, batch by batch."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from egress_audit.attribute.observations import MAX_OBSERVATIONS
from egress_audit.capture.timeline import Timeline
from egress_audit.columns import FrameSource, PacketBatch
from egress_audit.decode.duplicates import duplicates
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import Decoder
from egress_audit.flows.heads import DNS_PORT, Datagram, Head, Heads, dns_datagrams
from egress_audit.flows.table import MAX_FLOWS, Assigned, FlowTable
from egress_audit.names.dns import read_message
from egress_audit.names.hearing import Hearing, Message
from egress_audit.names.stream import read_head


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
        self.duplicates = 0
        self.unread_in: dict[str, array[int]] = {}
        """Flows of the DNS datagrams that could not be read, one for each, by reason."""

    def batches(self) -> Iterator[tuple[PacketBatch, Assigned]]:
        """Reads everything; yields each batch once it has been taken in."""
        for batch in self._source:
            self.timeline.take(batch)
            self.duplicates += int(duplicates(batch).sum())
            packets = self.decoder.packets(batch, self.ledger)
            yield packets, self._take(packets)
        left = self.decoder.finish()
        if left is not None:
            yield left, self._take(left)
        self.heads.finish()

    def _take(self, packets: PacketBatch) -> Assigned:
        """Puts packets into their flows, and offers what they say to the readers."""
        assigned = self.table.add(packets)
        for datagram in dns_datagrams(packets, assigned):
            self._hear_datagram(datagram)
        for head in self.heads.take(packets, assigned):
            self._hear_head(head)
        return assigned

    def _hear_datagram(self, datagram: Datagram) -> None:
        reading = read_message(datagram.payload, datagram.complete)
        if reading.unread:
            self.unread_in.setdefault(f"DNS, {reading.unread}", array("q")).append(datagram.flow)
        self.hearing.hear(reading, self._message(datagram))

    def _hear_head(self, head: Head) -> None:
        """Offers a head to the readers; a second reading of contradicting segments too."""
        stream, *others = head.streams
        outcome = read_head(stream, dns=head.dns, begin=head.read_from)
        self.hearing.hear(outcome, self._message(head), heard=head.heard)
        head.read_from, head.heard = outcome.consumed, len(outcome.spoken) - outcome.done
        head.midway = outcome.hungry
        for other in others:
            self.hearing.hear(read_head(other, dns=head.dns), self._message(head))
        self.heads.settle(head, hungry=outcome.hungry or head.dns, unread=outcome.unread or "")

    def _message(self, part: Datagram | Head) -> Message:
        ends, ports = self.table.ends(part.flow), self.table.ports(part.flow)
        (sender, receiver), (port, to) = (
            (ends, ports) if part.by_orig else (ends[::-1], ports[::-1])
        )
        from_resolver = port == DNS_PORT != to
        return Message(part.flow, part.frame, part.ts_ns, sender, receiver, from_resolver)
