"""5-tuples to small integers: a hash table. HOT PATH.

Open addressing with double hashing, in columns that numpy or the compiled hot path works on. The
hash is seeded anew in every process, because public constants would let a capture choose its own
collisions; the whole key is compared at every look-up, so a collision costs time and never merges
two flows. Numbers are given in the order of first appearance, so nothing that is reported depends
on the seed. Most packets of a batch share a key with others: they are put side by side first, so
that each key is looked up once.
"""

import os

import numpy as np

from egress_audit.columns import I64, U64, Bool, PacketBatch
from egress_audit.compiled import groups, library
from egress_audit.flows.growing import grown, zeros
from egress_audit.values import dataclass

WORDS = 5
"""uint64 words of a key: both addresses (two each), then ports, depth, protocol and version."""


def _seed() -> np.uint64:
    return np.uint64(int.from_bytes(os.urandom(8)) | 1)


def keys_of(packets: PacketBatch) -> tuple[U64, Bool]:
    """(5, n) keys that are the same for both directions, and which packets were turned round.

    The end with the smaller address (then port) stands first, except in one-way ICMP.
    """
    swap = packets.src_hi > packets.dst_hi
    equal = packets.src_hi == packets.dst_hi
    swap |= equal & (packets.src_lo > packets.dst_lo)
    equal &= packets.src_lo == packets.dst_lo
    swap |= equal & (packets.sport > packets.dport)
    swap &= ~packets.one_way
    key = np.empty((WORDS, len(packets)), np.uint64)
    key[0] = np.where(swap, packets.dst_hi, packets.src_hi)
    key[1] = np.where(swap, packets.dst_lo, packets.src_lo)
    key[2] = np.where(swap, packets.src_hi, packets.dst_hi)
    key[3] = np.where(swap, packets.src_lo, packets.dst_lo)
    low = np.where(swap, packets.dport, packets.sport).astype(np.uint64)
    high = np.where(swap, packets.sport, packets.dport).astype(np.uint64)
    rest = packets.proto.astype(np.uint16) << np.uint16(8) | packets.version
    key[4] = low << np.uint64(48) | high << np.uint64(32) | rest
    if packets.depth.any():
        key[4] |= packets.depth.astype(np.uint64) << np.uint64(24)
    if packets.one_way.any():
        key[4] |= packets.one_way.astype(np.uint64) << np.uint64(16)
    return key, swap


@dataclass(frozen=True, slots=True)
class Groups:
    """The packets of a batch, sorted so that those of one key lie side by side, as they arrived."""

    order: I64
    """(n,) row of each packet in the batch."""
    starts: I64
    """(groups,) where in `order` each group begins."""
    number: I64
    """(groups,) number of its key."""


class KeyTable:
    """Numbers keys from 0 in the order in which they first appear."""

    def __init__(self) -> None:
        self._seeds = [_seed() for _ in range(WORDS + 1)]
        self._grouping = groups.Grouping(np.array(self._seeds, np.uint64))
        self._bits = 12
        self._slots = np.full(1 << self._bits, -1, np.int32)
        self._hash = np.empty(1 << 11, np.uint64)
        self.key = np.empty((WORDS, 1 << 11), np.uint64)
        """(5, capacity); columns below `len(self)` are valid."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def groups_of(self, packets: PacketBatch) -> tuple[Groups, Bool]:
        """The packets of a batch, at least one, in groups of one key each, and which of them were
        turned round, (n,) in the order of the batch; keys not seen before are added."""
        if library.is_in_use():
            return self._compiled(packets)
        key, swapped = keys_of(packets)
        return self.groups(key), swapped

    def _compiled(self, packets: PacketBatch) -> tuple[Groups, Bool]:
        """The same, by the compiled hot path."""
        found = self._grouping.grouped(packets)
        number, reached = np.empty(len(found.starts), np.int64), 0
        while True:
            table = groups.Table(self._slots, self._hash, self.key)
            reached, self._count = groups.numbered(found, table, self._count, number, reached)
            if reached == len(number):
                return Groups(found.order, found.starts, number), found.swapped
            # Every group that is left may be of a new key, as it mostly is where one is.
            self._grow(self._count + len(number) - reached)

    def groups(self, key: U64) -> Groups:
        """The packets whose keys these are, (5, n) of at least one, in groups of one key each; keys
        not seen before are added."""
        hashed = self._hashed(key)
        order, starts = _side_by_side(key, hashed)
        leader = order.take(starts)
        key, hashed = key.take(leader, axis=1), hashed.take(leader)
        number = self._find(key, hashed)
        new = np.flatnonzero(number < 0)
        if len(new):
            new = new[np.argsort(leader[new])]
            number[new] = self._add(key[:, new], hashed[new])
        return Groups(order, starts, number)

    def known(self, key: U64) -> I64:
        """(n,) number of each key of (5, n), -1 for those not seen before."""
        return self._find(key, self._hashed(key))

    def finish(self) -> None:
        """Lets go of what only look-ups need, which must not be called any more."""
        self._slots, self._hash = self._slots[:0].copy(), self._hash[:0].copy()
        self._grouping = groups.Grouping(np.array(self._seeds, np.uint64))

    def _hashed(self, key: U64) -> U64:
        mixed = np.zeros(key.shape[1], np.uint64)
        for word, seed in zip(key, self._seeds, strict=False):
            mixed ^= word
            mixed *= seed
            mixed ^= mixed >> np.uint64(29)
        mixed *= self._seeds[-1]
        mixed ^= mixed >> np.uint64(32)
        return mixed

    def _find(self, key: U64, hashed: U64) -> I64:
        """(k,) number of each key of (5, k); -1 of those not seen before."""
        mask, step = len(self._slots) - 1, _step(hashed)
        number = np.full(len(hashed), -1, np.int64)
        rows = np.arange(len(hashed))
        slot = hashed.astype(np.int64) & mask
        while True:
            found = self._slots.take(slot)
            occupied = found >= 0
            same = occupied & (self._hash.take(found) == hashed.take(rows))
            hit = np.flatnonzero(same)
            if len(hit):
                known, asked = found.take(hit), rows.take(hit)
                equal = (self.key.take(known, axis=1) == key.take(asked, axis=1)).all(axis=0)
                number[asked[equal]] = known[equal]
                same[hit] = equal
            left = np.flatnonzero(occupied & ~same)
            if not len(left):
                return number
            rows = rows.take(left)
            slot = slot.take(left) + step.take(rows) & mask

    def _add(self, key: U64, hashed: U64) -> I64:
        """Numbers of keys that are not in the table, each of which differs from the others."""
        start, end = self._count, self._count + len(hashed)
        self._grow(end)
        self._hash[start:end] = hashed
        self.key[:, start:end] = key
        self._count = end
        numbers = np.arange(start, end)
        self._place(numbers)
        return numbers

    def _grow(self, needed: int) -> None:
        capacity = len(self._hash)
        if needed > capacity:
            while capacity < needed:
                capacity *= 2
            self._hash = grown(self._hash, capacity)
            wider = zeros(WORDS * capacity, self.key.dtype).reshape(WORDS, capacity)
            wider[:, : self._count] = self.key[:, : self._count]
            self.key = wider
        if needed * 2 > len(self._slots):
            while needed * 2 > 1 << self._bits:
                self._bits += 1
            self._slots = zeros(1 << self._bits, self._slots.dtype)
            self._slots[:] = -1
            if library.is_in_use():
                groups.place(self._hash, self._count, self._slots)
            else:
                self._place(np.arange(self._count))

    def _place(self, numbers: I64) -> None:
        """Puts numbers into free slots, each where its hash points to or some steps behind."""
        mask, hashed = len(self._slots) - 1, self._hash[numbers]
        slot, step = hashed.astype(np.int64) & mask, _step(hashed)
        while len(numbers):
            free = self._slots[slot] < 0
            self._slots[slot[free]] = numbers[free]
            lost = np.flatnonzero(self._slots[slot] != numbers)
            numbers, step = numbers.take(lost), step.take(lost)
            slot = slot.take(lost) + step & mask


def _step(hashed: U64) -> I64:
    """How far each key goes on where a slot is taken: odd, so that it comes by all of them."""
    step: I64 = (hashed >> np.uint64(32) | np.uint64(1)).astype(np.int64)
    return step


def _side_by_side(key: U64, hashed: U64) -> tuple[I64, I64]:
    """Rows of (5, n) keys sorted so that equal ones lie together, and where each key begins."""
    # Sixteen bits at a time numpy sorts by counting, which no order of the packets makes slower.
    upper, lower = (hashed >> np.uint64(48)).astype(np.uint16), hashed.astype(np.uint16)
    order = np.argsort(upper, kind="stable")
    order = order.take(np.argsort(lower.take(order), kind="stable"))
    starts = _starts(key, order)
    mark = (hashed >> np.uint64(48) << np.uint64(16) | lower).take(order)
    if len(starts) != 1 + np.count_nonzero(mark[1:] != mark[:-1]):
        # Two keys share these bits, and one may lie on both sides of the other.
        order = np.lexsort(key)
        starts = _starts(key, order)
    return order, starts


def _starts(key: U64, order: I64) -> I64:
    """Where in `order` a key follows another one, and 0."""
    first: Bool = np.zeros(len(order), np.bool_)
    first[0] = True
    for word in key:
        ordered = word.take(order)
        first[1:] |= ordered[1:] != ordered[:-1]
    return np.flatnonzero(first)
