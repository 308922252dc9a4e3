"""The ledger of one body of evidence: what was watched, and how well."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from egress_audit.attribute.directions import (
    INBOUND,
    INTERNAL,
    RECEIVED,
    Far,
    unasked_answers,
    unprompted_errors,
)
from egress_audit.attribute.midway import MIDWAY, seen_from_middle
from egress_audit.attribute.observations import Senders
from egress_audit.attribute.opaque import hiding_by_port, sum_of, tunnels
from egress_audit.attribute.own_addresses import Sides, foreign_flows
from egress_audit.attribute.resolver_flows import (
    asked_through_http,
    over_http,
    rows_to,
    unreadable,
)
from egress_audit.classify.resolvers import Asked, known_resolvers
from egress_audit.columns import Bool, FlowColumns, is_loopback
from egress_audit.judge.phases import proven_phases
from egress_audit.listening import Listening
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, Coverage
from egress_audit.model.flow import NameSource
from egress_audit.names.flow_names import FlowNames
from egress_audit.names.hearing import NO_NAME, QUIC
from egress_audit.names.odd_names import ODD_NAME, rows_of_odd_names
from egress_audit.names.table import NameTable
from egress_audit.recorded import Recorded, sum_of_all
from egress_audit.values import dataclass

OF_THE_FAR_END = (
    NameSource.TLS_SNI,
    NameSource.QUIC_SNI,
    NameSource.HTTP_HOST,
    NameSource.HTTP_CONNECT,
    NameSource.HTTP2_AUTHORITY,
    NameSource.SOCKS,
)
"""How a resolver is addressed that is asked through HTTP."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The flows of one body of evidence, with what is known of their ends, names and senders."""

    flows: FlowColumns
    sides: Sides
    far: Far
    names: FlowNames
    senders: Senders | None
    """None where nobody is named."""
    isolated: bool = False
    """True where the loopback is that of a sandbox: whoever serves there belongs to the program,
    and what it passes on is in the capture too."""

    @property
    def near(self) -> Bool:
        """(n,) True for flows that stay on the machine."""
        flows, far = self.flows, self.far
        home: Bool = is_loopback(flows.version, far.hi, far.lo) | (far.direction == INTERNAL)
        return home

    @property
    def telling(self) -> Bool:
        """(n,) True for judged flows in which a name could be spoken that nothing else shows."""
        return self.judged & ~self.near if self.isolated else self.judged

    @property
    def judged(self) -> Bool:
        """(n,) True for flows that may be the program's; all of them where nobody is named."""
        everything: Bool = np.ones(len(self.flows), np.bool_)
        return everything if self.senders is None else ~self.senders.owned.by_helper


def coverage_of(
    heard: Listening, facts: CaptureFacts, traffic: Traffic, recorded: Recorded | None
) -> Coverage:
    """The ledger, once the capture was read to its end."""
    coverage = _coverage(heard, facts, traffic)
    if recorded is None or traffic.senders is None:
        return coverage
    run = recorded.account.run
    return replace(
        coverage,
        drops=recorded.drops,
        probes=recorded.probes_found,
        phases=proven_phases(run),
        conditions=tuple(f"{setting.name}={setting.value}" for setting in run.conditions),
        recording=recorded.recording(traffic.senders, traffic.far, facts),
    )


def _coverage(heard: Listening, facts: CaptureFacts, traffic: Traffic) -> Coverage:
    """What the capture alone says."""
    flows, far = traffic.flows, traffic.far
    table = heard.hearing.names
    hidden, near = _hidden(heard, traffic)
    given_up = (heard.heads.unread_in, heard.datagrams.unread_in)
    return Coverage(
        frames=heard.ledger.frames,
        packets=heard.ledger.packets,
        no_destination=sum_of(heard.ledger.no_destination),
        undecoded=sum_of(heard.ledger.undecoded),
        partial=sum_of(heard.ledger.partial),
        truncated=heard.ledger.truncated,
        duplicates=heard.duplicates,
        drops=sum_of_all([interface.drops for interface in facts.interfaces]),
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
        unread_heads=sum_of(*(_unread(traffic, said) for said in given_up)),
        hidden_names=hidden,
        hidden_near=near,
        tunnels=sum_of(tunnels(flows, traffic.judged, _named(heard, flows))),
        names_dropped=table.dropped + traffic.names.cut + heard.heads.unremembered,
        one_way_flows=int((flows.one_sided | unasked_answers(flows, far)).sum()),
        unprompted_errors=unprompted_errors(
            flows, far, heard.quotes.columns(), heard.quotes.beyond
        ),
        foreign_flows=foreign_flows(flows, traffic.sides) + _begun_here(heard, traffic),
        loopback_on_wire=heard.ledger.astray,
        gap_flows=int((flows.missed_bytes > 0).sum()),
        missed_bytes=int(flows.missed_bytes.sum()),
        conflicting_segments=heard.heads.conflicting + heard.ledger.conflicting,
        probes=Absent.NOT_APPLICABLE,
        host_records=facts.host_records,
        host_records_beyond=facts.host_records_beyond,
        ended_by_user=facts.ended_by_user,
    )


def _begun_here(heard: Listening, traffic: Traffic) -> int:
    """Flows that seem to be a stranger's, whose address this machine itself sent from: its own
    which was not given, or one that somebody invented here to be called by."""
    flows, far = traffic.flows, traffic.far
    if traffic.sides.own.how != "given":
        return 0
    theirs = np.isin(far.direction, (INBOUND, RECEIVED))
    theirs &= ~is_loopback(flows.version, far.hi, far.lo)
    rows = np.flatnonzero(theirs)
    ends = flows.version[rows], far.hi[rows], far.lo[rows]
    return int(heard.decoder.sent_here.among(*ends).sum())


def _unread(traffic: Traffic, flows_of: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """What could not be read in flows where it matters, by reason."""
    telling = traffic.telling
    return _some({why: int(telling[np.asarray(rows)].sum()) for why, rows in flows_of.items()})


def _hidden(heard: Listening, traffic: Traffic) -> tuple[dict[str, int], dict[str, int]]:
    """Flows whose protocol hides the name, by kind; and those of them that stay on the machine."""
    flows, judged = traffic.flows, traffic.telling
    near = judged & traffic.near
    named = _named(heard, flows)
    hiding = hiding_by_port(flows, heard.hearing.legible, named)
    hiding_by_mark = heard.hearing.flows_hiding()
    unexplained = hiding_by_mark.get(QUIC, set()) | heard.datagrams.unexplained
    for kind, rows in {**hiding_by_mark, QUIC: unexplained}.items():
        hiding.setdefault(kind, np.zeros(len(flows), np.bool_))[list(rows)] = True
    odd = rows_of_odd_names(heard.hearing.names.mentions)
    if odd:
        hiding[ODD_NAME] = np.isin(np.arange(len(flows)), odd)
    midway = seen_from_middle(flows, heard.hearing.compressed)
    hiding[MIDWAY] = midway & ~named
    said = {kind: int((judged & rows).sum()) for kind, rows in hiding.items()}
    beside = {
        k: int((near & rows).sum()) for k, rows in hiding.items() if k not in (NO_NAME, ODD_NAME)
    }
    asked = _asked_through_http(heard.hearing.names, traffic)
    return sum_of(_some(said), asked), sum_of(_some(beside))


def _named(heard: Listening, flows: FlowColumns) -> Bool:
    """(n,) True for flows in which a name was said."""
    return heard.hearing.names.mentions.said_in(len(flows))


def _some(counted: Mapping[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counted.items() if count}


def _asked_through_http(table: NameTable, traffic: Traffic) -> Mapping[str, int]:
    """Flows to resolvers that are known by a name in the evidence or by their address, by kind.

    One that is only known by its address is asked at the ports of HTTP; one that is named, at any
    port and through any proxy.
    """
    flows, resolvers, among = traffic.flows, known_resolvers(), traffic.telling
    outside = among & ~traffic.near
    at_ports, anywhere = outside & over_http(flows), outside & unreadable(flows)
    by_name: dict[str, Asked] = {}
    for address in table.addresses():
        for name in table.answers_for(address):
            asked = resolvers.asked_at(name.host)
            if asked is not None:
                by_name[address] = asked
    own_kind = {address for address, asked in by_name.items() if asked is Asked.HTTPDNS}
    at = resolvers.addresses | by_name
    led_to = rows_to(flows, traffic.far, at, at_ports) if at_ports.any() else {}
    led_to |= rows_to(flows, traffic.far, own_kind, anywhere) if own_kind else {}
    rows_of = [(at[address].value, rows) for address, rows in led_to.items()]
    said = {host: resolvers.asked_at(host) for host in table.mentions.hosts}
    known = {host: asked for host, asked in said.items() if asked is not None}
    for row, name in table.mentions.saying(known):
        if name.source in OF_THE_FAR_END:
            rows_of.append((known[name.host].value, np.array([row])))
    return asked_through_http(rows_of, among & unreadable(flows))
