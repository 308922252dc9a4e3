"""What Interface Statistics Blocks say of frames that were lost or left out.

Nothing that is stated here may disappear: a count that cannot be read, or that belongs to no
interface, is damage of the file.
Source: draft-ietf-opsawg-pcapng §3.5 (options), §4.6 (ISB).
"""

import struct
from collections.abc import Sequence

from egress_audit.capture.pcapng_blocks import InterfaceState, options_in, unread_behind
from egress_audit.model.destination import Absent

NUMBER_AND_TIME = 12
IFRECV, IFDROP, FILTERACCEPT, OSDROP = 4, 5, 6, 7
NO_INTERFACE = "interface statistics of no interface"

Counts = dict[int, int]
"""By option code; the largest if one is given twice."""


def apply_statistics(
    body: bytes, order: str, interfaces: Sequence[InterfaceState], base: int, declared: int
) -> tuple[bool, str]:
    """Takes an ISB into its interface: whether there is one, and what is damaged in the block.

    `interfaces`: those of the whole file; `base` up to `declared` are those of the block's section.
    A loss of an interface that the section does not have counts for its first.
    """
    counts, damage = _counts_in(body, order)
    number = struct.unpack_from(order + "I", body, 0)[0] if len(body) >= 4 else declared
    drops = counts.get(IFDROP, 0) + counts.get(OSDROP, 0)
    if base + number < declared:
        _apply(counts, drops, interfaces[base + number])
        return True, damage
    if drops and base < declared:
        first = interfaces[base]
        first.stray_drops = max(first.stray_drops, drops)
    elif drops:
        damage = damage or NO_INTERFACE
    return False, damage


def _apply(counts: Counts, drops: int, state: InterfaceState) -> None:
    received = counts.get(IFRECV, 0)
    accepted = counts.get(FILTERACCEPT, received)
    if IFRECV in counts:
        state.received = _larger(state.received, received)
    if IFDROP in counts or OSDROP in counts:
        state.reported_drops = _larger(state.reported_drops, drops)
    state.expected = max(state.expected, accepted)
    if accepted < received:
        state.let_through = accepted, received


def _larger(known: int | Absent, stated: int) -> int:
    return stated if isinstance(known, Absent) else max(known, stated)


def _counts_in(body: bytes, order: str) -> tuple[Counts, str]:
    """The counts of an ISB, and what is wrong with them or behind them; '' if nothing is."""
    counts, damage = Counts(), ""
    for code, value in options_in(body, NUMBER_AND_TIME, order):
        if code in (IFRECV, IFDROP, FILTERACCEPT, OSDROP) and len(value) == 8:
            (count,) = struct.unpack(order + "Q", value)
            counts[code] = max(counts.get(code, 0), count)
        elif code in (IFDROP, OSDROP):
            damage = damage or f"a drop count of {len(value)} bytes"
    return counts, damage or unread_behind(body, NUMBER_AND_TIME, order)
