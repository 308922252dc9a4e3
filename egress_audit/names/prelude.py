"""What stands in front of a protocol that names its server: who was there before, or plain text.

Sources: the specification of the PROXY protocol §2.1 and §2.2; RFC 3207 §4 (SMTP), RFC 9051 §6.2.1
(IMAP), RFC 2595 §4 (POP3), RFC 4217 §4 (FTP), RFC 4642 §2 (NNTP), RFC 5804 §2.2 (ManageSieve), RFC
6120 §5.4 (XMPP), RFC 4511 §4.14 (LDAP); PostgreSQL's message formats (SSLRequest, GSSENCRequest);
MySQL's protocol (SSLRequest); [MS-RDPBCGR] §2.2.1.1 and RFC 2126 §4.3 (RDP).
"""

import re
from dataclasses import replace

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import (
    NOTHING,
    Reader,
    Reading,
    Spoken,
    Unread,
    anew,
    first_said,
    printable_host,
)

MAX_PROXY_LINE = 107
"""Octets of the longest line of the PROXY protocol, version 1."""
MAX_OPENING = 16_384
"""Octets of plain text in front of TLS."""
MAX_LDAP = 256
"""Octets of an LDAP request for TLS, and of an X.224 connection request."""

_PROXY_LINE = b"PROXY "
_PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"
_PROXY_V2_HEADER = 16
_PROXY_ENDS = {1: 12, 2: 36, 3: 216}
"""Octets of both ends, by family: IPv4, IPv6, sockets of the machine."""
_AUTHORITY = 2
_WORDS = re.compile(
    rb"(?:EHLO|HELO|LHLO|NOOP|STARTTLS|STLS|CAPA|CAPABILITY|CAPABILITIES|MODE READER|FEAT|USER|"
    rb"AUTH|CAP LS|"
    rb"[!-~]{1,32} (?:CAPABILITY|STARTTLS|ID|NOOP))[ \r\n]",
    re.I,
)
"""How a client begins to speak that may ask for TLS later."""
_LONGEST_WORDS = 46
_ASKS_FOR_TLS = re.compile(
    rb"^(?:[!-~]{1,32} )?(?:STARTTLS|STLS|AUTH (?:TLS|SSL)(?:-[CP])?)[ \t]*\r?\n", re.I | re.M
)
_XML = (b"<?xml", b"<stream:stream")
_XML_ASKS_FOR_TLS = re.compile(rb"<starttls\b[^<>]{0,256}(?:/>|>\s{0,16}</starttls\s{0,16}>)")
_LDAP_START_TLS = b"1.3.6.1.4.1.1466.20037"
_LDAP_SIZE = 35
_SSL_REQUESTS = (b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30")
"""SSLRequest and GSSENCRequest, after whose refusal the former may follow."""
_MYSQL = re.compile(rb"\x20\0\0\x01.(.).{6}.\0{23}", re.S)
"""32 octets of payload, number 1: capabilities, size, character set, 23 zeros."""
_MYSQL_BEGIN = b"\x20\0\0\x01"
_MYSQL_SIZE = 36
_MYSQL_TLS = 0x08
"""CLIENT_SSL, in the second octet of the capabilities."""
_X224_BEGIN = b"\x03\0\0"
_X224_SIZE = 6
_X224 = re.compile(rb"\x03\0\0(.)(.)[\xe0-\xef]", re.S)
"""TPKT, and a connection request inside it."""

STARTTLS = frozenset(("starttls",))
PROXY = frozenset(("proxy-protocol",))
WAITING = Reading(hungry=True, optional=True)


def read_proxy_header(stream: bytes) -> Reading:
    """The header of the PROXY protocol; the source it tells of is no destination and not spoken,
    the server name of a client's hello, which it may repeat, is."""
    if stream.startswith(_PROXY_LINE):
        end = stream.find(b"\n", 0, MAX_PROXY_LINE)
        if end >= 0:
            return Reading(marks=PROXY, consumed=end + 1, then=anew)
        return replace(WAITING, marks=PROXY) if len(stream) < MAX_PROXY_LINE else NOTHING
    if stream.startswith(_PROXY_V2):
        if len(stream) < _PROXY_V2_HEADER:
            return replace(WAITING, marks=PROXY)
        size = _PROXY_V2_HEADER + int.from_bytes(stream[14:16], "big")
        if len(stream) < size <= MAX_OPENING:
            return replace(WAITING, marks=PROXY)
        spoken = _authorities(stream[_PROXY_V2_HEADER + _PROXY_ENDS.get(stream[13] >> 4, 0) : size])
        unread = Unread.TRUNCATED if size > MAX_OPENING else None
        return Reading(spoken, PROXY, unread, consumed=size, then=anew)
    return NOTHING


def _authorities(fields: bytes) -> tuple[Spoken, ...]:
    """The hosts that a client asked for, as the header tells them behind its addresses (§2.2.2)."""
    found, at = [], 0
    while at + 3 <= len(fields):
        kind, start = fields[at], at + 3
        at = start + int.from_bytes(fields[at + 1 : start], "big")
        if kind == _AUTHORITY and at > start:
            found.append(Spoken(printable_host(fields[start:at]), NameSource.TLS_SNI))
    return tuple(found)


def read_plain_opening(stream: bytes) -> Reading:
    """What asks for TLS in plain words, and may come late in the talk; a ClientHello follows.

    Hungry while it may come, and nothing is lost if it never does.
    """
    return first_said(_OPENINGS, stream)


def _read_text(stream: bytes) -> Reading:
    """Mail, news, files: lines, one of which asks for TLS."""
    if not _WORDS.match(stream[:_LONGEST_WORDS]):
        return NOTHING
    return _behind(_ASKS_FOR_TLS.search(stream, 0, MAX_OPENING), stream)


def _read_xml(stream: bytes) -> Reading:
    if not stream.startswith(_XML):
        return WAITING if any(begin.startswith(stream) for begin in _XML) else NOTHING
    return _behind(_XML_ASKS_FOR_TLS.search(stream, 0, MAX_OPENING), stream)


def _behind(asks: re.Match[bytes] | None, stream: bytes) -> Reading:
    if asks:
        return Reading(marks=STARTTLS, consumed=asks.end(), then=anew)
    return replace(WAITING, marks=STARTTLS) if len(stream) < MAX_OPENING else NOTHING


def _read_ldap(stream: bytes) -> Reading:
    """An extended request for TLS, as the first message (RFC 4511 §4.12)."""
    if not stream.startswith(b"0"):
        return NOTHING
    if _LDAP_START_TLS not in stream[:MAX_LDAP]:
        return WAITING if len(stream) < _LDAP_SIZE else NOTHING
    end = 2 + stream[1]
    if stream[1] & 0x80:
        width = stream[1] & 0x7F
        end = 2 + width + int.from_bytes(stream[2 : 2 + width], "big")
    return Reading(marks=STARTTLS, consumed=end, then=anew) if end <= MAX_LDAP else NOTHING


def _read_database(stream: bytes) -> Reading:
    """PostgreSQL's and MySQL's requests for TLS."""
    if stream.startswith(_SSL_REQUESTS):
        return Reading(marks=STARTTLS, consumed=len(_SSL_REQUESTS[0]), then=anew)
    if any(request.startswith(stream) for request in _SSL_REQUESTS):
        return WAITING
    if len(stream) < _MYSQL_SIZE and _MYSQL_BEGIN.startswith(stream[: len(_MYSQL_BEGIN)]):
        return WAITING
    asks = _MYSQL.match(stream)
    if asks is None or not asks[1][0] & _MYSQL_TLS:
        return NOTHING
    return Reading(marks=STARTTLS, consumed=asks.end(), then=anew)


def _read_desktop(stream: bytes) -> Reading:
    """RDP's connection request, behind which TLS begins."""
    if len(stream) < _X224_SIZE and _X224_BEGIN.startswith(stream[: len(_X224_BEGIN)]):
        return WAITING
    asks = _X224.match(stream)
    if asks is None or asks[1][0] != asks[2][0] + 5 or asks[1][0] < 11:
        return NOTHING
    return Reading(marks=STARTTLS, consumed=asks[1][0], then=anew)


_OPENINGS: tuple[Reader, ...] = (
    _read_text,
    _read_xml,
    _read_ldap,
    _read_database,
    _read_desktop,
)
