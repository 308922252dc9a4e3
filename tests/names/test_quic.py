"""What QUIC clients say in their Initials is heard in any order of pieces, and nothing else is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.plain_hello import PlainHello
from egress_audit.names.quic import MAX_CONNECTIONS, MAX_TRIED, QuicFlow
from egress_audit.names.quic_clients import MAX_HELLO
from egress_audit.names.reading import Reading, Spoken, Unread
from tests.builders.captures import client_hello_message
from tests.builders.quic import DCID, DRAFT_29, V1, V2, crypto, initial, pieces_of
from tests.names.test_plain_hello import ECH
from tests.names.test_tls import handshake, sni

HELLO = client_hello_message("a.example", alpn=("h3",))
LONG = client_hello_message("long.example", post_quantum=True, alpn=("h3",))
OTHER = client_hello_message("b.example", alpn=("h3",))
SERVER_ID = b"srv!"
FORCING = 0x1A2A3A4A
ACK = b"\x02\0\0\0\0"


def heard(*datagrams: bytes, by_orig: bool = True) -> list[Reading]:
    """What each datagram of one flow adds."""
    flow = QuicFlow()
    return [flow.read_any(datagram, by_orig) for datagram in datagrams]


def names(readings: list[Reading]) -> list[str]:
    assert all(word.source is NameSource.QUIC_SNI for one in readings for word in one.spoken)
    return [word.host for reading in readings for word in reading.spoken]


def as_reading(found: PlainHello | Reading) -> Reading:
    """What a plain hello says, in the words of a reading."""
    if isinstance(found, Reading):
        return found
    marks = {"quic", *found.protocols}
    marks |= {mark for mark, so in (("ech", found.outer), ("no-sni", not found.host)) if so}
    spoken = (Spoken(found.host, NameSource.QUIC_SNI, outer=found.outer),) if found.host else ()
    return Reading(spoken, frozenset(marks))


def flight(message: bytes, size: int, order: random.Random, frames: int = 4) -> list[bytes]:
    """A message in pieces of `size`, shuffled over packets of some frames each."""
    pieces = pieces_of(message, size)
    order.shuffle(pieces)
    packets = [pieces[at : at + frames] for at in range(0, len(pieces), frames)]
    return [
        initial(b"\1\0".join(crypto(piece, at) for at, piece in packet), number=number)
        for number, packet in enumerate(packets)
    ]


@pytest.mark.parametrize("version", [V1, V2, DRAFT_29])
def test_the_name_in_an_initial_is_spoken(version: int) -> None:
    (reading,) = heard(initial(crypto(HELLO), version=version))
    assert names([reading]) == ["a.example"]
    assert reading.marks == {"quic", "alpn:h3"}
    assert (reading.unread, reading.hungry) == (None, False)


@pytest.mark.parametrize("salted", [V1, DRAFT_29])
def test_a_client_that_forces_a_negotiation_names_its_host(salted: int) -> None:
    (reading,) = heard(initial(crypto(HELLO), version=FORCING, keys_in=salted))
    assert (names([reading]), reading.unread) == (["a.example"], None)
    pieces = (LONG[:900], 0), (LONG[900:], 900)
    two = [
        initial(crypto(piece, at), version=FORCING, keys_in=salted, number=number)
        for number, (piece, at) in enumerate(pieces)
    ]
    assert names(heard(*two)) == ["long.example"]


def test_after_the_negotiation_a_client_begins_anew_whatever_its_id() -> None:
    forced = initial(crypto(OTHER), version=FORCING, keys_in=V1)
    first, second = heard(forced, initial(crypto(HELLO)))
    assert (names([first]), names([second])) == (["b.example"], ["a.example"])
    assert (first.unread, second.unread) == (None, None)
    first, second = heard(initial(crypto(HELLO)), forced)
    assert (names([first, second]), second.unread) == (["a.example", "b.example"], None)


def test_an_initial_with_keys_of_nobodys_is_a_connection_that_nobody_read() -> None:
    flow = QuicFlow()
    forced = initial(crypto(HELLO), version=FORCING, keys_of=b"of another", keys_in=V1)
    assert flow.read(forced, by_orig=True) == Reading(marks=frozenset({"quic"}))
    assert flow.unexplained


@settings(max_examples=40)
@given(st.integers(90, 700), st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_hello_shuffled_over_packets_is_spoken_once(
    size: int, order: random.Random, frames: int
) -> None:
    readings = heard(*flight(LONG, size, order, frames))
    assert names(readings) == ["long.example"]
    assert [one.hungry for one in readings][-1] is False
    assert {one.unread for one in readings} == {None}


def test_until_its_last_piece_a_hello_says_nothing() -> None:
    first, second = heard(initial(crypto(LONG[:900])), initial(crypto(LONG[900:], 900), number=1))
    assert (names([first]), first.hungry) == ([], True)
    assert names([second]) == ["long.example"]


def test_initials_in_one_datagram_are_both_read() -> None:
    both = initial(crypto(LONG[900:], 900), number=1) + initial(crypto(LONG[:900]))
    assert names(heard(both)) == ["long.example"]


def test_the_rest_of_a_hello_may_go_to_the_id_that_the_server_chose() -> None:
    rest = initial(crypto(LONG[900:], 900), to=SERVER_ID, keys_of=DCID, number=1)
    assert names(heard(initial(crypto(LONG[:900])), rest)) == ["long.example"]


def test_the_version_may_change_on_the_way() -> None:
    rest = initial(crypto(LONG[900:], 900), to=SERVER_ID, keys_of=DCID, number=1, version=V2)
    assert names(heard(initial(crypto(LONG[:900])), rest)) == ["long.example"]


def test_after_a_retry_the_keys_are_of_the_servers_id() -> None:
    again = initial(crypto(HELLO), to=b"from the retry", token=b"token", number=1)
    readings = heard(initial(crypto(HELLO)), again)
    assert (names(readings), readings[-1].unread) == (["a.example"] * 2, None)


def test_a_second_connection_of_the_flow_is_heard_too() -> None:
    second = initial(crypto(OTHER), to=b"another one", sender=b"me")
    assert names(heard(initial(crypto(HELLO)), second)) == ["a.example", "b.example"]


def test_so_is_one_that_the_other_side_begins() -> None:
    flow = QuicFlow()
    first = flow.read_any(initial(crypto(HELLO)), by_orig=True)
    second = flow.read_any(initial(crypto(OTHER), to=b"another one", sender=b"me"), by_orig=False)
    assert names([first, second]) == ["a.example", "b.example"]


def test_a_second_hello_in_the_same_stream_is_heard_too() -> None:
    second = initial(crypto(OTHER, len(HELLO)), number=1)
    assert names(heard(initial(crypto(HELLO)), second)) == ["a.example", "b.example"]


def test_acknowledgements_say_nothing() -> None:
    readings = heard(initial(crypto(HELLO)), initial(ACK, to=SERVER_ID, keys_of=DCID, number=1))
    assert readings[1] == Reading(marks=frozenset({"quic"}))


def test_the_servers_initials_say_nothing_and_cost_nothing() -> None:
    flow = QuicFlow()
    flow.read_any(initial(crypto(HELLO), sender=b"client's id"), by_orig=True)
    answer = initial(crypto(b"\2\0\0\0"), to=b"client's id", keys_of=DCID, server=True)
    assert flow.read_any(answer, by_orig=False) == Reading(marks=frozenset({"quic"}))
    assert flow.futile == 0


ANSWER = initial(crypto(b"\2\0\0\0"), to=b"client's id", keys_of=DCID, server=True)


def test_who_was_called_with_a_whole_hello_answers_it() -> None:
    flow = QuicFlow()
    flow.read(initial(crypto(HELLO), sender=b"client's id"), by_orig=True)
    assert flow.is_answered_by(ANSWER)


@pytest.mark.parametrize("datagram", [ANSWER * 2, ANSWER[:-1], initial(ACK, to=SERVER_ID), b""])
def test_what_is_more_or_other_than_an_initial_to_the_caller_may_say_something(
    datagram: bytes,
) -> None:
    flow = QuicFlow()
    flow.read(initial(crypto(HELLO), sender=b"client's id"), by_orig=True)
    assert not flow.is_answered_by(datagram)


@pytest.mark.parametrize("by_orig", [True, False])
def test_nobody_answers_a_hello_that_is_not_whole_or_was_not_the_callers(by_orig: bool) -> None:
    flow = QuicFlow()
    assert not flow.is_answered_by(ANSWER)
    hello = LONG[:900] if by_orig else HELLO
    flow.read(initial(crypto(hello), sender=b"client's id"), by_orig)
    assert not flow.is_answered_by(ANSWER)


def test_the_servers_initials_alone_are_tried_for_nothing() -> None:
    flow = QuicFlow()
    answer = initial(crypto(b"\2\0\0\0"), to=b"client's id", keys_of=DCID, server=True)
    assert flow.read_any(answer, by_orig=False) == Reading(marks=frozenset({"quic"}))
    assert flow.futile == 1


def test_a_client_that_is_the_responder_is_heard() -> None:
    assert names(heard(initial(crypto(HELLO)), by_orig=False)) == ["a.example"]


def test_a_hello_without_a_name_says_so() -> None:
    (reading,) = heard(initial(crypto(client_hello_message(""))))
    assert (names([reading]), "no-sni" in reading.marks) == ([], True)


def test_both_names_of_contradicting_pieces_are_spoken_and_it_is_no_clean_reading() -> None:
    one, other = client_hello_message("a.example"), client_hello_message("z.example")
    readings = heard(initial(crypto(one)), initial(crypto(other), number=1))
    assert set(names(readings)) == {"a.example", "z.example"}
    assert readings[1].unread is Unread.MALFORMED


def test_a_small_decoy_does_not_hide_the_hello_behind_it() -> None:
    """Servers drop Initials in datagrams of less than 1200 bytes; we read these too."""
    decoy = initial(crypto(HELLO), size=len(HELLO) + 20)
    true = initial(crypto(OTHER), to=b"another one")
    assert names(heard(decoy, true)) == ["a.example", "b.example"]


@pytest.mark.parametrize("size", range(1, 1200, 13))
def test_a_cut_datagram_is_truncated_or_says_nothing(size: int) -> None:
    reading = QuicFlow().read_any(initial(crypto(HELLO))[:size], True, complete=False)
    assert reading.spoken == ()
    assert reading.unread is (Unread.TRUNCATED if size > 5 else None)


def test_a_datagram_whose_lengths_disagree_is_malformed() -> None:
    assert heard(initial(crypto(HELLO))[:-1])[0].unread is Unread.MALFORMED


def test_a_handshake_message_that_is_no_hello_is_malformed() -> None:
    assert heard(initial(crypto(b"\2\0\0\1x")))[0].unread is Unread.MALFORMED


@pytest.mark.parametrize("offset", [MAX_HELLO, 1 << 40, (1 << 62) - 1])
def test_a_piece_far_out_is_not_read(offset: int) -> None:
    (reading,) = heard(initial(crypto(b"x", offset)))
    assert (reading.spoken, reading.unread) == ((), Unread.TRUNCATED)


def test_a_thousand_tiny_frames_are_read() -> None:
    frames = b"".join(crypto(piece, at) for at, piece in pieces_of(HELLO, 1))
    assert names(heard(initial(frames))) == ["a.example"]


def test_gaps_that_never_close_leave_the_flow_hungry() -> None:
    holes = b"".join(crypto(b"x", at) for at in range(1, 900, 2))
    (reading,) = heard(initial(holes))
    assert (reading.hungry, reading.unread) == (True, Unread.TRUNCATED)


def test_packets_tried_are_bounded() -> None:
    flow = QuicFlow()
    for number in range(MAX_TRIED - 1):
        assert flow.read_any(initial(ACK, number=number), True).unread is None
    assert flow.read_any(initial(ACK, number=99), True).unread is Unread.TRUNCATED
    assert flow.spent


def test_connections_are_bounded() -> None:
    flow = QuicFlow()
    readings = [
        flow.read_any(initial(crypto(HELLO), to=bytes((at,)) * 8), True)
        for at in range(MAX_CONNECTIONS + 1)
    ]
    assert [one.unread for one in readings] == [None] * MAX_CONNECTIONS + [Unread.TRUNCATED]
    assert flow.spent


@settings(max_examples=200)
@given(st.binary(max_size=120), st.sampled_from((b"\xc0\0\0\0\1", b"\xd3\x6b\x33\x43\xcf", b"")))
def test_random_bytes_speak_nothing(tail: bytes, head: bytes) -> None:
    assert as_reading(QuicFlow().read(head + tail, True)).spoken == ()


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_random_payloads_speak_nothing(payload: bytes) -> None:
    assert as_reading(QuicFlow().read(initial(payload), True)).spoken == ()


ECH_HELLO = handshake(sni(b"outer.example"), ECH)
FIRST_ONES = (
    initial(crypto(HELLO)),
    initial(crypto(HELLO), version=V2, sender=b"client's id", token=b"token"),
    initial(crypto(OTHER), version=DRAFT_29, to=b"another one", number=3, number_size=1),
    initial(crypto(OTHER), version=FORCING, keys_in=DRAFT_29),
    initial(crypto(OTHER), to=b"short"),
    initial(crypto(OTHER), to=bytes(range(20)), sender=bytes(20), token=bytes(63)),
    initial(crypto(OTHER), token=bytes(64)),
    initial(crypto(handshake())),
    initial(crypto(ECH_HELLO)),
    initial(crypto(HELLO) + b"\1"),
    initial(b"\1" + crypto(HELLO)),
    initial(crypto(HELLO, 1)),
    initial(crypto(HELLO[:-1])),
    initial(crypto(HELLO + OTHER)),
    initial(crypto(HELLO[:-1] + b"\0\0")),
    initial(crypto(b"\2" + HELLO[1:])),
    initial(crypto(LONG[:900])),
    initial(crypto(LONG[900:], 900), number=1),
    initial(ACK, to=SERVER_ID, keys_of=DCID, number=1),
    initial(b"", size=40),
    initial(crypto(b""), size=17),
    initial(b"\6\0\x7f", size=3),
    initial(crypto(HELLO), size=len(HELLO) + 4),
    initial(crypto(HELLO)) + bytes(9),
    initial(crypto(HELLO)) + initial(crypto(OTHER), to=b"another one"),
    initial(crypto(HELLO))[:-1],
    initial(crypto(b"\2\0\0\0"), server=True),
)


@pytest.mark.parametrize("first", FIRST_ONES)
def test_a_first_datagram_says_the_same_to_the_quick_and_to_the_thorough(first: bytes) -> None:
    for second in FIRST_ONES:
        quick, thorough = QuicFlow(), QuicFlow()
        for datagram, by_orig in ((first, True), (second, True), (second, False), (first, True)):
            found = as_reading(quick.read(datagram, by_orig))
            assert found == thorough.read_any(datagram, by_orig)
            for state in ("held", "pending", "futile", "spent"):
                assert getattr(quick, state) == getattr(thorough, state)


@pytest.mark.parametrize("first", FIRST_ONES[:3])
def test_a_plain_hello_alone_is_heard_quickly(first: bytes) -> None:
    assert isinstance(QuicFlow().read(first, True), PlainHello)


@given(st.sampled_from(FIRST_ONES), st.integers(0, 60), st.integers(0, 255), st.integers(0, 1300))
def test_whatever_a_first_datagram_holds_both_say_the_same(
    first: bytes, at: int, octet: int, size: int
) -> None:
    bent = (first[:at] + bytes((octet,)) + first[at + 1 :])[: max(size, 20)]
    assert as_reading(QuicFlow().read(bent, True)) == QuicFlow().read_any(bent, True)


@given(st.integers(0, 400), st.integers(0, 255))
def test_whatever_a_first_payload_holds_both_say_the_same(at: int, octet: int) -> None:
    payload = crypto(HELLO)
    bent = initial(payload[:at] + bytes((octet,)) + payload[at + 1 :])
    assert as_reading(QuicFlow().read(bent, True)) == QuicFlow().read_any(bent, True)
