"""pcapng: several sections and interfaces, either byte order, as columns. HOT PATH.

Source: draft-ietf-opsawg-pcapng. Sections and interfaces may come and go a million times without
costing a batch each: which section's rules a frame follows is itself a column.
"""

import struct
from collections.abc import Iterator
from operator import attrgetter

import numpy as np

from egress_audit.capture.block_runs import BlockRuns
from egress_audit.capture.pcapng_asides import Aside, Asides
from egress_audit.capture.pcapng_blocks import (
    EPB,
    IDB,
    IDB_BODY,
    MAX_BLOCK,
    OPB,
    SHB,
    SHB_BODY,
    SPB,
    InterfaceState,
    interface_described_by,
    strange_version,
    unread_behind,
)
from egress_audit.capture.pcapng_drops import drops_beside
from egress_audit.capture.pcapng_frames import HEAD, FrameColumns, FrameRecords, Rules, columns_of
from egress_audit.capture.places import Place, Places, longer_than_on_wire
from egress_audit.capture.window import Window
from egress_audit.columns import Annotations, FrameBatch
from egress_audit.model.evidence import CaptureFacts, Damage

MAX_INTERFACES = 65_536

WORDS = {order: struct.Struct(order + "II") for order in "<>"}
"""Two words of a section, by its byte order."""


class Unbelievable(Exception):
    """The block at the current position cannot be true; says why. Never leaves the room."""


class PcapngSource:
    """The frames of one pcapng file, then its facts."""

    def __init__(self, name: str, window: Window) -> None:
        self._name = name
        self._window = window
        self._runs = BlockRuns()
        self._order = "<"
        self._section = -1
        self._section_base = 0
        self._interfaces: list[InterfaceState] = []
        self._asides = Asides()
        self._losses = Places()
        """What contradicts itself, or a stated loss could not be read in; reading goes on behind
        them."""
        self._end: list[Damage] = []
        """Where reading ended, if that is before the file does."""
        self._frames = 0
        self._without_time = 0
        self._last_ts_ns = 0

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every whole frame once; stops at the first block that makes no sense, and keeps where."""
        window, position = self._window, 0
        while True:
            records, asides, position, why = self._walk(position)
            columns = None
            if records:
                columns, bad = columns_of(window, records, self._interfaces, self._last_ts_ns)
                if bad is not None:
                    position, why = bad
                    self._return_to(records.rules_at(len(columns.offset)))
            self._take_in(asides, position)
            if columns is not None and len(columns.offset):
                yield self._batch(columns)
            if why or not window.slide(position, room=self._next_length(position)):
                break
            position = 0
        self._note_damage(position if why else 0, why)
        window.drain()

    @property
    def _rules(self) -> Rules:
        big_endian = self._order == ">"
        return Rules(big_endian, self._section_base, len(self._interfaces), self._section)

    def _return_to(self, rules: Rules) -> None:
        """Forgets the sections and interfaces behind a frame that cannot be true."""
        self._order = ">" if rules.big_endian else "<"
        self._section_base, self._section = rules.base, rules.section
        del self._interfaces[rules.declared :]

    def _walk(self, position: int) -> tuple[FrameRecords, list[Aside], int, str]:
        """Frames and asides of the whole blocks from `position`, where they end, and what is wrong
        there."""
        buffer, end = self._window.buffer, self._window.end
        records, asides = FrameRecords([self._rules]), list[Aside]()
        run_from = self._runs.of(self._window, position, self._order)
        take_frame = records.position.append
        while position + 12 <= end:
            run, position = run_from(position, self._order)
            if len(run):
                records.position.frombytes(run.tobytes())
                if position + 12 > end:
                    break
            kind, following, why = self._block_at(position)
            if why:
                return records, asides, position, why
            if following > end:
                break
            if kind in (EPB, SPB, OPB):
                take_frame(position)
            elif kind in (SHB, IDB):
                body = bytes(buffer[position + 8 : following - 4])
                try:
                    self._set_rules(kind, body)
                except Unbelievable as error:
                    return records, asides, position, str(error)
                records.follow(self._rules)
                if kind == IDB and unread_behind(body, IDB_BODY, self._order):
                    asides.append(Aside(kind, position, following - 4, self._rules))
            else:
                asides.append(Aside(kind, position, following - 4, self._rules))
            position = following
        return records, asides, position, ""

    def _block_at(self, position: int) -> tuple[int, int, str]:
        """Type of the block at `position`, where it ends, which may be beyond what is there, and
        what is wrong with it."""
        buffer = self._window.buffer
        kind, length = WORDS[self._order].unpack_from(buffer, position)
        if kind == SHB:
            length = self._section_length(position)
        if length < 12 or length & 3 or length > MAX_BLOCK:
            return kind, position, f"a block claims {length} bytes"
        following = position + length
        if following <= self._window.end:
            _, again = WORDS[self._order].unpack_from(buffer, following - 8)
            if again != length:
                return kind, position, "the two lengths of a block differ"
        return kind, following, ""

    def _section_length(self, position: int) -> int:
        """Length of the SHB at `position`, whose magic also sets the byte order from here on."""
        magic = bytes(self._window.buffer[position + 8 : position + 12])
        if magic == b"\x4d\x3c\x2b\x1a":
            self._order = "<"
        elif magic == b"\x1a\x2b\x3c\x4d":
            self._order = ">"
        else:
            return 0
        (length,) = struct.unpack_from(self._order + "I", self._window.buffer, position + 4)
        return int(length)

    def _set_rules(self, kind: int, body: bytes) -> None:
        if kind == IDB:
            self._declare(body)
            return
        if len(body) < SHB_BODY:
            raise Unbelievable("a section header is too short")
        if strange := strange_version(body, self._order):
            raise Unbelievable(strange)
        self._section += 1
        self._section_base = len(self._interfaces)

    def _take_in(self, asides: list[Aside], limit: int) -> None:
        """What the asides before `limit` say."""
        found = list[Place]()
        for aside in asides:
            if aside.position < limit:
                body = bytes(self._window.buffer[aside.position + 8 : aside.end])
                damage = self._asides.take(aside.kind, body, aside.rules, self._interfaces)
                if damage:
                    found.append((aside.position, damage))
        self._note(found)

    def _declare(self, body: bytes) -> None:
        state = interface_described_by(body, self._order, self._section)
        if state is None:
            raise Unbelievable("an interface description is too short")
        if len(self._interfaces) >= MAX_INTERFACES:
            raise Unbelievable(f"more than {MAX_INTERFACES} interfaces")
        self._interfaces.append(state)

    def _note(self, found: list[Place]) -> None:
        """Damage behind which reading goes on. found: by position in the window."""
        if found:
            base = self._window.base
            self._losses.note((base + position, what) for position, what in found)

    def _next_length(self, position: int) -> int:
        """Bytes that the unfinished block at `position` needs; 0 if that cannot be told."""
        if position + 12 > self._window.end:
            return 0
        _, length = struct.unpack_from(self._order + "II", self._window.buffer, position)
        return int(length) if length <= MAX_BLOCK else 0

    def _batch(self, columns: FrameColumns) -> FrameBatch:
        first = self._frames + 1
        self._frames += len(columns.offset)
        self._without_time += columns.without_time
        self._last_ts_ns = int(columns.ts_ns[-1])
        annotations = self._count(columns, first)
        return FrameBatch(
            buffer=self._window.array,
            offset=columns.offset,
            caplen=columns.caplen,
            wirelen=np.maximum(columns.wirelen, columns.caplen),
            ts_ns=columns.ts_ns,
            interface=columns.interface,
            linktype=np.array([s.linktype for s in self._interfaces], np.int32)[columns.interface],
            first_frame=first,
            annotations=annotations,
        )

    def _count(self, columns: FrameColumns, first: int) -> Annotations | None:
        """Frames and stated losses of each interface; what stands beside the frames of senders."""
        frames = np.bincount(columns.interface)
        drops, notes, told = drops_beside(self._window.buffer, columns)
        self._note(notes)
        self._note(longer_than_on_wire(columns.offset - HEAD, columns.caplen, columns.wirelen))
        lost = np.bincount(columns.interface, weights=drops)
        for index in np.flatnonzero(frames).tolist():
            self._interfaces[index].frames += int(frames[index])
            self._interfaces[index].counted_drops += int(lost[index])
        if not told.row:
            return None
        sections = np.array([state.section for state in self._interfaces], np.int64)
        return told.annotations(columns, first, sections[columns.interface])

    def _note_damage(self, position: int, why: str) -> None:
        left = self._window.end - position
        if why or left:
            what = why or f"the file ends inside a block ({left} bytes of it are there)"
            self._end.append(Damage(self._window.base + position, what))

    def _damage(self) -> tuple[Damage, ...]:
        found = {*self._losses.told(), *self._end}
        return tuple(sorted(found, key=attrgetter("offset", "what")))

    def close(self) -> None:
        """Closes the input; for those who do not read to the end, where that is done."""
        self._window.close()

    def facts(self) -> CaptureFacts:
        """The file as a whole; complete once iteration has ended."""
        sections = self._section + 1
        return CaptureFacts(
            name=self._name,
            sha256=self._window.sha256,
            size=self._window.size,
            format="pcapng",
            format_detail=f"{sections} section{'s' if sections != 1 else ''}, "
            + ("big-endian" if self._order == ">" else "little-endian"),
            interfaces=tuple(s.described(i) for i, s in enumerate(self._interfaces)),
            frames=self._frames,
            frames_without_time=self._without_time,
            damage=self._damage(),
            skipped_blocks=self._asides.skipped,
            host_records=tuple(self._asides.hosts.kept),
            host_records_beyond=self._asides.hosts.beyond,
            processes=tuple(self._asides.processes.kept),
            connections=tuple(self._asides.processes.connections),
        )
