"""READ FIRST. Evidence in, Audit out: the recipe, and the only file that knows the order.

    capture → decode → flows ⇄ names → attribute → classify → judge

Frames come in batches and become packets, packets become rows of the table of flows, and the first
bytes of each flow are offered to the readers of names until they have enough. When the capture has
been read, the flows are summed into observations, their far ends looked up in the lists, and the
judge compares what is left with the claim.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network

import numpy as np

from egress_audit.addresses import Scope
from egress_audit.attribute.directions import (
    INTERNAL,
    Far,
    far_sides,
    unasked_answers,
    unprompted_errors,
)
from egress_audit.attribute.observations import MAX_OBSERVATIONS, Observing
from egress_audit.attribute.opaque import hidden_by_port, sum_of, tunnels
from egress_audit.attribute.own_addresses import Sides, foreign_flows, is_loopback, sides_of
from egress_audit.attribute.owners import NoOwners
from egress_audit.attribute.questions import questions
from egress_audit.capture.timeline import Timeline
from egress_audit.classify.destination import Classifier
from egress_audit.columns import FlowColumns, FrameSource, PacketBatch
from egress_audit.decode.duplicates import duplicates
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import packets_of
from egress_audit.flows.heads import DNS_PORT, Datagram, Head, Heads, dns_datagrams
from egress_audit.flows.table import MAX_FLOWS, Assigned, FlowTable
from egress_audit.flows.view import columns_of, flow_at
from egress_audit.judge.assertions import assertions_of
from egress_audit.judge.case import Case
from egress_audit.judge.headline import headline
from egress_audit.judge.rules import findings
from egress_audit.judge.verdict import blind_spots, verdict
from egress_audit.model.audit import Assertion, Audit, EvidenceItem, ListUsed, Observation
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.evidence import CaptureFacts, Coverage
from egress_audit.model.flow import Flow, Name
from egress_audit.names.dns import read_message
from egress_audit.names.flow_names import FarEnds, FlowNames
from egress_audit.names.hearing import NO_NAME, Hearing, Message
from egress_audit.names.stream import read_head

RULES_VERSION = 1
"""Raised by every change after which the same evidence could be judged differently."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a person asserts, before it is bound to the evidence."""

    words: tuple[str, ...] = ()
    who: str | None = None
    when: str | None = None
    why: str | None = None

    def bound_to(self, evidence: tuple[str, ...]) -> tuple[Assertion, ...]:
        """The assertions about captures with these sha256."""
        return assertions_of(
            self.words, evidence=evidence, who=self.who, when=self.when, why=self.why
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a capture is kept; what lies beyond is counted, and is a blind spot."""

    max_flows: int = MAX_FLOWS
    max_observations: int = MAX_OBSERVATIONS
    """Rows of questions, and of contacts, before the row that sums the rest."""


class Listening:
    """A capture as it is read: frames, packets, flows and names, batch by batch."""

    def __init__(self, source: FrameSource, bounds: Bounds) -> None:
        self._source = source
        self.ledger = Ledger()
        self.timeline = Timeline()
        self.table = FlowTable(max_flows=bounds.max_flows)
        self.heads = Heads()
        self.hearing = Hearing()
        self.duplicates = 0
        self.unread: Counter[str] = Counter()
        """DNS datagrams that could not be read, by reason."""

    def batches(self) -> Iterator[tuple[PacketBatch, Assigned]]:
        """Reads everything; yields each batch once it has been taken in."""
        for batch in self._source:
            self.timeline.take(batch)
            self.duplicates += int(duplicates(batch).sum())
            packets = packets_of(batch, self.ledger)
            assigned = self.table.add(packets)
            for datagram in dns_datagrams(packets, assigned):
                self._hear_datagram(datagram)
            for head in self.heads.take(packets, assigned):
                self._hear_head(head)
            yield packets, assigned
        self.heads.finish()

    def _hear_datagram(self, datagram: Datagram) -> None:
        reading = read_message(datagram.payload, datagram.complete)
        if reading.unread:
            self.unread[f"DNS, {reading.unread}"] += 1
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


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit, and the flows behind it."""

    name: str
    """File name of the capture, for the envelope; `-` for standard input."""
    audit: Audit
    flows: FlowColumns
    sides: Sides
    names: FlowNames
    classifier: Classifier

    def flow_records(self) -> Iterator[tuple[Flow, tuple[Name, ...], Destination | Absent]]:
        """Every flow with its names and destination, made one at a time."""
        return (self.flow_record(row) for row in range(len(self.flows)))

    def flow_record(self, row: int) -> tuple[Flow, tuple[Name, ...], Destination | Absent]:
        """One flow, with its names and the destination of its far side."""
        orig, resp = bool(self.sides.local_orig[row]), bool(self.sides.local_resp[row])
        flow = flow_at(self.flows, row, local_orig=orig, local_resp=resp)
        far = flow.resp_h if isinstance(flow.far_h, Absent) else flow.far_h
        return flow, self.names.of(row), self.classifier.destination(far)


def audited(
    source: FrameSource,
    claim: Claim,
    classifier: Classifier,
    *,
    local: Sequence[IPv4Network | IPv6Network] = (),
    asserted: Asserted = Asserted(),
    bounds: Bounds = Bounds(),
    on_batch: Callable[[PacketBatch, Assigned], None] | None = None,
) -> Audited:
    """Reads a capture to its end and judges it. Raises WrongUsage for an unknown assertion.

    local: addresses that are ours; bounds: how much is kept of it; on_batch: sees every batch of
    packets with its flows.
    """
    heard = Listening(source, bounds)
    for packets, assigned in heard.batches():
        if on_batch is not None:
            on_batch(packets, assigned)
    facts, flows = source.facts(), columns_of(heard.table)
    sides = sides_of(flows, local)
    far = far_sides(flows, sides)
    ends = FarEnds(flows.version, far.hi, far.lo, flows.ts_ns)
    names = FlowNames(heard.hearing.names, ends, facts.host_records)
    limit = bounds.max_observations
    observations = _observations(heard.hearing, flows, far, names, classifier, limit)
    case = Case(
        claim=claim,
        coverage=_coverage(heard, facts, flows, far, sides, names),
        observations=observations,
        own_addresses=sides.own,
        assertions=asserted.bound_to((facts.sha256,)),
        lists=_lists_used(claim, observations, classifier),
        owners_known=NoOwners().knows_any,
    )
    return Audited(facts.name, _judged(case, facts), flows, sides, names, classifier)


def _observations(
    hearing: Hearing,
    flows: FlowColumns,
    far: Far,
    names: FlowNames,
    classifier: Classifier,
    limit: int,
) -> tuple[Observation, ...]:
    """Questions first, then contacts, `limit` of each; numbered from 1 in that order."""
    name_set, name_sets = names.far_names()
    telling = replace(flows, first_frame=names.telling_frames(flows.first_frame))
    destination_of = classifier.destination
    observing = Observing(telling, far, name_set, name_sets, hearing.tls, destination_of, limit)
    asked = questions(hearing.names.questions(), destination_of, limit)
    rows = [*asked, *observing.contacts()]
    return tuple(replace(row, id=number) for number, row in enumerate(rows, 1))


def _lists_used(
    claim: Claim, observations: Iterable[Observation], classifier: Classifier
) -> tuple[ListUsed, ...]:
    """The lists, if they were asked anything or the claim would have asked them."""
    places = (p for seen in observations for p in (seen.destination, *seen.answer_destinations))
    asked = claim.uses_lists or any(place.scope is Scope.GLOBAL for place in places)
    return classifier.used if asked else ()


def _coverage(
    heard: Listening,
    facts: CaptureFacts,
    flows: FlowColumns,
    far: Far,
    sides: Sides,
    names: FlowNames,
) -> Coverage:
    """The ledger of one capture."""
    drops = [interface.drops for interface in facts.interfaces]
    known = [count for count in drops if not isinstance(count, Absent)]
    near = is_loopback(flows.version, far.hi, far.lo) | (far.direction == INTERNAL)
    hiding = heard.hearing.hiding
    said = {kind: len(rows) for kind, rows in hiding.items()}
    said_near = {k: int(near[list(rows)].sum()) for k, rows in hiding.items() if k != NO_NAME}
    table = heard.hearing.names
    return Coverage(
        frames=heard.ledger.frames,
        packets=heard.ledger.packets,
        no_destination=sum_of(heard.ledger.no_destination),
        undecoded=sum_of(heard.ledger.undecoded),
        partial=sum_of(heard.ledger.partial),
        truncated=heard.ledger.truncated,
        duplicates=heard.duplicates,
        drops=sum(known) if known and len(known) == len(drops) else Absent.NOT_FOUND,
        interfaces=facts.interfaces,
        first_ts_ns=heard.timeline.first_ts_ns,
        last_ts_ns=heard.timeline.last_ts_ns,
        longest_silence=heard.timeline.longest_silence,
        time_reversals=heard.timeline.reversals,
        frames_without_time=facts.frames_without_time,
        damage=facts.damage,
        skipped_blocks=sum_of(facts.skipped_blocks),
        flows=len(flows),
        flows_evicted=heard.table.evicted,
        unread_heads=sum_of(heard.heads.unread, heard.unread),
        hidden_names=sum_of(said, hidden_by_port(flows, np.ones(len(flows), np.bool_))),
        hidden_near={k: n for k, n in sum_of(said_near, hidden_by_port(flows, near)).items() if n},
        tunnels=sum_of(tunnels(flows)),
        names_dropped=table.dropped + names.cut + heard.heads.unremembered,
        one_way_flows=int((flows.one_sided | unasked_answers(flows, far)).sum()),
        unprompted_errors=unprompted_errors(flows, far),
        foreign_flows=foreign_flows(flows, sides),
        gap_flows=int((flows.missed_bytes > 0).sum()),
        missed_bytes=int(flows.missed_bytes.sum()),
        conflicting_segments=heard.heads.conflicting,
        probes=Absent.NOT_APPLICABLE,
        host_records=facts.host_records,
        host_records_beyond=facts.host_records_beyond,
    )


def _judged(case: Case, facts: CaptureFacts) -> Audit:
    """The document: what was found, what was not seen, and what follows."""
    found, spots = findings(case), blind_spots(case)
    concluded = verdict(found, spots)
    return Audit(
        rules_version=RULES_VERSION,
        verdict=concluded,
        headline=headline(case, concluded, found, spots),
        subject=case.subject,
        claim=case.claim,
        evidence=(EvidenceItem(facts.sha256, facts.size, facts.format, facts.format_detail),),
        own_addresses=case.own_addresses,
        coverage=case.coverage,
        findings=found,
        blind_spots=spots,
        assertions=case.assertions,
        observations=case.observations,
        lists=case.lists,
    )
