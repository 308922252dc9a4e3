"""The authorities in the requests of HTTP/2 without TLS, and questions to the DNS inside them.

Source: RFC 9113 §3.4 (preface), §4.1 (frames), §6.1, §6.2 and §6.10 (DATA, HEADERS, CONTINUATION),
§8.3.1 and §8.5 (pseudo-header fields, CONNECT); RFC 8484 §4.1 (DNS queries over HTTPS).
"""

from base64 import urlsafe_b64decode
from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names import dns
from egress_audit.names.authority import hosts_of
from egress_audit.names.hpack import Field, HeaderTable, fields_of
from egress_audit.names.reading import HUNGRY, Damage, Reading, Spoken, Unread

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_BLOCK = 1 << 16
"""Octets of one header block, over all its frames."""
MAX_QUESTION = 4096
"""Octets of a DNS message in the body of a request."""
MAX_ASKING = 256
"""Streams whose bodies are read as DNS messages, at a time."""

_FRAME = Struct(">HBBBI")
_DATA, _HEADERS, _SETTINGS, _CONTINUATION = 0, 1, 4, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x01, 0x04, 0x08, 0x20
_PRIORITY_SIZE = 5
_STREAM_BITS = 0x7FFF_FFFF
_DNS_MESSAGE = b"application/dns-message"
HTTP2 = frozenset(("http2",))


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
        self._asking: set[int] = set()
        self._unread: Unread | None = None
        """Why something in the frames now read was not: an authority has several readings, or a
        question to the DNS is not whole in one frame."""

    def read(self, stream: bytes) -> Reading:
        """What the frames at the beginning of `stream` say, up to the first that is not whole.

        Speaks `:authority` (HTTP2_AUTHORITY; of CONNECT: HTTP_CONNECT) and Host (HTTP_HOST) of
        requests, and what DNS messages ask that they carry. The next reading must begin at
        `consumed`; bodies are passed over without being held. Never raises.
        """
        spoken: list[Spoken] = []
        at, self._unread = 0, None
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
            return Reading(tuple(spoken), HTTP2, damage.unread)
        return Reading(
            tuple(spoken),
            HTTP2,
            self._unread,
            at < len(stream),
            consumed=at,
            done=len(spoken),
            then=self.read,
        )

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
        if size > MAX_QUESTION:
            self._asking.discard(number)
            self._unread = Unread.TRUNCATED
        return size <= MAX_QUESTION

    def _said(self, body: bytes, kind: int, flags: int, number: int) -> tuple[Spoken, ...]:
        """What a whole frame says, of those that are read."""
        if kind == _DATA:
            return self._asked(body, number) if body or flags & _END_STREAM else ()
        self._block += body
        if not flags & _END_HEADERS:
            self._block_of = number
            return ()
        block, self._block, self._block_of = self._block, b"", 0
        fields = fields_of(block, self._table)
        if (b"content-type", _DNS_MESSAGE) in fields:
            if len(self._asking) < MAX_ASKING:
                self._asking.add(number)
            else:
                self._unread = Unread.TRUNCATED
        spoken, odd = _requested(fields)
        self._unread = Unread.MALFORMED if odd else self._unread
        return spoken

    def _asked(self, body: bytes, number: int) -> tuple[Spoken, ...]:
        """What the body of a stream asks the DNS, which is nearly always in its first frame."""
        self._asking.discard(number)
        reading = dns.read_message(body)
        self._unread = reading.unread or self._unread
        return _questions(reading)


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
    return (*spoken, *hosts, *_asked_in(said.get(b":path", b""))), odd or odd_hosts


def _asked_in(path: bytes) -> tuple[Spoken, ...]:
    """What the DNS message in a path asks (RFC 8484 §4.1.1), if there is one."""
    _, found, coded = path.partition(b"?dns=")
    if not found or len(coded) > MAX_QUESTION:
        return ()
    coded = coded.partition(b"&")[0]
    try:
        message = urlsafe_b64decode(coded + b"=" * (-len(coded) % 4))
    except ValueError:
        return ()
    return _questions(dns.read_message(message))


def _questions(message: Reading) -> tuple[Spoken, ...]:
    """The questions of a DNS message that a client sends."""
    return tuple(word for word in message.spoken if word.source is NameSource.DNS_QUERY)
