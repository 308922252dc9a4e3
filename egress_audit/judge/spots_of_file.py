"""Blind spots that the file itself records: loss, damage, the unread. Nothing lifts them."""

from collections import Counter
from collections.abc import Callable, Mapping

from egress_audit.addresses import Scope
from egress_audit.judge.blind_spots import Spot, always, never
from egress_audit.judge.case import Case
from egress_audit.model.audit import Direction
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Coverage

AGAIN = "record again without this loss"
NONE = Absent.NOT_APPLICABLE
TCP = 6
UNANSWERED = ("S0", "REJ")
"""Zeek's states of a connection that nobody took."""


def _number(read: Callable[[Coverage], int]) -> Callable[[Case], int | None]:
    """Present if the number is not zero."""

    def present(case: Case) -> int | None:
        return read(case.coverage) or None

    return present


def _sum(read: Callable[[Coverage], Mapping[str, int]]) -> Callable[[Case], int | None]:
    """Present if the counters add up to something."""
    return _number(lambda coverage: sum(read(coverage).values()))


def _drops(coverage: Coverage) -> int:
    """The losses that are stated, even where another interface states none."""
    stated = [i.drops for i in coverage.interfaces if not isinstance(i.drops, Absent)]
    return sum(stated)


def _filtered(coverage: Coverage) -> int:
    return sum(not isinstance(i.capture_filter, Absent) for i in coverage.interfaces)


def _headers_cut(coverage: Coverage) -> int:
    return sum(count for reason, count in coverage.partial.items() if reason != "fragment")


def _guessed(case: Case) -> int | None:
    """Flows that count as answers to somebody only because own addresses were guessed."""
    if case.own_addresses.how != "guessed":
        return None
    own = set(case.own_addresses.prefixes)
    guessed = [
        seen
        for seen in case.inbound()
        if seen.destination.scope is not Scope.LOOPBACK and seen.far_h not in own
    ]
    return sum(seen.flows for seen in guessed) or None


def _inbound(case: Case) -> int | None:
    answered = [
        seen
        for seen in case.inbound()
        if seen.direction is Direction.INBOUND and seen.destination.scope is not Scope.LOOPBACK
    ]
    reported = case.claim.inbound == "report"
    return (sum(seen.flows for seen in answered) or None) if reported else None


def _service_missing(case: Case) -> int | None:
    """TCP flows to ports of this machine that never answered anybody in this capture."""
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


SPOTS_OF_FILE: tuple[Spot, ...] = (
    Spot(
        "damage",
        "Damage",
        "the file is damaged or cut, and what lay behind that was not read; places: {count}",
        "a whole file",
        NONE,
        "every claim",
        "get the whole file",
        _number(lambda coverage: len(coverage.damage)),
        always,
    ),
    Spot(
        "drops-recorded",
        "Recorded loss",
        "frames that were lost between the network and the file: {count}",
        "a drop count of zero",
        NONE,
        "every claim",
        AGAIN,
        _number(_drops),
        always,
    ),
    Spot(
        "filter-recorded",
        "A capture filter",
        "a capture filter was in force, and what it left out was not seen; interfaces: {count}",
        "no filter",
        NONE,
        "every claim",
        "record without a filter",
        _number(_filtered),
        always,
    ),
    Spot(
        "snaplen-cut",
        "Cut frames",
        "frames that are shorter in the file than they were on the wire: {count}",
        "whole frames",
        NONE,
        "every claim",
        "record with a snaplen of 262144",
        _number(lambda coverage: coverage.truncated),
        always,
    ),
    Spot(
        "frames-undecoded",
        "Frames that were not understood",
        "frames that could not be decoded, so that where they went is not known: {count}",
        "every frame decoded, or of a kind that cannot carry a destination",
        NONE,
        "every claim",
        "see the reasons in the ledger",
        _sum(lambda coverage: coverage.undecoded),
        always,
    ),
    Spot(
        "headers-partial",
        "Packets with unreadable headers",
        "packets with addresses, and a transport header that could not be read whole: {count}",
        "whole headers",
        NONE,
        "every claim",
        AGAIN,
        _number(_headers_cut),
        always,
    ),
    Spot(
        "fragments",
        "Fragments",
        "fragments that were not put together, so that their names, and the ports of all but the "
        "first, were not seen: {count}",
        "no fragments",
        NONE,
        "every claim",
        "none in this version",
        _number(lambda coverage: coverage.partial.get("fragment", 0)),
        always,
    ),
    Spot(
        "tunnels",
        "Tunnels",
        "flows that carry other packets, whose destinations were not seen: {count}",
        "no tunnel",
        NONE,
        "every claim",
        "record behind the tunnel's end",
        _sum(lambda coverage: coverage.tunnels),
        always,
    ),
    Spot(
        "one-way",
        "Traffic in one direction only",
        "TCP flows of one side alone, which answers another that is not in the capture: {count}",
        "both directions of every flow",
        NONE,
        "every claim",
        "record both directions",
        _number(lambda coverage: coverage.one_way_flows),
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
        _number(lambda coverage: coverage.gap_flows),
        always,
    ),
    Spot(
        "time-reversals",
        "Times that jump backwards",
        "frames more than a second earlier than the one before them (the clock was set, or the "
        "file was put together): {count}",
        "times that do not fall",
        NONE,
        "every claim",
        "give the captures that this one was made of",
        _number(lambda coverage: coverage.time_reversals),
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
        _number(lambda coverage: coverage.flows_evicted),
        always,
    ),
    Spot(
        "conflicting-segments",
        "Segments that contradict each other",
        "streams that begin with bytes sent twice that differ (both readings count): {count}",
        "streams of one reading",
        NONE,
        "every claim",
        "ask why somebody would send that",
        _number(lambda coverage: coverage.conflicting_segments),
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
    Spot(
        "frames-duplicated",
        "Frames recorded twice",
        "frames that repeat one of the four before them (counted like the others): {count}",
        "frames recorded once",
        NONE,
        "no claim",
        "record on one interface",
        _number(lambda coverage: coverage.duplicates),
        never,
    ),
    Spot(
        "frames-without-time",
        "Frames without a time",
        "frames that carry no time (simple packet blocks) and have that of the one before: {count}",
        "frames with times",
        NONE,
        "no claim",
        "record with enhanced packet blocks",
        _number(lambda coverage: coverage.frames_without_time),
        never,
    ),
    Spot(
        "blocks-skipped",
        "Blocks that hold no frame",
        "blocks of the file that were not interpreted (none of them holds a frame): {count}",
        "none",
        NONE,
        "no claim",
        "none needed",
        _sum(lambda coverage: coverage.skipped_blocks),
        never,
    ),
)
