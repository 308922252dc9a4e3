"""How segments begin in which a request or a ClientHello does, and which sides are looked at."""

import random

import numpy as np
import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.origins import Origins
from egress_audit.flows.signs import Signs, places_of_signs
from tests.builders.captures import TCP, Frame, client_hello, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

HELLO = client_hello("example.com")
SECOND = HELLO[:2] + b"\x03" + HELLO[3:]
"""As behind a HelloRetryRequest."""
CHANGE = b"\x14\x03\x03\0\x01\x01"
KEY_EXCHANGE = b"\x16\x03\x03\0\x46\x10\0\0\x42" + bytes(66)
CLIENT, SERVER = 5, 4


def packets(*payloads: bytes) -> PacketBatch:
    """Segments of a client, ten thousand bytes apart."""
    frames = [
        Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", tcp(4000, 80, "PA", at, 1, data), TCP)))
        for at, data in enumerate(payloads)
    ]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def place(payload: bytes) -> int:
    """Where a message begins in a segment, looked at among others."""
    made = packets(b"x", payload, b"data")
    found = places_of_signs(made, np.arange(len(made))).tolist()
    assert found[0] == found[2] == -1
    return int(found[1])


@pytest.mark.parametrize("begin", [b"POST", b"CONNECT", b"PROPFIND", b"get ", b"PRI * "])
def test_requests_are_known_by_their_first_letters(begin: bytes) -> None:
    assert place(begin + b"...") == 0
    assert place(b"x" + begin + b"...") == -1


@pytest.mark.parametrize("hello", [HELLO, SECOND, SECOND[:4], SECOND[:7], SECOND[:11]])
def test_a_client_hello_is_known_in_a_record_of_any_version(hello: bytes) -> None:
    assert place(hello) == 0


def test_it_may_stand_behind_change_cipher_spec() -> None:
    assert place(CHANGE + SECOND) == 6
    assert place(CHANGE + b"\x17\x03\x03\0\x20" + bytes(32)) == -1


@pytest.mark.parametrize("hello", [HELLO, SECOND])
def test_it_may_stand_in_a_packet_of_sql_server(hello: bytes) -> None:
    size = (8 + len(hello)).to_bytes(2, "big")
    assert place(b"\x12\x01" + size + b"\0\0\x05\0" + hello) == 8
    assert place(b"\x12\x01" + size + b"\0\0\x05\x01" + hello) == -1
    assert place(b"\x04\x01" + size + b"\0\0\x05\0" + hello) == -1


def test_it_may_stand_in_records_of_a_few_octets() -> None:
    assert place(b"\x16\x03\x03\0\x01\x01\x16\x03\x03\0\x01\0") == 0


@pytest.mark.parametrize(
    "data",
    [
        KEY_EXCHANGE,
        b"\x16\x03\x03\0\x28\x01" + b"sealed by a key that nobody here has....",
        b"\x16\x03\x05" + HELLO[3:],
        b"\x17" + HELLO[1:],
        b"PO",
        b"POS",
    ],
)
def test_other_records_and_words_are_no_signs(data: bytes) -> None:
    assert place(data) == -1


def test_random_bytes_are_none() -> None:
    chance = random.Random(4)
    made = packets(*(chance.randbytes(40) for _ in range(2_000)))
    assert (places_of_signs(made, np.arange(len(made))) < 0).all()


def looked_at(side: int, first: bytes) -> dict[int, int]:
    """The signs in a stream of some side that begins so and goes on with a hello."""
    signs, origins, made = Signs(), Origins(), packets(first, HELLO)
    sides = np.full(len(made), side)
    origins.begin(side, int(made.tcp_seq[0]))
    signs.pass_over(made, sides, np.array([0]))
    signs.look(made, sides, np.arange(len(made)), origins)
    assert signs.sides == ({side} if signs.places else set())
    return signs.places


@pytest.mark.parametrize("first", [b"\x16\x03\x03\0\x7a\x02\0\0\x76", b"HTTP/1.1 200 OK\r\n"])
def test_what_begins_as_a_server_does_is_looked_at_of_clients_only(first: bytes) -> None:
    assert looked_at(SERVER, first) == {}
    assert looked_at(CLIENT, first) == {1: 0}


@pytest.mark.parametrize("first", [HELLO, b"220 mail.example ESMTP\r\n", b"data", b"GET / "])
def test_any_other_side_is_looked_at_behind_its_first_segment(first: bytes) -> None:
    assert looked_at(SERVER, first) == looked_at(CLIENT, first) == {1: 0}


def test_there_is_room_for_sides_of_any_number_until_they_are_let_go_of() -> None:
    signs = Signs()
    signs.grow(100_000)
    made = packets(b"HTTP/1.1 200 OK\r\n")
    signs.pass_over(made, np.array([99_998]), np.array([0]))
    signs.release()
