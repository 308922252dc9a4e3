"""Packets put side by side by flow, and keys numbered, by keys.c. HOT PATH."""

from typing import Any

import numpy as np
import numpy.typing as npt

from egress_audit.columns import I64, U64, Bool, PacketBatch
from egress_audit.compiled.library import address, addresses, function
from egress_audit.values import dataclass

WORDS = 5
FREE = -1
ADDRESSES: dict[str, type[np.generic]] = {
    "src_hi": np.uint64,
    "src_lo": np.uint64,
    "dst_hi": np.uint64,
    "dst_lo": np.uint64,
    "sport": np.uint16,
    "dport": np.uint16,
    "proto": np.uint8,
    "version": np.uint8,
    "depth": np.uint8,
    "one_way": np.bool_,
}
"""Columns of PacketBatch that make a key, in the order of C's struct address_columns."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """Packets of one key side by side, as they came; groups in the order of their first packets."""

    keys: U64
    """(groups, 5)"""
    hashes: U64
    """(groups,)"""
    swapped: Bool
    """(n,) Whether the receiver's end of a packet stands first in its key."""
    order: I64
    """(n,) row of each packet in the batch."""
    starts: I64
    """(groups,) where in `order` each group begins."""


class Grouping:
    """Puts the packets of batches in groups, with slots that are kept: few of them are used."""

    def __init__(self, seeds: U64) -> None:
        """seeds: one for each word, and another."""
        self._seeds = seeds
        self._slots = np.full(0, FREE, np.int32)

    def grouped(self, packets: PacketBatch) -> Grouped:
        """The packets of a batch, at least one, in groups."""
        size = 1 << (2 * len(packets) - 1).bit_length()
        if size > len(self._slots):
            self._slots = np.full(size, FREE, np.int32)
        return _grouped(packets, self._seeds, self._slots[:size])


def _grouped(packets: PacketBatch, seeds: U64, slots: npt.NDArray[np.int32]) -> Grouped:
    count = len(packets)
    columns = [
        (np.ascontiguousarray(getattr(packets, name)), dtype) for name, dtype in ADDRESSES.items()
    ]
    given = addresses(columns, count)
    # There may be as many groups as packets; where there are few, little of these is touched.
    keys, hashes = np.empty((count, WORDS), np.uint64), np.empty(count, np.uint64)
    swapped, group = np.empty(count, np.bool_), np.empty(count, np.int32)
    starts, order = np.empty(count + 1, np.int64), np.empty(count, np.int64)
    out = np.array(
        [
            address(keys, np.uint64, WORDS * count),
            address(hashes, np.uint64, count),
            address(slots, np.int32, len(slots)),
            address(swapped, np.bool_, count),
            address(group, np.int32, count),
            address(starts, np.int64, count + 1),
            address(order, np.int64, count),
        ],
        np.uint64,
    )
    groups = function("group_packets", "pnpnp")(
        address(given, np.uint64, len(given)),
        count,
        address(seeds, np.uint64, WORDS + 1),
        len(slots) - 1,
        address(out, np.uint64, len(out)),
    )
    return Grouped(keys[:groups], hashes[:groups], swapped, order, starts[:groups])


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table of keys, as flows.keys.KeyTable has them."""

    slots: npt.NDArray[np.int32]
    """A power of two of them: numbers by hash, FREE where there is none."""
    hashes: U64
    """(capacity,)"""
    keys: U64
    """(5, capacity)"""


def numbered(found: Grouped, table: Table, known: int, number: I64, first: int) -> tuple[int, int]:
    """Writes the numbers of groups from `first` on, and adds keys that are new; the group that
    comes next, where the table must grow before, and how many keys it has then.

    known: keys that the table has; number: (groups,).
    """
    groups, capacity = len(found.hashes), len(table.hashes)
    if table.keys.shape != (WORDS, capacity) or known > capacity:
        raise ValueError(f"no table of {known} keys, with room for {capacity}")
    columns: list[tuple[npt.NDArray[Any], npt.DTypeLike]] = [
        (table.slots, np.int32),
        (table.hashes, np.uint64),
        (table.keys, np.uint64),
    ]
    places = addresses(columns, 0)
    count = np.array([known], np.uint64)
    reached = function("number_groups", "ppnnpnnpp")(
        address(found.keys, np.uint64, WORDS * groups),
        address(found.hashes, np.uint64, groups),
        first,
        groups,
        address(places, np.uint64, len(places)),
        _mask(table.slots, known),
        capacity,
        address(count, np.uint64, 1),
        address(number, np.int64, groups),
    )
    return reached, int(count[0])


def place(hashes: U64, count: int, slots: npt.NDArray[np.int32]) -> None:
    """Puts numbers below `count` into slots, a power of two of them and all FREE before."""
    mask, at = _mask(slots, count), address(slots, np.int32, len(slots))
    function("place_numbers", "pnpn")(address(hashes, np.uint64, count), count, at, mask)


def _mask(slots: npt.NDArray[np.int32], count: int) -> int:
    """What leaves of a hash the number of a slot. Raises ValueError unless there is a power of two
    of them, twice as many as keys or more: else a look-up might never end."""
    size = len(slots)
    if not size or size & (size - 1) or size < 2 * count:
        raise ValueError(f"no table of {size} slots has room for {count} keys")
    return size - 1
