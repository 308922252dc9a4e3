"""The ClientHello as nearly every client sends it, read in one pass; all others are tls.py's.

Source: as of tls.py, which says the same of every hello that this file knows, only slower.
"""

from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from egress_audit.names.reading import printable, printable_host

MAX_BODY = 260
"""Octets of an extension that is read here: a host of 255 (RFC 1035 §2.3.4) with its lengths."""
MAX_ALPN_MARKS = 8
"""Protocols of one extension that are marked."""
MAX_REMEMBERED = 4096
"""Extensions whose meaning is remembered: most are sent again and again."""

_BEGIN = b"\x16\x03"
"""A record with handshake messages, of any version since SSL 3.0."""
_RECORD, _HEADER = 5, 4
_MAX_FRAGMENT = 2**14 + 2048
_SESSION_ID_AT = 2 + 32
"""Behind the handshake header: the version and the random."""
_header = Struct(">HH").unpack_from
"""Type and length of an extension."""
_NAME = Struct(">HBH")
_SERVER_NAME, _ALPN, _ECH = 0, 16, 0xFE0D
_READ = frozenset((_SERVER_NAME, _ALPN, _ECH))


class PlainHello(NamedTuple):
    """What a plain ClientHello says, or how long it will be."""

    needs: int = 0
    """Bytes of the stream with which it is whole, if it is not: until then it says nothing."""
    host: str = ""
    """As `printable_host` writes it; '' if there is none."""
    outer: bool = False
    """It stands in front of an Encrypted ClientHello."""
    protocols: tuple[str, ...] = ()
    """Those offered, as marks: `alpn:h2` and the like."""


def plain_hello(stream: bytes) -> PlainHello | None:
    """What a stream says that begins with a plain ClientHello; None if tls.py must read it.

    Plain: alone in one record, all lengths in order, at most one server_name and in it one host,
    and what follows is no other. Of these `read_client_hello` says the same.
    """
    if len(stream) <= _RECORD + _HEADER or not stream.startswith(_BEGIN) or stream[_RECORD] != 1:
        return None
    record = stream[3] << 8 | stream[4]
    size = _HEADER + (stream[6] << 16 | stream[7] << 8 | stream[8])
    if not size == record <= _MAX_FRAGMENT:
        return None
    end = _RECORD + size
    if len(stream) < end:
        return PlainHello(end)
    return None if could_follow(stream[end : end + 1]) else hello_in(stream, _RECORD, end)


def could_follow(first: bytes) -> bool:
    """Whether behind a ClientHello another may stand, by the first byte there; False without one.

    A record with handshake messages, or change_cipher_spec in front of that (RFC 8446 §D.4).
    """
    return first in (b"\x14", b"\x16")


def hello_in(stream: bytes, start: int, end: int) -> PlainHello | None:
    """The same of a whole handshake message, a ClientHello, at `start` up to `end`."""
    session_id = start + _HEADER + _SESSION_ID_AT
    at = _extensions_at(stream, session_id, end) if session_id < end else None
    if at is None:
        return None
    host, outer, last = "", False, end - 4
    protocols: tuple[str, ...] = ()
    while at <= last:
        kind, size = _header(stream, at)
        at += 4 + size
        if kind not in _READ:
            continue
        if kind == _SERVER_NAME:
            said, host = host, _host(stream[at - size : at]) if size <= MAX_BODY else ""
            if said or not host:
                return None
        elif kind == _ALPN:
            offered = _protocols(stream[at - size : at]) if size <= MAX_BODY else None
            if offered is None:
                return None
            protocols += offered
        else:
            outer = True
    return PlainHello(0, host, outer, protocols) if at == end else None


def _extensions_at(stream: bytes, at: int, end: int) -> int | None:
    """Where the extensions begin behind the session ID at `at`; `end` if there are none.

    None if a length is out of order. Whatever runs past the end never comes back to it.
    """
    at += 1 + stream[at]
    at += 2 + int.from_bytes(stream[at : at + 2], "big")
    at += 1 + int.from_bytes(stream[at : at + 1], "big")
    if at == end:
        return end
    return at + 2 if at + 2 + int.from_bytes(stream[at : at + 2], "big") == end else None


@lru_cache(MAX_REMEMBERED)
def _host(body: bytes) -> str:
    """The only host of a server_name extension; '' if it is not that plain."""
    if len(body) <= _NAME.size:
        return ""
    names, kind, size = _NAME.unpack_from(body)
    plain = kind == 0 and names + 2 == size + _NAME.size == len(body)
    return printable_host(body[_NAME.size :]) if plain else ""


@lru_cache(MAX_REMEMBERED)
def _protocols(body: bytes) -> tuple[str, ...] | None:
    """The first protocols of an ALPN extension, as marks; None if lengths are out of order."""
    if len(body) < 2 or 2 + int.from_bytes(body[:2], "big") != len(body):
        return None
    marks, at = [], 2
    for _ in range(MAX_ALPN_MARKS):
        if at == len(body):
            break
        start, at = at + 1, at + 1 + body[at]
        if at > len(body):
            return None
        marks.append(f"alpn:{printable(body[start:at])}")
    return tuple(marks)
