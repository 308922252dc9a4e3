"""Timestamps of pcapng frames, whatever unit each interface chose, as nanoseconds. HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.2 (if_tsresol, if_tsoffset).
"""

from collections.abc import Sequence

import numpy as np

from egress_audit.capture.pcapng_blocks import InterfaceState
from egress_audit.columns import I32, I64, U64

LIMIT_NS = 1 << 62
"""Times are kept within this distance (146 years) of 1970, so that every difference of two of them
fits into 64 bits. Only damage or a joke reaches it."""
BILLION = 1_000_000_000
BEYOND_S = LIMIT_NS // BILLION + 2
"""Seconds that lie outside the limit whatever fraction is added to them."""
LOW_HALF = np.uint64(0xFFFFFFFF)


def nanoseconds(ticks: U64, interface: I32, interfaces: Sequence[InterfaceState]) -> I64:
    """ns since the epoch of each frame, kept within LIMIT_NS.

    ticks: (n,) in units of the frame's interface; interface: (n,) index into `interfaces`.
    """
    ns = np.empty(len(ticks), np.int64)
    alike = len(interface) and (interface == interface[0]).all()
    used = interface[:1] if alike else np.unique(interface)
    units = {(interfaces[i].resolution, interfaces[i].offset_s) for i in used}
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
    """ns of `ticks` in one unit: 10^-n s, or 2^-n s with the top bit of `resolution` set.

    Rounded down to one nanosecond, then kept within LIMIT_NS.
    """
    power = resolution & 0x7F
    seconds, fraction = binary(ticks, power) if resolution & 0x80 else decimal(ticks, power)
    ns = shifted(seconds, offset_s) * BILLION + fraction
    within: I64 = np.minimum(np.maximum(ns, -LIMIT_NS), LIMIT_NS - 1)
    return within


def decimal(ticks: U64, power: int) -> tuple[U64, I64]:
    """Whole seconds, and ns beyond them, of ticks of 10^-power seconds."""
    if power > 28:
        return np.zeros(len(ticks), np.uint64), np.zeros(len(ticks), np.int64)
    if power > 9:
        ticks, power = ticks // np.uint64(10 ** (power - 9)), 9
    seconds, rest = np.divmod(ticks, np.uint64(10**power))
    return seconds, (rest * np.uint64(10 ** (9 - power))).astype(np.int64)


def binary(ticks: U64, power: int) -> tuple[U64, I64]:
    """Whole seconds, and ns beyond them, of ticks of 2^-power seconds."""
    if power >= 64:
        return np.zeros(len(ticks), np.uint64), _upper(ticks, power - 64)
    seconds = ticks >> np.uint64(power)
    rest = ticks & np.uint64((1 << power) - 1)
    return seconds, _upper(rest << np.uint64(64 - power) if power else rest, 0)


def _upper(fraction: U64, power: int) -> I64:
    """floor(fraction * 10^9 / 2^(64 + power)). The product has 94 bits, so it is made in halves."""
    low = (fraction & LOW_HALF) * np.uint64(BILLION)
    high = (fraction >> np.uint64(32)) * np.uint64(BILLION) + (low >> np.uint64(32))
    ns: U64 = high >> np.uint64(32) >> np.uint64(min(power, 63))
    return ns.astype(np.int64)


def shifted(seconds: U64, offset_s: int) -> I64:
    """`seconds` + `offset_s`, kept within BEYOND_S so that it fits into ns."""
    limit = np.uint64(BEYOND_S)
    if offset_s < 0:
        back = np.uint64(-offset_s)
        after = np.minimum(np.maximum(seconds, back) - back, limit).astype(np.int64)
        before = np.minimum(np.maximum(back, seconds) - seconds, limit).astype(np.int64)
        return after - before
    ahead = np.int64(min(offset_s, BEYOND_S))
    later: I64 = np.minimum(np.minimum(seconds, limit).astype(np.int64) + ahead, BEYOND_S)
    return later
