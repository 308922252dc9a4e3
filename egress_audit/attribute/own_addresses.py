"""Which end of each flow is ours: given, or guessed from what kind of address it is. HOT PATH.

A guess may turn HOLDS into INCONCLUSIVE; it never makes a flow allowed. So it is made flow by flow:
of two ends the nearer one is ours, and the one further out is judged. Only where both are equally
near does it matter which address takes part in the most flows. Whatever then counts as begun by
somebody else is marked as resting on a guess, and the judge asks for `--local`.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

import numpy as np

from egress_audit.addresses import address_text
from egress_audit.attribute.icmp import is_icmp_answer, is_icmp_error
from egress_audit.columns import I64, U8, U64, Bool, FlowColumns, alike_rows, is_loopback
from egress_audit.model.audit import MOST_GUESSED, OwnAddresses
from egress_audit.model.protocols import EITHER_ICMP
from egress_audit.values import dataclass

Network = IPv4Network | IPv6Network

NEAR, MIDDLE, OUT, NEVER = range(4)
"""How far out an address is; NEVER cannot be anybody's own."""
DISTANCES: tuple[tuple[str, int], ...] = (
    *((prefix, NEAR) for prefix in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    *((prefix, NEAR) for prefix in ("169.254.0.0/16", "127.0.0.0/8")),
    *((prefix, NEAR) for prefix in ("fc00::/7", "fe80::/10", "::1/128")),
    ("100.64.0.0/10", MIDDLE),
    *((prefix, NEVER) for prefix in ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")),
    *((prefix, NEVER) for prefix in ("0.0.0.0/32", "::/128")),
    # Metadata services lie in near ranges too, and are nobody's own.
    *((prefix, NEVER) for prefix in ("169.254.169.254/32", "fd00:ec2::254/128")),
    *((prefix, NEVER) for prefix in ("100.100.100.200/32", "168.63.129.16/32")),
)
"""Prefix → distance, the later row winning; everything else is OUT (RFC 1918, 4193, 6598, 6890)."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Which end of each flow is ours; (n,) each."""

    local_orig: Bool
    local_resp: Bool
    own: OwnAddresses
    unsure: Bool
    """Guessed of two ends that are equally near, or neither is ours."""


def sides_of(flows: FlowColumns, given: Sequence[Network], how: str = "given") -> Sides:
    """Marks the ends that lie in `given`, or, if that is empty, those that are guessed.

    how: `given` by a person, or `recorded` with the evidence; all of them are then one machine's.
    """
    orig, resp, even = _inside_any(flows, given) if given else _guessed(flows)
    unsure = even | (~orig & ~resp)
    orig |= is_loopback(flows.version, flows.orig_hi, flows.orig_lo)
    resp |= is_loopback(flows.version, flows.resp_hi, flows.resp_lo)
    if given:
        own = OwnAddresses(how, tuple(str(prefix) for prefix in given))
    else:
        own = OwnAddresses("guessed", _shown(flows, orig, resp))
    return Sides(orig, resp, own, unsure)


def _inside_any(flows: FlowColumns, prefixes: Sequence[Network]) -> tuple[Bool, Bool, Bool]:
    orig: Bool = np.zeros(len(flows), np.bool_)
    resp: Bool = np.zeros(len(flows), np.bool_)
    even: Bool = np.zeros(len(flows), np.bool_)
    for prefix in prefixes:
        orig |= inside(prefix, flows.version, flows.orig_hi, flows.orig_lo)
        resp |= inside(prefix, flows.version, flows.resp_hi, flows.resp_lo)
    return orig, resp, even


def inside(prefix: Network, version: U8, hi: U64, lo: U64) -> Bool:
    """(n,) True where the address lies in the prefix."""
    bits = 128 if prefix.version == 6 else 32
    free = bits - prefix.prefixlen
    mask = ((1 << bits) - 1) ^ ((1 << free) - 1)
    network = int(prefix.network_address)
    low = np.uint64(mask & (1 << 64) - 1), np.uint64(network & (1 << 64) - 1)
    high = np.uint64(mask >> 64), np.uint64(network >> 64)
    found: Bool = (version == prefix.version) & (lo & low[0] == low[1]) & (hi & high[0] == high[1])
    return found


def distances(version: U8, hi: U64, lo: U64) -> U8:
    """(n,) how far out each address is: NEAR, MIDDLE, OUT or NEVER."""
    found: U8 = np.full(len(version), OUT, np.uint8)
    for prefix, distance in DISTANCES:
        found[inside(ip_network(prefix), version, hi, lo)] = distance
    return found


def _guessed(flows: FlowColumns) -> tuple[Bool, Bool, Bool]:
    """The nearer end of each flow; of two equally near ones, which are told, the busier, else who
    began."""
    orig_far = distances(flows.version, flows.orig_hi, flows.orig_lo)
    resp_far = distances(flows.version, flows.resp_hi, flows.resp_lo)
    orig: Bool = orig_far < resp_far
    resp: Bool = resp_far < orig_far
    even: Bool = (orig_far == resp_far) & (orig_far != NEVER)
    rows = np.flatnonzero(even)
    if len(rows):
        serves = _ours_answers(flows, rows)
        orig[rows] = ~serves
        resp[rows] = serves
    return orig, resp, even


def _ours_answers(flows: FlowColumns, rows: I64) -> Bool:
    """(rows,) True where the responder takes part in more of these flows than the originator.

    Where neither does, and the flow is an ICMP message that answers, it was the receiver who began:
    unless he began fewer of the others.
    """
    hi = np.concatenate((flows.orig_hi[rows], flows.resp_hi[rows]))
    lo = np.concatenate((flows.orig_lo[rows], flows.resp_lo[rows]))
    alike = alike_rows((np.tile(flows.version[rows], 2), hi, lo))
    busy = alike.sizes[alike.group]
    serves: Bool = busy[len(rows) :] > busy[: len(rows)]
    if np.isin(flows.proto[rows], EITHER_ICMP).any():
        answers = (is_icmp_answer(flows) | is_icmp_error(flows))[rows]
        began = np.concatenate((~answers, np.zeros(len(rows), np.bool_)))
        begun = np.bincount(alike.group, weights=began)[alike.group]
        tie = busy[len(rows) :] == busy[: len(rows)]
        serves |= answers & tie & (begun[len(rows) :] >= begun[: len(rows)])
    return serves


def _shown(flows: FlowColumns, orig: Bool, resp: Bool) -> tuple[str, ...]:
    """The first guessed addresses, in the order in which they appear; loopback needs no guess."""
    seen: dict[str, None] = {}
    sides = ((orig, flows.orig_hi, flows.orig_lo), (resp, flows.resp_hi, flows.resp_lo))
    for ours, hi, lo in sides:
        rows = np.flatnonzero(ours & ~is_loopback(flows.version, hi, lo))
        alike = alike_rows((flows.version[rows], hi[rows], lo[rows]))
        for row in rows[alike.first[:MOST_GUESSED]].tolist():
            text = address_text(int(flows.version[row]), int(hi[row]), int(lo[row]))
            seen[text] = None
    return tuple(seen)[:MOST_GUESSED]


def foreign_flows(flows: FlowColumns, sides: Sides) -> int:
    """Flows with an end beyond the local network, neither end being among the given addresses.

    In a sandbox there is nobody else: whatever source address a packet has, it is judged.
    What a tunnel of ours carries may have addresses of the host that were not given, or be traffic
    of others that passes through (a mirror, a router); its wrapping does not say which. So it is
    judged by its end further out, and counts here until the inner addresses are given as well.
    """
    if sides.own.how != "given":
        return 0
    foreign = ~sides.local_orig & ~sides.local_resp
    orig = distances(flows.version, flows.orig_hi, flows.orig_lo)
    resp = distances(flows.version, flows.resp_hi, flows.resp_lo)
    beyond = np.isin(orig, (MIDDLE, OUT)) | np.isin(resp, (MIDDLE, OUT))
    return int((foreign & beyond).sum())
