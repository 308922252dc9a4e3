"""One connection, as a script of the wire: what the client sends, and what it hears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.connection import (
    FIN_WAIT_NS,
    LINGER_NS,
    MAX_PENDING,
    MAX_RESENDS,
)
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from tests.builders.tcp_client import SECOND_NS, TcpClient

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\7example\3com\0\0\1\0\1"
FRAMED = len(QUERY).to_bytes(2, "big") + QUERY


def client(port: int = 80, **options: int) -> TcpClient:
    """A client of a fresh internet, not connected."""
    return TcpClient(Internet(InternetSettings()), port, **options)


def connected(port: int = 80, **options: int) -> TcpClient:
    """A client whose handshake is done."""
    one = client(port, **options)
    one.connect()
    return one


@pytest.mark.parametrize(("version", "mss"), [(4, b"\x05\xb4"), (6, b"\x05\xa0")])
def test_a_syn_is_accepted_with_our_mss_and_nothing_else(version: int, mss: bytes) -> None:
    answer = client(version=version).connect()
    assert answer.options == b"\x02\x04" + mss, "no window scaling, no SACK, no timestamps"
    assert (answer.ack, answer.window) == (1001, 65_535)


@pytest.mark.parametrize("seq", [1000, 0xFFFF_FFFF, 0xFFFF_FFF0])
def test_a_request_is_answered_and_both_halves_close(seq: int) -> None:
    one = connected(seq=seq)
    one.send("PA", GET)
    assert one.said.startswith(b"HTTP/1.1 503")
    assert one.closed
    one.hears_end()
    assert one.wait(LINGER_NS / SECOND_NS + 1) == []
    assert one.internet.next_due_ns is None, "nothing is left of it"


def test_the_first_data_may_come_with_the_last_of_the_handshake() -> None:
    one = client()
    (answer,) = one.send("S")
    one.ack = answer.seq + 1
    one.send("PA", GET)
    assert one.said.startswith(b"HTTP/1.1 503")


def test_a_syn_that_comes_twice_is_answered_twice_alike() -> None:
    one = client()
    first = one.send("S")
    assert one.send("S", seq=1000) == first


def test_a_syn_ack_that_is_not_heard_is_sent_again_and_then_given_up() -> None:
    one = client()
    (answer,) = one.send("S")
    again = one.wait(600)
    assert [one_more for one_more in again if one_more == answer] == [answer] * MAX_RESENDS
    assert again[-1].flags == "RA"
    assert one.internet.next_due_ns is None


def test_a_wrong_acknowledgement_of_our_syn_is_reset() -> None:
    one = client()
    (answer,) = one.send("S")
    (reset,) = one.send("A", ack=answer.seq)
    assert (reset.flags, reset.seq) == ("R", answer.seq)


def test_each_segment_with_data_is_acknowledged() -> None:
    one = connected()
    (answer,) = one.send("PA", b"GET / HT")
    assert (answer.flags, answer.ack, answer.data) == ("A", one.seq, b"")


def test_segments_out_of_order_are_put_in_order() -> None:
    one = connected()
    start = one.seq
    (early,) = one.send("PA", GET[10:], seq=start + 10)
    assert early.ack == start, "what is missing is asked for"
    one.send("PA", GET[:10], seq=start)
    assert one.said.startswith(b"HTTP/1.1 503")


def test_a_segment_that_comes_twice_is_acknowledged_and_heard_once() -> None:
    one = connected(53)
    start = one.seq
    one.send("PA", FRAMED)
    once = one.said
    (again,) = one.send("PA", FRAMED, seq=start)
    assert (again.ack, one.said) == (one.seq, once)


def test_a_keep_alive_probe_is_answered() -> None:
    one = connected()
    (answer,) = one.send("A", seq=one.seq - 1)
    assert (answer.flags, answer.ack) == ("A", one.seq)
    assert one.send("A") == [], "an ordinary acknowledgement is not"


def test_an_acknowledgement_of_what_was_never_sent_is_answered_by_the_truth() -> None:
    one = connected()
    (answer,) = one.send("A", ack=one.ack + 5)
    assert (answer.flags, answer.seq) == ("A", one.ack)


def test_a_client_that_closes_its_half_is_answered_and_closed() -> None:
    one = connected()
    one.send("FPA", GET)
    assert one.said.startswith(b"HTTP/1.1 503")
    assert one.closed
    assert one.send("A") == []
    assert one.internet.next_due_ns is None, "no lingering for who closed first"


def test_a_fin_that_comes_before_its_data_waits_for_it() -> None:
    one = connected()
    start = one.seq
    (early,) = one.send("FA", GET[10:], seq=start + 10)
    assert early.flags == "A"
    one.send("PA", GET[:10], seq=start)
    assert one.closed
    assert one.said.startswith(b"HTTP/1.1 503")


def test_both_may_close_at_once() -> None:
    one = connected()
    start = one.ack
    one.send("PA", GET)
    ours = one.ack
    answers = one.send("FA", ack=start)
    assert [answer.ack for answer in answers] == [one.seq]
    assert one.send("A", ack=ours) == []
    one.wait(LINGER_NS / SECOND_NS + 1)
    assert one.internet.next_due_ns is None


def test_a_last_fin_that_comes_twice_is_acknowledged_twice() -> None:
    one = connected()
    one.send("PA", GET)
    one.hears_end()
    (answer,) = one.send("FA", seq=one.seq - 1)
    assert (answer.flags, answer.ack) == ("A", one.seq)


def test_a_new_syn_takes_the_place_of_a_closed_connection() -> None:
    one = connected()
    one.send("PA", GET)
    one.hears_end()
    one.seq = 77_000
    assert one.send("S")[0].flags == "SA"


def test_a_syn_inside_a_connection_is_challenged() -> None:
    one = connected()
    (answer,) = one.send("S", seq=5)
    assert (answer.flags, answer.seq, answer.ack) == ("A", one.ack, one.seq)


def test_a_reset_ends_the_connection_and_is_not_answered() -> None:
    one = connected()
    assert one.send("R") == []
    assert one.send("A")[0].flags == "R"


def test_a_reset_from_elsewhere_ends_no_connection() -> None:
    one = connected()
    assert one.send("R", seq=one.seq - 5) == []
    assert one.send("PA", b"GET")[0].flags == "A"


def test_an_answer_that_is_not_acknowledged_is_sent_again() -> None:
    one = connected()
    start = one.ack
    (answer,) = one.send("PA", GET)
    again = one.wait(600)
    assert [other for other in again if other == answer] == [answer] * MAX_RESENDS
    assert again[-1].flags == "RA"
    assert all(other.seq == start for other in again[:-1])
    assert one.internet.next_due_ns is None


def test_an_answer_longer_than_the_segments_a_client_takes_is_cut() -> None:
    one = client()
    (answer,) = one.send("S", options=b"\x02\x04\x00\x40")
    one.ack = answer.seq + 1
    one.send("A")
    answers = one.send("PA", GET)
    assert {len(part.data) for part in answers[:-1]} == {64}
    assert [part.flags for part in answers] == ["PA"] * (len(answers) - 1) + ["FPA"]
    assert one.said.endswith(b"Unavailable\n")


def test_a_client_without_room_is_asked_now_and_then_whether_it_has_some() -> None:
    one = connected()
    one.window = 0
    start = one.ack
    assert [answer.data for answer in one.send("PA", GET)] == [b""]
    one.ack = start
    (probe,) = one.wait(0.6)
    assert (probe.seq, len(probe.data)) == (start, 1)


def test_a_window_that_opens_is_filled() -> None:
    one = connected()
    start = one.ack
    one.window = 0
    one.send("PA", GET)
    one.wait(0.6)
    one.ack, one.said, one.window = start, b"", 65_535
    one.send("A", ack=start)
    one.wait(0.1)
    one.send("A")
    one.wait(1)
    assert one.said.startswith(b"HTTP/1.1 503")


def test_no_more_is_sent_than_the_window_takes() -> None:
    one = connected()
    one.window = 10
    sizes = [len(answer.data) for answer in one.send("PA", GET)]
    assert sizes == [10]
    while not one.closed:
        sizes += [len(answer.data) for answer in one.send("A")]
        assert len(sizes) < 100
    assert max(sizes) == 10
    assert one.said.endswith(b"Unavailable\n")


def test_a_client_that_never_has_room_is_given_up() -> None:
    one = connected()
    start = one.ack
    one.window = 0
    one.send("PA", GET)
    for _ in range(2000):
        one.wait(0.25)
        if one.internet.next_due_ns is None:
            break
        one.send("A", ack=start)
    assert one.send("A")[0].flags == "R"


def test_a_client_that_asks_without_reading_is_reset() -> None:
    one = connected(53)
    one.window = 0
    answers = [one.send("PA", FRAMED * 40) for _ in range(MAX_PENDING // len(FRAMED) // 40 + 1)]
    assert answers[-1][-1].flags in ("RA", "R")


def test_a_client_that_stays_when_we_have_left_is_forgotten() -> None:
    one = connected()
    one.send("PA", GET)
    one.send("A")
    assert one.wait(FIN_WAIT_NS / SECOND_NS + 1) == []
    assert one.internet.next_due_ns is None
    assert one.send("PA", b"hello?")[0].flags == "R"


def test_a_client_that_goes_on_sending_when_we_have_left_is_acknowledged() -> None:
    one = connected()
    one.send("PA", GET)
    for _ in range(100):
        (answer,) = one.send("PA", bytes(1400))
        assert (answer.flags, answer.ack) == ("A", one.seq & 0xFFFF_FFFF)


FLAGS = st.text("FSRPAU", max_size=4)
SCRIPT = st.lists(
    st.tuples(
        FLAGS,
        st.sampled_from([b"", b"x", GET, bytes(1400), GET[:7]]),
        st.none() | st.integers(-3, 1500),
        st.none() | st.integers(-3, 400),
        st.sampled_from([0, 1, 100, 65_535]),
        st.sampled_from([0, 0.6, 4, 400]),
    ),
    max_size=20,
)


@given(SCRIPT, st.sampled_from([25, 53, 80, 443]))
def test_no_order_of_segments_confuses_it_for_ever(
    script: list[tuple[str, bytes, int | None, int | None, int, float]], port: int
) -> None:
    one = connected(port)
    for flags, data, seq, ack, window, seconds in script:
        one.window = window
        at = None if seq is None else one.seq + seq & 0xFFFF_FFFF
        acked = None if ack is None else one.ack + ack & 0xFFFF_FFFF
        assert len(one.send(flags, data, seq=at, ack=acked)) <= 2 + 65_535 // 64
        one.wait(seconds)
    one.wait(2000)
    assert one.internet.next_due_ns is None, "everything ends at last"
