"""The outermost packets of a batch: those of the common form compiled, all else in numpy. HOT PATH.

The compiled hot path reads frames of the common form alone. What it leaves goes through the same
functions as everything does where it is missing, as a small batch of its own, and into the rows
that were kept free for it.
"""

from typing import Any

import numpy as np

from egress_audit.columns import I64, FrameBatch, PacketBatch
from egress_audit.compiled import library
from egress_audit.compiled.frames import DECODED, decoded
from egress_audit.decode import ledger
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.link import network_layers
from egress_audit.decode.network import NetworkColumns, network_columns
from egress_audit.decode.transport import transport_layers
from egress_audit.values import dataclass

ZERO: dict[str, type[np.generic]] = {
    "one_way": np.bool_,
    "fragment": np.bool_,
    "depth": np.uint8,
    "carrier": np.bool_,
    "sealed": np.uint8,
}
"""Columns in which a packet of the common form has 0."""


@dataclass(frozen=True, slots=True)
class Outermost:
    """The outermost packets of a batch, and the IP headers of those that may be fragments."""

    packets: PacketBatch
    network: NetworkColumns | None
    """None where all packets are of the common form, none of which is a fragment."""
    rows: I64
    """(n,) row of each packet in `network`; of packets of the common form any."""


def outermost(batch: FrameBatch, counted: Ledger) -> Outermost:
    """The outermost IP packets of a batch, in order; all else is counted by reason."""
    frame = np.arange(batch.first_frame, batch.first_frame + len(batch))
    if not library.is_in_use() or not len(batch):
        return _in_numpy(batch, frame, counted)
    columns, left = decoded(batch)
    if len(left) == len(batch):
        return _in_numpy(batch, frame, counted)
    truncated = batch.caplen < batch.wirelen
    truncated |= columns["payload_cap"] < columns["payload_len"]
    cut = int(np.count_nonzero(truncated)) - int(np.count_nonzero(truncated[left]))
    counted.take_whole(len(batch) - len(left), cut)
    columns |= {name: np.zeros(len(batch), dtype) for name, dtype in ZERO.items()}
    columns["frame"], columns["ts_ns"] = frame, batch.ts_ns
    if not len(left):
        return Outermost(PacketBatch(batch.buffer, **columns), None, left)
    return _with_left(batch, columns, left, counted)


def _in_numpy(batch: FrameBatch, frame: I64, counted: Ledger) -> Outermost:
    """Frames of any form. frame: (n,) number of each."""
    network = network_columns(batch, network_layers(batch))
    rows = np.flatnonzero(network.outcome == ledger.PACKET)
    packets, partial = transport_layers(batch, network, rows, frame[rows])
    counted.take(network.outcome, partial, _truncated(batch, packets, network, rows))
    return Outermost(packets, network, rows)


def _truncated(batch: FrameBatch, packets: PacketBatch, network: NetworkColumns, rows: I64) -> int:
    """Frames that hold less than was on the wire: by their own lengths, or by those in the headers
    of their packets, which writers that strip payloads leave as they were."""
    truncated = batch.caplen < batch.wirelen
    lacking = packets.payload_cap < packets.payload_len
    lacking |= packets.fragment & (network.end[rows] - network.header[rows] < packets.ip_len)
    truncated[rows[lacking]] = True
    return int(np.count_nonzero(truncated))


def _with_left(batch: FrameBatch, columns: dict[str, Any], left: I64, counted: Ledger) -> Outermost:
    """The packets of a batch of which some rows were left. columns: a row for every frame."""
    found = _in_numpy(batch.chosen(left), columns["frame"][left], counted)
    at, rows = left[found.rows], np.zeros(len(batch), np.int64)
    rows[at] = found.rows
    for name in (*DECODED, *ZERO):
        columns[name][at] = getattr(found.packets, name)
    if len(at) < len(left):
        keep = np.ones(len(batch), np.bool_)
        keep[left] = False
        keep[at] = True
        kept = np.flatnonzero(keep)
        columns, rows = {name: column[kept] for name, column in columns.items()}, rows[kept]
    return Outermost(PacketBatch(batch.buffer, **columns), found.network, rows)
