"""Blind spots that lie in the traffic itself: what flows hide, lack, or leave open."""

from collections import Counter

from egress_audit.addresses import Scope
from egress_audit.judge.attempts import UNANSWERED
from egress_audit.judge.blind_spots import Spot, always, never
from egress_audit.judge.case import Case
from egress_audit.judge.spots_of_file import AGAIN, NONE, number_of, sum_of
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import TCP


def _guessed(case: Case) -> int | None:
    """Flows that count as answers to somebody only because own addresses were guessed."""
    if case.own_addresses.how != "guessed":
        return None
    guessed = [s for s in case.inbound() if s.destination.scope is not Scope.LOOPBACK]
    return sum(seen.flows for seen in guessed) or None


def _inbound(case: Case) -> int | None:
    reported = case.claim.inbound == "report"
    return (sum(seen.flows for seen in case.answered()) or None) if reported else None


def _service_missing(case: Case) -> int | None:
    """TCP flows to ports of this machine that never answered anybody in this capture.

    Where attempts are recorded it is known who served: see `local-service-absent`.
    """
    if not isinstance(case.run, Absent):
        return None
    silent: Counter[tuple[str | Absent, int | Absent]] = Counter()
    there = set()
    for seen in case.contacts():
        if seen.proto == TCP and seen.destination.scope is Scope.LOOPBACK:
            end = seen.far_h, seen.far_p
            unanswered = sum(seen.conn_states.get(state, 0) for state in UNANSWERED)
            silent[end] += unanswered
            if unanswered < seen.flows:
                there.add(end)
    return sum(count for end, count in silent.items() if end not in there) or None


SPOTS_OF_TRAFFIC: tuple[Spot, ...] = (
    Spot(
        "fragments",
        "Fragments",
        "fragments that were not put together (others are missing, or more than can be held), so "
        "that what they carry was not seen: {count}",
        "all fragments of every datagram, close together",
        NONE,
        "every claim",
        AGAIN,
        number_of(lambda coverage: coverage.partial.get("fragment", 0)),
        always,
    ),
    Spot(
        "source-routes",
        "Packets with a route of their own",
        "packets whose destination is only the next station of a source route, so that where "
        "they end was not judged: {count}",
        "no source route (IPv4 options 131 and 137, IPv6 routing header)",
        NONE,
        "every claim",
        "ask why somebody would send that",
        number_of(lambda coverage: coverage.partial.get("source-routed", 0)),
        always,
    ),
    Spot(
        "tunnels",
        "Tunnels",
        "flows that carry other packets, whose destinations were not seen: {count}",
        "no tunnel, or one that can be opened: not encrypted, of a known kind, its headers whole",
        NONE,
        "every claim",
        "record behind the tunnel's end",
        sum_of(lambda coverage: coverage.tunnels),
        always,
    ),
    Spot(
        "one-way",
        "Traffic in one direction only",
        "flows of one side alone, which answers another that is not in the capture: {count}",
        "both directions of every flow",
        NONE,
        "every claim",
        "record both directions",
        number_of(lambda coverage: coverage.one_way_flows),
        always,
    ),
    Spot(
        "answers-unprompted",
        "Errors without a cause",
        "packets of ours that ICMP errors quote, those of the machine itself among them, and that "
        "are not in the capture: {count}",
        "the packets that they answer",
        NONE,
        "every claim",
        "record both directions, on every interface",
        number_of(lambda coverage: coverage.unprompted_errors),
        always,
    ),
    Spot(
        "foreign-flows",
        "Flows of other hosts",
        "flows of which neither end is among the own addresses that were given, or that were begun "
        "by an address from which this machine sent, and that was not given: {count}",
        "own addresses that cover the host, or a capture of that host alone",
        NONE,
        "every claim",
        "give every address of the host with --local; if those are given, find out who sends with "
        "the addresses of others",
        number_of(lambda coverage: coverage.foreign_flows),
        always,
    ),
    Spot(
        "loopback-on-the-wire",
        "Loopback addresses on a wire",
        "packets for or from a loopback address, or from an address to itself, that the machine's "
        "own loopback did not record, so that they left it or came from outside: {count}",
        "such packets in frames with MAC addresses of zeros or device type 772 (the loopback of "
        "Linux), or of a link type that does not say",
        NONE,
        "every claim",
        "find out what sends them (a raw socket, or `route_localnet` of Linux), or record the "
        "loopback as the system writes it",
        number_of(lambda coverage: coverage.loopback_on_wire),
        always,
    ),
    Spot(
        "stream-gaps",
        "Gaps in streams",
        "TCP flows with payload that was acknowledged and is not in the capture (frames were "
        "lost, whatever the drop counts say): {count}",
        "streams without gaps",
        NONE,
        "every claim",
        AGAIN,
        number_of(lambda coverage: coverage.gap_flows),
        always,
    ),
    Spot(
        "flows-evicted",
        "More flows than are kept",
        "packets that belong to no flow, because the table of flows was full: {count}",
        "fewer flows",
        NONE,
        "every claim",
        "split the capture",
        number_of(lambda coverage: coverage.flows_evicted),
        always,
    ),
    Spot(
        "conflicting-segments",
        "Segments that contradict each other",
        "streams that begin with bytes sent twice that differ, or datagrams whose fragments differ "
        "(both readings count): {count}",
        "streams of one reading",
        NONE,
        "every claim",
        "ask why somebody would send that",
        number_of(lambda coverage: coverage.conflicting_segments),
        always,
    ),
    Spot(
        "local-service-missing",
        "A local service that was not there",
        "connections to ports of this machine where nobody answered; a proxy or resolver there "
        "would have been told what the capture does not show: {count}",
        "a service that answers, or no such connection",
        NONE,
        "every claim",
        "start the service, or run without the setting that names it",
        _service_missing,
        always,
    ),
    Spot(
        "own-addresses-guessed",
        "Which addresses are ours",
        "flows held to be begun by somebody else only by a guess of our own addresses: {count}",
        "own addresses that were given or recorded",
        NONE,
        "every claim",
        "say which addresses are the host's with --local",
        _guessed,
        always,
    ),
    Spot(
        "inbound-answered",
        "Flows from outside",
        "flows from outside that were answered (what the answers held is not judged): {count}",
        "no such flow, or `inbound: deny`",
        NONE,
        "no claim with `inbound: report`",
        "a profile with `inbound: deny`",
        _inbound,
        never,
    ),
)
