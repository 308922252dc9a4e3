"""Blocks that describe processes: Apple's, Wireshark's and Hone's, and those that only seem to."""

import struct

import pytest

from egress_audit.capture import pcapng_processes
from egress_audit.capture.pcapng_processes import ProcessBlocks
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import ConnectionRecord, Dialect
from tests.builders.captures import Block, Section, options, pcapng
from tests.builders.engine import facts_of

NONE = Absent.NOT_FOUND
APPLE, CUSTOM, HONE, SOCKET = 0x80000001, 0xBAD, 0x101, 0x102
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def apple(pid: int, *pairs: tuple[int, bytes], order: str = "<") -> bytes:
    """The body of an Apple process block."""
    return struct.pack(order + "I", pid) + options(pairs, order)


def wireshark(pid: int, *pairs: tuple[int, bytes], order: str = "<", entry: int = 3) -> bytes:
    """The body of a custom block of Wireshark's with a process information entry."""
    body = struct.pack("<I", pid) + options(pairs)
    return struct.pack(order + "I", 32_622) + struct.pack("<II", entry, len(body)) + body


def hone(pid: int, *pairs: tuple[int, bytes], order: str = "<") -> bytes:
    """The body of a Hone process event block."""
    return struct.pack(order + "III", pid, 0, 0) + options(pairs, order)


def taken(kind: int, body: bytes, order: str = "<") -> ProcessBlocks:
    """What is known after one block of section 2."""
    blocks = ProcessBlocks()
    assert blocks.take(kind, body, order, 2)
    return blocks


@ORDERS
def test_apple_names_a_process_by_its_name(order: str) -> None:
    (record,) = taken(APPLE, apple(501, (2, b"mDNSResponder"), order=order), order).kept
    assert (record.pid, record.exe, record.cmdline) == (501, "mDNSResponder", NONE)
    assert (record.dialect, record.section, record.number) == (Dialect.APPLE, 2, 0)


def test_apples_blocks_are_numbered_within_their_section() -> None:
    blocks = ProcessBlocks()
    for section in (0, 0, 1):
        blocks.take(APPLE, apple(7), "<", section)
    assert [(record.section, record.number) for record in blocks.kept] == [(0, 0), (0, 1), (1, 0)]


@ORDERS
@pytest.mark.parametrize("kind", [0xBAD, 0x40000BAD])
def test_wireshark_names_path_arguments_and_start(kind: int, order: str) -> None:
    pairs = [
        (2, b"curl"),
        (3, b"/usr/bin/curl"),
        (4, b"curl\0https://example.com/\0"),
        (9, struct.pack("<Q", 1_767_225_600_000_000_000)),
    ]
    (record,) = taken(kind, wireshark(1234, *pairs, order=order), order).kept
    assert (record.pid, record.exe) == (1234, "/usr/bin/curl")
    assert record.cmdline == "curl https://example.com/"
    assert record.start_ns == 1_767_225_600_000_000_000


@ORDERS
@pytest.mark.parametrize("kind", [0x101, 11])
def test_hone_names_path_and_arguments_of_what_is_executed(kind: int, order: str) -> None:
    body = hone(9, (3, b"/bin/curl"), (4, b"curl\0-v"), order=order)
    (record,) = taken(kind, body, order).kept
    assert (record.pid, record.exe, record.cmdline) == (9, "/bin/curl", "curl -v")


def test_a_fork_says_what_its_parent_was() -> None:
    assert taken(HONE, hone(9, (2, struct.pack("<i", 1)), (3, b"/bin/sh"))).kept == []


@ORDERS
def test_hone_says_whose_a_socket_is(order: str) -> None:
    body = struct.pack(order + "QIII", 0xFFFF8800_12345678, 9, 0, 0)
    assert taken(SOCKET, body, order).connections == [ConnectionRecord(2, 0xFFFF8800_12345678, 9)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (APPLE, b"abc"),
        (CUSTOM, struct.pack("<I", 32_473) + wireshark(1)[4:]),
        (CUSTOM, wireshark(1, entry=99)),
        (CUSTOM, wireshark(1)[:-1]),
        (CUSTOM, b""),
        (HONE, bytes(11)),
        (SOCKET, bytes(19)),
    ],
)
def test_what_is_too_short_or_somebody_elses_is_none(kind: int, body: bytes) -> None:
    assert not ProcessBlocks().take(kind, body, "<", 0)


def test_text_that_could_move_a_cursor_is_written_as_escapes() -> None:
    (record,) = taken(APPLE, apple(1, (2, b"a\x1b[2J"))).kept
    assert record.exe == "a\\x1b[2J"


def test_processes_past_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcapng_processes, "MAX_PROCESSES", 2)
    monkeypatch.setattr(pcapng_processes, "MAX_CONNECTIONS", 1)
    blocks = ProcessBlocks()
    for _ in range(5):
        blocks.take(APPLE, apple(1), "<", 0)
        blocks.take(SOCKET, bytes(20), "<", 0)
    assert (len(blocks.kept), len(blocks.connections)) == (2, 1)
    assert sorted(blocks.beyond.values()) == [3, 4]


def test_a_block_that_was_understood_is_not_counted_as_stepped_over() -> None:
    facts = facts_of(pcapng([Section([Block(APPLE, apple(1)), Block(CUSTOM, wireshark(2))])]))
    assert facts.skipped_blocks == {}
    assert [record.pid for record in facts.processes] == [1, 2]


def test_a_custom_block_of_somebody_else_may_hold_frames() -> None:
    facts = facts_of(pcapng([Section([Block(CUSTOM, struct.pack("<I", 32_473))])]))
    assert facts.skipped_blocks == {"custom block": 1}


@pytest.mark.parametrize("kind", [9, 10, 0x201, 0x204, 0x221])
def test_blocks_of_known_kinds_are_counted_by_name(kind: int) -> None:
    (name,) = facts_of(pcapng([Section([Block(kind, bytes(8))])])).skipped_blocks
    assert not name.startswith(("unknown", "custom"))
