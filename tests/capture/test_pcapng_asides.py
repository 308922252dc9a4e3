"""Blocks beside the frames are taken in where they are understood, and counted where not."""

import struct

import pytest

from egress_audit.capture.pcapng_asides import MAX_BLOCK_KINDS
from egress_audit.capture.pcapng_blocks import BEHIND_OPTIONS, BLOCK_NAMES, LEAVES_BLOCK
from tests.builders.captures import (
    TCP,
    Frame,
    NameResolution,
    Section,
    block,
    ethernet,
    ip,
    options,
    pcapng,
    tcp,
)
from tests.builders.cases import case, spots
from tests.builders.engine import facts_of

EMPTY_SECTION = pcapng([Section([], ())])


def test_block_kinds_without_end_are_counted_in_bounded_memory() -> None:
    data = EMPTY_SECTION + b"".join(block(1000 + kind, b"") for kind in range(5_000))
    skipped = facts_of(data).skipped_blocks
    assert len(skipped) == MAX_BLOCK_KINDS + 2
    assert skipped["custom block"] == 1
    assert sum(skipped.values()) == 5_000


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (10, "decryption secrets block"),
        (0x0BAD, "custom block"),
        (0x40000BAD, "custom block"),
        (0x539, "unknown block type 0x00000539"),
        (7, "unknown block type 0x00000007"),
        (8, "unknown block type 0x00000008"),
    ],
)
def test_a_block_of_a_kind_that_may_hold_frames_is_told_from_one_that_does_not(
    kind: int, name: str
) -> None:
    assert facts_of(EMPTY_SECTION + block(kind, bytes(8))).skipped_blocks == {name: 1}


@pytest.mark.parametrize("code", [2, 11, 14])
def test_an_option_that_leaves_its_interface_description_is_damage(code: int) -> None:
    body = struct.pack("<HHIHH", 1, 0, 0, code, 500) + b"\0tcp"
    facts = facts_of(EMPTY_SECTION + block(1, body))
    assert [damage.what for damage in facts.damage] == [LEAVES_BLOCK]


@pytest.mark.parametrize("end", [b"", bytes(4)])
def test_an_option_that_ends_with_its_interface_description_is_none(end: bytes) -> None:
    body = struct.pack("<HHIHH", 1, 0, 0, 2, 4) + b"eth0" + end
    assert facts_of(EMPTY_SECTION + block(1, body)).damage == ()


def test_the_kinds_beyond_the_bound_are_unknown_ones_too() -> None:
    kinds = [*range(0x1000, 0x1000 + MAX_BLOCK_KINDS + 9), 10]
    skipped = facts_of(EMPTY_SECTION + b"".join(block(kind, b"") for kind in kinds)).skipped_blocks
    assert skipped["unknown block types beyond these"] == 9
    assert skipped["decryption secrets block"] == 1


def test_names_from_the_files_writer_are_kept() -> None:
    names = NameResolution([(b"\x0a\0\0\1", ["Here.Example"])])
    (record,) = facts_of(pcapng([Section([names])])).host_records
    assert (record.address, record.hosts) == ("10.0.0.1", ("here.example",))


FRAME = ethernet(ip("10.0.0.1", "203.0.113.9", tcp(40_000, 443), TCP))
KINDS = (*BLOCK_NAMES, 1, 4, 5, 7, 8)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("simple", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_in_a_block_whose_type_was_damaged_is_missed(
    kind: int, simple: bool, big_endian: bool
) -> None:
    order = ">" if big_endian else "<"
    body = struct.pack(order + "I", len(FRAME)) + FRAME
    if not simple:
        head = 0, 0x0006_0A24, 0x181E_4000, len(FRAME), len(FRAME)
        body = struct.pack(order + "5I", *head) + FRAME
    data = pcapng([Section([Frame(0, FRAME)], big_endian=big_endian)])
    facts = facts_of(data + block(kind, body, order))
    found = spots(case(damage=facts.damage, skipped_blocks=facts.skipped_blocks))
    assert {"damage", "blocks-unknown"} & found.keys()


SOUND = {
    1: struct.pack("<HHI", 1, 0, 0) + options([(2, b"eth0")]),
    4: struct.pack("<HH", 1, 6) + b"\x0a\0\0\1a\0\0\0" + bytes(4) + options([(2, b"dns")]),
    5: struct.pack("<III", 0, 0, 0) + options([(4, bytes(8))]),
    9: b"__REALTIME_TIMESTAMP=1\nMESSAGE=a\n\n",
    10: struct.pack("<II", 0x544C534B, 5) + b"A B C\0\0\0" + options([(1, b"note")]),
    11: bytes(12) + options([(3, b"/bin/curl")]),
    12: bytes(20) + options([(2, bytes(4))]),
    0x80000001: bytes(4) + options([(2, b"curl")]),
}
"""Bodies of blocks, by type."""


@pytest.mark.parametrize("end", [b"", bytes(8)])
@pytest.mark.parametrize("kind", SOUND)
def test_a_block_that_is_laid_out_as_its_type_has_it_is_no_damage(kind: int, end: bytes) -> None:
    assert facts_of(pcapng([Section([])]) + block(kind, SOUND[kind] + end)).damage == ()


@pytest.mark.parametrize("kind", SOUND.keys() - {9})
def test_bytes_behind_the_end_of_the_options_are_damage(kind: int) -> None:
    facts = facts_of(pcapng([Section([])]) + block(kind, SOUND[kind] + b"more"))
    assert [damage.what for damage in facts.damage] == [BEHIND_OPTIONS]
