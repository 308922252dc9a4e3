"""Keys: the same for both directions, and never merged because a hash is."""

import numpy as np
import pytest
from hypothesis import given, settings

from egress_audit.columns import U64
from egress_audit.flows import keys
from egress_audit.flows.keys import WORDS, KeyTable
from tests.builders import strategies
from tests.builders.captures import (
    ICMP,
    TCP,
    UDP,
    Frame,
    icmp,
    ip,
    pcap,
    tcp,
    udp,
    udp_exchange,
)
from tests.builders.engine import flow_rows, flows_in, reference, run

NEAR, FAR = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def one_hash_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds with which every key has the hash 0."""
    monkeypatch.setattr(keys, "_seed", lambda: np.uint64(0))


def numbers(table: KeyTable, key: U64) -> list[int]:
    """The number of each key."""
    groups = table.groups(key)
    spread = np.empty(key.shape[1], np.int64)
    lengths = np.diff(np.append(groups.starts, key.shape[1]))
    spread[groups.order] = np.repeat(groups.number, lengths)
    return list(spread.tolist())


def numbered(*values: int) -> list[int]:
    """Numbers of keys that differ in their last word."""
    key = np.zeros((WORDS, len(values)), np.uint64)
    key[WORDS - 1] = values
    return numbers(KeyTable(), key)


def test_keys_are_numbered_in_order_of_first_sight() -> None:
    assert numbered(7, 3, 7, 9, 3) == [0, 1, 0, 2, 1]


@pytest.mark.usefixtures("one_hash_for_all")
def test_keys_with_the_same_hash_stay_apart() -> None:
    assert numbered(7, 3, 7, 9, 3) == [0, 1, 0, 2, 1]


@pytest.mark.usefixtures("one_hash_for_all")
def test_keys_with_the_same_hash_are_found_again() -> None:
    table = KeyTable()
    key = np.zeros((WORDS, 100), np.uint64)
    key[0] = np.arange(100)
    assert numbers(table, key) == numbers(table, key) == list(range(100))


@pytest.mark.usefixtures("one_hash_for_all")
def test_flows_with_the_same_hash_stay_two() -> None:
    frames = [
        frame
        for port in (1000, 2000)
        for frame in udp_exchange((NEAR, port), (FAR, 53), b"?", b"!")
    ]
    assert [(f.orig_p, f.orig_pkts, f.resp_pkts) for f in flows_in(pcap(frames))] == [
        (1000, 1, 1),
        (2000, 1, 1),
    ]


def test_any_capture_gives_the_oracles_flows_even_if_all_hashes_collide() -> None:
    @settings(max_examples=40)
    @given(strategies.captures)
    def holds(data: bytes) -> None:
        assert flow_rows(run(data, keep=False).flows) == reference(data).flows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_seed", lambda: np.uint64(0))
        holds()


def test_packets_of_a_key_lie_side_by_side_as_they_arrived() -> None:
    key = np.zeros((WORDS, 5), np.uint64)
    key[1] = 7, 3, 7, 9, 3
    groups = KeyTable().groups(key)
    parts = np.split(groups.order, groups.starts[1:])
    assert sorted(part.tolist() for part in parts) == [[0, 2], [1, 4], [3]]


def test_the_numbers_do_not_depend_on_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(range(1, 1000))
    monkeypatch.setattr(keys, "_seed", lambda: np.uint64(next(drawn) * 2 + 1))
    values = [value * 7919 % 1000 for value in range(5_000)]
    assert numbered(*values) == numbered(*values)


def test_the_table_grows_and_forgets_nothing() -> None:
    table = KeyTable()
    key = np.zeros((WORDS, 20_000), np.uint64)
    key[1] = np.arange(20_000)
    for start in range(0, 20_000, 1_000):
        table.groups(key[:, start : start + 1_000])
    assert len(table) == 20_000
    assert numbers(table, key) == list(range(20_000))
    assert table.key[:, :20_000].tolist() == key.tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((udp(1, 2), UDP), (udp(2, 1), UDP)),
        ((tcp(1, 2, "A"), TCP), (tcp(2, 1, "A"), TCP)),
        ((icmp(8), ICMP), (icmp(0), ICMP)),
        ((bytes(8), 47), (bytes(8), 47)),
    ],
)
def test_both_directions_are_one_flow(one: tuple[bytes, int], other: tuple[bytes, int]) -> None:
    frames = [Frame(0, ip(NEAR, FAR, *one)), Frame(0, ip(FAR, NEAR, *other))]
    assert len(flows_in(pcap(frames, 101))) == 1


def test_icmp_that_nothing_answers_is_a_flow_for_each_direction() -> None:
    frames = [Frame(0, ip(a, b, icmp(3), ICMP)) for a, b in ((NEAR, FAR), (FAR, NEAR))]
    assert len(flows_in(pcap(frames, 101))) == 2


@pytest.mark.parametrize(
    "other",
    [
        ip(NEAR, FAR, udp(1, 3), UDP),
        ip(NEAR, "10.0.0.3", udp(1, 2), UDP),
        ip(NEAR, FAR, tcp(1, 2, "A"), TCP),
        ip(NEAR, FAR, udp(2, 1), UDP),
        ip("::a00:1", "::a00:2", udp(1, 2), UDP),
    ],
    ids=["port", "address", "protocol", "ports the other way", "version"],
)
def test_what_differs_in_one_thing_is_another_flow(other: bytes) -> None:
    first = ip(NEAR, FAR, udp(1, 2), UDP)
    assert len(flows_in(pcap([Frame(0, first), Frame(0, other)], 101))) == 2
