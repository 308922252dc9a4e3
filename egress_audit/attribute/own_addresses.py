"""Which addresses are ours: given, or guessed from who takes part in the most flows. HOT PATH.

A guess may turn HOLDS into INCONCLUSIVE; it never makes a flow allowed. So what a guess decides is
marked, and the judge asks for `--local` where it would matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

import numpy as np

from egress_audit.addresses import Scope, address_text, scope_of
from egress_audit.columns import U8, U64, Bool, FlowColumns
from egress_audit.model.audit import OwnAddresses

Network = IPv4Network | IPv6Network

NEVER_OURS = (Scope.MULTICAST, Scope.BROADCAST, Scope.UNSPECIFIED, Scope.LOOPBACK)


@dataclass(frozen=True, slots=True)
class Sides:
    """Which end of each flow is ours; (n,) each."""

    local_orig: Bool
    local_resp: Bool
    own: OwnAddresses


def sides_of(flows: FlowColumns, given: Sequence[Network]) -> Sides:
    """Marks the ends that lie in `given`, or, if that is empty, in a guess."""
    if given:
        own = OwnAddresses("given", tuple(str(prefix) for prefix in given))
        prefixes = list(given)
    else:
        prefixes = _guessed(flows)
        own = OwnAddresses("guessed", tuple(str(prefix.network_address) for prefix in prefixes))
    orig = np.zeros(len(flows), np.bool_)
    resp = np.zeros(len(flows), np.bool_)
    for prefix in prefixes:
        orig |= inside(prefix, flows.version, flows.orig_hi, flows.orig_lo)
        resp |= inside(prefix, flows.version, flows.resp_hi, flows.resp_lo)
    return Sides(
        orig | is_loopback(flows.version, flows.orig_hi, flows.orig_lo),
        resp | is_loopback(flows.version, flows.resp_hi, flows.resp_lo),
        own,
    )


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


def is_loopback(version: U8, hi: U64, lo: U64) -> Bool:
    """(n,) True for 127.0.0.0/8 and ::1."""
    four: Bool = (version == 4) & (lo >> np.uint64(24) == 127)
    six: Bool = (version == 6) & (hi == 0) & (lo == 1)
    return four | six


def _guessed(flows: FlowColumns) -> list[Network]:
    """Of each IP version the one address that takes part in the most flows."""
    found: list[Network] = []
    for version, kind in ((4, IPv4Network), (6, IPv6Network)):
        rows = np.flatnonzero(flows.version == version)
        if len(rows):
            best = _busiest(flows, rows, version)
            if best is not None:
                found.append(kind(best))
    return found


def _busiest(flows: FlowColumns, rows: "np.typing.NDArray[np.int64]", version: int) -> str | None:
    """Most flows first; of equals who began more of them, then the smaller number."""
    ends = np.empty((2 * len(rows), 2), np.uint64)
    ends[: len(rows), 0], ends[: len(rows), 1] = flows.orig_hi[rows], flows.orig_lo[rows]
    ends[len(rows) :, 0], ends[len(rows) :, 1] = flows.resp_hi[rows], flows.resp_lo[rows]
    began = np.append(flows.direction_known[rows], np.zeros(len(rows), np.bool_))
    address, place, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    begun = np.bincount(place.ravel(), weights=began, minlength=len(address))
    for row in np.lexsort((np.arange(len(address)), -begun, -count)).tolist():
        text = address_text(version, int(address[row, 0]), int(address[row, 1]))
        if scope_of(text) not in NEVER_OURS:
            return text
    return None
