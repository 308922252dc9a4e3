"""The guard that closes sockets to the tests."""

import socket

import pytest


def test_a_socket_is_refused_to_an_unmarked_test() -> None:
    with pytest.raises(AssertionError, match="opens_sockets"):
        socket.socket()


def test_a_resolver_is_refused_to_an_unmarked_test() -> None:
    with pytest.raises(AssertionError, match="opens_sockets"):
        socket.getaddrinfo("localhost", 80)


@pytest.mark.opens_sockets
def test_a_marked_test_may_open_a_socket() -> None:
    socket.socket().close()
