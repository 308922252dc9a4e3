"""Which dialogue a connection gets: decided by its first bytes, or by silence and its port.

Source: RFC 8446 §5.1 (a TLS record), RFC 9112 §3 (a request line), RFC 9113 §3.4 (the preface of
HTTP/2), RFC 1928 §3 (SOCKS 5), RFC 7766 §8 (DNS over TCP).
"""

import re

from egress_audit.model.protocols import DNS_PORT
from egress_audit.record.internet.dialogue import (
    CLOSE,
    IDLE_NS,
    NOTHING_YET,
    PAUSE_NS,
    Dialogue,
    Patient,
    Reply,
)
from egress_audit.record.internet.dns_answers import DnsAnswers
from egress_audit.record.internet.dns_dialogue import MAX_MESSAGE, DnsDialogue
from egress_audit.record.internet.greetings import GREETING_NS, GREETINGS, Greeter
from egress_audit.record.internet.http2_dialogue import PREFACE, Http2Dialogue
from egress_audit.record.internet.http_dialogue import HttpDialogue
from egress_audit.record.internet.postgres_dialogue import PostgresDialogue, is_postgres
from egress_audit.record.internet.socks_dialogue import Socks4Dialogue, Socks5Dialogue
from egress_audit.record.internet.tls_dialogue import TlsDialogue

MAX_FIRST_LINE = 2048
"""Bytes of a first line that are kept while it may still turn out to be no HTTP."""
_METHOD = re.compile(rb"[A-Z][A-Z-]{0,15}(?:$| )")
"""A method of HTTP, or the beginning of one."""
_KNOWN_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ")
_VERSION = re.compile(rb" HTTP/\d(?:\.\d)?\r?\n")
_LEADING_LINES = b"\r\n"


class Opening:
    """The dialogue of a connection whose protocol is not known yet; then it is that protocol's."""

    __slots__ = ("_answers", "_first", "_inner", "_port", "patience_ns")

    def __init__(self, port: int, answers: DnsAnswers) -> None:
        self._port = port
        self._answers = answers
        self._first = b""
        self._inner: Dialogue | None = None
        self.patience_ns = GREETING_NS if port in GREETINGS else IDLE_NS

    def take(self, data: bytes) -> Reply:
        """What the protocol's own dialogue says, once it is known which."""
        if self._inner is None:
            self._first += data
            self._inner, data = self._dialogue(self._first), self._first
            if self._inner is None:
                self.patience_ns = PAUSE_NS
                return NOTHING_YET
            self._first = b""
        return self._told(self._inner.take(data))

    def silence(self) -> Reply:
        """A greeting where servers speak first; elsewhere the end."""
        if self._inner is None:
            if self._port not in GREETINGS:
                return CLOSE
            self._inner = Greeter(self._port)
        return self._told(self._inner.silence())

    def end(self) -> Reply:
        """What the protocol says to a client that has no more to say."""
        if self._inner is None:
            return CLOSE
        return self._inner.end()

    def _told(self, reply: Reply) -> Reply:
        if self._inner is not None:
            self.patience_ns = self._inner.patience_ns
        return reply

    def _dialogue(self, first: bytes) -> Dialogue | None:
        """The dialogue that these first bytes ask for; None if more are needed to say."""
        if self._port == DNS_PORT:
            if len(first) < 2:
                return None
            if int.from_bytes(first[:2], "big") <= MAX_MESSAGE:
                return DnsDialogue(self._answers)
        if first[0] in _BY_FIRST_BYTE:
            if len(first) < 2:
                return None
            dialogue = _by_first_bytes(first)
            return self._unknown() if dialogue is None else dialogue
        if first[0] == 0:
            if len(first) < 8:
                return None
            return PostgresDialogue() if is_postgres(first) else self._unknown()
        return self._textual(first)

    def _textual(self, first: bytes) -> Dialogue | None:
        line = first.lstrip(_LEADING_LINES)
        if not line and len(first) < MAX_FIRST_LINE:
            return None
        if len(line) < len(PREFACE) and PREFACE.startswith(line):
            return None
        if line.startswith(PREFACE):
            return Http2Dialogue()
        if not _METHOD.match(line):
            return self._unknown()
        if b"\n" in line:
            return HttpDialogue() if _VERSION.search(line) else self._unknown()
        if len(line) < MAX_FIRST_LINE:
            return None
        return HttpDialogue() if line.startswith(_KNOWN_METHODS) else self._unknown()

    def _unknown(self) -> Dialogue:
        return Greeter(self._port) if self._port in GREETINGS else Opaque()


class Opaque(Patient):
    """Bytes that nobody here understands: taken in silence, and closed after a pause."""

    __slots__ = ()

    patience_ns = PAUSE_NS

    def take(self, data: bytes) -> Reply:
        """Nothing."""
        return NOTHING_YET


def _by_first_bytes(first: bytes) -> Dialogue | None:
    if first[0] == 0x16:
        return TlsDialogue() if first[1] == 3 else None
    if first[0] == 5:
        return Socks5Dialogue() if first[1] else None
    return Socks4Dialogue() if first[1] in (1, 2) else None


_BY_FIRST_BYTE = frozenset({0x16, 4, 5})
