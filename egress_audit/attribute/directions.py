"""Which side of each flow is the far one, and who began. HOT PATH.

The far side is judged, not the responder: a flow whose beginning nobody saw, and in which ours sent
packets, is outbound. Our ICMP errors to somebody who spoke to us first are answers, not egress.
"""

from dataclasses import dataclass

import numpy as np

from egress_audit.attribute.own_addresses import Sides
from egress_audit.columns import I64, U8, U16, U64, Bool, FlowColumns
from egress_audit.model.audit import Direction

DIRECTIONS = tuple(Direction)
"""`Far.direction` holds indexes into these."""

OUTBOUND, INBOUND, RECEIVED, INTERNAL = (
    DIRECTIONS.index(word)
    for word in (Direction.OUTBOUND, Direction.INBOUND, Direction.RECEIVED, Direction.INTERNAL)
)
ICMP_ERRORS = {1: (3, 4, 5, 11, 12), 58: (1, 2, 3, 4)}
"""Types that quote a packet they answer (RFC 792, RFC 4443 §2.1)."""


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
    """Both ends are the same address, which is known to be ours: it never left the machine."""
    pkts_out: I64
    pkts_in: I64
    ip_bytes_out: I64
    ip_bytes_in: I64


def far_sides(flows: FlowColumns, sides: Sides) -> Far:
    """The far side of each flow, and what went there and came from it."""
    ours_sent = np.where(sides.local_orig, flows.orig_pkts, flows.resp_pkts) > 0
    neither = ~sides.local_orig & ~sides.local_resp
    far_is_resp = sides.local_orig | neither
    began = np.where(flows.direction_known, INBOUND, OUTBOUND)
    direction = np.where(sides.local_resp, began, OUTBOUND)
    direction = np.where(ours_sent | neither, direction, RECEIVED)
    direction = np.where(sides.local_orig & sides.local_resp, INTERNAL, direction)
    direction = _answers(flows, far_is_resp, direction.astype(np.uint8))
    out = far_is_resp
    same = (flows.orig_hi == flows.resp_hi) & (flows.orig_lo == flows.resp_lo)
    icmp = np.isin(flows.proto, (1, 58))
    return Far(
        hi=np.where(far_is_resp, flows.resp_hi, flows.orig_hi),
        lo=np.where(far_is_resp, flows.resp_lo, flows.orig_lo),
        port=np.where(icmp, flows.orig_p, np.where(far_is_resp, flows.resp_p, 0)).astype(np.uint16),
        has_port=icmp | (far_is_resp & np.isin(flows.proto, (6, 17, 132, 136, 33))),
        direction=direction,
        itself=same & (direction == INTERNAL) & (sides.own.how != "guessed"),
        pkts_out=np.where(out, flows.orig_pkts, flows.resp_pkts),
        pkts_in=np.where(out, flows.resp_pkts, flows.orig_pkts),
        ip_bytes_out=np.where(out, flows.orig_ip_bytes, flows.resp_ip_bytes),
        ip_bytes_in=np.where(out, flows.resp_ip_bytes, flows.orig_ip_bytes),
    )


def _answers(flows: FlowColumns, far_is_resp: Bool, direction: U8) -> U8:
    """Turns our ICMP errors to those who began a flow with us into a part of what they began."""
    error = np.zeros(len(flows), np.bool_)
    for proto, types in ICMP_ERRORS.items():
        error |= (flows.proto == proto) & np.isin(flows.orig_p, types)
    error &= (direction == OUTBOUND) & flows.one_way
    if not error.any():
        return direction
    strangers = (direction == INBOUND) | (direction == RECEIVED)
    spoke_first = {
        (int(flows.version[row]), int(flows.orig_hi[row]), int(flows.orig_lo[row]))
        for row in np.flatnonzero(strangers & ~far_is_resp).tolist()
    }
    for row in np.flatnonzero(error).tolist():
        end = int(flows.version[row]), int(flows.resp_hi[row]), int(flows.resp_lo[row])
        if end in spoke_first:
            direction[row] = INBOUND
    return direction
