"""ClientHellos of DTLS speak their name in any fragments, and again behind a cookie."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.dtls import MAX_DATAGRAMS, MAX_HELLO, DtlsFlow
from egress_audit.names.reading import Reading, Unread
from tests.builders.dtls import DTLS_1_0, DTLS_1_2, HELLO, body, fragment, record, whole


def heard(*datagrams: bytes) -> list[Reading]:
    flow = DtlsFlow()
    return [flow.read(datagram, True) for datagram in datagrams]


def names(readings: list[Reading]) -> list[str]:
    assert all(word.source is NameSource.DTLS_SNI for one in readings for word in one.spoken)
    return [word.host for reading in readings for word in reading.spoken]


@pytest.mark.parametrize("version", [DTLS_1_0, DTLS_1_2, 0x0100])
def test_the_name_in_a_hello_of_dtls_is_spoken(version: int) -> None:
    (reading,) = heard(record(fragment(HELLO, 0, len(HELLO)), version))
    assert names([reading]) == ["a.example"]
    assert reading.marks == {"dtls", "alpn:h2", "names-read"}
    assert reading.unread is None


def test_a_hello_with_a_cookie_is_another_one() -> None:
    readings = heard(whole(HELLO), whole(body("a.example", b"cookie"), 1))
    assert (names(readings), readings[1].unread) == (["a.example"] * 2, None)


@given(st.integers(20, 300), st.randoms(use_true_random=False))
def test_fragments_in_any_order_are_one_hello(size: int, order: random.Random) -> None:
    cuts = [(at, at + size) for at in range(0, len(HELLO), size)]
    order.shuffle(cuts)
    readings = heard(*(record(fragment(HELLO, *cut)) for cut in cuts))
    assert names(readings) == ["a.example"]
    assert [one.hungry for one in readings] == [True] * (len(cuts) - 1) + [False]


def test_fragments_in_one_record_and_records_in_one_datagram_are_read() -> None:
    first, second, third = ((0, 50), (50, 60), (60, len(HELLO)))
    datagram = record(fragment(HELLO, *first) + fragment(HELLO, *second))
    assert names(heard(datagram + record(fragment(HELLO, *third)))) == ["a.example"]


def test_a_hello_that_comes_again_is_spoken_once() -> None:
    assert names(heard(whole(HELLO), whole(HELLO))) == ["a.example"]


def test_both_names_of_contradicting_hellos_are_spoken() -> None:
    readings = heard(whole(HELLO), whole(body("z.example")))
    assert set(names(readings)) == {"a.example", "z.example"}
    assert readings[1].unread is Unread.MALFORMED


def test_no_name_says_so() -> None:
    assert "no-sni" in heard(whole(body("")))[0].marks


def test_what_is_encrypted_says_nothing() -> None:
    encrypted = record(fragment(HELLO, 0, len(HELLO)), epoch=1)
    assert heard(encrypted) == [Reading(marks=frozenset({"dtls"}))]


@pytest.mark.parametrize(("kind", "epoch"), [(20, 0), (21, 0), (22, 1), (23, 1)])
def test_a_hello_behind_records_of_other_kinds_is_read(kind: int, epoch: int) -> None:
    others = record(b"\1\0", kind=kind, epoch=epoch) * 2
    assert names(heard(others + whole(HELLO))) == ["a.example"]


@pytest.mark.parametrize(("kind", "unread"), [(25, None), (23, Unread.MALFORMED)])
def test_only_a_record_with_a_connection_id_has_its_length_elsewhere(
    kind: int, unread: Unread | None
) -> None:
    (reading,) = heard(
        record(b"\1", DTLS_1_2, 20) + record(b"", DTLS_1_2, kind, 1)[:11] + b"\xff" * 40
    )
    assert (names([reading]), reading.unread) == ([], unread)


def test_datagrams_without_a_hello_are_not_counted() -> None:
    other = record(b"\1\0", kind=21) * 2
    assert names(heard(*[other] * (MAX_DATAGRAMS + 1), whole(HELLO))) == ["a.example"]


def test_other_handshake_messages_say_nothing() -> None:
    assert names(heard(record(fragment(HELLO, 0, len(HELLO), kind=2)))) == []


@pytest.mark.parametrize("size", range(14, len(HELLO)))
def test_a_cut_hello_says_nothing(size: int) -> None:
    reading = DtlsFlow().read(whole(HELLO)[:size], True, complete=False)
    assert (reading.spoken, reading.unread) == ((), Unread.TRUNCATED)


@pytest.mark.parametrize(
    "bad",
    [
        record(fragment(HELLO, 0, 40)[:-1]),
        record(fragment(HELLO, 0, 20) + fragment(HELLO + b"x", 20, 40)),
        whole(HELLO[:34]),
        whole(HELLO[:36]),
        whole(HELLO)[:-1],
    ],
)
def test_lengths_that_disagree_are_malformed(bad: bytes) -> None:
    (reading,) = heard(bad)
    assert (reading.spoken, reading.unread) == ((), Unread.MALFORMED)


def test_a_hello_of_16_megabytes_is_not_collected() -> None:
    huge = bytes((1,)) + b"\xff\xff\xff\0\0" + (MAX_HELLO + 9).to_bytes(3, "big") + b"\0\0\1x"
    (reading,) = heard(record(huge))
    assert (reading.hungry, reading.unread) == (True, Unread.TRUNCATED)


def test_datagrams_read_are_bounded() -> None:
    readings = heard(*([whole(HELLO)] * MAX_DATAGRAMS))
    assert [one.unread for one in readings[-2:]] == [None, Unread.TRUNCATED]


@given(st.binary(max_size=200))
def test_random_bytes_speak_nothing(tail: bytes) -> None:
    assert heard(b"\x16\xfe\xfd" + tail)[0].spoken == ()
