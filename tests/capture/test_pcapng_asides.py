"""Blocks beside the frames are taken in where they are understood, and counted where not."""

import struct

import pytest

from egress_audit.capture.pcapng_asides import MAX_BLOCK_KINDS
from egress_audit.capture.pcapng_blocks import LEAVES_BLOCK
from tests.builders.captures import NameResolution, Section, block, pcapng
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
