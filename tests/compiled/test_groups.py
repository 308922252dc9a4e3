"""Packets are grouped and keys numbered in C as they are in numpy, whatever their hashes."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.columns import I64, PacketBatch
from egress_audit.compiled.groups import Grouping, Table, numbered, place
from egress_audit.decode.layers import chosen
from egress_audit.decode.ledger import Ledger
from egress_audit.flows import keys
from egress_audit.flows.keys import KeyTable, keys_of
from tests.builders import strategies
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import UDP, Frame, ethernet, ip, pcap, udp
from tests.builders.engine import opened, packets_of

pytestmark = needs_library

Ends = tuple[int, int, int, int]


def packets_between(ends: list[Ends]) -> PacketBatch:
    """Datagrams between these hosts and ports."""
    frames = [
        Frame(
            n, ethernet(ip(f"10.0.{a >> 8}.{a & 255}", f"10.1.0.{b}", udp(sport, dport, b""), UDP))
        )
        for n, (a, b, sport, dport) in enumerate(ends)
    ]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def spread(table: KeyTable, packets: PacketBatch) -> tuple[list[int], list[bool]]:
    """Number of the key of each packet, and which were turned round."""
    found, swapped = table.groups_of(packets)
    number = np.empty(len(packets), np.int64)
    lengths = np.diff(np.append(found.starts, len(packets)))
    number[found.order] = np.repeat(found.number, lengths)
    for start, length in zip(found.starts.tolist(), lengths.tolist(), strict=True):
        assert (np.diff(found.order[start : start + length]) > 0).all()
    return number.tolist(), swapped.tolist()


def assert_numbered_alike(batches: list[PacketBatch]) -> None:
    """Both engines number the keys of these batches alike."""
    plain, fast = KeyTable(), KeyTable()
    for packets in batches:
        expected = in_numpy(partial(spread, plain, packets))
        assert compiled(partial(spread, fast, packets)) == expected
    assert fast.key[:, : len(fast)].tolist() == plain.key[:, : len(plain)].tolist()


hosts = st.integers(0, 3)
some_ends = st.lists(st.tuples(hosts, hosts, hosts, hosts), min_size=1, max_size=40)


@settings(max_examples=100)
@given(st.lists(some_ends, min_size=1, max_size=4))
def test_keys_are_numbered_as_in_numpy(batches: list[list[Ends]]) -> None:
    assert_numbered_alike([packets_between(ends) for ends in batches])


@settings(max_examples=100)
@given(strategies.captures)
def test_keys_of_any_packets_are_numbered_as_in_numpy(data: bytes) -> None:
    try:
        batches = [packets_of(batch, Ledger()) for batch in opened(data)]
    except ValueError:
        return
    assert_numbered_alike([packets for packets in batches if len(packets)])


def test_a_table_that_must_grow_within_a_batch_numbers_them_alike() -> None:
    ends = [(n % 3000, 1, 5, 6) for n in range(12_000)]
    assert_numbered_alike([packets_between(ends[:50]), packets_between(ends)])


def test_packets_that_are_turned_round_have_the_keys_of_numpy() -> None:
    packets = packets_between([(1, 2, 3, 4), (9, 9, 9, 9), (2, 1, 4, 3)])
    one_way = replace(packets, one_way=np.array([True, False, True]))
    deep = replace(packets, depth=np.array([1, 5, 0], np.uint8))
    grouping = Grouping(np.arange(1, 7, dtype=np.uint64))
    for changed in (packets, one_way, deep):
        found = grouping.grouped(changed)
        key, swapped = keys_of(changed)
        assert found.keys.T.tolist() == key[:, found.order[found.starts]].tolist()
        assert found.swapped.tolist() == swapped.tolist()


@pytest.mark.parametrize("keys", [20, 900])
def test_no_group_of_one_batch_is_there_in_the_next(keys: int) -> None:
    grouping = Grouping(np.arange(1, 7, dtype=np.uint64))
    ends = [(n % keys, n % 7, 5, 6) for n in range(1000)]
    for order in (1, -1):
        found = grouping.grouped(packets_between(ends[::order]))
        assert len(found.starts) == len({*ends})
        assert (grouping._slots == -1).all()


def test_keys_are_hashed_as_in_numpy() -> None:
    packets, table = packets_between([(1, 2, 3, 4), (300, 9, 9, 9)]), KeyTable()
    found = table._grouping.grouped(packets)
    assert found.hashes.tolist() == table._hashed(keys_of(packets)[0]).tolist()


def test_keys_with_the_same_hash_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_seed", lambda: np.uint64(0))
    ends = [(n % 200, 1, 5, 6) for n in range(1000)]
    assert_numbered_alike([packets_between(ends), packets_between(ends[::-1])])


def test_a_table_is_the_same_whichever_engine_adds_to_it() -> None:
    packets, table = packets_between([(n % 900, n % 7, 5, 6) for n in range(5000)]), KeyTable()
    halves: list[I64] = [np.arange(0, 2500), np.arange(2500, 5000)]
    first, second = (chosen(packets, rows) for rows in halves)
    expected = in_numpy(lambda: spread(KeyTable(), packets))
    numbers = compiled(lambda: spread(table, first))[0] + in_numpy(lambda: spread(table, second))[0]
    assert numbers == expected[0]
    assert compiled(lambda: spread(table, packets)) == expected


@pytest.mark.parametrize("size", [0, 3, 8])
def test_a_table_in_which_a_look_up_might_not_end_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="room for 5 keys"):
        place(np.zeros(5, np.uint64), 5, np.full(size, -1, np.int32))


def test_a_table_whose_columns_do_not_fit_is_refused() -> None:
    packets = packets_between([(1, 2, 3, 4)])
    found, number = Grouping(np.ones(6, np.uint64)).grouped(packets), np.zeros(1, np.int64)
    slots = np.full(16, -1, np.int32)
    with pytest.raises(ValueError, match="no table"):
        numbered(
            found, Table(slots, np.zeros(4, np.uint64), np.zeros((5, 3), np.uint64)), 0, number, 0
        )
