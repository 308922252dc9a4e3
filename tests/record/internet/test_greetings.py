"""Servers that speak first greet, hear one reply, and take their leave."""

import pytest

from egress_audit.record.internet.dialogue import IDLE_NS
from egress_audit.record.internet.greetings import GREETING_NS, GREETINGS, Greeter


@pytest.mark.parametrize("port", sorted(GREETINGS))
def test_a_server_greets_after_a_silence_and_leaves_after_the_reply(port: int) -> None:
    server = Greeter(port)
    assert server.patience_ns == GREETING_NS
    greeting = server.silence()
    assert greeting.data
    assert not greeting.close
    assert server.patience_ns == IDLE_NS
    assert server.take(b"hello\r\n").close


def test_a_client_that_speaks_first_is_greeted_at_once() -> None:
    server = Greeter(22)
    assert server.take(b"SSH-2.0-client\r\n").data.startswith(b"SSH-2.0-")
    assert server.take(b"\0\0\1").close


def test_a_client_that_never_replies_hears_the_farewell() -> None:
    server = Greeter(25)
    server.silence()
    assert server.silence().data.startswith(b"421 ")


def test_a_client_that_closes_its_half_hears_the_farewell() -> None:
    assert Greeter(110).end().data.startswith(b"-ERR")


def test_mysql_says_how_long_its_packets_are() -> None:
    for number, packet in zip((0, 2), GREETINGS[3306], strict=True):
        assert int.from_bytes(packet[:3], "little") == len(packet) - 4
        assert packet[3] == number
