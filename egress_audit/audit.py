"""READ FIRST. Evidence in, Audit out: the recipe, and the only file that knows the order.

    capture → decode → flows ⇄ names → attribute → classify → judge

Frames come in batches and become packets, packets become rows of the table of flows, and the first
bytes of each flow are offered to the readers of names until they have enough (listening.py). When
the capture has been read, the flows are summed into observations, their far ends looked up in the
lists, and the judge compares what is left with the claim. A bundle is a capture with the account of
its recorder, which names senders, phases and conditions (recorded.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from egress_audit.addresses import Scope
from egress_audit.attribute.directions import far_sides
from egress_audit.attribute.observations import Observing
from egress_audit.attribute.own_addresses import sides_of
from egress_audit.attribute.questions import nobody, questions
from egress_audit.audited import Audited, DestinationOf
from egress_audit.classify.destination import Classifier
from egress_audit.classify.simulated import simulated_too
from egress_audit.columns import FrameSource, PacketBatch
from egress_audit.coverage import Traffic, coverage_of
from egress_audit.endpoints import ReadCatalogue, recognised
from egress_audit.flows.table import Assigned
from egress_audit.flows.view import columns_of
from egress_audit.judge.assertions import assertions_of
from egress_audit.judge.attempts import addresses_tried
from egress_audit.judge.case import Case
from egress_audit.judge.headline import headline
from egress_audit.judge.permission import literals_elsewhere
from egress_audit.judge.rules import findings
from egress_audit.judge.timers import late_callers, switched_callers
from egress_audit.judge.verdict import blind_spots, verdict
from egress_audit.listening import USUAL_BOUNDS, Bounds, Listening
from egress_audit.model.audit import Assertion, Audit, EvidenceItem, ListUsed, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts
from egress_audit.model.run import Run
from egress_audit.model.versions import ProductVersion
from egress_audit.names.flow_names import FarEnds, FlowNames
from egress_audit.names.hearing import Hearing
from egress_audit.recorded import CLOSED, Recorded, Seal, refuse_unusable, sender_of
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.evidence.account import Account

RULES_VERSION = 11
"""Raised by every change after which the same evidence could be judged differently."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a person asserts, before it is bound to the evidence."""

    words: tuple[str, ...] = ()
    who: str | None = None
    when: str | None = None
    why: str | None = None
    versions: tuple[ProductVersion, ...] = ()
    """Of products, as the person knows them. They explain, and lift nothing."""

    def bound_to(self, evidence: tuple[str | Absent, ...]) -> tuple[Assertion, ...]:
        """The assertions about captures with these sha256. Raises WrongUsage for an unknown word,
        and for any about a capture that has none."""
        return assertions_of(
            self.words, evidence=evidence, who=self.who, when=self.when, why=self.why
        )


def audited(
    source: FrameSource,
    claim: Claim,
    classifier: Classifier,
    *,
    catalogue: ReadCatalogue | None = None,
    account: "Account | None" = None,
    seal: Seal = CLOSED,
    local: Sequence[IPv4Network | IPv6Network] = (),
    asserted: Asserted = Asserted(),
    bounds: Bounds = USUAL_BOUNDS,
    on_batch: Callable[[PacketBatch, Assigned], None] | None = None,
) -> Audited:
    """Reads a capture to its end and judges it.

    catalogue: gives that of endpoints, if asked; account: what its recorder noted, and `seal`, how
    both were found; local: addresses that are ours, where no account says so; bounds: how much is
    kept; on_batch: sees each batch. Raises as `refuse_unusable` and `Asserted.bound_to` do.
    """
    refuse_unusable(account, local)
    heard = Listening(source, bounds)
    recorded = None if account is None else Recorded(account, seal)
    _read(heard, recorded, on_batch)
    facts = source.facts()
    traffic = _traffic(heard, facts, local, recorded)
    noted = Absent.NOT_APPLICABLE if recorded is None else recorded.account.run
    destination_of = _destinations(classifier, noted)
    observations = _observations(heard.hearing, traffic, destination_of, bounds.max_observations)
    items = (*_evidence_items(facts), *seal.items)
    known = recognised(observations, claim, noted, catalogue, _versions(recorded, asserted))
    case = Case(
        claim=claim,
        coverage=coverage_of(heard, facts, traffic, recorded),
        observations=known.observations,
        own_addresses=traffic.sides.own,
        assertions=asserted.bound_to(tuple(item.sha256 for item in items)),
        lists=_lists_used(claim, observations, classifier),
        owners_known=recorded is not None,
        run=noted,
        endpoints=known.entries,
        catalogue=known.lists,
        callers=known.callers,
        versions=known.versions,
        tried=known.tried,
        aliases=heard.hearing.names.aliases(),
        named={address: destination_of(address) for address in _named(known.observations, noted)},
    )
    owned = None if traffic.senders is None else traffic.senders.owned
    said = facts.name, _judged(case, items), traffic.flows, traffic.sides, traffic.names
    return Audited(*said, destination_of, case, owned, facts.parts)


def _read(
    heard: Listening,
    recorded: Recorded | None,
    on_batch: Callable[[PacketBatch, Assigned], None] | None,
) -> None:
    """Reads everything; the last batch is let go of when it is done."""
    for packets, assigned in heard.batches():
        if recorded is not None:
            recorded.take(packets, assigned)
        if on_batch is not None:
            on_batch(packets, assigned)


def _destinations(classifier: Classifier, run: Run | Absent) -> DestinationOf:
    """What the lists say of an address, and of a run which addresses we invented."""
    if isinstance(run, Absent):
        return classifier.destination
    return simulated_too(classifier.destination, run.synthetic, run.our_resolvers)


def _evidence_items(facts: CaptureFacts) -> Iterator[EvidenceItem]:
    """What was read: one capture, or each of those that were merged."""
    for part in facts.parts or (facts,):
        yield EvidenceItem(part.sha256, part.size, part.format, part.format_detail)


def _traffic(
    heard: Listening,
    facts: CaptureFacts,
    local: Sequence[IPv4Network | IPv6Network],
    recorded: Recorded | None,
) -> Traffic:
    """The flows with their ends, names and senders, once everything has been read."""
    flows = columns_of(heard.table)
    heard.table.release()
    senders = heard.dialects.senders(flows, facts) if recorded is None else None
    if recorded is None:
        sides = sides_of(flows, local)
    else:
        sides = sides_of(flows, recorded.own_addresses, "recorded")
    far = far_sides(flows, sides, None if recorded is None else recorded.from_clients(flows))
    heard.hearing.settle(far.is_ours)
    if recorded is not None:
        recorded.lead(heard.hearing.names)
        senders = recorded.senders(flows, far)
    ends = FarEnds(flows.version, far.hi, far.lo, flows.ts_ns)
    names = FlowNames(heard.hearing.names, ends, facts.host_records)
    isolated = recorded is not None and recorded.account.run.rung.sees_all
    return Traffic(flows, sides, far, names, senders, isolated)


def _observations(
    hearing: Hearing, traffic: Traffic, destination_of: DestinationOf, limit: int
) -> tuple[Observation, ...]:
    """Questions first, then contacts, `limit` of each; numbered from 1 in that order."""
    flows, names, senders = traffic.flows, traffic.names, traffic.senders
    name_set, name_sets = names.far_names()
    telling = replace(flows, first_frame=names.telling_frames(flows.first_frame))
    observing = Observing(
        telling, traffic.far, name_set, name_sets, hearing.tls, destination_of, limit, senders
    )
    asker = nobody if senders is None else sender_of(names, senders)
    asked = questions(hearing.names.questions(), destination_of, limit, asker)
    return (*asked, *observing.contacts(first_id=len(asked) + 1))


def _versions(recorded: Recorded | None, asserted: Asserted) -> tuple[ProductVersion, ...]:
    """What was seen, and what is stated of it."""
    seen = () if recorded is None else recorded.account.versions
    return (*seen, *asserted.versions)


def _named(observations: Iterable[Observation], run: Run | Absent) -> set[str]:
    """Addresses that have no row of their own: a system call named them, or a proxy was asked."""
    asked = (address for seen in observations for address in literals_elsewhere(seen))
    return addresses_tried(run).union(asked)


def _lists_used(
    claim: Claim, observations: Iterable[Observation], classifier: Classifier
) -> tuple[ListUsed, ...]:
    """The lists, if they were asked anything or the claim would have asked them."""
    places = (p for seen in observations for p in (seen.destination, *seen.answer_destinations))
    asked = claim.uses_lists or any(place.scope is Scope.GLOBAL for place in places)
    return classifier.used if asked else ()


def _entries_told(case: Case) -> tuple[Entry, ...]:
    """The entries of the catalogue that the document names, each once, by id."""
    others = (*late_callers(case), *switched_callers(case))
    told = dict(case.endpoints) | {entry.id: entry for entry in others}
    return tuple(told[identifier] for identifier in sorted(told))


def _judged(case: Case, items: tuple[EvidenceItem, ...]) -> Audit:
    """The document: what was found, what was not seen, and what follows."""
    found, spots = findings(case), blind_spots(case)
    concluded = verdict(found, spots)
    return Audit(
        rules_version=RULES_VERSION,
        verdict=concluded,
        headline=headline(case, concluded, found, spots),
        subject=case.subject,
        claim=case.claim,
        evidence=items,
        own_addresses=case.own_addresses,
        coverage=case.coverage,
        findings=found,
        blind_spots=spots,
        assertions=case.assertions,
        observations=case.observations,
        lists=(*case.lists, *case.catalogue),
        run=case.run,
        endpoints=_entries_told(case),
        versions=case.versions.rows,
    )
