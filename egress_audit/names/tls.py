"""The host name in a TLS ClientHello.

Source: RFC 8446 §4.1.2 (ClientHello) and §5.1 (records), RFC 5246 §7.4.1.2 and §E.2 (the older
forms), RFC 6066 §3 (server_name), RFC 7301 §3.1 (ALPN), RFC 9849 §5 (Encrypted ClientHello).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.plain_hello import MAX_ALPN_MARKS, could_follow, hello_in
from egress_audit.names.reading import (
    HUNGRY,
    NOTHING,
    Damage,
    Reading,
    Spoken,
    Unread,
    printable,
    printable_host,
)
from egress_audit.names.tls_records import (
    ALERT,
    HANDSHAKE,
    LAST_MINOR,
    MAX_FRAGMENT,
    RECORD,
    behind_what_is_passed_over,
    could_be_record,
    is_empty,
)

MAX_RECORDS = 1024
"""Records read for one ClientHello; some programs cut it small to hide it from middleboxes."""
MAX_HANDSHAKE = 131_396
"""The longest ClientHello that the lengths of its parts permit, with its 4-byte header."""

_CHANGE = b"\x14\x03\x03\0\x01\x01"
_EXTENSION = Struct(">HH")
_V2_HELLO = Struct(">HBHHHH")

_CLIENT_HELLO = 1
_SESSION_ID_AT = 4 + 2 + 32
"""Behind the handshake header, the version and the random."""
_SERVER_NAME, _ALPN, _ECH = 0, 16, 0xFE0D
_EXTENSIONS_READ = frozenset((_SERVER_NAME, _ALPN, _ECH))
_HOST_NAME = 0

TLS = frozenset(("tls",))


def read_client_hello(stream: bytes) -> Reading:
    """What a TCP stream says that begins with a ClientHello, whole or in several records.

    `stream`: contiguous payload of one direction from its first byte on. Speaks the host_name;
    marks as in `server_name`, and `tls`. The minor version of the records says nothing (RFC 8446
    §5.1). Alerts in front are passed over, and records with nothing in them; a stream of one fatal
    alert is done. Any other TLS record at the start (a ServerHello, data) is marked `tls` and is
    done; what is no TLS is NOTHING. Hungry while the hello is incomplete and plausible; nothing is
    spoken before its end, because an ECH extension further back would unsay it. Where another
    ClientHello may stand behind it, `then` reads that. Never raises.
    """
    if stream[:1] >= b"\x80":
        return _read_v2_hello(stream)
    if not (could_be_record(stream) or is_empty(stream, 0)):
        return NOTHING
    if len(stream) < RECORD.size + 1:
        return HUNGRY
    start = behind_what_is_passed_over(stream)
    if start is None:
        return Reading(marks=TLS, hungry=True)
    return _read_behind_alerts(stream[start:]) if start else _read_record(stream)


def _read_behind_alerts(stream: bytes) -> Reading:
    if stream[:1] == bytes((ALERT,)) and len(stream) > RECORD.size:
        return Reading(marks=TLS, unread=Unread.MALFORMED)
    if not could_be_record(stream[: RECORD.size]):
        return Reading(marks=TLS, unread=Unread.MALFORMED)
    if len(stream) < RECORD.size + 1:
        return Reading(marks=TLS, hungry=bool(stream))
    return _read_record(stream)


def _read_record(stream: bytes) -> Reading:
    """What a stream says that begins with a record which is no alert, at least its first byte."""
    if stream[0] != HANDSHAKE or stream[RECORD.size] != _CLIENT_HELLO:
        return Reading(marks=TLS) if stream[2] <= LAST_MINOR else NOTHING
    found = _handshake(stream)
    if found is None:
        return Reading(marks=TLS, hungry=True)
    if isinstance(found, Unread):
        return Reading(marks=TLS, unread=found)
    handshake, end, left = found
    reading = server_name(handshake)
    marks = reading.marks | TLS
    if not left and not could_follow(stream[end : end + 1]):
        return Reading(reading.spoken, marks, reading.unread)
    then = partial(_read_behind_hello, left)
    return Reading(reading.spoken, marks, reading.unread, consumed=end, then=then)


def _read_behind_hello(left: int, stream: bytes) -> Reading:
    """Another ClientHello behind the first, maybe in the `left` octets of its record that remain.

    Nobody sends it before the server asks (RFC 8446 §4.1.4), but what answers may read it.
    change_cipher_spec may stand in between (§D.4). Nothing is missed if it does not come.
    """
    if left:
        if stream[:1] != b"\x01":
            return Reading(marks=TLS, hungry=not stream, optional=not stream)
        inside = _read_record(RECORD.pack(HANDSHAKE, 0x0303, left) + stream)
        return replace(inside, consumed=max(inside.consumed - RECORD.size, 0))
    if stream.startswith(b"\x14\x03") and stream[3 : len(_CHANGE)] == _CHANGE[3:]:
        then = partial(_read_behind_hello, 0)
        return Reading(marks=TLS, consumed=len(_CHANGE), then=then)
    if not (could_follow(stream[:1]) and could_be_record(stream)):
        return Reading(marks=TLS)
    if len(stream) <= RECORD.size:
        return Reading(marks=TLS, hungry=True, optional=True)
    return _read_record(stream)


def server_name(handshake: bytes, source: NameSource = NameSource.TLS_SNI) -> Reading:
    """The host_name a whole ClientHello speaks; QUIC's are the same message with another source.

    `handshake`: from its type byte to its last. Marks: `no-sni` when it has no host name, `ech`
    when the extension is there (the name may then be a stage prop, RFC 9849 §6.1, or the true one
    beside random bytes, §6.2: it is spoken as `outer`), `alpn:…` for the first protocols offered.
    MALFORMED if lengths disagree, with the name that stood before the damage; never raises. Never
    hungry.
    """
    plain = hello_in(handshake, 0, len(handshake)) if _is_whole(handshake) else None
    if plain is None:
        return any_server_name(handshake, source)
    marks = [*plain.protocols, *(("ech",) if plain.outer else ())]
    if not plain.host:
        return Reading(marks=frozenset((*marks, "no-sni")))
    return Reading((Spoken(plain.host, source, outer=plain.outer),), frozenset(marks))


def any_server_name(handshake: bytes, source: NameSource) -> Reading:
    """What `server_name` says, of hellos that are not plain too, and slower."""
    hosts: list[str] = []
    marks: list[str] = []
    unread = None
    try:
        for kind, body in _extensions(handshake):
            if kind == _SERVER_NAME:
                hosts.extend(_host_names(body))
            elif kind == _ALPN:
                marks.extend(_alpn_marks(body))
            elif kind == _ECH:
                marks.append("ech")
    except Damage as damage:
        unread = damage.unread
    if not hosts and unread is None:
        marks.append("no-sni")
    outer = "ech" in marks
    spoken = tuple(Spoken(host, source, outer=outer) for host in hosts)
    return Reading(spoken, frozenset(marks), unread)


def _handshake(stream: bytes) -> tuple[bytes, int, int] | Unread | None:
    """The first handshake message, out of its records; None while bytes of it are to come.

    With it where it ends in the stream, and how many octets its last record has behind it.
    MALFORMED for a record of another kind in between, an empty one, or a length no ClientHello
    has; TRUNCATED beyond MAX_RECORDS. Source: RFC 8446 §5.1.
    """
    message = bytearray()
    at = 0
    for _ in range(MAX_RECORDS):
        if at + RECORD.size > len(stream):
            return None
        kind, version, size = RECORD.unpack_from(stream, at)
        if kind != HANDSHAKE or version >> 8 != 3 or not 0 < size <= MAX_FRAGMENT:
            return Unread.MALFORMED
        at += RECORD.size
        before = len(message)
        message += stream[at : at + size]
        if len(message) >= 4:
            need = 4 + int.from_bytes(message[1:4], "big")
            if need > MAX_HANDSHAKE:
                return Unread.MALFORMED
            if len(message) >= need:
                used = need - before
                return bytes(message[:need]), at + used, size - used
        at += size
    return Unread.TRUNCATED


def _is_whole(handshake: bytes) -> bool:
    """True for a ClientHello that ends where it says."""
    fits = len(handshake) == 4 + int.from_bytes(handshake[1:4], "big")
    return fits and handshake.startswith(b"\x01")


def _extensions(handshake: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each extension we read; a ClientHello may have none at all (RFC 5246)."""
    size = len(handshake)
    if not _is_whole(handshake):
        raise Damage(Unread.MALFORMED)
    ciphers = _behind_vector(handshake, _SESSION_ID_AT, 1)
    compression = _behind_vector(handshake, ciphers, 2)
    at = _behind_vector(handshake, compression, 1)
    if at == size:
        return
    if _behind_vector(handshake, at, 2) != size:
        raise Damage(Unread.MALFORMED)
    at += 2
    while at < size:
        if at + 4 > size:
            raise Damage(Unread.MALFORMED)
        kind, length = _EXTENSION.unpack_from(handshake, at)
        at += 4 + length
        if at > size:
            raise Damage(Unread.MALFORMED)
        if kind in _EXTENSIONS_READ:
            yield kind, handshake[at - length : at]


def _host_names(body: bytes) -> Iterator[str]:
    """Each host_name of a server_name extension; the standard permits one, the wire any number."""
    if len(body) < 3 or _behind_vector(body, 0, 2) != len(body):
        raise Damage(Unread.MALFORMED)
    at = 2
    while at < len(body):
        kind, start, at = body[at], at + 3, _behind_vector(body, at + 1, 2)
        if at == start:
            raise Damage(Unread.MALFORMED)
        if kind == _HOST_NAME:
            yield printable_host(body[start:at])


def _alpn_marks(body: bytes) -> Iterator[str]:
    """The first protocols of an ALPN extension, as `alpn:h2`."""
    if _behind_vector(body, 0, 2) != len(body):
        raise Damage(Unread.MALFORMED)
    at = 2
    for _ in range(MAX_ALPN_MARKS):
        if at == len(body):
            return
        start, at = at + 1, _behind_vector(body, at, 1)
        yield f"alpn:{printable(body[start:at])}"


def _behind_vector(raw: bytes, at: int, width: int) -> int:
    """Where the vector at `at` ends, whose length stands before it in `width` bytes."""
    end = at + width + int.from_bytes(raw[at : at + width], "big")
    if end > len(raw):
        raise Damage(Unread.MALFORMED)
    return end


def _read_v2_hello(stream: bytes) -> Reading:
    """A ClientHello in the form of SSL 2.0, which has no extensions and so no name.

    Source: RFC 5246 §E.2: length with the top bit set, type 1, version, three lengths.
    """
    if not (stream[2:3] in (b"", b"\x01") and stream[3:4] in (b"", b"\x00", b"\x03")):
        return NOTHING
    if len(stream) < _V2_HELLO.size:
        return HUNGRY
    size, _, version, ciphers, session_id, challenge = _V2_HELLO.unpack_from(stream)
    known = version == 2 or 0x300 <= version <= 0x304
    adds_up = size & 0x7FFF == 9 + ciphers + session_id + challenge
    if known and adds_up and ciphers % 3 == 0 and 16 <= challenge <= 32:
        return Reading(marks=TLS | {"no-sni"})
    return NOTHING
