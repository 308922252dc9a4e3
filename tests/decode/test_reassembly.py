"""Datagrams out of fragments: every byte once, whatever came twice, late or not at all."""

import random
from itertools import pairwise

from egress_audit.decode.reassembly import HOLD_NS, MAX_BYTES, Fragment, Reassembly

KEY = (4, 0, 1, 0, 2, 1)


def piece(
    offset: int, data: bytes, *, more: bool = True, key: int = 1, ts_ns: int = 0, proto: int = 17
) -> Fragment:
    """A fragment of datagram `key`, all of it captured."""
    return Fragment((*KEY[:-1], key), ts_ns, offset, len(data), data, more, b"head", proto)


def test_a_datagram_is_whole_when_its_last_byte_is_there() -> None:
    store = Reassembly()
    assert not store.take(piece(0, b"ab"))[0].whole
    last = piece(2, b"c", more=False)
    datagram, _ = store.take(last)
    assert datagram.whole
    assert store.close(last, datagram) == b"abc"


def test_a_datagram_is_not_whole_while_its_first_byte_is_missing() -> None:
    assert not Reassembly().take(piece(2, b"c", more=False))[0].whole


def test_of_bytes_that_came_twice_the_first_ones_count() -> None:
    store = Reassembly()
    store.take(piece(0, b"abcd"))
    last = piece(2, b"xyzw", more=False)
    datagram, _ = store.take(last)
    assert datagram.contradicted
    assert store.close(last, datagram) == b"abcdzw"


def test_another_receiver_takes_the_last_ones() -> None:
    store = Reassembly()
    store.take(piece(0, b"abcd"))
    store.take(piece(2, b"xy"))
    store.take(piece(6, b"gh", more=False))
    datagram, _ = store.take(piece(4, b"ef"))
    assert (datagram.captured, datagram.otherwise) == (b"abcdefgh", b"abxyefgh")


def test_fragments_that_disagree_what_the_data_are_contradict_each_other() -> None:
    store = Reassembly()
    store.take(piece(0, b"ab"))
    assert store.take(piece(2, b"c", more=False, proto=41))[0].contradicted
    assert not store.take(piece(0, b"ab", key=2, proto=41))[0].contradicted
    assert not store.take(piece(2, b"c", key=2, proto=41, more=False))[0].contradicted


def test_where_none_differ_there_is_one_reading() -> None:
    store = Reassembly()
    store.take(piece(0, b"abcd"))
    datagram, _ = store.take(piece(2, b"cde", more=False))
    assert (datagram.captured, datagram.otherwise) == (b"abcde", None)


def test_the_beginning_of_a_datagram_ends_at_its_first_hole() -> None:
    store = Reassembly()
    store.take(piece(0, b"abcd"))
    datagram, _ = store.take(piece(6, b"g"))
    assert datagram.beginning == b"abcd"


def test_any_cuts_give_the_same_bytes() -> None:
    draw = random.Random(3)
    for _ in range(200):
        data = draw.randbytes(60)
        cuts = [0, *sorted(draw.sample(range(1, 60), 5)), 60]
        pieces = [
            piece(a, data[a : min(b + draw.randrange(4), 60)], more=b + 4 < 60)
            for a, b in pairwise(cuts)
        ]
        pieces += [piece(cuts[-2], data[cuts[-2] :], more=False)]
        pieces = [
            part if part.more or part.offset + part.length == 60 else piece(part.offset, part.data)
            for part in pieces
        ]
        draw.shuffle(pieces)
        store, found = Reassembly(), []
        for part in pieces:
            datagram, _ = store.take(part)
            assert not datagram.contradicted
            if datagram.whole:
                found.append(store.close(part, datagram))
        assert found[0] == data


def test_what_repeats_the_datagram_before_is_known() -> None:
    store = Reassembly()
    last = piece(0, b"abc", more=False)
    datagram, repeats = store.take(last)
    store.close(last, datagram)
    assert not repeats
    assert store.take(piece(0, b"abc", more=False))[1]
    assert not store.take(piece(0, b"abd", more=False))[1]


def test_a_datagram_that_waited_too_long_begins_anew() -> None:
    store = Reassembly()
    store.take(piece(0, b"ab"))
    datagram, _ = store.take(piece(2, b"c", more=False, ts_ns=HOLD_NS[4] + 1))
    assert not datagram.whole
    assert datagram.beginning == b""
    assert [given_up.beginning for given_up in store.given_up] == [b"ab"]
    assert len(store.rest()) == 2


def test_a_datagram_begins_anew_if_time_runs_backwards_by_a_century() -> None:
    store = Reassembly()
    store.take(piece(0, b"ab", ts_ns=10**18))
    assert not store.take(piece(2, b"c", more=False))[0].whole


def test_sparse_datagrams_take_no_more_room_than_there_is() -> None:
    store = Reassembly()
    for key in range(2_000):
        store.take(piece(65_000, b"x", key=key))
    assert sum(datagram.size for datagram in store.rest()) <= MAX_BYTES


def test_many_overlaps_of_one_datagram_are_one_datagram() -> None:
    store, data = Reassembly(), bytes(1400)
    for number in range(20_000):
        datagram, _ = store.take(piece(8 + number % 64 * 8, data))
    assert not datagram.whole
    assert not datagram.contradicted


def test_what_waits_behind_another_is_over_too_where_time_ran_backwards() -> None:
    store, tenth = Reassembly(), HOLD_NS[4] // 10
    store.take(piece(0, b"ab", key=1, ts_ns=10 * tenth))
    store.take(piece(0, b"ab", key=2, ts_ns=19 * tenth))
    assert store.take(piece(2, b"c", more=False, key=1, ts_ns=5 * tenth))[0].whole
    assert not store.take(piece(2, b"c", more=False, key=2, ts_ns=5 * tenth))[0].whole
    assert len(store.given_up) == 1
