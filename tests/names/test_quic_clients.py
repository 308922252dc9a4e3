"""What is kept of a client of QUIC says whether all of its hello was there."""

import pytest

from egress_audit.names.quic_clients import Connection, Opening
from tests.builders.quic import V1

HELLO = b"\1\0\0\2ab"


@pytest.mark.parametrize("by_orig", [False, True])
def test_a_client_whose_whole_hello_came_at_once_waits_for_nothing(by_orig: bool) -> None:
    connection = Opening(by_orig, b"a server", b"me", V1, 7, HELLO).connection()
    assert (connection.by_orig, connection.expected, connection.pending) == (by_orig, 8, False)


def test_a_client_that_begins_another_message_waits_for_its_end() -> None:
    connection = Opening(True, b"a server", b"me", V1, 0, HELLO).connection()
    connection.hello.add(len(HELLO), b"\1\0")
    assert connection.pending


def test_a_client_of_whom_nothing_was_heard_is_awaited() -> None:
    assert Connection(True, b"a server", b"me", V1, {}).pending
