"""The outermost packets of a batch: those of the common form compiled, all else in numpy. HOT PATH.

The compiled hot path reads frames of the common form alone. What it leaves goes through the same
functions as everything does where it is missing, as a small batch of its own, and into the rows
that were kept free for it.
"""

from typing import Any

import numpy as np

from egress_audit.columns import I64, Bool, FrameBatch, PacketBatch
from egress_audit.compiled import library
from egress_audit.compiled.frames import DECODED, decoded
from egress_audit.decode import ledger
from egress_audit.decode.aggregates import outcome_of_frames, units_of
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
    may_stay: PacketBatch | None
    """Some of the packets, among them all that may be for their own machine, and all whose link
    layer may say that it sent them; None for none."""


def outermost(batch: FrameBatch, counted: Ledger) -> Outermost:
    """The outermost IP packets of a batch, in order; all else is counted by reason."""
    frame = np.arange(batch.first_frame, batch.first_frame + len(batch))
    if not library.is_in_use() or not len(batch):
        return _in_numpy(batch, frame, counted)
    columns, left, cut, stays = decoded(batch)
    if len(left) == len(batch):
        return _in_numpy(batch, frame, counted)
    counted.take_whole(len(batch) - len(left), cut)
    columns |= {name: np.zeros(len(batch), dtype) for name, dtype in ZERO.items()}
    columns["frame"], columns["ts_ns"] = frame, batch.ts_ns
    if not len(left):
        packets = PacketBatch(batch.buffer, **columns)
        return Outermost(packets, None, left, packets if stays else None)
    return _with_left(batch, columns, left, counted, stays)


def _in_numpy(batch: FrameBatch, frame: I64, counted: Ledger) -> Outermost:
    """Frames of any form. frame: (n,) number of each."""
    units = units_of(batch, network_layers(batch))
    network = network_columns(units.batch, units.link)
    rows = np.flatnonzero(network.outcome == ledger.PACKET)
    packets, partial = transport_layers(units.batch, network, rows, frame[units.frame[rows]])
    truncated = batch.caplen < batch.wirelen
    truncated[units.frame[rows[_lacking(packets, network, rows)]]] = True
    outcome = outcome_of_frames(units, network.outcome)
    counted.take(outcome, partial, int(np.count_nonzero(truncated)))
    return Outermost(packets, network, rows, packets)


def _lacking(packets: PacketBatch, network: NetworkColumns, rows: I64) -> Bool:
    """Packets of which less is there than their headers say: writers that strip payloads leave both
    lengths of a record equal, and those in the headers as they were."""
    held = network.end[rows] - network.header[rows]
    lacking: Bool = packets.payload_cap < packets.payload_len
    return lacking | (packets.fragment & (held < packets.ip_len))


def _with_left(
    batch: FrameBatch, columns: dict[str, Any], left: I64, counted: Ledger, stays: bool
) -> Outermost:
    """The packets of a batch of which some rows were left. columns: a row for every frame; stays:
    whether one of those that were not left may be of or for its own machine alone."""
    found = _in_numpy(batch.chosen(left), columns["frame"][left], counted)
    at = found.packets.frame - batch.first_frame
    if not np.array_equal(at, left):
        # Some frame is no packet, or several.
        packets = np.ones(len(batch), np.int64)
        packets[left] = 0
        packets += np.bincount(at, minlength=len(batch))
        kept, is_left = np.repeat(np.arange(len(batch)), packets), np.zeros(len(batch), np.bool_)
        is_left[left] = True
        at = np.flatnonzero(is_left[kept])
        columns = {name: column[kept] for name, column in columns.items()}
    for name in (*DECODED, *ZERO):
        columns[name][at] = getattr(found.packets, name)
    rows = np.zeros(len(columns["frame"]), np.int64)
    rows[at] = found.rows
    packets_of_all = PacketBatch(batch.buffer, **columns)
    may_stay = packets_of_all if stays else found.packets
    return Outermost(packets_of_all, found.network, rows, may_stay)
