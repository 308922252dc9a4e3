"""A ClientHello is heard to its end before it is refused."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.dialogue import CLOSE, NOTHING_YET
from egress_audit.record.internet.tls_dialogue import MAX_HELLO, TlsDialogue

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def client_hello() -> bytes:
    """The hello of this Python's own TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(
        incoming, outgoing, server_hostname="models.example"
    )
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def records(message: bytes, size: int) -> bytes:
    """A handshake message in records of so many bytes."""
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\3\1" + len(piece).to_bytes(2, "big") + piece for piece in pieces)


def post_quantum_hello() -> bytes:
    """A handshake message as long as one with a key share of ML-KEM, or longer."""
    return b"\1" + (3000).to_bytes(3, "big") + bytes(3000)


def test_a_hello_is_refused_by_a_fatal_alert() -> None:
    reply = TlsDialogue().take(client_hello())
    assert (reply.data, reply.close) == (ALERT, True)


def test_the_client_understands_the_refusal() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(TlsDialogue().take(outgoing.read()).data)
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        client.do_handshake()


@given(st.integers(1, 1500), st.integers(1, 3004))
def test_nothing_is_said_before_the_last_byte(segment: int, record: int) -> None:
    server, stream = TlsDialogue(), records(post_quantum_hello(), record)
    pieces = [stream[at : at + segment] for at in range(0, len(stream), segment)]
    replies = [server.take(piece) for piece in pieces]
    assert replies[:-1] == [NOTHING_YET] * (len(pieces) - 1)
    assert replies[-1].data == ALERT


@pytest.mark.parametrize(
    "stream",
    [
        b"\x17\3\1\0\5hello",
        b"\x16\3\1\0\0",
        b"\x16\3\1\xff\xff",
        b"\x16\3\1\0\4\1" + (MAX_HELLO + 1).to_bytes(3, "big"),
    ],
)
def test_what_is_no_hello_is_refused_without_waiting(stream: bytes) -> None:
    assert TlsDialogue().take(stream).data == ALERT


def test_silence_and_the_client_end_the_connection() -> None:
    assert TlsDialogue().silence() == TlsDialogue().end() == CLOSE


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10))
def test_any_bytes_have_a_reply(pieces: list[bytes]) -> None:
    server = TlsDialogue()
    for piece in pieces:
        if server.take(piece).close:
            break
