"""The three blocks of pcapng that hold a frame, as columns. HOT PATH.

Source: draft-ietf-opsawg-pcapng §4.3 (EPB), §4.4 (SPB), appendix A (obsolete PB).
"""

from array import array
from bisect import bisect_right
from dataclasses import field
from typing import NamedTuple

import numpy as np

from egress_audit.capture.pcapng_blocks import OPB, SPB, InterfaceState
from egress_audit.capture.pcapng_times import nanoseconds
from egress_audit.capture.window import Window
from egress_audit.columns import I32, I64, U32, Bool
from egress_audit.values import dataclass

NO_LIMIT = 1 << 32
HEAD = 28
"""Bytes of an EPB before its frame; the obsolete PB is laid out alike but for the interface."""


class Rules(NamedTuple):
    """What the blocks before a frame say of it."""

    big_endian: bool
    base: int
    """Index over the whole file of the section's first interface."""
    declared: int
    """Interfaces described so far, over all sections."""
    section: int
    """From 0; -1 before the first."""


@dataclass(slots=True)
class FrameRecords:
    """Positions of frame blocks, and which rules were in force at each."""

    rules: list[Rules]
    starts: list[int] = field(default_factory=lambda: [0])
    """Index into `position` from which each of `rules` holds."""
    position: "array[int]" = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.position)

    def follow(self, rules: Rules) -> None:
        """Frames taken from now on follow these rules."""
        if self.starts[-1] == len(self.position):
            self.rules[-1] = rules
        elif self.rules[-1] != rules:
            self.starts.append(len(self.position))
            self.rules.append(rules)

    def rules_at(self, row: int) -> Rules:
        """The rules for the frame `position[row]`."""
        return self.rules[bisect_right(self.starts, row) - 1]

    def spread(self) -> I64:
        """(fields of Rules, frames): the rules of every frame."""
        rules = np.array(self.rules, np.int64).T
        if len(self.rules) == 1:
            return np.broadcast_to(rules, (len(rules), len(self.position)))
        return np.repeat(rules, np.diff([*self.starts, len(self.position)]), axis=1)


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """Frames, one row each, as FrameBatch has them, and what else their blocks say."""

    offset: I64
    caplen: I64
    wirelen: I64
    ts_ns: I64
    interface: I32
    without_time: int
    block_end: I64
    """Where the block's trailing length begins: options lie between frame and here; 0 for a block
    that has none."""
    big_endian: Bool
    drops_beside: I64
    """Losses that an obsolete PB states for its frame; 0 for other blocks."""


@dataclass(frozen=True, slots=True)
class Heads:
    """The fixed fields of frame blocks, in native byte order."""

    simple: Bool
    length: I64
    interface: I64
    """As the block numbers it, within its section."""
    drops: I64
    ticks: np.typing.NDArray[np.uint64]
    caplen: I64
    """As stated; of an SPB, which states none, the original length."""
    wirelen: I64


Bad = tuple[int, str]


def columns_of(
    window: Window, records: FrameRecords, interfaces: list[InterfaceState], last_ts_ns: int
) -> tuple[FrameColumns, Bad | None]:
    """Columns of the frames up to the first that cannot be true; and where and why that is not.

    `last_ts_ns`: time of the frame before, for frames that carry none.
    """
    position = np.array(records.position, np.int64)
    rules = records.spread()
    big_endian, base, declared = rules[0].astype(bool), rules[1], rules[2]
    heads = _heads(window, position, big_endian)
    undeclared = heads.interface >= declared - base
    interface = np.where(undeclared, 0, heads.interface + base).astype(np.int32)
    room = heads.length - np.where(heads.simple, 16, HEAD + 4)
    caplen = _captured(heads, room, interface, interfaces)
    bad = undeclared | (caplen > room)
    good = int(np.argmax(bad)) if bad.any() else len(position)
    why = _why(position, good, undeclared, caplen, room) if good < len(position) else None
    keep = slice(0, good)
    ts_ns = nanoseconds(heads.ticks[keep], interface[keep], interfaces)
    columns = FrameColumns(
        offset=position[keep] + np.where(heads.simple[keep], 12, HEAD),
        caplen=caplen[keep],
        wirelen=heads.wirelen[keep],
        ts_ns=_carried_forward(ts_ns, heads.simple[keep], last_ts_ns),
        interface=interface[keep],
        without_time=int(heads.simple[keep].sum()),
        block_end=np.where(heads.simple[keep], 0, position[keep] + heads.length[keep] - 4),
        big_endian=big_endian[keep],
        drops_beside=heads.drops[keep],
    )
    return columns, why


def _heads(window: Window, position: I64, big: Bool) -> Heads:
    rows = len(window.array) - HEAD + 1
    view = np.ndarray((rows,), f"V{HEAD}", buffer=window.buffer, strides=(1,))
    words: U32 = view[position].view("<u4").reshape(-1, 7)
    if big.any():
        words = np.where(big[:, None], words.byteswap(), words)
    simple, old = words[:, 0] == SPB, words[:, 0] == OPB
    ticks = words[:, 3].astype(np.uint64) << np.uint64(32) | words[:, 4]
    if not (simple.any() or old.any()):
        length, number, caplen, wirelen = words[:, [1, 2, 5, 6]].T.astype(np.int64)
        return Heads(simple, length, number, np.zeros_like(number), ticks, caplen, wirelen)
    first, second = words[:, 2] >> np.uint32(16), words[:, 2] & np.uint32(0xFFFF)
    halves = (np.where(big, first, second), np.where(big, second, first))
    number = np.where(old, halves[0], np.where(simple, 0, words[:, 2]))
    drops = np.where(old & (halves[1] != 0xFFFF), halves[1], 0)
    return Heads(
        simple=simple,
        length=words[:, 1].astype(np.int64),
        interface=number.astype(np.int64),
        drops=drops.astype(np.int64),
        ticks=ticks,
        caplen=np.where(simple, words[:, 2], words[:, 5]).astype(np.int64),
        wirelen=np.where(simple, words[:, 2], words[:, 6]).astype(np.int64),
    )


def _captured(heads: Heads, room: I64, interface: I32, interfaces: list[InterfaceState]) -> I64:
    """Captured bytes of each frame; an SPB's are bounded by snaplen and block alone."""
    if not heads.simple.any() or not interfaces:
        return heads.caplen
    snaplen = np.array([state.snaplen or NO_LIMIT for state in interfaces], np.int64)
    kept = np.minimum(np.minimum(heads.caplen, snaplen[interface]), np.maximum(room, 0))
    return np.where(heads.simple, kept, heads.caplen)


def _why(position: I64, row: int, undeclared: Bool, caplen: I64, room: I64) -> Bad:
    at = int(position[row])
    if undeclared[row]:
        return at, "a frame of an interface that was not described"
    return at, f"a frame claims {caplen[row]} bytes, its block has room for {max(room[row], 0)}"


def _carried_forward(ts_ns: I64, simple: Bool, last_ts_ns: int) -> I64:
    """Times in which frames without one have that of the frame before."""
    if not simple.any():
        return ts_ns
    latest = np.maximum.accumulate(np.where(simple, -1, np.arange(len(ts_ns))))
    return np.where(latest < 0, last_ts_ns, ts_ns[np.maximum(latest, 0)])
