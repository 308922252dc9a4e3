"""DNS messages on any port, recognised by their shape alone: so strictly that nothing else passes.

What only looks like one, and names a host, may still be taken for one by whom it is sent to: it is
not spoken, and not passed over either. Source: RFC 1035 §4.1.1 (header), RFC 6895 §2.1 (its bits),
RFC 6891 §6.1.1 (EDNS in a query); udp(7) of Linux, UDP_SEGMENT.
"""

import re
from functools import lru_cache
from struct import Struct

from egress_audit.names.dns import read_message, read_stream
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Unread

MAX_MESSAGE = 4096
"""Octets of the first message of a TCP stream on a port that is not the DNS's."""
MAX_SEGMENTS = 128
"""Messages in one datagram: Linux takes no more segments at once."""

_HEADER = Struct(">HHHHHH")
_SMALLEST = _HEADER.size + 5
_RESPONSE, _OPCODE = 0x8000, 0x7800
"""Of the other flags none says that it is no message: servers look at few of them in a query."""
_MAX_BESIDE = 2
"""Records in a query: EDNS, and a signature."""
_MAX_RECORDS = 128
_KNOWN_TYPE = re.compile("(?!TYPE)[A-Z0-9-]+|TYPE65(?:2[89]|[34][0-9]|5[0-3])[0-9]")
"""One that is assigned, or for private use, from 65280 on (RFC 6895 §3.1), as tunnels take them."""
_HOST = re.compile(r"(?:[a-z0-9_*=+/\-]{1,63}\.)*[a-z0-9_*=+/\-]{1,63}|\.")
"""Letters of hosts, and those of base64: tunnels through the DNS speak so."""
WAITING = Reading(hungry=True, optional=True)
_SOME_HOST = re.compile(r"[a-z0-9_*=+/\-]{1,63}\.[a-z0-9_*=+/\-]{2,63}")
"""Two labels that follow each other, of whatever more."""
_CLASSES = {b"\0\x01", b"\0\x03", b"\0\xff"}


def read_like_message(payload: bytes) -> Reading:
    """What a whole DNS message with one question says, as resolvers and their clients send them.

    Every count must fit, every byte be used, the type be known and the host be written with the
    letters that hosts have: no other protocol passes by chance. MALFORMED, without a word, where
    the counts fit and a question with some host is there, but the rest is not as it should be;
    NOTHING for all else. For ports that are not the DNS's; mDNS, LLMNR and NetBIOS pass too, and
    must be told by their ports before.
    """
    if not _header_fits(payload):
        return NOTHING
    reading = read_message(payload)
    if not reading.spoken:
        return NOTHING
    question = reading.spoken[0]
    known = _KNOWN_TYPE.fullmatch(question.qtype or "") and _HOST.fullmatch(question.host)
    if known and reading.unread is None and _class_of_question(payload) in _CLASSES:
        return reading
    return Reading(unread=Unread.MALFORMED) if _SOME_HOST.search(question.host) else NOTHING


@lru_cache(1)  # Who reads them asks again for what was found to be such.
def segments(payload: bytes) -> tuple[bytes, ...]:
    """The messages of a datagram that has several, each whole; () for every other one.

    A program may hand several datagrams of one size to the kernel at once, the last one maybe
    shorter. A card or the receiver cuts them apart, and what is recorded before is one datagram.
    """
    size = read_message(payload).consumed
    if not size or len(payload) > size * MAX_SEGMENTS:
        return ()
    cut = tuple(payload[at : at + size] for at in range(0, len(payload), size))
    return cut if all(read_message(one).unread is None for one in cut) else ()


def look_like_segments(payload: bytes) -> bool:
    """True for several messages, each of which is one beyond doubt."""
    cut = segments(payload) if _header_fits(payload) else ()
    return bool(cut) and all(read_like_message(one).spoken for one in cut)


def read_question_stream(stream: bytes) -> Reading:
    """What the DNS messages of a TCP stream say that begins with one, on any port; else NOTHING.

    Hungry while that is open; nothing is lost if it stays so before the header of a query is there.
    """
    size = int.from_bytes(stream[:2].ljust(2, b"\xff"), "big")
    if len(stream) == 1 and stream[0] < MAX_MESSAGE >> 8:
        return WAITING
    if not _SMALLEST <= size <= MAX_MESSAGE:
        return NOTHING
    message = stream[2 : 2 + size]
    if len(message) < size:
        padded = message + bytes(_HEADER.size)
        if len(message) < _HEADER.size:
            return WAITING
        fits = _header_fits(padded[: max(len(message), _SMALLEST)])
        return (WAITING if message[2] & _RESPONSE >> 8 else HUNGRY) if fits else NOTHING
    first = read_like_message(message)
    return read_stream(stream) if first.spoken else first


def _header_fits(payload: bytes) -> bool:
    """True if the operation and the counts are those of a plain query or its response."""
    if len(payload) < _SMALLEST:
        return False
    _, flags, questions, answers, authority, additional = _HEADER.unpack_from(payload)
    if questions != 1 or flags & _OPCODE:
        return False
    if not flags & _RESPONSE:
        bare: bool = not answers and not authority and additional <= _MAX_BESIDE
        return bare
    records: int = answers + authority + additional
    return records <= min(_MAX_RECORDS, len(payload) // 11)


def _class_of_question(payload: bytes) -> bytes:
    """The class of the only question, whose name is known to be well formed."""
    at = _HEADER.size
    while payload[at] and payload[at] < 0xC0:
        at += 1 + payload[at]
    at += 3 if not payload[at] else 4
    return payload[at : at + 2]
