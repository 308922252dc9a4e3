"""A TLS server that hears a whole ClientHello and refuses it.

The alert comes only behind the last byte of the hello, however many segments and records it takes,
so that the name the client wanted is in the capture.

Source: RFC 8446 §4.1.2, §5.1 and §6.2 (handshake_failure).
"""

from egress_audit.record.internet.dialogue import NOTHING_YET, Patient, Reply

MAX_HELLO = 131_072
"""A hello that claims more is refused without waiting for it."""
_HANDSHAKE = 22
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
_LONGEST_RECORD = 16_384 + 2_048
_REFUSED = Reply(b"\x15\x03\x03\x00\x02\x02\x28", close=True)


class TlsDialogue(Patient):
    """Counts a ClientHello to its end, and keeps none of it."""

    __slots__ = ("_header", "_message", "_seen", "_to_go")

    def __init__(self) -> None:
        self._header = b""
        """Of the next record, as far as it has come."""
        self._to_go = 0
        """Bytes of the present record that have not come."""
        self._message = b""
        """The header of the handshake message, as far as it has come."""
        self._seen = 0
        """Bytes of the handshake message that have come."""

    def take(self, data: bytes) -> Reply:
        """A fatal alert, handshake_failure, behind a whole hello or anything that is none."""
        at = 0
        while at < len(data):
            if not self._to_go:
                missing = _RECORD_HEADER - len(self._header)
                self._header += data[at : at + missing]
                at += missing
                if len(self._header) < _RECORD_HEADER:
                    break
                if not self._begin_record():
                    return _REFUSED
                continue
            piece = data[at : at + self._to_go]
            at += len(piece)
            self._to_go -= len(piece)
            if self._is_whole(piece):
                return _REFUSED
        return NOTHING_YET

    def _begin_record(self) -> bool:
        kind, length = self._header[0], int.from_bytes(self._header[3:], "big")
        self._header, self._to_go = b"", length
        return kind == _HANDSHAKE and 0 < length <= _LONGEST_RECORD

    def _is_whole(self, piece: bytes) -> bool:
        """Whether the handshake message ends with this piece of it, or is not to be awaited."""
        self._message += piece[: _MESSAGE_HEADER - len(self._message)]
        self._seen += len(piece)
        if len(self._message) < _MESSAGE_HEADER:
            return False
        length = int.from_bytes(self._message[1:], "big")
        return length > MAX_HELLO or self._seen >= _MESSAGE_HEADER + length
