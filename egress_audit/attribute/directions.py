"""Which side of each flow is the far one, and who began. HOT PATH.

The far side is judged, not the responder: a flow whose beginning nobody saw, and in which ours sent
packets, is outbound. To count as begun by somebody else it needs their packet before any of ours:
of TCP a SYN, and none from us. Our ICMP errors to somebody who spoke before are answers.
"""

from typing import TypeVar

import numpy as np

from egress_audit.attribute.icmp import is_icmp_answer, is_icmp_error
from egress_audit.attribute.midway import gone_on_with
from egress_audit.attribute.own_addresses import NEVER, Sides, distances
from egress_audit.columns import I64, U8, U16, U64, Bool, Counts, FlowColumns, Quoted, alike_rows
from egress_audit.model.audit import Direction
from egress_audit.model.protocols import DATAGRAMS, EITHER_ICMP, TCP, WITH_PORTS
from egress_audit.values import dataclass

DIRECTIONS = tuple(Direction)
"""`Far.direction` holds indexes into these."""

OUTBOUND, INBOUND, RECEIVED, INTERNAL = (
    DIRECTIONS.index(word)
    for word in (Direction.OUTBOUND, Direction.INBOUND, Direction.RECEIVED, Direction.INTERNAL)
)
LONGEST_ERROR = {4: 576, 6: 1280}
"""Bytes of an ICMP error, by IP version."""

Column = TypeVar("Column", U64, Counts)
End = tuple[int, int, int]
"""IP version and address."""


@dataclass(frozen=True, slots=True)
class Far:
    """The far side of each flow; (n,) each."""

    hi: U64
    lo: U64
    port: U16
    """Of the responder where that is the far side; the ICMP type that was sent; else 0."""
    has_port: Bool
    direction: U8
    itself: Bool
    """Both ends are the same address, which is known to be ours, or two that were recorded as the
    sandbox's: it never left the machine."""
    near_is_orig: Bool
    """The originator is our side of it."""
    unsure: Bool
    """It is only a guess which side is ours, though neither is nearer, or neither is ours."""
    pkts_out: Counts
    pkts_in: Counts
    ip_bytes_out: Counts
    ip_bytes_in: Counts

    def is_ours(self, flow: int, by_orig: bool) -> bool:
        """True if our side may have sent what one side of a flow did; in doubt it has."""
        either = bool(self.unsure[flow]) or bool(self.direction[flow] == INTERNAL)
        return either or bool(self.near_is_orig[flow]) == by_orig


def far_sides(flows: FlowColumns, sides: Sides, theirs: Bool | None = None) -> Far:
    """The far side of each flow, and what went there and came from it.

    theirs: (n,) True for flows that somebody beyond our machine is known to have begun, though both
    ends are ours.
    """
    theirs = np.zeros(len(flows), np.bool_) if theirs is None else theirs
    out = _far_is_responder(flows, sides) & ~theirs
    icmp = np.isin(flows.proto, EITHER_ICMP)
    direction = _directions(flows, sides, out)
    answers = gone_on_with(flows, direction == INBOUND) & (direction == OUTBOUND)
    direction[answers] = INBOUND
    home = direction == INTERNAL
    direction[theirs] = np.where(flows.resp_pkts[theirs] > 0, INBOUND, RECEIVED)
    same = (flows.orig_hi == flows.resp_hi) & (flows.orig_lo == flows.resp_lo)
    one_machine = same | (sides.own.how == "recorded")
    far = Far(
        hi=_either(out, flows.resp_hi, flows.orig_hi),
        lo=_either(out, flows.resp_lo, flows.orig_lo),
        port=np.where(icmp, flows.orig_p, np.where(out & ~answers, flows.resp_p, 0)).astype(
            np.uint16
        ),
        has_port=icmp | (out & ~answers & np.isin(flows.proto, WITH_PORTS)),
        direction=direction,
        itself=one_machine & home & (sides.own.how != "guessed"),
        near_is_orig=out,
        unsure=sides.unsure,
        pkts_out=_either(out, flows.orig_pkts, flows.resp_pkts),
        pkts_in=_either(out, flows.resp_pkts, flows.orig_pkts),
        ip_bytes_out=_either(out, flows.orig_ip_bytes, flows.resp_ip_bytes),
        ip_bytes_in=_either(out, flows.resp_ip_bytes, flows.orig_ip_bytes),
    )
    _take_answers(flows, far)
    return far


def _either(out: Bool, yes: Column, no: Column) -> Column:
    """`np.where`, without a copy where all flows go the same way, as those of scans do.

    What comes back is only read.
    """
    if out.all():
        return yes
    chosen: Column = np.where(out, yes, no)
    return chosen


def _far_is_responder(flows: FlowColumns, sides: Sides) -> Bool:
    """(n,) True where the responder is the far side.

    Where neither end is ours it is the one further out; of equals the receiver of the first packet.
    """
    neither = ~sides.local_orig & ~sides.local_resp
    if not neither.any():
        return sides.local_orig
    # Modulo NEVER: a multicast group is no further out than the link it is on.
    orig_far = distances(flows.version, flows.orig_hi, flows.orig_lo) % NEVER
    resp_far = distances(flows.version, flows.resp_hi, flows.resp_lo) % NEVER
    flipped = flows.has_letter("^")
    further = np.where(orig_far == resp_far, ~flipped, resp_far > orig_far)
    chosen: Bool = np.where(neither, further, sides.local_orig)
    return chosen


def _directions(flows: FlowColumns, sides: Sides, far_is_resp: Bool) -> U8:
    """Who began each flow, as seen from our side."""
    neither = ~sides.local_orig & ~sides.local_resp
    ours_sent = np.where(far_is_resp, flows.orig_pkts, flows.resp_pkts) > 0
    theirs_first = ~far_is_resp & (flows.orig_pkts > 0) & flows.direction_known
    tcp = flows.proto == TCP
    theirs_first &= ~tcp | (flows.has_letter("S") & ~flows.has_letter("^sqi"))
    theirs_first &= ~is_icmp_answer(flows)
    direction = np.where(theirs_first & ~neither, INBOUND, OUTBOUND)
    direction = np.where(ours_sent | neither, direction, RECEIVED)
    direction = np.where(sides.local_orig & sides.local_resp, INTERNAL, direction)
    return direction.astype(np.uint8)


def unasked_answers(flows: FlowColumns, far: Far) -> Bool:
    """(n,) True for datagrams from a port of servers to us alone: answers to what is missing."""
    datagrams = np.isin(flows.proto, DATAGRAMS) & (far.direction == RECEIVED)
    found: Bool = datagrams & ~flows.direction_known
    return found


def _take_answers(flows: FlowColumns, far: Far) -> None:
    """Makes INBOUND our ICMP errors to those who had sent us something else before.

    An answer is no longer than what RFC 1812 §4.3.2.3 and RFC 4443 §2.4 let it be, and there are no
    more of them than packets, of flows that began before, which were not answered otherwise.
    """
    errors = is_icmp_error(flows)
    ours = errors & (far.direction == OUTBOUND)
    if not ours.any():
        return
    strangers = ((far.direction == INBOUND) | (far.direction == RECEIVED)) & ~errors
    budget: dict[End, int] = {}
    rows = np.flatnonzero(strangers | ours)
    for row in rows[np.argsort(flows.ts_ns[rows], kind="stable")].tolist():
        end = _end(flows, far, row)
        sent = int(far.pkts_out[row])
        if strangers[row]:
            budget[end] = budget.get(end, 0) + max(int(far.pkts_in[row]) - sent, 0)
            continue
        limit = sent * LONGEST_ERROR[int(flows.version[row])]
        left = budget.get(end, 0)
        if 0 < sent <= left and far.ip_bytes_out[row] <= limit:
            far.direction[row] = INBOUND
            budget[end] = left - sent


def _end(flows: FlowColumns, far: Far, row: int) -> End:
    return int(flows.version[row]), int(far.hi[row]), int(far.lo[row])


def unprompted_errors(flows: FlowColumns, far: Far, quoted: Quoted, beyond: I64) -> int:
    """Packets that ICMP errors told us of, and that are not in the capture.

    Each was ours, and maybe never on a wire: our own kernel quotes what it could not send. beyond:
    quotes that nobody kept, by row of the flow; they count as if what they quote were missing.
    """
    received = np.isin(far.direction, (INBOUND, RECEIVED)) & (far.pkts_in > 0)
    received |= far.direction == INTERNAL
    unkept = int(beyond[received[: len(beyond)]].sum())
    told = received[quoted.flow]
    wanted = [column[told] for column in quoted[1:]]
    sent = _sent_to(flows, wanted[-1])
    columns = [np.concatenate(pair) for pair in zip(wanted, sent, strict=True)]
    if not len(wanted[0]):
        return unkept
    group = alike_rows(columns).group
    count = len(wanted[0])
    return unkept + int((~np.isin(group[:count], group[count:])).sum())


def _sent_to(flows: FlowColumns, receivers: U64) -> tuple[U64, ...]:
    """IP version, sender and receiver, two words each, of all that was sent to
    addresses that end in one of these words."""
    ends = ("orig_hi", "orig_lo"), ("resp_hi", "resp_lo")
    found = []
    for (sender, receiver), sent in ((ends, flows.orig_pkts), (ends[::-1], flows.resp_pkts)):
        rows = np.flatnonzero((sent > 0) & np.isin(getattr(flows, receiver[1]), receivers))
        words = (getattr(flows, name)[rows] for name in (*sender, *receiver))
        found.append((flows.version[rows].astype(np.uint64), *words))
    return tuple(np.concatenate(pair) for pair in zip(*found, strict=True))
