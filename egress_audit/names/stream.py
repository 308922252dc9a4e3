"""The first bytes of a TCP stream, whatever protocol they are of."""

from collections.abc import Callable
from dataclasses import replace

from egress_audit.names.dns import ENOUGH_FOR_DNS, could_begin_stream, read_stream
from egress_audit.names.http import read_request_head
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Unread
from egress_audit.names.socks import read_greeting
from egress_audit.names.tls import TLS, read_client_hello

_READERS: tuple[Callable[[bytes], Reading], ...] = (
    read_client_hello,
    read_request_head,
    read_greeting,
)
"""Each hands back NOTHING for what is not its own, and is hungry while that is open."""


def read_head(stream: bytes, *, dns: bool, begin: int = 0) -> Reading:
    """What the first bytes of one direction of a TCP stream say; NOTHING if nobody knows them.

    `stream`: contiguous payload from the first byte on. `dns`: one of the ports is 53. `begin`: as
    far as a stream of DNS was read before (`Reading.consumed`); its messages are read from there.
    A reading that is not hungry stays the same however many bytes follow, but for further messages
    of DNS and further requests of HTTP, which add to it. Never raises.
    """
    if not dns:
        return _first_reading(stream)
    if begin or could_begin_stream(stream):
        return read_stream(stream, begin=begin)
    other = _first_reading(stream)
    if other == NOTHING:
        return read_stream(stream)
    if len(stream) < ENOUGH_FOR_DNS:
        return HUNGRY
    nameless = other.marks == TLS and not other.spoken and not other.hungry
    if nameless and read_stream(stream).spoken:
        return replace(other, unread=other.unread or Unread.MALFORMED)
    return other


def _first_reading(stream: bytes) -> Reading:
    return next((found for read in _READERS if (found := read(stream)) != NOTHING), NOTHING)
