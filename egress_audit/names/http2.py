"""The authorities in the requests of HTTP/2 without TLS, and questions to the DNS inside them.

Source: RFC 9113 §3.4 (preface), §4.1 (frames), §6.1, §6.2 and §6.10 (DATA, HEADERS, CONTINUATION),
§8.3.1 and §8.5 (pseudo-header fields, CONNECT); RFC 8484 §4.1 (DNS queries over HTTPS).
"""

from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.authority import hosts_of
from egress_audit.names.dns_over_http import DNS_MESSAGE, MAX_QUESTION, asked_by, asked_in
from egress_audit.names.hpack import Field, HeaderTable, fields_of
from egress_audit.names.reading import HUNGRY, Damage, Reading, Spoken, Unread

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_BLOCK = 1 << 16
"""Octets of one header block, over all its frames."""
MAX_ASKING = 64
"""Streams whose bodies are read as DNS messages, at a time; MAX_QUESTION octets in all."""

_FRAME = Struct(">HBBBI")
_DATA, _HEADERS, _SETTINGS, _CONTINUATION = 0, 1, 4, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x01, 0x04, 0x08, 0x20
_PRIORITY_SIZE = 5
_STREAM_BITS = 0x7FFF_FFFF
HTTP2 = frozenset(("http2",))
TUNNEL = frozenset(("http2-tunnel",))
"""A CONNECT, the frames behind which carry what is not read here (RFC 9113 §8.5, RFC 9298)."""


def read_preface(stream: bytes) -> Reading:
    """The preface of a connection, of which at least some bytes are there; its frames follow."""
    if len(stream) < len(PREFACE):
        return HUNGRY
    if not stream.startswith(PREFACE):
        return Reading(marks=HTTP2, unread=Unread.MALFORMED)
    return Reading(marks=HTTP2, consumed=len(PREFACE), then=Connection().read)


class Connection:
    """The client's direction of a connection: what its next frames mean depends on those before."""

    def __init__(self) -> None:
        self._table = HeaderTable()
        self._begun = False
        self._block = b""
        """Of a header block that is not whole yet, the octets of its frames so far."""
        self._block_of = 0
        """The stream of that block; 0 if there is none."""
        self._asking: dict[int, tuple[bytes, int]] = {}
        """Streams whose body is a DNS message that is not whole yet, what is there of it, and from
        how many octets on it is worth another look: each doubles what is read again."""
        self._odd = False
        """An authority in the frames now read has several readings."""
        self._marks = HTTP2

    def read(self, stream: bytes) -> Reading:
        """What the frames at the beginning of `stream` say, up to the first that is not whole.

        Speaks `:authority` (HTTP2_AUTHORITY; of CONNECT: HTTP_CONNECT) and Host (HTTP_HOST) of
        requests, and what DNS messages ask that they carry. The next reading must begin at
        `consumed`; bodies are passed over without being held. Never raises.
        """
        spoken: list[Spoken] = []
        at, self._odd = 0, False
        try:
            while at + 9 <= len(stream):
                size, kind, flags, number = _frame(stream, at)
                self._check_order(kind, number)
                end = at + 9 + size
                if self._is_read(kind, number, size):
                    if end > len(stream):
                        break
                    body = _unpadded(stream[at + 9 : end], kind, flags)
                    spoken += self._said(body, kind, flags, number)
                at = end
        except Damage as damage:
            return Reading(tuple(spoken), self._marks, damage.unread)
        hungry = at < len(stream) or any(message for message, _ in self._asking.values())
        unread = Unread.MALFORMED if self._odd else None
        return Reading(tuple(spoken), self._marks, unread, hungry, at, len(spoken), then=self.read)

    def _check_order(self, kind: int, number: int) -> None:
        """Raises Damage if the frame may not stand here (RFC 9113 §3.4 and §4.3)."""
        if not self._begun and kind != _SETTINGS:
            raise Damage(Unread.MALFORMED)
        self._begun = True
        if (kind == _CONTINUATION) != bool(self._block_of) or (
            self._block_of and number != self._block_of
        ):
            raise Damage(Unread.MALFORMED)

    def _is_read(self, kind: int, number: int, size: int) -> bool:
        if kind in (_HEADERS, _CONTINUATION):
            if len(self._block) + size > MAX_BLOCK:
                raise Damage(Unread.TRUNCATED)
            return True
        if kind != _DATA or number not in self._asking:
            return False
        fits = size + sum(len(message) for message, _ in self._asking.values()) <= MAX_QUESTION
        if not fits:
            self._odd = True
            del self._asking[number]
        return fits

    def _said(self, body: bytes, kind: int, flags: int, number: int) -> tuple[Spoken, ...]:
        """What a whole frame says, of those that are read."""
        if kind == _DATA:
            return self._asked(number, body, flags)
        self._block += body
        if not flags & _END_HEADERS:
            self._block_of = number
            return ()
        block, self._block, self._block_of = self._block, b"", 0
        fields = fields_of(block, self._table)
        if (b"content-type", DNS_MESSAGE) in fields:
            self._odd |= len(self._asking) >= MAX_ASKING
            if len(self._asking) < MAX_ASKING:
                self._asking[number] = b"", 0
        protocols = [value for name, value in fields if name == b":protocol"]
        if (b":method", b"CONNECT") in fields and protocols != [b"websocket"]:
            self._marks |= TUNNEL
        spoken, odd = _requested(fields)
        self._odd |= odd
        return spoken

    def _asked(self, number: int, body: bytes, flags: int) -> tuple[Spoken, ...]:
        """What a DNS message asks, once its last frame is there or it is whole."""
        begun, enough = self._asking.pop(number)
        message, ended = begun + body, flags & _END_STREAM
        if len(message) < enough and not ended:
            self._asking[number] = message, enough
            return ()
        spoken, unread = asked_by(message)
        if unread and not ended:
            self._asking[number] = message, 2 * len(message)
            return ()
        self._odd |= unread is not None
        return spoken


def _frame(stream: bytes, at: int) -> tuple[int, int, int, int]:
    """Size, kind and flags of the frame whose header stands at `at`, and its stream."""
    upper, lower, kind, flags, number = _FRAME.unpack_from(stream, at)
    return upper << 8 | lower, kind, flags, number & _STREAM_BITS


def _unpadded(body: bytes, kind: int, flags: int) -> bytes:
    """A frame's body without padding and priority (RFC 9113 §6.1 and §6.2)."""
    if kind == _CONTINUATION:
        return body
    start, end = 0, len(body)
    if flags & _PADDED:
        start, end = 1, end - (body[0] if body else 0)
    if kind == _HEADERS and flags & _PRIORITY:
        start += _PRIORITY_SIZE
    if start > end:
        raise Damage(Unread.MALFORMED)
    return body[start:end]


def _requested(fields: list[Field]) -> tuple[tuple[Spoken, ...], bool]:
    """The hosts of a request, and whether one of them can be read in several ways."""
    said = {name: value for name, value in fields if name.startswith(b":")}
    if b":method" not in said:
        return (), False  # trailers
    source = NameSource.HTTP2_AUTHORITY
    if said[b":method"] == b"CONNECT" and b":protocol" not in said:
        source = NameSource.HTTP_CONNECT
    authorities = (value for name, value in fields if name == b":authority")
    spoken, odd = hosts_of(authorities, source)
    named = (value for name, value in fields if name.lower() == b"host")
    hosts, odd_hosts = hosts_of(named, NameSource.HTTP_HOST)
    asked, odd_path = asked_in(said.get(b":path", b""))
    return (*spoken, *hosts, *asked), odd or odd_hosts or odd_path
