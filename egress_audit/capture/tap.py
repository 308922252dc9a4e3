"""A source that copies single frames on their way by, for a person to look at."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from egress_audit.columns import FrameBatch, FrameSource
from egress_audit.model.evidence import CaptureFacts


@dataclass(frozen=True, slots=True)
class TappedFrame:
    """One frame, with its bytes."""

    number: int
    ts_ns: int
    interface: int
    linktype: int
    captured: bytes
    wirelen: int


class Tap:
    """Yields what its source yields, and keeps the frames that are wanted."""

    def __init__(self, source: FrameSource, wanted: Collection[int]) -> None:
        self._source = source
        self._wanted = np.array(sorted(wanted), np.int64)
        self.frames: dict[int, TappedFrame] = {}
        """By number."""

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every batch of the source, unchanged."""
        for batch in self._source:
            rows = self._wanted - batch.first_frame
            for row in rows[(rows >= 0) & (rows < len(batch))].tolist():
                self._keep(batch, row)
            yield batch

    def _keep(self, batch: FrameBatch, row: int) -> None:
        start, size = int(batch.offset[row]), int(batch.caplen[row])
        number = batch.first_frame + row
        self.frames[number] = TappedFrame(
            number=number,
            ts_ns=int(batch.ts_ns[row]),
            interface=int(batch.interface[row]),
            linktype=int(batch.linktype[row]),
            captured=batch.buffer[start : start + size].tobytes(),
            wirelen=int(batch.wirelen[row]),
        )

    def facts(self) -> CaptureFacts:
        """The facts of the source."""
        return self._source.facts()
