"""The packets in a QUIC datagram, and the pieces of handshake in the payload of an Initial.

Source: RFC 9000 §12.2 (coalesced packets), §16 (integers), §17.2 (long headers), §19 (frames);
RFC 9369 §3.2 (types of version 2); for Q050, T050 and T051 the "QUIC Crypto" design document.
"""

from collections.abc import Iterator
from typing import NamedTuple

from egress_audit.names.quic_protection import Q050, SALTS, T050, T051, V2
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
_FIRST_CRYPTO = bytes((_CRYPTO, 0))
"""Type of the frame and offset."""
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


def initials(datagram: bytes, end_means: Unread) -> Iterator[Initial]:
    """The Initials of a datagram, in order; ends where bytes are spare or no version is known.

    Raises Damage: `end_means` where the datagram ends inside a packet; MALFORMED where a packet of
    a version that is not known stands behind one (RFC 9000 §12.2: those of one connection do).
    """
    at = 0
    while at + 5 < len(datagram) and datagram[at] & _LONG:
        start = at
        version = int.from_bytes(datagram[at + 1 : at + 5], "big")
        if version not in SALTS:
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


def lone_initial(datagram: bytes) -> Initial | None:
    """The Initial of a datagram that has it alone, as most first ones do; None if `initials` must
    look. Lengths are of one octet, that of the packet of two."""
    if len(datagram) < _MAX_LONE_HEADER or datagram[0] & 0xC0 != 0xC0:
        return None
    version = int.from_bytes(datagram[1:5], "big")
    to_end = 6 + datagram[5]
    if datagram[0] >> 4 & 3 != (version == V2) or version not in SALTS or to_end > 26:
        return None
    sender_end = to_end + 1 + datagram[to_end]
    if datagram[to_end] > MAX_CONNECTION_ID or datagram[sender_end] > 63:
        return None
    at = sender_end + 1 + datagram[sender_end]
    end = at + 2 + (datagram[at] << 8 | datagram[at + 1]) - 0x4000
    if datagram[at] >> 6 != 1 or end != len(datagram):
        return None
    return Initial(version, datagram[6:to_end], datagram[to_end + 1 : sender_end], datagram, at + 2)


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


def lone_message(payload: bytes, version: int) -> tuple[int, int] | None:
    """Where in an opened Initial the message lies that is all of it but padding; None if others.

    It stands in one CRYPTO frame, the first one of its stream.
    """
    if not payload.startswith(_FIRST_CRYPTO) or len(payload) < _MIN_LONE or version in GOOGLE:
        return None
    size, at = varint(payload, len(_FIRST_CRYPTO))
    end = at + size
    alone = end <= len(payload) and payload.endswith(bytes(len(payload) - end))
    return (at, end) if alone else None


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
