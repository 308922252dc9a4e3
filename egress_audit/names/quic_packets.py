"""The packets in a QUIC datagram, and the pieces of handshake in the payload of an Initial.

Source: RFC 9000 §12.2 (coalesced packets), §16 (integers), §17.2 (long headers), §19 (frames);
RFC 9369 §3.2 (types of version 2); for Q050, T050 and T051 the "QUIC Crypto" design document.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from egress_audit.names.quic_protection import Q050, SALTS, T050, T051, V2, is_reserved
from egress_audit.names.reading import Damage, Unread

MAX_CONNECTION_ID = 20
"""Octets; RFC 9000 §17.2 drops longer ones in this version."""
GOOGLE = frozenset((Q050, T050, T051))
"""Versions whose CRYPTO frame has another type, and whose other frames are those of gQUIC."""

_LONG = 0x80
_INITIAL, _RETRY = 0, 3
_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO, _CLOSE, _GOOGLE_CRYPTO = 0, 1, 2, 3, 6, 0x1C, 8

_MAX_LONE_HEADER = 128
"""Octets up to the packet number, if all lengths are of one octet but the last."""
_lone_header = Struct(">BIB").unpack_from
"""First byte, version, and octets of the destination connection ID."""
_lone_crypto = Struct(">HHI").unpack_from
"""Type of the frame and offset, of one octet each, its size, of two, and the header of a message:
its type, of one octet, and its length."""
_FIRST_CRYPTO, _LONE_AT, _CLIENT_HELLO, _HEADER = _CRYPTO << 8, 4, 1 << 24, 4
_SIZE_BITS, _TWO_OCTETS = 0xC000, 0x4000
"""Of the first two octets of an integer (RFC 9000 §16)."""
_MIN_LONE = 16


class Initial(NamedTuple):
    """An Initial packet, still protected."""

    version: int
    to: bytes
    """Destination connection ID."""
    sender: bytes
    """Source connection ID."""
    packet: bytes
    """From its first byte to the last of its length."""
    number_at: int
    """Where in `packet` the packet number begins."""


LoneInitial = tuple[int, bytes, bytes, int]
"""The same of a packet that is a datagram of its own. Plain, as most are: to name the fields of one
takes longer than to pass over a server's."""


def initials(datagram: bytes, end_means: Unread) -> Iterator[Initial]:
    """The Initials of a datagram, in order; ends where bytes are spare or no version is known.

    Raises Damage: `end_means` where the datagram ends inside a packet; MALFORMED where a packet of
    a version that is not known stands behind one (RFC 9000 §12.2: those of one connection do).
    """
    at, of_first = 0, int.from_bytes(datagram[1:5], "big")
    while at + 5 < len(datagram) and datagram[at] & _LONG:
        start = at
        version = int.from_bytes(datagram[at + 1 : at + 5], "big")
        if version not in SALTS and not (version == of_first and is_reserved(version)):
            if version and at:
                raise Damage(Unread.MALFORMED)
            return
        kind = datagram[at] >> 4 & 3
        kind = (kind - 1) % 4 if version == V2 else kind
        if kind == _RETRY:
            return
        to, at = _connection_id(datagram, at + 5, end_means)
        sender, at = _connection_id(datagram, at, end_means)
        if kind == _INITIAL:
            token, at = varint(datagram, at, end_means)
            at += token
        length, at = varint(datagram, at, end_means)
        if at + length > len(datagram):
            raise Damage(end_means)
        end = at + length
        if kind == _INITIAL:
            yield Initial(version, to, sender, datagram[start:end], at - start)
        at = end


def lone_initial(datagram: bytes) -> LoneInitial | None:
    """Version, both connection IDs, and the place of the packet number in a datagram that has one
    Initial alone, as most first ones do; None if `initials` must look.

    Lengths are of one octet, that of the packet of two.
    """
    if len(datagram) < _MAX_LONE_HEADER:
        return None
    first, version, to_size = _lone_header(datagram)
    # The bits of a long header, and of the kind.
    if first >> 4 != (0xD if version == V2 else 0xC) or version not in SALTS or to_size > 20:
        return None
    to_end = 6 + to_size
    sender_end = to_end + 1 + datagram[to_end]
    if datagram[to_end] > MAX_CONNECTION_ID or datagram[sender_end] > 63:
        return None
    at = sender_end + 3 + datagram[sender_end]
    length = datagram[at - 2] << 8 | datagram[at - 1]
    if length & _SIZE_BITS != _TWO_OCTETS or length - _TWO_OCTETS != len(datagram) - at:
        return None
    return version, datagram[6:to_end], datagram[to_end + 1 : sender_end], at


def crypto_frames(payload: bytes, version: int) -> Iterator[tuple[int, bytes]]:
    """Offset and data of each CRYPTO frame of an opened Initial.

    Raises Damage(MALFORMED) at a frame that an Initial may not have (RFC 9000 §12.4), or that does
    not fit. Of the versions of Google whatever stands behind the CRYPTO frames is passed over.
    """
    crypto = _GOOGLE_CRYPTO if version in GOOGLE else _CRYPTO
    at, end = 0, len(payload)
    while at < end:
        kind = payload[at]
        if kind == _PADDING:
            at = end - len(payload[at:].lstrip(b"\0"))
            continue
        at += 1
        if kind == crypto:
            offset, at = varint(payload, at)
            size, at = varint(payload, at)
            if at + size > end:
                raise Damage(Unread.MALFORMED)
            yield offset, payload[at : at + size]
            at += size
        elif version in GOOGLE:
            return
        else:
            at = _behind_frame(payload, at, kind)


def lone_hello(payload: bytes, version: int) -> tuple[int, int] | None:
    """Where in an opened Initial the whole ClientHello lies that is all of it but padding; None if
    others.

    It stands in one CRYPTO frame, the first one of its stream, whose size is of two octets.
    """
    if len(payload) < _MIN_LONE or version in GOOGLE:
        return None
    begin, size, header = _lone_crypto(payload)
    size -= _TWO_OCTETS
    if begin != _FIRST_CRYPTO or size <= _HEADER or header != _CLIENT_HELLO | size - _HEADER:
        return None
    end = _LONE_AT + size
    alone = end <= len(payload) and payload.endswith(bytes(len(payload) - end))
    return (_LONE_AT, end) if alone and size < _TWO_OCTETS else None


def _behind_frame(payload: bytes, at: int, kind: int) -> int:
    """Where a frame ends that carries no handshake; `at`: behind its type."""
    if kind == _PING:
        return at
    if kind in (_ACK, _ACK_ECN):
        for _ in range(2):
            _, at = varint(payload, at)
        ranges, at = varint(payload, at)
        for _ in range(1 + 2 * ranges + 3 * (kind == _ACK_ECN)):
            _, at = varint(payload, at)
        return at
    if kind != _CLOSE:
        raise Damage(Unread.MALFORMED)
    for _ in range(2):
        _, at = varint(payload, at)
    reason, at = varint(payload, at)
    if at + reason > len(payload):
        raise Damage(Unread.MALFORMED)
    return at + reason


def varint(raw: bytes, at: int, end_means: Unread = Unread.MALFORMED) -> tuple[int, int]:
    """The integer at `at`, and where it ends (RFC 9000 §16)."""
    first = raw[at] if at < len(raw) else 0
    size = 1 << (first >> 6)
    if at + size > len(raw):
        raise Damage(end_means)
    if size == 1:
        return first, at + 1
    return int.from_bytes(raw[at : at + size], "big") & (1 << size * 8 - 2) - 1, at + size


def _connection_id(raw: bytes, at: int, end_means: Unread) -> tuple[bytes, int]:
    if at >= len(raw):
        raise Damage(end_means)
    size, start = raw[at], at + 1
    if size > MAX_CONNECTION_ID:
        raise Damage(Unread.MALFORMED)
    if start + size > len(raw):
        raise Damage(end_means)
    return raw[start : start + size], start + size
