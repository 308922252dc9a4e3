"""Blocks of a pcapng file that say nothing of how to read others: names, losses, processes.

They are looked at once the frames before them are. What is not understood is counted by its kind.
One damaged bit makes such a block of one with a frame, which nobody would miss: so what is not laid
out as its type has it is damage.
Source: draft-ietf-opsawg-pcapng §4.5 (NRB), §4.6 (ISB), §4.7 (DSB), §4.8 (journal).
"""

import struct
from collections import Counter
from typing import NamedTuple

from egress_audit.capture.pcapng_blocks import (
    BLOCK_NAMES,
    IDB,
    IDB_BODY,
    ISB,
    NRB,
    UNKNOWN_BLOCK,
    HostRecords,
    InterfaceState,
    unread_behind,
)
from egress_audit.capture.pcapng_frames import Rules
from egress_audit.capture.pcapng_processes import OPTIONS_AT, PROCESS_BLOCKS, ProcessBlocks
from egress_audit.capture.pcapng_statistics import NO_INTERFACE, apply_statistics

JOURNAL, SECRETS = 9, 10
JOURNAL_TIME = b"__REALTIME_TIMESTAMP="
"""The field that every entry of a journal has."""
MAX_BLOCK_KINDS = 64
"""Unknown kinds that are counted each by itself; any file can invent four billion."""


class Aside(NamedTuple):
    """Where such a block lies in the window."""

    kind: int
    position: int
    end: int
    """Where its body ends, before the second length."""
    rules: Rules


class Asides:
    """What all of them said."""

    def __init__(self) -> None:
        self.hosts = HostRecords()
        self.processes = ProcessBlocks()
        self._skipped: Counter[str] = Counter()

    @property
    def skipped(self) -> dict[str, int]:
        """Blocks that nothing was taken from, or not all of it, by kind."""
        return dict(self._skipped + self.processes.beyond)

    def take(self, kind: int, body: bytes, rules: Rules, interfaces: list[InterfaceState]) -> str:
        """What is damaged in a block, which is taken in as far as it can be read; '' if nothing."""
        order = ">" if rules.big_endian else "<"
        if kind == IDB:
            # It is in force already; here are only those whose options could not all be read.
            return unread_behind(body, IDB_BODY, order)
        if kind == NRB:
            return self.hosts.take(body, order)
        if kind == ISB:
            applied, damage = apply_statistics(body, order, interfaces, rules.base, rules.declared)
            if not applied:
                self._skipped[NO_INTERFACE] += 1
            return damage
        if kind in PROCESS_BLOCKS and self.processes.take(kind, body, order, rules.section):
            return unread_behind(body, OPTIONS_AT.get(kind, len(body)), order)
        if kind in BLOCK_NAMES:
            self._skipped[BLOCK_NAMES[kind]] += 1
            return _misfit(kind, body, order)
        name = f"{UNKNOWN_BLOCK} 0x{kind:08x}"
        known = name in self._skipped or len(self._skipped) < MAX_BLOCK_KINDS
        self._skipped[name if known else f"{UNKNOWN_BLOCK}s beyond these"] += 1
        return ""


def _misfit(kind: int, body: bytes, order: str) -> str:
    """What shows that a block which is stepped over is none of its type; '' if nothing does."""
    if kind == JOURNAL and JOURNAL_TIME not in body:
        return "a journal entry without a time"
    if kind == SECRETS and len(body) >= 8:
        _, length = struct.unpack_from(order + "II", body, 0)
        if length > len(body) - 8:
            return "secrets that leave their block"
        return unread_behind(body, 8 + (length + 3 & ~3), order)
    return ""
