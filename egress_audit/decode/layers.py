"""Packets of several layers, and packets that had to wait, put into one order. HOT PATH."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from egress_audit.columns import I64, U8, Bool, PacketBatch

COLUMNS = tuple(field.name for field in fields(PacketBatch) if field.name != "buffer")
"""Names of the columns of a batch of packets."""

Values = tuple[Any, ...]
"""One packet, its columns in the order of COLUMNS."""


def values_of(packets: PacketBatch, row: int) -> Values:
    """One packet, so that it outlives its batch."""
    return tuple(getattr(packets, name)[row] for name in COLUMNS)


def from_values(buffer: U8, rows: Sequence[Values]) -> PacketBatch:
    """Packets from their columns; at least one."""
    columns = zip(*rows, strict=True)
    return PacketBatch(
        buffer, **{name: np.array(column) for name, column in zip(COLUMNS, columns, strict=True)}
    )


def chosen(packets: PacketBatch, rows: I64 | Bool) -> PacketBatch:
    """Some packets of a batch."""
    return replace(packets, **{name: getattr(packets, name)[rows] for name in COLUMNS})


def joined(parts: Sequence[PacketBatch]) -> PacketBatch:
    """All packets, one part behind the other; the last one's buffer must hold the bytes of all."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return PacketBatch(parts[-1].buffer, **columns)


def places_of(packets: PacketBatch) -> I64:
    """(n,) where packets stand that come with their frames: twice the frame, plus one."""
    return packets.frame * 2 + 1


def in_order(parts: Sequence[PacketBatch], places: Sequence[I64 | None]) -> PacketBatch:
    """All packets by their places; those of one place by frame, and from the outside to the inside.

    places: (n,) for each part, None for `places_of`; the last part's buffer must hold the bytes of
    all. A single part without places is of one packet a frame, and comes in order.
    """
    if len(parts) == 1 and (places[0] is None or bool((places[0][1:] > places[0][:-1]).all())):
        return parts[0]
    packets = joined(parts)
    place = [places_of(part) if at is None else at for part, at in zip(parts, places, strict=True)]
    return chosen(packets, np.lexsort((packets.depth, packets.frame, np.concatenate(place))))
