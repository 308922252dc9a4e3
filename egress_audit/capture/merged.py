"""Several captures as one, in time order: rotated files, or one host's interfaces. HOT PATH.

The order is that of `mergecap`: of the frames that come next in each file, the earliest is taken,
and of two at the same time that of the file named last. In columns: a frame's key is the latest
time of its file up to it, and all frames whose key lies below the last key that is known of every
file can be sorted at once. A file is opened when the time reaches its first frame, so that rotated
files cost the memory of one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import field, replace
from typing import TypeVar

import numpy as np

from egress_audit.capture.merged_annotations import (
    annotations_of,
    extent_of,
    joined_annotations,
    renumbered,
)
from egress_audit.columns import I32, I64, PADDING, U8, FrameBatch, FrameSource, OpenedSource
from egress_audit.errors import InputUnreadable
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, ConnectionRecord, Damage, ProcessRecord
from egress_audit.values import dataclass

INTERFACES_OF_FILE = 1 << 16
"""Room for the interfaces of one file in the numbers of all; as many as pcapng is believed."""
SECTIONS_OF_FILE = 1 << 32
"""Room for the sections of one file, more than any file has bytes for."""
MAX_FILES = 1 << 15
MAX_OPEN = 64
"""Files that are read at the same time at most; each holds a buffer."""
MERGED = "merged captures"
"""Format of several captures; their own stand in the parts."""

Opener = Callable[[], OpenedSource]
Record = TypeVar("Record", ProcessRecord, ConnectionRecord)


@dataclass(slots=True)
class _File:
    """One capture on its way: the rest of its current batch."""

    index: int
    source: FrameSource
    batches: Iterator[FrameBatch]
    batch: FrameBatch | None = None
    key: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    """Latest time of the file up to each frame of the batch; does not fall."""
    at: int = 0
    """Rows of the batch that are merged already."""

    def advance(self) -> bool:
        """Takes the next batch if this one is used up; False at the end of the file."""
        while self.batch is None or self.at == len(self.batch):
            latest = self.key[-1:]
            self.batch = next(self.batches, None)
            if self.batch is None:
                return False
            self.key = np.maximum.accumulate(np.append(latest, self.batch.ts_ns))[len(latest) :]
            self.at = 0
        return True


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the frames of a merged batch come from; (n,) each."""

    file: I32
    """Index into the files, in the order in which they were named."""
    frame: I64
    """Number of the frame in its file, from 1."""


class MergedSource:
    """The frames of several captures in time order, then the facts of all."""

    def __init__(self, openers: Sequence[Opener]) -> None:
        """openers: each opens one of the files; called twice, as a first look tells when it begins.

        Raises InputUnreadable if they are too many, and whatever an opener raises.
        """
        if len(openers) > MAX_FILES:
            raise InputUnreadable(f"{len(openers)} files are too many to merge")
        self._openers = openers
        first = [_first_time(opener()) for opener in openers]
        # Files without a frame are read first; what they say of themselves is still wanted.
        self._waiting = sorted(range(len(openers)), key=lambda index: (first[index] or 0, index))
        self._first = [time or 0 for time in first]
        self._facts: dict[int, CaptureFacts] = {}
        self._frames = 0
        self.origin = Origin(np.empty(0, np.int32), np.empty(0, np.int64))
        """Of the batch that was yielded last."""

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every frame of every file once. Raises InputUnreadable if too many overlap in time."""
        files: list[_File] = []
        while files or self._waiting:
            for file in [file for file in files if not file.advance()]:
                self._facts[file.index] = file.source.facts()
                files.remove(file)
            self._open_reached(files)
            pieces = self._next_pieces(files)
            if pieces:
                yield self._batch(pieces)

    def _open_reached(self, files: list[_File]) -> None:
        """Opens every file that begins before all the others' current batches end."""
        while self._waiting:
            horizon = min((int(file.key[-1]) for file in files if len(file.key)), default=None)
            index = self._waiting[0]
            if horizon is not None and self._first[index] > horizon:
                return
            if len(files) == MAX_OPEN:
                raise InputUnreadable(
                    f"more than {MAX_OPEN} of the captures overlap in time",
                    hint="merge some of them first: `mergecap -w OUT FILES`",
                )
            source = self._openers[self._waiting.pop(0)]()
            file = _File(index, source, iter(source))
            if file.advance():
                files.append(file)
                # Of frames at the same time the file named last comes first, as with mergecap.
                files.sort(key=lambda each: -each.index)
            else:
                self._facts[index] = source.facts()

    def _next_pieces(self, files: list[_File]) -> list[tuple[_File, int, int]]:
        """Rows of each file that nothing unread can precede: (file, first, behind the last)."""
        if not files:
            return []
        horizon = min(int(file.key[-1]) for file in files)
        pieces, side = [], "right"
        for file in files:
            end = int(np.searchsorted(file.key, horizon, side))  # type: ignore[call-overload]
            # Its next batch may go on at the same time: files named before have to wait.
            if file.key[-1] == horizon:
                side = "left"
            if end > file.at:
                pieces.append((file, file.at, end))
        for file, _, end in pieces:
            file.at = end
        return pieces

    def _batch(self, pieces: list[tuple[_File, int, int]]) -> FrameBatch:
        parts = [_slice(*piece) for piece in pieces]
        numbers = [np.arange(part.first_frame, part.first_frame + len(part)) for part in parts]
        index = np.repeat([file.index for file, _, _ in pieces], [len(part) for part in parts])
        key = np.concatenate([file.key[first:end] for file, first, end in pieces])
        order = np.argsort(key, kind="stable")
        self.origin = Origin(index[order].astype(np.int32), np.concatenate(numbers)[order])
        first = self._frames + 1
        self._frames += len(order)
        if len(parts) == 1:
            beside = renumbered(parts[0].annotations, first - parts[0].first_frame)
            return replace(parts[0], first_frame=first, annotations=beside)
        return _joined(parts, order, first)

    def facts(self) -> CaptureFacts:
        """What is known of all files; `parts` holds each file's own."""
        parts = tuple(self._facts[index] for index in sorted(self._facts))
        interfaces = [(part.name, one) for part in parts for one in part.interfaces]
        skipped: dict[str, int] = {}
        for part in parts:
            for name, count in part.skipped_blocks.items():
                skipped[name] = skipped.get(name, 0) + count
        return CaptureFacts(
            name=f"{len(parts)} captures",
            sha256=Absent.NOT_APPLICABLE,
            size=sum(part.size for part in parts),
            format=MERGED,
            format_detail="in time order",
            interfaces=tuple(
                replace(one, index=number, name=_named(name, one.name))
                for number, (name, one) in enumerate(interfaces)
            ),
            frames=sum(part.frames for part in parts),
            frames_without_time=sum(part.frames_without_time for part in parts),
            damage=tuple(
                Damage(damage.offset, f"{part.name}: {damage.what}")
                for part in parts
                for damage in part.damage
            ),
            skipped_blocks=skipped,
            host_records=tuple(record for part in parts for record in part.host_records),
            host_records_beyond=sum(part.host_records_beyond for part in parts),
            processes=_of_sections([part.processes for part in parts]),
            connections=_of_sections([part.connections for part in parts]),
            parts=parts,
        )


def _first_time(source: OpenedSource) -> int | None:
    """When a capture begins, in nanoseconds; None if it has no frame."""
    with closing(source):
        batch = next(iter(source), None)
        return None if batch is None else int(batch.ts_ns[0])


def _named(file: str, interface: str | Absent) -> str:
    return file if isinstance(interface, Absent) else f"{file}: {interface}"


def _of_sections(parts: Sequence[tuple[Record, ...]]) -> tuple[Record, ...]:
    """The records of all files, their sections numbered over all."""
    return tuple(
        replace(one, section=_section(index, one.section))
        for index, part in enumerate(parts)
        for one in part
    )


def _section(index: int, section: int) -> int:
    """A section's number among those of all files, since each file's own processes are its own."""
    return index * SECTIONS_OF_FILE + section


def _slice(file: _File, first: int, end: int) -> FrameBatch:
    batch = file.batch
    assert batch is not None
    chosen = batch.chosen(slice(first, end))
    return replace(
        chosen,
        interface=chosen.interface + np.int32(file.index * INTERFACES_OF_FILE),
        first_frame=batch.first_frame + first,
        annotations=annotations_of(batch, first, end, _section(file.index, 0)),
    )


def _joined(parts: list[FrameBatch], order: I64, first_frame: int) -> FrameBatch:
    """Batches of several buffers as one of its own, in a given order."""
    offsets, spans, base = [], [], 0
    moved: list[tuple[FrameBatch, int]] = []
    for part in parts:
        begin, end = extent_of(part)
        spans.append(part.buffer[begin:end])
        offsets.append(part.offset - begin + base)
        moved.append((part, base - begin))
        base += end - begin
    buffer: U8 = np.concatenate([*spans, np.zeros(PADDING, np.uint8)])
    return FrameBatch(
        buffer=buffer,
        offset=np.concatenate(offsets)[order],
        caplen=np.concatenate([part.caplen for part in parts])[order],
        wirelen=np.concatenate([part.wirelen for part in parts])[order],
        ts_ns=np.concatenate([part.ts_ns for part in parts])[order],
        interface=np.concatenate([part.interface for part in parts])[order],
        linktype=np.concatenate([part.linktype for part in parts])[order],
        first_frame=first_frame,
        annotations=joined_annotations(moved, order, first_frame),
    )
