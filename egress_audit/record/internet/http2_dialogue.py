"""An HTTP/2 server, spoken to with prior knowledge: hears one request and answers 503.

Source: RFC 9113 §3.4 (preface), §4.1 (frames), §6 (their types), RFC 7541 §6.2.2 (a literal field).
"""

from egress_audit.record.internet.dialogue import IDLE_NS, NOTHING_YET, PAUSE_NS, Reply

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_HEARD = 1_048_576
"""Bytes of frames that are heard before the answer."""
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS, _IS_ACK = 1, 4, 1
_FRAME_HEADER = 9
_STREAM_BITS = 0x7FFF_FFFF
# The settings let a client send a long body at once: INITIAL_WINDOW_SIZE, and the connection's.
_OUR_PREFACE = (
    b"\0\0\6\4\0\0\0\0\0" + b"\0\4" + MAX_HEARD.to_bytes(4, "big")
    + b"\0\0\4\x08\0\0\0\0\0" + MAX_HEARD.to_bytes(4, "big")
)  # fmt: skip
_SETTINGS_ACK = b"\0\0\0\4\1\0\0\0\0"
_STATUS_503 = b"\x08\x03503"
"""`:status` by its index in the static table, the value as a literal."""


class Http2Dialogue:
    """Walks the client's frames; their contents are skipped."""

    __slots__ = ("_ends_stream", "_header", "_heard", "_preface_to_go", "_stream", "_to_go",
                 "patience_ns")  # fmt: skip

    def __init__(self) -> None:
        self._preface_to_go = len(PREFACE)
        self._header = b""
        """Of the next frame, as far as it has come."""
        self._to_go = 0
        """Bytes of the present frame that have not come."""
        self._heard = 0
        self._stream = 0
        """The first one that the client opened; 0 before."""
        self._ends_stream = False
        self.patience_ns = PAUSE_NS

    def take(self, data: bytes) -> Reply:
        """Our settings behind the preface; 503 and GOAWAY behind the first request."""
        said = b""
        if self._preface_to_go:
            skipped = min(self._preface_to_go, len(data))
            self._preface_to_go -= skipped
            data = data[skipped:]
            said = b"" if self._preface_to_go else _OUR_PREFACE
        self._heard += len(data)
        at = 0
        while at < len(data):
            if self._to_go:
                skipped = min(self._to_go, len(data) - at)
                self._to_go -= skipped
                at += skipped
                continue
            missing = _FRAME_HEADER - len(self._header)
            self._header += data[at : at + missing]
            at += missing
            if len(self._header) == _FRAME_HEADER:
                said += self._begin_frame()
        if self._heard > MAX_HEARD or (self._ends_stream and not self._to_go):
            return Reply(said + self._farewell(), close=True)
        return Reply(said) if said else NOTHING_YET

    def silence(self) -> Reply:
        """GOAWAY."""
        return Reply(self._farewell(), close=True)

    def end(self) -> Reply:
        """GOAWAY."""
        return Reply(self._farewell(), close=True)

    def _begin_frame(self) -> bytes:
        """Notes what the frame's header says; gives the acknowledgement of settings."""
        header, self._header = self._header, b""
        self._to_go = int.from_bytes(header[:3], "big")
        kind, flags = header[3], header[4]
        stream = int.from_bytes(header[5:], "big") & _STREAM_BITS
        if kind == _SETTINGS and not flags & _IS_ACK:
            return _SETTINGS_ACK
        if kind == _HEADERS and not self._stream:
            self._stream, self.patience_ns = stream, IDLE_NS
        if kind in (_HEADERS, _DATA) and stream == self._stream and flags & _END_STREAM:
            self._ends_stream = True
        return b""

    def _farewell(self) -> bytes:
        goaway = b"\0\0\x08\7\0\0\0\0\0" + self._stream.to_bytes(4, "big") + bytes(4)
        if not self._stream:
            return goaway
        flags = _END_STREAM | _END_HEADERS
        head = len(_STATUS_503).to_bytes(3, "big") + bytes((_HEADERS, flags))
        return head + self._stream.to_bytes(4, "big") + _STATUS_503 + goaway
