"""5-tuples to small integers: a hash table in numpy. HOT PATH.

Open addressing with linear probing. The hash is seeded anew in every process, because public
constants would let a capture choose its own collisions; the whole key is compared at every
look-up, so a collision costs time and never merges two flows. Numbers are given in the order of
first appearance, so nothing that is reported depends on the seed.
"""

import secrets

import numpy as np

from egress_audit.columns import I64, U64, Bool, PacketBatch
from egress_audit.flows.growing import grown, zeros

WORDS = 5
"""uint64 words of a key: both addresses (two each), then ports, depth, protocol and version."""


def _seed() -> np.uint64:
    return np.uint64(secrets.randbits(64) | 1)


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
    key[4] = (
        low << np.uint64(48)
        | high << np.uint64(32)
        | packets.depth.astype(np.uint64) << np.uint64(24)
        | packets.one_way.astype(np.uint64) << np.uint64(16)
        | packets.proto.astype(np.uint64) << np.uint64(8)
        | packets.version
    )
    return key, swap


class KeyTable:
    """Numbers keys from 0 in the order in which they first appear."""

    def __init__(self) -> None:
        self._seeds = [_seed() for _ in range(WORDS + 1)]
        self._bits = 12
        self._slots = np.full(1 << self._bits, -1, np.int32)
        self._hash = np.empty(1 << 11, np.uint64)
        self.key = np.empty((WORDS, 1 << 11), np.uint64)
        """(5, capacity); columns below `len(self)` are valid."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def numbers(self, key: U64) -> I64:
        """(n,) number of each key of (5, n); keys not seen before are added."""
        hashed = self._hashed(key)
        number = self._find(key, hashed)
        pending = np.flatnonzero(number < 0)
        while len(pending):
            pending = self._add(key, hashed, number, pending)
        return number

    def known(self, key: U64) -> I64:
        """(n,) number of each key of (5, n), -1 for those not seen before."""
        return self._find(key, self._hashed(key))

    def finish(self) -> None:
        """Lets go of what only look-ups need, which must not be called any more."""
        self._slots, self._hash = self._slots[:0].copy(), self._hash[:0].copy()

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
        mask = len(self._slots) - 1
        number = np.full(len(hashed), -1, np.int64)
        rows = np.arange(len(hashed))
        slot = (hashed & np.uint64(mask)).astype(np.int64)
        while len(rows):
            found = self._slots[slot]
            occupied = found >= 0
            rows, slot, found = rows[occupied], slot[occupied], found[occupied]
            same = self._hash[found] == hashed[rows]
            for word in range(WORDS):
                same &= self.key[word][found] == key[word][rows]
            number[rows[same]] = found[same]
            rows, slot = rows[~same], slot[~same] + 1 & mask
        return number

    def _add(self, key: U64, hashed: U64, number: I64, pending: I64) -> I64:
        """Adds the first bearer of each new hash; returns rows whose hash another key shares."""
        _, first, inverse = np.unique(hashed[pending], return_index=True, return_inverse=True)
        bearer = pending[first]
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(bearer)] = np.arange(len(first))
        same = (key[:, pending] == key[:, bearer[inverse]]).all(axis=0)
        start = self._count
        self._grow(start + len(bearer))
        added = np.sort(bearer)
        self._hash[start : start + len(added)] = hashed[added]
        self.key[:, start : start + len(added)] = key[:, added]
        self._count += len(added)
        self._place(np.arange(start, self._count))
        number[pending[same]] = start + rank[inverse[same]]
        left: I64 = pending[~same]
        return left

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
            self._place(np.arange(self._count))

    def _place(self, numbers: I64) -> None:
        """Puts numbers into free slots, each at or after the place its hash points to."""
        mask = len(self._slots) - 1
        slot = (self._hash[numbers] & np.uint64(mask)).astype(np.int64)
        while len(numbers):
            free = self._slots[slot] < 0
            self._slots[slot[free]] = numbers[free]
            lost = self._slots[slot] != numbers
            numbers, slot = numbers[lost], slot[lost] + 1 & mask
