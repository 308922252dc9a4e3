"""Streams of which all is there that they will ever say, known by their first bytes in columns.

Most say nothing: servers answer with such, and so begins every protocol that nobody here reads.
Most others begin with a whole ClientHello. Told apart here, a stream takes a hundredth of what it
costs to look at it by itself.

Source: the signs by which each reader of stream.py knows its own.
"""

import numpy as np

from egress_audit.columns import I32, I64, U8, Bool, PacketBatch

SEEN = 16
"""First bytes of a stream that are looked at: enough to tell records from random bytes."""

_ALERT, _HANDSHAKE, _CLIENT_HELLO = 21, 22, 1
_RECORD_HEADER, _HELLO_HEADER = 5, 9
"""Octets of the header of a record, and up to the body of a ClientHello in it."""
_KINDS = 20, 24
_LAST_MINOR = 4
_MAX_FRAGMENT = 2**14 + 2048
_RESPONSE = np.frombuffer(b"HTTP/1.", np.uint8)
_TCHARS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What methods are made of (RFC 9110 §5.6.2)."""
_BLANKS = b" \t\r\n\v\f"
_DNS_SIZES = 17, 4096
"""Octets of the messages of the DNS that are looked for on any port."""


def told_apart(packets: PacketBatch, rows: I64) -> tuple[Bool, Bool, I64]:
    """(n,) True for those of some rows, with whose payloads streams begin, whose streams say
    nothing; True for those that are a whole ClientHello; and bytes with which one is whole that is
    not yet, else 0."""
    captured = packets.payload_cap[rows]
    silent: Bool = captured >= SEEN
    first = packets.buffer[packets.payload[rows[silent]][:, None] + np.arange(SEEN)]
    ends = np.zeros(len(rows), np.int64)
    ends[silent] = ends_of_hellos(first)
    silent[silent] = says_nothing(first)
    whole = (ends > 0) & (ends == captured) & (captured >= packets.payload_len[rows])
    return silent, whole, np.where(ends > captured, ends, 0)


def says_nothing(first: U8) -> Bool:
    """(n,) True where no reader finds a name in a stream, and no further byte can change that.

    `first`: (n, SEEN) the first bytes, all of them there. Where this is False, readers must be
    asked: they know better.
    """
    octets: I32 = np.ascontiguousarray(first.T).astype(np.int32)
    record = _is_record(octets)
    hello = (octets[0] == _HANDSHAKE) & (octets[5] == _CLIENT_HELLO)
    found: Bool = record & (octets[0] != _ALERT) & ~hello
    others = np.flatnonzero(~record)
    if len(others):
        first, octets = first[others], octets[:, others]
        response = (first[:, : len(_RESPONSE)] == _RESPONSE).all(axis=1)
        found[others] = response | ~(_may_be_words(first) | _may_be_numbers(octets))
    return found


def ends_of_hellos(first: U8) -> I64:
    """(n,) where a ClientHello ends with which a stream begins, if it is alone in one record; else
    0.

    `first`: (n, SEEN) the first bytes, all of them there.
    """
    octets: I32 = np.ascontiguousarray(first.T[:_HELLO_HEADER]).astype(np.int32)
    record = octets[3] << 8 | octets[4]
    behind = _HELLO_HEADER + (octets[6] << 16 | octets[7] << 8 | octets[8])
    kind = (octets[0] == _HANDSHAKE) & (octets[1] == 3) & (octets[5] == _CLIENT_HELLO)
    alone = (behind - _RECORD_HEADER == record) & (record <= _MAX_FRAGMENT)
    return np.where(kind & alone, behind, 0).astype(np.int64)


def _is_record(octets: I32) -> Bool:
    """(n,) True where a record of TLS begins, whatever is in it (RFC 8446 §5.1)."""
    kind, size = octets[0], octets[3] << 8 | octets[4]
    minor = (octets[2] <= _LAST_MINOR) | (kind == _HANDSHAKE)
    begin = (kind >= _KINDS[0]) & (kind <= _KINDS[1]) & (octets[1] == 3) & minor
    found: Bool = begin & (size > 0) & (size <= _MAX_FRAGMENT)
    return found


def _may_be_words(first: U8) -> Bool:
    """(n,) True where a request, or a line of plain text, may begin.

    Both begin with a word: of the letters of methods, or of any that can be printed. What ends the
    word tells them from anything else.
    """
    classes = _CLASSES[first]
    words = _ends_word(classes, _TCHAR) | _ends_word(classes, _PRINTABLE)
    found: Bool = words | (first[:, 0] == ord("<"))
    return found


def _ends_word(classes: U8, letter: int) -> Bool:
    """(n,) True where the first byte that is no letter is a blank, or lies further back."""
    place = (classes & letter == 0).argmax(axis=1)
    # If all are letters the place is that of the first one.
    found: Bool = classes[np.arange(len(classes)), place] & (letter | _BLANK) != 0
    return found


def _may_be_numbers(octets: I32) -> Bool:
    """(n,) True where a protocol may begin that has lengths and codes in front.

    A hello of SSL 2.0; SOCKS; what asks for TLS of a directory, a database or a desktop; the DNS;
    a record of TLS with nothing in it, behind which a hello may stand.
    """
    begin = octets[0]
    found = (begin >= 0x80) & (octets[2] == 1) & ((octets[3] == 0) | (octets[3] == 3))
    found |= (begin == 4) | (begin == 5) | (begin == ord("0"))
    found |= ((begin == 0) | (begin == 3)) & (octets[1] == 0)
    kinds = (begin >= _KINDS[0]) & (begin <= _KINDS[1])
    found |= kinds & (octets[1] == 3) & (octets[3] == 0) & (octets[4] == 0)
    size = begin << 8 | octets[1]
    dns = (size >= _DNS_SIZES[0]) & (size <= _DNS_SIZES[1])
    either: Bool = found | (dns & (octets[6] == 0) & (octets[7] == 1))
    return either


def _classes() -> U8:
    """(256,) what each byte may be in a word or behind it."""
    table = np.zeros(256, np.uint8)
    table[[*_TCHARS]] |= _TCHAR
    table[0x21:0x7F] |= _PRINTABLE
    table[[*_BLANKS]] |= _BLANK
    return table


_TCHAR, _PRINTABLE, _BLANK = 1, 2, 4
_CLASSES = _classes()
