"""An HTTP/1 server that hears a whole request, head and body, and answers 503.

Source: RFC 9112 §2.2, §3, §6 and §7.1 (lines, bodies, chunks), RFC 9110 §10.1.1 (Expect), §9.3.6
(CONNECT).
"""

from enum import Enum, auto

from egress_audit.record.internet.dialogue import NOTHING_YET, Patient, Reply

MAX_BODY = 1_048_576
"""Bytes of a body that are heard before the answer."""
MAX_HEAD = 65_536
_KEPT = 256
"""Bytes of a line that are kept: enough for each one that matters."""
_BODY = b"Service Unavailable\n"
_HEAD = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(_BODY)
)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Part(Enum):
    """What the next line, or the bytes to go, are part of."""

    REQUEST = auto()
    FIELDS = auto()
    BODY = auto()
    CHUNK_SIZE = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    DONE = auto()


class HttpDialogue(Patient):
    """Follows one request line by line; bodies are counted, not kept."""

    __slots__ = (
        "_chunked", "_expects", "_heard", "_length", "_line", "_method", "_part", "_to_go",
    )  # fmt: skip

    def __init__(self) -> None:
        self._part = _Part.REQUEST
        self._line = b""
        """The beginning of the present line, as far as it has come."""
        self._method = b""
        self._length = 0
        self._chunked = self._expects = False
        self._to_go = 0
        """Bytes of the body, or of the present chunk, that have not come."""
        self._heard = 0
        """Bytes of the head, then of the body."""

    def take(self, data: bytes) -> Reply:
        """The 503 behind a whole request; a 100 behind the head if the client waits for it."""
        at, interim = 0, b""
        while at < len(data) and self._part is not _Part.DONE:
            if self._to_go:
                at += self._skip(len(data) - at)
                continue
            newline = data.find(b"\n", at)
            end = len(data) if newline < 0 else newline + 1
            self._line += data[at : min(end, at + _KEPT - len(self._line))]
            self._heard += end - at
            at = end
            if newline >= 0:
                interim += self._read_line()
            elif self._heard > self._bound():
                self._part = _Part.DONE
        if self._part is _Part.DONE:
            return Reply(interim + self._refusal(), close=True)
        return Reply(interim) if interim else NOTHING_YET

    def end(self) -> Reply:
        """The 503, though the request is not whole."""
        return Reply(self._refusal(), close=True)

    def _refusal(self) -> bytes:
        return _HEAD if self._method == b"HEAD" else _HEAD + _BODY

    def _bound(self) -> int:
        return MAX_HEAD if self._part in (_Part.REQUEST, _Part.FIELDS) else MAX_BODY

    def _skip(self, available: int) -> int:
        """How many of the bytes that came belong to the body; after the last comes what follows."""
        size = min(self._to_go, available)
        self._to_go -= size
        self._heard += size
        if self._heard > MAX_BODY or (not self._to_go and self._part is _Part.BODY):
            self._part = _Part.DONE
        return size

    def _read_line(self) -> bytes:
        """Takes the line that just ended, and gives what is to be said at once."""
        line, self._line = self._line.rstrip(b"\r\n"), b""
        if self._heard > self._bound():
            self._part = _Part.DONE
        elif self._part is _Part.REQUEST and line:
            self._method = line.split(b" ", 1)[0]
            self._part = _Part.FIELDS
        elif self._part is _Part.FIELDS:
            if not line:
                return self._end_of_head()
            self._field(line)
        elif self._part is _Part.CHUNK_SIZE:
            self._begin_chunk(line)
        elif self._part is _Part.CHUNK_END:
            self._part = _Part.CHUNK_SIZE
        elif self._part is _Part.TRAILERS and not line:
            self._part = _Part.DONE
        return b""

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip().lower()
        if name == b"content-length" and value.isdigit():
            self._length = int(value[:10])
        elif name == b"transfer-encoding":
            self._chunked = value.endswith(b"chunked")
        elif name == b"expect":
            self._expects = value == b"100-continue"

    def _end_of_head(self) -> bytes:
        self._heard = 0
        if self._method == b"CONNECT" or not (self._chunked or self._length):
            self._part = _Part.DONE
            return b""
        self._part = _Part.CHUNK_SIZE if self._chunked else _Part.BODY
        self._to_go = 0 if self._chunked else self._length
        return _CONTINUE if self._expects else b""

    def _begin_chunk(self, line: bytes) -> None:
        digits = line.split(b";", 1)[0].strip()
        try:
            size = int(digits[:16], 16)
        except ValueError:
            size = -1
        if size < 0:
            self._part = _Part.DONE
        elif size == 0:
            self._part = _Part.TRAILERS
        else:
            self._to_go, self._part = size, _Part.CHUNK_END
