"""A source that copies single frames on their way by, for a person to look at."""

from collections.abc import Collection, Iterator

import numpy as np

from egress_audit.capture.merged import INTERFACES_OF_FILE, MergedSource
from egress_audit.columns import I64, FrameBatch, FrameSource
from egress_audit.model.evidence import CaptureFacts
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class TappedFrame:
    """One frame, with its bytes."""

    number: int
    ts_ns: int
    interface: int
    """Index into the interfaces of its file."""
    linktype: int
    captured: bytes
    wirelen: int
    file: int = 0
    """Of captures that are merged, the one that it is from, in the order named."""
    number_in_file: int = 0
    """Its number there; 0 where nothing is merged."""


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
            for frame in _taken(self._source, batch, self._wanted):
                self.frames[frame.number] = frame
            yield batch

    def facts(self) -> CaptureFacts:
        """The facts of the source."""
        return self._source.facts()


def tapped(source: FrameSource, wanted: Collection[int]) -> Iterator[TappedFrame]:
    """The frames with these numbers, ascending; one at a time, however many they are."""
    numbers = np.array(sorted(wanted), np.int64)
    for batch in source:
        yield from _taken(source, batch, numbers)


def _taken(source: FrameSource, batch: FrameBatch, wanted: I64) -> Iterator[TappedFrame]:
    """The frames of a batch that are wanted. wanted: numbers, ascending."""
    first, end = np.searchsorted(wanted, [batch.first_frame, batch.first_frame + len(batch)])
    for number in wanted[first:end].tolist():
        row = number - batch.first_frame
        start, size = int(batch.offset[row]), int(batch.caplen[row])
        file = number_in_file = 0
        interface = int(batch.interface[row])
        if isinstance(source, MergedSource):
            file, number_in_file = int(source.origin.file[row]), int(source.origin.frame[row])
            interface -= file * INTERFACES_OF_FILE
        yield TappedFrame(
            number=number,
            ts_ns=int(batch.ts_ns[row]),
            interface=interface,
            linktype=int(batch.linktype[row]),
            captured=batch.buffer[start : start + size].tobytes(),
            wirelen=int(batch.wirelen[row]),
            file=file,
            number_in_file=number_in_file,
        )
