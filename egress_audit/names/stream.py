"""The first bytes of a TCP stream, whatever protocol they are of."""

from collections.abc import Callable

from egress_audit.names.dns import read_stream
from egress_audit.names.http import read_request_head
from egress_audit.names.reading import NOTHING, Reading
from egress_audit.names.socks import read_greeting
from egress_audit.names.tls import read_client_hello

_READERS: tuple[Callable[[bytes], Reading], ...] = (
    read_client_hello,
    read_request_head,
    read_greeting,
)
"""Each hands back NOTHING for what is not its own, and is hungry while that is open."""

_READERS_FOR_DNS = (*_READERS, read_stream)
"""DNS comes last: it has no sign of its own, and a port number is no proof. No DNS message of a
plausible length begins like the others."""


def read_head(stream: bytes, *, dns: bool) -> Reading:
    """What the first bytes of one direction of a TCP stream say; NOTHING if nobody knows them.

    `stream`: contiguous payload from the first byte on. `dns`: one of the ports is 53. A reading
    that is not hungry stays the same however many bytes follow, but for DNS, whose further
    messages add to it. Never raises.
    """
    for read in _READERS_FOR_DNS if dns else _READERS:
        reading = read(stream)
        if reading != NOTHING:
            return reading
    return NOTHING
