"""SOCKS, recognised by its greeting. The target it names is not read; that it hides one is said.

Sources: RFC 1928 §3 (SOCKS5), the SOCKS4 and SOCKS4a memoranda.
"""

from egress_audit.names.reading import NOTHING, Reading

SOCKS = Reading(marks=frozenset({"socks"}))
MAX_METHODS = 10
"""More authentication methods than any client offers; a longer list is another protocol."""


def read_greeting(stream: bytes) -> Reading:
    """The mark `socks` if the stream begins with a client's greeting, else NOTHING.

    SOCKS5: version, number of methods, and just so many methods. SOCKS4: version, CONNECT or BIND,
    port and address, and a user name that ends.
    """
    if len(stream) >= 3 and stream[0] == 5 and 1 <= stream[1] <= MAX_METHODS:
        return SOCKS if len(stream) == 2 + stream[1] else NOTHING
    if len(stream) >= 9 and stream[0] == 4 and stream[1] in (1, 2):
        return SOCKS if stream.find(0, 8, 264) >= 0 else NOTHING
    return NOTHING
