"""PostgreSQL declines encryption, hears who wants what, and refuses."""

import pytest

from egress_audit.record.internet.dialogue import CLOSE, NOTHING_YET
from egress_audit.record.internet.postgres_dialogue import PostgresDialogue, is_postgres

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"
STARTUP = b"\0\0\0\x1a\0\3\0\0user\0me\0database\0\0"


def test_a_client_says_user_and_database_before_it_is_refused() -> None:
    server = PostgresDialogue()
    assert server.take(SSL_REQUEST) == (b"N", False)
    assert server.take(STARTUP[:-1]) == NOTHING_YET
    reply = server.take(STARTUP[-1:])
    assert reply.close
    assert reply.data[:1] == b"E"
    assert int.from_bytes(reply.data[1:5], "big") == len(reply.data) - 1


def test_a_message_without_end_is_refused() -> None:
    assert PostgresDialogue().take(b"\0\1\0\0\0\3\0\0").close


@pytest.mark.parametrize(
    ("first", "is_one"),
    [
        (SSL_REQUEST, True),
        (STARTUP, True),
        (b"\0\0\0\x09\x04\xd2\x16\x2f", False),
        (b"\0\1\0\0\0\3\0\0", False),
        (bytes(8), False),
    ],
)
def test_a_client_is_known_by_its_first_bytes(first: bytes, is_one: bool) -> None:
    assert is_postgres(first) is is_one


def test_silence_and_the_client_end_the_connection() -> None:
    assert PostgresDialogue().silence() == PostgresDialogue().end() == CLOSE
