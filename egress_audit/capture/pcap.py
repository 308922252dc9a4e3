"""Classic pcap: both byte orders, micro- and nanoseconds, as columns. HOT PATH.

Source: draft-ietf-opsawg-pcap (PCAP Capture File Format).
"""

import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from egress_audit.capture.lanes import pcap_offsets
from egress_audit.capture.linktypes import linktype_name
from egress_audit.capture.places import Places, longer_than_on_wire
from egress_audit.capture.walk import (
    MAX_FRAME,
    NOTHING_BUT_EMPTY,
    RECORD_HEADER,
    EmptyRun,
    Stop,
    pcap_stop,
    record_length,
)
from egress_audit.capture.window import Window
from egress_audit.columns import I64, FrameBatch
from egress_audit.compiled import library, records
from egress_audit.compiled.records import Records
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, Damage, Interface
from egress_audit.values import dataclass

HEADER = 24
MAGIC: dict[bytes, tuple[str, int]] = {
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
"""First four bytes → byte order, nanoseconds of one unit of the fraction."""

NATIVE = "<" if sys.byteorder == "little" else ">"
STOPS = {records.NEEDS_MORE: Stop.NEEDS_MORE, records.DAMAGE: Stop.DAMAGE}

RecordReader = Callable[[Window, int], tuple[Records, int, Stop]]
"""A window, and where a record begins in it → the whole records from there on, the offset after
them, and why they end."""

LINKTYPE_MASK = 0xFFFF
"""The upper half of the network field speaks of frame check sequences, or is reserved."""


@dataclass(frozen=True, slots=True)
class PcapHeader:
    """The file header, decoded."""

    order: str
    fraction_ns: int
    version: tuple[int, int]
    snaplen: int
    linktype: int

    @property
    def detail(self) -> str:
        """The header in words."""
        endian = "big-endian" if self.order == ">" else "little-endian"
        unit = "nanoseconds" if self.fraction_ns == 1 else "microseconds"
        return f"version {self.version[0]}.{self.version[1]}, {endian}, {unit}"


def read_header(raw: bytes | bytearray) -> PcapHeader | None:
    """The header in the first 24 bytes; None if they are not one."""
    known = MAGIC.get(bytes(raw[:4]))
    if known is None or len(raw) < HEADER:
        return None
    order, fraction_ns = known
    major, minor, _, _, snaplen, network = struct.unpack_from(order + "HHiIII", raw, 4)
    return PcapHeader(order, fraction_ns, (major, minor), snaplen, network & LINKTYPE_MASK)


def reader_of(header: PcapHeader) -> RecordReader:
    """What reads the records of a file with this header: the compiled walk, or the one in lanes."""
    if not library.is_in_use():
        return partial(records_in_lanes, header)
    rules = records.Rules(header.order != NATIVE, MAX_FRAME, header.fraction_ns)
    walk = records.PcapWalk(rules)

    def compiled(window: Window, start: int) -> tuple[Records, int, Stop]:
        found, following, why = walk.records(window.array, start, window.end)
        return found, following, STOPS[why]

    return compiled


def records_in_lanes(header: PcapHeader, window: Window, start: int) -> tuple[Records, int, Stop]:
    """A RecordReader in numpy."""
    array, end = window.array, window.end
    offsets, following, stop = pcap_offsets(window.buffer, array, start, end, header.order)
    return _columns(window, offsets, header), following, stop


def _columns(window: Window, offsets: I64, header: PcapHeader) -> Records:
    view = np.ndarray((len(window.array) - 15,), "V16", buffer=window.buffer, strides=(1,))
    fields = view[offsets].view(header.order + "u4").reshape(-1, 4).astype(np.int64)
    return Records(
        offset=offsets + 16,
        caplen=fields[:, 2],
        wirelen=fields[:, 3],
        ts_ns=fields[:, 0] * 1_000_000_000 + fields[:, 1] * header.fraction_ns,
    )


class PcapSource:
    """The frames of one pcap file, then its facts."""

    def __init__(self, name: str, window: Window, header: PcapHeader) -> None:
        self._name = name
        self._window = window
        self._header = header
        self._frames = 0
        self._damage: list[Damage] = []
        """Where reading ended, if that is before the file does."""
        self._contradictions = Places()
        """Records whose lengths cannot both be true; reading goes on behind them."""
        self._empty = EmptyRun()

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every whole record once; stops at the first that makes no sense, and keeps where."""
        window, order = self._window, self._header.order
        records_of, position = reader_of(self._header), HEADER
        while True:
            found, following, stop = records_of(window, position)
            self._note_contradictions(found.offset - RECORD_HEADER, found.caplen, found.wirelen)
            found = found._replace(wirelen=np.maximum(found.caplen, found.wirelen))
            kept = self._empty.too_long_at(found.wirelen)
            if kept is not None:
                yield self._batch(Records(*(column[:kept] for column in found)))
                last = window.base + int(found.offset[kept - 1])
                self._damage.append(Damage(last, NOTHING_BUT_EMPTY))
                window.drain()
                return
            if len(found.offset):
                yield self._batch(found)
            room = record_length(window.buffer, following, window.end, order)
            if stop is not Stop.NEEDS_MORE or not window.slide(following, room=room):
                break
            position = 0
        self._note_damage(following if stop is not Stop.NEEDS_MORE else 0, stop)
        window.drain()

    def _note_damage(self, position: int, stop: Stop) -> None:
        what = pcap_stop(self._window.buffer, position, self._window.end, self._header.order, stop)
        if what:
            self._damage.append(Damage(self._window.base + position, what))

    def _note_contradictions(self, position: I64, caplen: I64, wirelen: I64) -> None:
        """position: of each record in the window; wirelen: as stated."""
        base = self._window.base
        found = longer_than_on_wire(position, caplen, wirelen)
        self._contradictions.note((base + at, what) for at, what in found)

    def _batch(self, found: Records) -> FrameBatch:
        first, count = self._frames + 1, len(found.offset)
        self._frames += count
        return FrameBatch(
            buffer=self._window.array,
            offset=found.offset,
            caplen=found.caplen,
            wirelen=found.wirelen,
            ts_ns=found.ts_ns,
            interface=np.zeros(count, np.int32),
            linktype=np.full(count, self._header.linktype, np.int32),
            first_frame=first,
        )

    def close(self) -> None:
        """Closes the input; for those who do not read to the end, where that is done."""
        self._window.close()

    def facts(self) -> CaptureFacts:
        """The file as a whole; complete once iteration has ended."""
        interface = Interface(
            index=0,
            section=0,
            name=Absent.NOT_FOUND,
            linktype=self._header.linktype,
            linktype_name=linktype_name(self._header.linktype),
            snaplen=self._header.snaplen,
            capture_filter=Absent.NOT_FOUND,
            drops=Absent.NOT_FOUND,
            received=Absent.NOT_FOUND,
            frames=self._frames,
        )
        return CaptureFacts(
            name=self._name,
            sha256=self._window.sha256,
            size=self._window.size,
            format="pcap",
            format_detail=self._header.detail,
            interfaces=(interface,),
            frames=self._frames,
            frames_without_time=0,
            damage=(*self._contradictions.told(), *self._damage),
            skipped_blocks={},
            host_records=(),
            host_records_beyond=0,
        )
