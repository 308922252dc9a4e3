"""DNS over TCP: each message behind its length, as many as the client likes.

Source: RFC 7766 §6.2.1 (pipelining) and §8 (length field).
"""

from egress_audit.record.internet.dialogue import NOTHING_YET, Patient, Reply
from egress_audit.record.internet.dns_answers import DnsAnswers

MAX_MESSAGE = 2048
"""Bytes of a query; real ones are far shorter, and few protocols begin with so low a number."""
MAX_AT_ONCE = 256
"""Queries answered of those that came together; the connection is closed behind more."""


class DnsDialogue(Patient):
    """Our DNS server on one connection."""

    __slots__ = ("_answers", "_heard")

    def __init__(self, answers: DnsAnswers) -> None:
        self._answers = answers
        self._heard = b""

    def take(self, data: bytes) -> Reply:
        """The answers to all queries that are whole; the end behind what is no query."""
        heard, at = self._heard + data, 0
        said: list[bytes] = []
        while len(heard) - at >= 2:
            length = int.from_bytes(heard[at : at + 2], "big")
            if length > MAX_MESSAGE or len(said) >= MAX_AT_ONCE:
                return Reply(b"".join(said), close=True)
            if len(heard) - at - 2 < length:
                break
            answer = self._answers.answer(heard[at + 2 : at + 2 + length])
            at += 2 + length
            if isinstance(answer, bytes):
                said.append(len(answer).to_bytes(2, "big") + answer)
            elif answer.is_no_query:
                return Reply(b"".join(said), close=True)
        self._heard = heard[at:]
        return Reply(b"".join(said)) if said else NOTHING_YET
