"""The first bytes of a TCP stream, whatever protocol they are of."""

from dataclasses import replace

from egress_audit.names.dns import ENOUGH_FOR_DNS, could_begin_stream, read_stream
from egress_audit.names.dns_shape import read_question_stream
from egress_audit.names.http import read_request_head
from egress_audit.names.prelude import read_plain_opening, read_proxy_header
from egress_audit.names.reading import (
    HUNGRY,
    NOTHING,
    Reader,
    Reading,
    Spoken,
    Unread,
    anew,
    first_said,
)
from egress_audit.names.socks import read_greeting
from egress_audit.names.tls import TLS, read_client_hello

_READERS: tuple[Reader, ...] = (
    read_client_hello,
    read_proxy_header,
    read_request_head,
    read_greeting,
    read_plain_opening,
    read_question_stream,
)
"""Each hands back NOTHING for what is not its own, and is hungry while that is open."""
HELD_OF_DNS = 32 << 10
"""Bytes of a stream of DNS after which those that were read are let go of."""


def read_head(stream: bytes, *, dns: bool, begin: int = 0) -> Reading:
    """What the first bytes of one direction of a TCP stream say; NOTHING if nobody knows them.

    `stream`: contiguous payload from the first byte on. `dns`: one of the ports is 53. `begin`: as
    far as a stream of DNS was read before (`Reading.consumed`); its messages are read from there.
    A reading that is not hungry stays the same however many bytes follow, but for what `then` would
    read of them. Never raises.
    """
    if not dns:
        return read_on(stream, read_opening)
    if begin or could_begin_stream(stream):
        return _read_dns(stream, begin)
    other = read_on(stream, read_opening)
    if other == NOTHING:
        return _read_dns(stream, 0)
    if len(stream) < ENOUGH_FOR_DNS:
        return HUNGRY
    nameless = other.marks == TLS and not other.spoken and not other.hungry
    if nameless and read_stream(stream).spoken:
        return replace(other, unread=other.unread or Unread.MALFORMED)
    return other


def _read_dns(stream: bytes, begin: int) -> Reading:
    """What a stream to or from the port of the DNS says; while it is short, from `begin` on.

    So its first bytes are held, and a second reading of any of them is noticed.
    """
    reading = read_stream(stream, begin=begin)
    return reading if reading.consumed >= HELD_OF_DNS else replace(reading, then=None)


def read_opening(stream: bytes) -> Reading:
    """What the bytes at the beginning of a stream, or of a tunnel, say by themselves."""
    return first_said(_READERS, stream)


def read_on(stream: bytes, reader: Reader) -> Reading:
    """What a reader says of a stream, and what reads on behind it, as far as there are bytes.

    Requests behind requests, what a tunnel carries, TLS behind the words that ask for it. Where to
    go on once there are more bytes, `consumed` and `then` of the reading say. Never raises.
    """
    first = reader(stream)
    if not (first.spoken or first.hungry or first.consumed or first.then):
        return first  # nothing was said, and nothing follows: so it is with most streams
    spoken: list[Spoken] = []
    marks: frozenset[str] = frozenset()
    unread: Unread | None = None
    at = 0
    while True:
        found = reader(stream[at:]) if at else first
        spoken += found.spoken
        marks |= found.marks
        unread = unread or found.unread
        at += found.consumed
        then = read_opening if found.then is anew else found.then
        if found.hungry or then is None or not found.consumed or at >= len(stream):
            break
        reader = then
    if found.hungry and not found.consumed:
        then = reader if at else found.then
    return Reading(
        tuple(spoken),
        marks,
        unread,
        found.hungry,
        optional=found.optional,
        consumed=at if found.consumed or found.hungry else 0,
        done=len(spoken) - (len(found.spoken) - found.done if found.hungry else 0),
        then=then,
    )
