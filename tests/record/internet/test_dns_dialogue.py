"""DNS over TCP is answered message by message, however the bytes are cut."""

import pytest

from egress_audit.record.internet.dialogue import CLOSE, NOTHING_YET
from egress_audit.record.internet.dns_answers import DnsAnswers
from egress_audit.record.internet.dns_dialogue import MAX_AT_ONCE, MAX_MESSAGE, DnsDialogue
from egress_audit.record.internet.invented_names import InventedNames
from egress_audit.record.internet.settings import DnsPolicy

QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\7example\3com\0\0\1\0\1"
FRAMED = len(QUERY).to_bytes(2, "big") + QUERY


def dialogue(silent_suffix: str = "") -> DnsDialogue:
    """A connection to our DNS server."""
    names = InventedNames("198.18.0.0/15", "fd00:e6e5::/64")
    return DnsDialogue(DnsAnswers(names, DnsPolicy.ANSWER, silent_suffix=silent_suffix))


def test_a_query_is_answered_behind_its_last_byte() -> None:
    server = dialogue()
    assert [server.take(FRAMED[at : at + 1]) for at in range(len(FRAMED) - 1)] == (
        [NOTHING_YET] * (len(FRAMED) - 1)
    )
    reply = server.take(FRAMED[-1:])
    assert int.from_bytes(reply.data[:2], "big") == len(reply.data) - 2
    assert not reply.close


def test_queries_that_come_together_are_answered_together() -> None:
    one = len(dialogue().take(FRAMED).data)
    assert len(dialogue().take(FRAMED * 3).data) == 3 * one


def test_a_flood_of_queries_ends_the_connection() -> None:
    assert dialogue().take(FRAMED * (MAX_AT_ONCE + 1)).close


@pytest.mark.parametrize("data", [b"\0\3abc", (MAX_MESSAGE + 1).to_bytes(2, "big")])
def test_what_is_no_query_ends_the_connection(data: bytes) -> None:
    assert dialogue().take(data) == CLOSE


def test_a_name_of_our_probes_is_swallowed_and_the_next_query_answered() -> None:
    server = dialogue("example.com")
    assert server.take(FRAMED) == NOTHING_YET
    assert server.take(FRAMED.replace(b"com", b"net")).data


def test_silence_and_the_client_end_the_connection() -> None:
    assert dialogue().silence() == CLOSE
    assert dialogue().end() == CLOSE
