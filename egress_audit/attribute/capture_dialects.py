"""Who sent each flow, by what a plain capture says beside its frames: shown, and never trusted.

Whoever holds the file could have written it, and some recorders guess. So a flow is somebody's only
if every frame that names a process names the same one; the verdict does not depend on it. Only what
goes through sockets is anybody's: the kernel's own packets leave in the context of whoever runs.
Source: internal/writer/pcapng.go of ptcpdump, src/app/pcapng_export.rs of RustNet, the README of
etl2pcapng; for the numbers see capture/pcapng_processes.py.
"""

import re
import struct
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from egress_audit.attribute.observations import Senders
from egress_audit.attribute.owners import NOBODY, Owned
from egress_audit.columns import I32, I64, U8, Annotations, FlowColumns
from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, Dialect, ProcessRecord
from egress_audit.model.protocols import WITH_PORTS
from egress_audit.model.run import Process, Role

COMMENT, PROCESS_AND_THREAD = 1, 8
HONE_CONNECTION, HONE_PROCESS = 257, 258
APPLE_PROCESS, APPLE_EFFECTIVE = 0x8001, 0x8003
"""On whose behalf: where it stands, it says more than the process."""
OVERRIDDEN = {APPLE_PROCESS: APPLE_EFFECTIVE, HONE_CONNECTION: HONE_PROCESS}
"""Options that are not looked at beside a frame which also has the other one."""

MAX_COMMENT = 4096
"""Bytes of a comment that are looked at; those of processes are shorter."""
MAX_CLAIMS = 16_384
"""Different processes that are kept; a flow of another one is nobody's."""
MAX_REMEMBERED = 4096
"""Comments whose meaning is remembered, since every frame of a flow repeats the same."""
MAX_TEXT = 1024
UNNAMED = "unnamed"
"""The executable of a process of which only the number is known."""
UNCLAIMED, CONTESTED = -1, -2

PTCPDUMP = re.compile(r"PID: (\d{1,10})\nCmd: ([^\n]*)\nArgs: ([^\n]*)")
ETL2PCAPNG = re.compile(r"PID=(\d{1,10})(?: |$)")
RUSTNET = re.compile(r"rustnet (?:\S+ )*?pid=(\d{1,10})(?: |$)")
RUSTNET_NAME = re.compile(r"rustnet (?:\S+ )*?process=(\S+)")


class Claim(NamedTuple):
    """What stands beside a frame, as far as it can be understood without the blocks."""

    dialect: Dialect
    section: int
    number: int
    """Of the process; of Apple's block; of the socket if `by_socket`."""
    by_socket: bool = False
    exe: str = ""
    cmdline: str = ""


class CaptureDialects:
    """The senders that annotations name, flow by flow, while a capture is read."""

    def __init__(self) -> None:
        self._claims: dict[Claim, int] = {}
        self._remembered: dict[tuple[int, bytes, bool, int], int] = {}
        self._of_flow: dict[int, int] = {}
        """Index of the claim, or CONTESTED."""
        self._of_frame: dict[int, int] = {}
        """The same, of frames whose packets are fragments that wait."""

    def take(
        self,
        annotations: Annotations | None,
        buffer: U8,
        frame: I64,
        flow: I64,
        waiting: Callable[[], Collection[int]],
    ) -> None:
        """Takes in what stands beside the frames of one batch.

        frame, flow: frame number and flow of each packet, those inside of a tunnel behind it; flow
        -1 is none. A process is put on the outermost flow alone. waiting: gives the frames whose
        packets come in a later batch, as those of fragments do whose first one is not there yet.
        """
        order = np.argsort(frame, kind="stable")  # A fragment may have waited for its first one.
        frame, flow = frame[order], flow[order]
        if self._of_frame:
            self._take_late(frame, flow)
        if annotations is None:
            return
        at = np.searchsorted(frame, annotations.frame)
        there = at < len(frame)
        there[there] = frame[at[there]] == annotations.frame[there]
        of_flow = np.full(len(annotations), UNCLAIMED, np.int64)
        of_flow[there] = flow[at[there]]
        better = ~_overridden(annotations)
        for row in np.flatnonzero((of_flow >= 0) & better).tolist():
            _put(self._claim(annotations, row, buffer), int(of_flow[row]), self._of_flow)
        absent = np.flatnonzero(~there & better)
        late = waiting() if len(absent) else ()
        if late:
            for row in absent[np.isin(annotations.frame[absent], list(late))].tolist():
                claim = self._claim(annotations, row, buffer)
                _put(claim, int(annotations.frame[row]), self._of_frame)

    def _take_late(self, frame: I64, flow: I64) -> None:
        """Puts the claims that waited on the flows of packets that did. frame: ascending."""
        numbers = np.array(list(self._of_frame))
        at = np.searchsorted(frame, numbers)
        for number, row in zip(numbers.tolist(), at.tolist(), strict=True):
            if row < len(frame) and frame[row] == number:
                _put(self._of_frame.pop(number), int(flow[row]), self._of_flow)

    def _claim(self, annotations: Annotations, row: int, buffer: U8) -> int:
        """Index of what an option claims; UNCLAIMED if it is about nothing of the kind."""
        start, length = int(annotations.offset[row]), int(annotations.length[row])
        if not 0 < length <= MAX_COMMENT:
            return UNCLAIMED
        value = buffer[start : start + length].tobytes()
        big_endian, section = bool(annotations.big_endian[row]), int(annotations.section[row])
        key = int(annotations.code[row]), value, big_endian, section
        if key not in self._remembered:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            claim = claim_of(*key)
            self._remembered[key] = UNCLAIMED if claim is None else self._index(claim)
        return self._remembered[key]

    def _index(self, claim: Claim) -> int:
        if claim not in self._claims and len(self._claims) >= MAX_CLAIMS:
            return CONTESTED
        return self._claims.setdefault(claim, len(self._claims))

    def senders(self, flows: FlowColumns, facts: CaptureFacts) -> Senders | None:
        """The sender of each flow, in no phase; None if the capture names none."""
        said = Said(facts)
        claims = list(self._claims)
        group: I32 = np.zeros(len(flows), np.int32)
        process: I32 = np.full(len(flows), NOBODY, np.int32)
        processes: dict[Process, int] = {}
        owners: dict[Owner | Absent, int] = {Absent.NOT_FOUND: 0}
        for row, index in self._of_flow.items():
            if index == CONTESTED or int(flows.proto[row]) not in WITH_PORTS:
                continue
            found = said.process(claims[index], int(flows.ts_ns[row]), int(flows.last_ts_ns[row]))
            if found is None:
                continue
            process[row] = processes.setdefault(found, len(processes))
            owner = _owner(found, claims[index].dialect)
            group[row] = owners.setdefault(owner, len(owners))
        if not processes:
            return None
        owned = SaidOwned(group, process, tuple(owners), tuple(processes))
        return Senders(owned, np.zeros(len(flows), np.int32), (Absent.NOT_FOUND,))


def _put(claim: int, number: int, known: dict[int, int]) -> None:
    """Puts a claim on a flow or a frame, if there are both."""
    if claim != UNCLAIMED and number >= 0:
        first = known.setdefault(number, claim)
        known[number] = claim if first == claim else CONTESTED


class SaidOwned(Owned):
    """Owners that a capture names: what nobody is named for is not held to be somebody's."""

    __slots__ = ()

    def owner_of(self, rows: Sequence[int] | I64) -> Owner | Absent:
        """The owner of flows that belong together; NOT_FOUND unless all have the same."""
        groups = np.unique(self.group[np.asarray(rows, np.int64)])
        return super().owner_of(rows) if len(groups) == 1 else Absent.NOT_FOUND


def _overridden(annotations: Annotations) -> np.typing.NDArray[np.bool_]:
    """(n,) True for options beside whose frame a better one stands."""
    found = np.zeros(len(annotations), np.bool_)
    for code, better in OVERRIDDEN.items():
        frames = annotations.frame[annotations.code == better]
        if len(frames):
            found |= (annotations.code == code) & np.isin(annotations.frame, frames)
    return found


def claim_of(code: int, value: bytes, big_endian: bool, section: int) -> Claim | None:
    """What an option beside a frame says of its sender; None if nothing."""
    if code == COMMENT:
        return _claim_in(value.decode("utf-8", "replace"), section)
    order = ">" if big_endian else "<"
    if code == HONE_CONNECTION and len(value) == 8:
        return Claim(Dialect.HONE, section, struct.unpack(order + "Q", value)[0], by_socket=True)
    if code == PROCESS_AND_THREAD and len(value) == 8:
        return Claim(Dialect.WIRESHARK, section, struct.unpack_from(order + "I", value)[0])
    if len(value) != 4 or code in (HONE_CONNECTION, PROCESS_AND_THREAD):
        return None
    dialect = Dialect.HONE if code == HONE_PROCESS else Dialect.APPLE
    return Claim(dialect, section, struct.unpack(order + "I", value)[0])


def _claim_in(comment: str, section: int) -> Claim | None:
    """What a comment says, in the words of the programs that write such."""
    if match := PTCPDUMP.match(comment):
        pid, exe, cmdline = match.groups()
        return Claim(Dialect.PTCPDUMP, section, int(pid), False, _shown(exe), _shown(cmdline))
    if match := RUSTNET.match(comment):
        name = RUSTNET_NAME.match(comment)
        return Claim(
            Dialect.RUSTNET, section, int(match[1]), False, _shown(name[1]) if name else ""
        )
    if match := ETL2PCAPNG.match(comment):
        return Claim(Dialect.ETL2PCAPNG, section, int(match[1]))
    return None


def _shown(text: str) -> str:
    """Text without anything that could move a cursor. Cut text ends in `…`."""
    cut = text[:MAX_TEXT] + "…" * (len(text) > MAX_TEXT)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class Said:
    """What the blocks of a capture say of processes, looked up by claim."""

    def __init__(self, facts: CaptureFacts) -> None:
        self._of_pid: dict[tuple[Dialect, int, int], list[ProcessRecord]] = defaultdict(list)
        self._of_number: dict[tuple[int, int], ProcessRecord] = {}
        for record in facts.processes:
            self._of_pid[record.dialect, record.section, record.pid].append(record)
            if record.dialect is Dialect.APPLE:
                self._of_number[record.section, record.number] = record
        self._of_socket: dict[tuple[int, int], set[int]] = defaultdict(set)
        for each in facts.connections:
            self._of_socket[each.section, each.connection].add(each.pid)

    def process(self, claim: Claim, first_ns: int, last_ns: int) -> Process | None:
        """The process that a claim is about, for a flow of that time; None if that is not clear."""
        if claim.dialect is Dialect.APPLE:
            record = self._of_number.get((claim.section, claim.number))
            return None if record is None else _recorded(record)
        pid = claim.number
        if claim.by_socket:
            pids = self._of_socket.get((claim.section, claim.number), set())
            if len(pids) != 1:
                return None
            (pid,) = pids
        records = self._of_pid.get((claim.dialect, claim.section, pid))
        if records is None:
            return _process(pid, claim.exe, claim.cmdline)
        return _at_the_time(records, first_ns, last_ns)


def _at_the_time(records: Sequence[ProcessRecord], first_ns: int, last_ns: int) -> Process | None:
    """The only process of one number; or the one that had it during the whole flow."""
    named = {(record.exe, record.cmdline): record for record in records}
    if len(named) == 1:
        return _recorded(records[0])
    started = {r.start_ns: r for r in records if not isinstance(r.start_ns, Absent)}
    if len(started) < len(records):
        return None
    before = [start for start in started if start <= first_ns]
    during = [start for start in started if first_ns < start <= last_ns]
    return _recorded(started[max(before)]) if before and not during else None


def _recorded(record: ProcessRecord) -> Process:
    exe = "" if isinstance(record.exe, Absent) else record.exe
    return _process(record.pid, exe, "" if isinstance(record.cmdline, Absent) else record.cmdline)


def _process(pid: int, exe: str, cmdline: str) -> Process:
    """A process as captures know it: when it started, and from which file, they do not say."""
    return Process(
        id=0,
        pid=pid,
        start_time=0,
        exe=exe or UNNAMED,
        exe_sha256=Absent.NOT_FOUND,
        cmdline=cmdline or Absent.NOT_FOUND,
        parent=Absent.NOT_FOUND,
        role=Role.TARGET,
        first_ns=0,
    )


def _owner(process: Process, dialect: Dialect) -> Owner:
    """The owner of the flows of one executable with its arguments; the first of them stands for
    the others."""
    return Owner(
        pid=0,
        start_time=0,
        exe=process.exe,
        exe_sha256=process.exe_sha256,
        cmdline=process.cmdline,
        parent=process.parent,
        how=str(dialect),
        role=process.role,
    )
