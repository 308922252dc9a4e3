"""Frames in, packets out, those inside tunnels and those that came in fragments too. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, PADDING, FrameBatch, PacketBatch
from egress_audit.decode import ledger
from egress_audit.decode.astray import astray
from egress_audit.decode.fragments import Fragments
from egress_audit.decode.further_readings import packets_of_readings
from egress_audit.decode.layers import in_order
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.outermost import outermost
from egress_audit.decode.sent_here import SentHere
from egress_audit.decode.transport import transport_layers
from egress_audit.decode.tunnels import Layer, opened, seal_deepest

MAX_DEPTH = 5
"""Tunnels around a packet; what lies deeper is not opened. Nobody needs more than three, and each
layer goes through the whole decoder again."""


class Decoder:
    """Decodes a capture; keeps the fragments whose datagrams are not whole yet."""

    def __init__(self) -> None:
        self._fragments = [Fragments() for _ in range(MAX_DEPTH + 1)]
        """Of each layer apart, so that none depends on how the capture is cut into batches."""
        self.sent_here = SentHere()

    def packets(self, batch: FrameBatch, counted: Ledger) -> PacketBatch:
        """The packets of a batch, what is inside of tunnels right behind these.

        Every frame is counted once; packets inside of others only if something of them is missing.
        """
        found = outermost(batch, counted)
        packets, place = found.packets, None
        if found.may_stay is not None:
            counted.astray += astray(batch, found.may_stay)
            self.sent_here.take(batch, found.may_stay)
        if found.network is not None:
            packets, place = self._fragments[0].take(packets, found.network, found.rows, counted)
        parts: list[PacketBatch] = [packets]
        places: list[I64 | None] = [place]
        for depth in range(1, MAX_DEPTH + 1):
            layer = opened(parts[-1])
            if layer is None:
                return in_order(parts, places)
            packets, place = self._inner(layer, depth, counted)
            parts.append(packets)
            places.append(place)
        seal_deepest(parts[-1])
        return in_order(parts, places)

    def finish(self) -> PacketBatch | None:
        """What still waits for a first fragment when the capture has ended, if anything."""
        nothing = np.zeros(PADDING, np.uint8)
        left = [fragments.finish(nothing) for fragments in self._fragments]
        parts = [part for part in left if part is not None]
        if not parts:
            return None
        return in_order(parts, [np.zeros(len(part), np.int64) for part in parts])

    def waiting(self) -> set[int]:
        """Frames of fragments that come with a later batch, or with `finish`."""
        return set().union(*[fragments.waiting() for fragments in self._fragments])

    def further_readings(self) -> tuple[PacketBatch, I64] | None:
        """What the fragments of the last batch may have said besides, or those of `finish`; and the
        frame behind whose packets each stands.

        To be read and not to be counted: the frames behind it were packets already.
        """
        readings = [reading for fragments in self._fragments for reading in fragments.further]
        if not readings:
            return None
        for fragments in self._fragments:
            fragments.further.clear()
        return packets_of_readings(readings)

    def _inner(self, layer: Layer, depth: int, counted: Ledger) -> tuple[PacketBatch, I64 | None]:
        """The packets of one layer further in, and their places, None if none has moved."""
        rows = np.flatnonzero(layer.network.outcome == ledger.PACKET)
        packets, partial = transport_layers(
            layer.batch, layer.network, rows, layer.frame[rows], depth
        )
        counted.add_partial(partial)
        return self._fragments[depth].take(packets, layer.network, rows, counted)
