"""Timestamps of pcapng frames, whatever unit each interface chose, as nanoseconds. HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.2 (if_tsresol, if_tsoffset).
"""

from collections.abc import Sequence

import numpy as np

from egress_audit.capture.pcapng_blocks import InterfaceState
from egress_audit.columns import I32, I64, U64

MAX_NS = (1 << 63) - 1
BILLION = 1_000_000_000


def nanoseconds(ticks: U64, interface: I32, interfaces: Sequence[InterfaceState]) -> I64:
    """ns since the epoch of each frame, saturated at what 64 bits hold.

    ticks: (n,) in units of the frame's interface; interface: (n,) index into `interfaces`.
    """
    ns = np.empty(len(ticks), np.int64)
    units = {(interfaces[i].resolution, interfaces[i].offset_s) for i in np.unique(interface)}
    if len(units) == 1:
        return scaled(ticks, *units.pop())
    kinds = sorted(units)
    number = {unit: k for k, unit in enumerate(kinds)}
    kind = np.array([number.get((s.resolution, s.offset_s), -1) for s in interfaces])[interface]
    order = np.argsort(kind, kind="stable")
    edges = np.searchsorted(kind[order], np.arange(len(kinds) + 1))
    for k, unit in enumerate(kinds):
        rows = order[edges[k] : edges[k + 1]]
        ns[rows] = scaled(ticks[rows], *unit)
    return ns


def scaled(ticks: U64, resolution: int, offset_s: int) -> I64:
    """ns of `ticks` in one unit: 10^-n s, or 2^-n s with the top bit of `resolution` set."""
    ns = binary(ticks, resolution & 0x7F) if resolution & 0x80 else decimal(ticks, resolution)
    if not offset_s:
        return ns
    offset_ns = max(-MAX_NS, min(MAX_NS, offset_s * BILLION))
    if offset_ns > 0:
        ns = np.minimum(ns, MAX_NS - offset_ns)
    return ns + np.int64(offset_ns)


def decimal(ticks: U64, power: int) -> I64:
    """ns of ticks of 10^-power seconds."""
    top = np.uint64(MAX_NS)
    if power > 28:
        return np.zeros(len(ticks), np.int64)
    if power > 9:
        ns: U64 = np.minimum(ticks // np.uint64(10 ** (power - 9)), top)
        return ns.astype(np.int64)
    unit = 10 ** (9 - power)
    ns = np.where(ticks > np.uint64(MAX_NS // unit), top, ticks * np.uint64(unit))
    return ns.astype(np.int64)


def binary(ticks: U64, power: int) -> I64:
    """ns of ticks of 2^-power seconds; exact to one nanosecond, rounded down."""
    if power == 0:
        return decimal(ticks, 0)
    if power > 32:
        shift = power - 32
        if shift > 63:
            return np.zeros(len(ticks), np.int64)
        ticks, power = ticks >> np.uint64(shift), 32
    seconds = ticks >> np.uint64(power)
    fraction = ticks & np.uint64((1 << power) - 1)
    ns = (fraction * np.uint64(BILLION)) >> np.uint64(power)
    limit = np.uint64(MAX_NS // BILLION)
    top = np.uint64(MAX_NS)
    whole = np.minimum(np.minimum(seconds, limit) * np.uint64(BILLION) + ns, top)
    saturated: U64 = np.where(seconds > limit, top, whole)
    return saturated.astype(np.int64)
