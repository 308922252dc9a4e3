"""What the blocks of a pcapng file say of processes: Apple's, Wireshark's and Hone's.

Source: pcap-ng.h of Apple's libpcap and Wireshark's pcapng-darwin.c (block 0x80000001: pid, then
options 2 name, 3 path, 4 UUID); Wireshark's pcapng-wireshark-custom.c (custom block of PEN 32622,
entry 3, little-endian whatever its section is); google/linux-sensor (Hone's process events: pid,
time, options 2 event, 3 path, 4 arguments; its connection events: socket, pid, time).
"""

import struct
from collections import Counter

from egress_audit.capture.pcapng_blocks import options_in, text_of
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import ConnectionRecord, Dialect, ProcessRecord

APPLE = 0x80000001
CUSTOM, CUSTOM_NOT_COPIED = 0xBAD, 0x40000BAD
HONE_PROCESS, HONE_CONNECTION = (0x101, 11), (0x102, 12)
"""The numbers that Hone writes, and those of the registry."""
PROCESS_BLOCKS = frozenset({APPLE, CUSTOM, CUSTOM_NOT_COPIED, *HONE_PROCESS, *HONE_CONNECTION})
OPTIONS_AT = {APPLE: 4, **dict.fromkeys(HONE_PROCESS, 12), **dict.fromkeys(HONE_CONNECTION, 20)}
"""Type of block → bytes before its options."""

WIRESHARK_PEN = 32_622
PROCESS_INFORMATION = 3
NAME, PATH, CMDLINE, START_TIME = 2, 3, 4, 9
HONE_EVENT = 2
"""Option of fork and exit events; an exec, which tells what runs, has none."""

MAX_PROCESSES = 16_384
"""Processes kept, with paths and arguments of at most 1024 bytes each."""
MAX_CONNECTIONS = 65_536


class ProcessBlocks:
    """Processes and sockets from all such blocks, bounded."""

    def __init__(self) -> None:
        self.kept: list[ProcessRecord] = []
        self.connections: list[ConnectionRecord] = []
        self.beyond: Counter[str] = Counter()
        """Blocks past the bounds, by name."""
        self._numbers: Counter[tuple[Dialect, int]] = Counter()

    def take(self, kind: int, body: bytes, order: str, section: int) -> bool:
        """Adds what a block says; False if it is none of these, or too short to be."""
        if kind == APPLE:
            return self._process(Dialect.APPLE, section, body, OPTIONS_AT[kind], order)
        if kind in (CUSTOM, CUSTOM_NOT_COPIED):
            entry = _wireshark_entry(body, order)
            return self._process(Dialect.WIRESHARK, section, entry, 4, "<")
        if kind in HONE_PROCESS:
            return self._process(Dialect.HONE, section, body, OPTIONS_AT[kind], order)
        return self._connection(section, body, order)

    def _process(self, dialect: Dialect, section: int, body: bytes, start: int, order: str) -> bool:
        """Adds the process of a body whose options begin at `start`."""
        if len(body) < start:
            return False
        number = self._numbers[dialect, section]
        self._numbers[dialect, section] += 1
        given = {code: value for code, value in options_in(body, start, order) if value}
        if dialect is Dialect.HONE and HONE_EVENT in given:
            return True
        if len(self.kept) >= MAX_PROCESSES:
            self.beyond[f"process blocks past the first {MAX_PROCESSES}"] += 1
            return True
        exe = given.get(PATH) or (b"" if dialect is Dialect.HONE else given.get(NAME, b""))
        cmdline = b"" if dialect is Dialect.APPLE else given.get(CMDLINE, b"")
        started = given.get(START_TIME, b"") if dialect is Dialect.WIRESHARK else b""
        (pid,) = struct.unpack_from(order + "I", body, 0)
        record = ProcessRecord(
            dialect=dialect,
            section=section,
            number=number,
            pid=pid,
            exe=text_of(exe) or Absent.NOT_FOUND,
            cmdline=text_of(cmdline.rstrip(b"\0").replace(b"\0", b" ")) or Absent.NOT_FOUND,
            start_ns=struct.unpack("<Q", started)[0] if len(started) == 8 else Absent.NOT_FOUND,
        )
        self.kept.append(record)
        return True

    def _connection(self, section: int, body: bytes, order: str) -> bool:
        if len(body) < 20:
            return False
        if len(self.connections) >= MAX_CONNECTIONS:
            self.beyond[f"connection blocks past the first {MAX_CONNECTIONS}"] += 1
            return True
        connection, pid = struct.unpack_from(order + "QI", body, 0)
        self.connections.append(ConnectionRecord(section, connection, pid))
        return True


def _wireshark_entry(body: bytes, order: str) -> bytes:
    """The process information in a custom block of Wireshark's; empty if it holds something else.

    The number of the enterprise is in the byte order of the section, the entry never.
    """
    if len(body) < 12 or struct.unpack_from(order + "I", body, 0)[0] != WIRESHARK_PEN:
        return b""
    kind, length = struct.unpack_from("<II", body, 4)
    entry = body[12 : 12 + length]
    return entry if kind == PROCESS_INFORMATION and len(entry) == length else b""
