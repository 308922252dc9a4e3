"""The host names in the ClientHellos of DTLS, in fragments and after a HelloVerifyRequest.

Source: RFC 6347 §4.1 (records), §4.2.1 (cookies), §4.2.2 and §4.2.3 (handshake fragments); RFC 9147
§5.2 and §5.3 (version 1.3 begins alike); RFC 9146 §4 (records with a connection ID).
"""

from dataclasses import field
from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.pieces import Pieces
from egress_audit.names.reading import READ, Damage, Reading, Spoken, Unread
from egress_audit.names.tls import server_name
from egress_audit.values import dataclass

MAX_DATAGRAMS = 64
"""Datagrams with a ClientHello that are read of one flow."""
MAX_HELLOS = 8
"""ClientHellos of one flow; an ordinary client sends one or two."""
MAX_HELLO = 16 << 10
DTLS = frozenset(("dtls",))

_RECORD = Struct(">BHHHIH")
"""Kind, version, epoch, sequence number in two parts, length."""
_MAJOR, _BEFORE_DTLS = 0xFE, 0x0100
"""Of all versions, whichever a first record has; and what OpenSSL sent before there was a standard.
"""
_KINDS = range(20, 27)
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_WITH_ID = 25
"""Kind of an encrypted record that has an ID of unknown length in front of its length."""
_HEADER = 12
"""Kind, length, message number, fragment offset, fragment length: 1, 3, 2, 3, 3 bytes."""
_SESSION_ID_AT = 2 + 32


@dataclass(slots=True)
class _Hello:
    """One ClientHello, as far as its fragments came."""

    size: int
    body: Pieces = field(default_factory=lambda: Pieces(MAX_HELLO))
    heard: int = 0
    """Readings that were taken."""


class DtlsFlow:
    """What the clients of one UDP flow say. Work and memory are bounded by the constants above."""

    def __init__(self) -> None:
        self._hellos: dict[tuple[bool, int], _Hello] = {}
        self._datagrams = 0
        self.futile = 0
        """No work was for nothing here: what is no hello costs next to nothing."""

    @property
    def held(self) -> int:
        """Bytes of handshake held."""
        return sum(hello.body.held for hello in self._hellos.values())

    @property
    def pending(self) -> bool:
        """True while some hello is not whole."""
        return any(not hello.heard for hello in self._hellos.values())

    @property
    def spent(self) -> bool:
        """True once no further datagram may be read."""
        return self._datagrams >= MAX_DATAGRAMS or len(self._hellos) > MAX_HELLOS

    def read(self, datagram: bytes, by_orig: bool, complete: bool = True) -> Reading:
        """What a datagram adds; marks as in `server_name`, `dtls`, and `names-read` for a host.

        `by_orig`: which side sent it. `complete`: False if the capture has fewer bytes than were on
        the wire. Hungry while a hello is incomplete. TRUNCATED where bytes are missing or a bound
        is reached; MALFORMED where lengths disagree or fragments contradict each other, which
        speaks both readings. Never raises.
        """
        spoken: list[Spoken] = []
        marks = set(DTLS)
        unread: Unread | None = None
        try:
            fragments = _fragments(datagram, complete)
            self._datagrams += bool(fragments)
            for number, size, offset, piece in fragments:
                hello = self._hellos.setdefault((by_orig, number), _Hello(size))
                found = _taken(hello, size, offset, piece)
                spoken += found.spoken
                marks |= found.marks
                unread = unread or found.unread
        except Damage as damage:
            self._datagrams += 1
            unread = unread or damage.unread
        if self.spent:
            unread = unread or Unread.TRUNCATED
        if spoken and "ech" not in marks:
            marks |= READ
        return Reading(tuple(spoken), frozenset(marks), unread, self.pending)


def could_be_record(datagram: bytes) -> bool:
    """True for what begins with the kind and version of a record, as an ID and flags may, too."""
    return (
        len(datagram) > _RECORD.size
        and datagram[0] in _KINDS
        and _is_version(datagram[1] << 8 | datagram[2])
    )


def _is_version(version: int) -> bool:
    return version >> 8 == _MAJOR or version == _BEFORE_DTLS


def _fragments(datagram: bytes, complete: bool) -> list[tuple[int, int, int, bytes]]:
    """Message number, size, offset and bytes of each fragment of a ClientHello in the clear."""
    end_means = Unread.MALFORMED if complete else Unread.TRUNCATED
    found, at = [], 0
    while at + _RECORD.size <= len(datagram):
        kind, version, epoch, _, _, length = _RECORD.unpack_from(datagram, at)
        at += _RECORD.size
        if not _is_version(version):
            break
        if at + length > len(datagram):
            if kind == _WITH_ID:
                break
            raise Damage(end_means)
        if kind == _HANDSHAKE and not epoch:
            found += _hello_fragments(datagram[at : at + length])
        at += length
    return found


def _hello_fragments(record: bytes) -> list[tuple[int, int, int, bytes]]:
    """The same of one record."""
    found, at = [], 0
    while at < len(record):
        head = record[at : at + _HEADER]
        at += _HEADER
        size = int.from_bytes(head[9:12], "big")
        if at + size > len(record):
            raise Damage(Unread.MALFORMED)
        if head[0] == _CLIENT_HELLO:
            number, whole = int.from_bytes(head[4:6], "big"), int.from_bytes(head[1:4], "big")
            offset = int.from_bytes(head[6:9], "big")
            found.append((number, whole, offset, record[at : at + size]))
        at += size
    return found


def _taken(hello: _Hello, size: int, offset: int, piece: bytes) -> Reading:
    """What a fragment adds to its hello."""
    if size != hello.size or offset + len(piece) > size or size < _SESSION_ID_AT:
        return Reading(unread=Unread.MALFORMED)
    hello.body.add(offset, piece)
    if hello.body.overflowed:
        hello.body.overflowed = False
        return Reading(unread=Unread.TRUNCATED)
    readings = hello.body.readings
    if len(readings[0]) < size or len(readings) == hello.heard:
        return Reading()
    new = [_named(body) for body in readings[hello.heard :]]
    hello.heard = len(readings)
    contradicted = Unread.MALFORMED if len(readings) > 1 else None
    return Reading(
        tuple(spoken for reading in new for spoken in reading.spoken),
        frozenset[str]().union(*(reading.marks for reading in new)),
        contradicted or new[0].unread,
    )


def _named(body: bytes) -> Reading:
    """What a whole ClientHello says: without its cookie it is one of TLS (RFC 6347 §4.2.1)."""
    cookie = _SESSION_ID_AT + 1 + body[_SESSION_ID_AT] if len(body) > _SESSION_ID_AT else len(body)
    if cookie >= len(body):
        return Reading(unread=Unread.MALFORMED)
    bare = body[:cookie] + body[cookie + 1 + body[cookie] :]
    message = b"\x01" + len(bare).to_bytes(3, "big") + bare
    return server_name(message, NameSource.DTLS_SNI)
