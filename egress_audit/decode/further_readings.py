"""What fragments may have said beyond the packets they make. HOT PATH.

A receiver that prefers the later of two bytes reads another datagram than one that prefers the
first (RFC 5722 §3 tells of both), and the beginning of a datagram that never became whole was on
the wire all the same. Both are offered to the readers of names; neither is a packet more.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from egress_audit.columns import I64, PADDING, FrameBatch, PacketBatch
from egress_audit.decode import ledger
from egress_audit.decode.layers import chosen, joined
from egress_audit.decode.link import LinkColumns
from egress_audit.decode.network import network_columns
from egress_audit.decode.reassembly import LONGEST
from egress_audit.decode.transport import transport_layers
from egress_audit.values import dataclass

IPV6_HEADER = 40


@dataclass(frozen=True, slots=True)
class Whole:
    """A datagram as its fragments make it."""

    head: bytes
    """The headers of the first fragment."""
    data: bytes
    """What stands behind them, as captured."""
    total: int
    """Bytes of data on the wire."""
    ts_ns: int


@dataclass(frozen=True, slots=True)
class FurtherReading:
    """A datagram that no packet carries."""

    datagram: Whole
    frame: int
    """That brought the first byte of it, or the last."""
    depth: int
    behind: int
    """The frame with which it was sure: it is read behind the packets of that one."""


def side_by_side(datagrams: Sequence[Whole]) -> FrameBatch:
    """Datagrams as unfragmented frames that begin with their IP header."""
    parts = [(_unfragmented(whole), whole.data, whole.total) for whole in datagrams]
    caplen = np.array([len(head) + len(data) for head, data, _ in parts])
    none = np.zeros(len(parts), np.int32)
    bytes_of_all = b"".join(head + data for head, data, _ in parts) + bytes(PADDING)
    return FrameBatch(
        buffer=np.frombuffer(bytes_of_all, np.uint8),
        offset=np.cumsum(caplen) - caplen,
        caplen=caplen,
        wirelen=np.array([len(head) + total for head, _, total in parts]),
        ts_ns=np.array([whole.ts_ns for whole in datagrams]),
        interface=none,
        linktype=none,
        first_frame=0,
    )


def without_link(batch: FrameBatch) -> LinkColumns:
    """The link layer of frames that have none."""
    count = len(batch.offset)
    return LinkColumns(batch.offset, np.zeros(count, np.int64), np.zeros(count, np.uint8))


def packets_of_readings(readings: Sequence[FurtherReading]) -> tuple[PacketBatch, I64] | None:
    """The readings as packets to be read, which must not be counted, and the frame behind which
    each stands; None if none has a payload.

    A tunnel inside of them is not opened.
    """
    if not readings:
        return None
    batch = side_by_side([reading.datagram for reading in readings])
    network = network_columns(batch, without_link(batch))
    rows = np.flatnonzero(network.outcome == ledger.PACKET)
    frame = np.array([reading.frame for reading in readings])
    packets, _ = transport_layers(batch, network, rows, frame[rows])
    packets.depth[:] = np.array([reading.depth for reading in readings])[rows]
    said = (packets.payload_len > 0) & (packets.payload_cap > 0)
    if not said.any():
        return None
    return chosen(packets, said), np.array([reading.behind for reading in readings])[rows][said]


def among(packets: PacketBatch, further: PacketBatch, behind: I64) -> tuple[PacketBatch, I64]:
    """Packets, and readings each behind the packets of a frame; and of which row each is, those of
    the readings counted on from the packets."""
    buffer = np.concatenate([packets.buffer, further.buffer])
    further = replace(further, buffer=buffer, payload=further.payload + len(packets.buffer))
    # A packet that had to wait stands behind frames that came after its own.
    before = np.searchsorted(np.maximum.accumulate(packets.frame), behind, side="right")
    place = np.concatenate([np.arange(len(packets)) * 2 + 1, before * 2])
    order = np.argsort(place, kind="stable")
    return chosen(joined([packets, further]), order), order


def _unfragmented(whole: Whole) -> bytes:
    """The headers of a first fragment as those of the whole datagram; 0 for a length too long."""
    head, length = whole.head, len(whole.head) + whole.total
    if head[0] >> 4 == 4:
        stated = (length if length <= LONGEST else 0).to_bytes(2, "big")
        return head[:2] + stated + head[4:6] + b"\0\0" + head[8:]
    length -= IPV6_HEADER
    stated = (length if length <= LONGEST else 0).to_bytes(2, "big")
    return head[:4] + stated + head[6:-6] + b"\0\0" + head[-4:]
