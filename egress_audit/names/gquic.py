"""The server name in a CHLO, the hello of Google's QUIC before it took TLS.

Source: the "QUIC Crypto" design document, "Handshake message format"; draft-hamilton-early-
deployment-quic §5 (the header of versions up to Q043). Q044 to Q049 have long headers, and their
first packets are in the clear like those before them; Q050 protects them as QUIC does.
"""

from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import NOTHING, Reading, Spoken, Unread, printable_host

CHLO = b"CHLO"
PLAIN_VERSIONS = frozenset(range(0x51303434, 0x5130343A))
"""Version words with a long header whose CHLO is in the clear: Q044 to Q049."""
MAX_TAGS = 128
"""The document's own bound."""

_SNI = b"SNI\0"
_HEAD = Struct("<4sHH")
_ENTRY = Struct("<4sI")
QUIC = frozenset(("quic",))


def read_plain_packet(datagram: bytes, complete: bool = True) -> Reading:
    """What a packet of Q0xx with its version says; QUIC without a name if there is no CHLO in it.

    The frames in front of the CHLO differ by version, so it is looked for. TRUNCATED if the message
    goes on in another packet before its name; MALFORMED if its table contradicts itself.
    """
    at = datagram.find(CHLO)
    if at < 0:
        return Reading(marks=QUIC, unread=None if complete else Unread.TRUNCATED)
    reading = read_chlo(datagram[at:])
    if reading.hungry:
        return Reading(marks=QUIC, unread=Unread.TRUNCATED)
    return reading


def read_chlo(message: bytes) -> Reading:
    """What a CHLO says; NOTHING for another message, hungry while bytes of it are to come.

    A table of tags, each with the end of its value; the values follow in that order.
    """
    if message[:4] != CHLO[: len(message)]:
        return NOTHING
    if len(message) < _HEAD.size:
        return Reading(marks=QUIC, hungry=True)
    _, count, _ = _HEAD.unpack_from(message)
    if count > MAX_TAGS:
        return Reading(marks=QUIC, unread=Unread.MALFORMED)
    values = _HEAD.size + count * _ENTRY.size
    if len(message) < values:
        return Reading(marks=QUIC, hungry=True)
    start = 0
    for number in range(count):
        tag, end = _ENTRY.unpack_from(message, _HEAD.size + number * _ENTRY.size)
        if end < start:
            return Reading(marks=QUIC, unread=Unread.MALFORMED)
        if tag == _SNI and end > start:
            if values + end > len(message):
                return Reading(marks=QUIC, hungry=True)
            host = printable_host(message[values + start : values + end])
            return Reading((Spoken(host, NameSource.QUIC_SNI),), QUIC)
        start = end
    return Reading(marks=QUIC | {"no-sni"})
