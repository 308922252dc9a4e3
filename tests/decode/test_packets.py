"""Packets, held against the oracle field by field; and transport headers, whole, cut or lying."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import strategies
from tests.builders.captures import (
    Frame,
    pcap,
)
from tests.builders.engine import SMALLEST_BLOCK, decoded, flow_rows, reference, run

RAW = 101
BLOCKS = (SMALLEST_BLOCK, 100, 1 << 16)
SHARED = os.environ.get("EGRESS_AUDIT_SHARED", "")
CORPUS = sorted(Path(SHARED, "corpus", "captures").glob("*")) if SHARED else []


def assert_decoded_as_by_the_oracle(data: bytes, block: int) -> None:
    """Every field of every packet, and what became of every frame."""
    try:
        expected = reference(data)
    except ValueError:
        return
    done = run(data, block)
    assert done.packets == expected.packets
    assert done.ledger.undecoded == expected.undecoded
    assert done.ledger.no_destination == expected.no_destination
    assert done.ledger.partial == expected.partial
    counted = done.ledger.undecoded + done.ledger.no_destination
    assert done.ledger.frames == done.ledger.packets + counted.total() == len(expected.frames)


@settings(max_examples=150)
@given(strategies.captures, st.sampled_from(BLOCKS))
def test_every_frame_becomes_what_the_oracle_makes_of_it(data: bytes, block: int) -> None:
    assert_decoded_as_by_the_oracle(data, block)


@settings(max_examples=150)
@given(strategies.damaged_captures(), st.sampled_from(BLOCKS))
def test_every_frame_of_a_damaged_capture_becomes_what_the_oracle_makes_of_it(
    data: bytes, block: int
) -> None:
    assert_decoded_as_by_the_oracle(data, block)


@settings(max_examples=150)
@given(st.lists(st.tuples(strategies.linktypes, st.binary(max_size=90)), max_size=8))
def test_a_frame_of_any_bytes_at_all_becomes_what_the_oracle_makes_of_it(
    frames: list[tuple[int, bytes]],
) -> None:
    for linktype, data in frames:
        assert_decoded_as_by_the_oracle(pcap([Frame(0, data, len(data) + 1)], linktype), 1 << 16)


@pytest.mark.skipif(not CORPUS, reason="no corpus on this machine")
@pytest.mark.parametrize("part", range(8))
def test_every_frame_from_elsewhere_becomes_what_the_oracle_makes_of_it(part: int) -> None:
    for path in CORPUS[part::8]:
        assert_decoded_as_by_the_oracle(path.read_bytes(), 1 << 20)


@settings(max_examples=150)
@given(strategies.captures, st.sampled_from(BLOCKS))
def test_packets_do_not_depend_on_how_a_capture_is_cut_into_batches(
    data: bytes, block: int
) -> None:
    once, cut = decoded(data), decoded(data, block)
    assert once.packets == cut.packets
    assert flow_rows(once.flows) == flow_rows(cut.flows)
    assert once.ledger.partial == cut.ledger.partial


@settings(max_examples=150)
@given(strategies.captures)
def test_opening_and_putting_together_neither_adds_nor_loses_a_frame(data: bytes) -> None:
    plain, done = run(data), decoded(data)
    outermost = [packet for packet in done.packets if packet.depth == 0]
    assert sorted(p.frame for p in outermost) == [p.frame for p in plain.packets]
    assert sum(p.ip_len for p in outermost) == sum(p.ip_len for p in plain.packets)
    assert done.ledger.packets == plain.ledger.packets
    assert done.ledger.undecoded == plain.ledger.undecoded


@settings(max_examples=150)
@given(st.lists(st.tuples(strategies.linktypes, st.binary(max_size=90)), max_size=8))
def test_any_bytes_at_all_are_decoded_to_their_end(frames: list[tuple[int, bytes]]) -> None:
    for linktype, data in frames:
        ledger = decoded(pcap([Frame(0, data, len(data) + 1)], linktype)).ledger
        others = ledger.undecoded + ledger.no_destination
        assert ledger.frames == ledger.packets + others.total() == 1
