"""The question and the answer of the DNS as most of them are, in one pass; all others are dns.py's.

Source: as of dns.py, which says the same of every message that this file knows, only slower.
"""

from functools import lru_cache
from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_cursor import address_text, host_text, type_word
from egress_audit.names.reading import Reading, Spoken

MAX_ANSWERS = 32
MAX_NAME = 200
"""Octets of a name on the wire that is read here."""
MAX_REMEMBERED = 2048
"""Questions that are remembered as text: most are asked again and again."""

_IN_FRONT = Struct(">HHHHHH")
"""ID, flags, and the records of each of the four sections."""
_RECORD = Struct(">HHHIH")
_HEADER = 12
_RESPONSE = 0x8000
_OF_QUESTION = 0xC00C
"""A pointer to the name in the first question, which stands behind the header."""
_IN, _CLASS_BITS = 1, 0x7FFF
_ADDRESS_SIZE = {1: 4, 28: 16}
"""By type: A, AAAA."""
_EDNS = Struct(">BHHIH")
_OPT = 41
_QUERIED, _RESPONDED = frozenset(("dns",)), frozenset(("dns", "dns-response"))


def plain_message(message: bytes) -> Reading | None:
    """What a message says that has one question, and addresses of that host alone; else None.

    Behind these may stand one EDNS record (RFC 6891 §6.1.2), and nothing else.
    """
    if len(message) < _HEADER:
        return None
    transaction, flags, questions, answers, authority, additional = _IN_FRONT.unpack_from(message)
    few = questions == 1 and answers <= MAX_ANSWERS and additional <= 1 and not authority
    behind = message.find(b"\0", _HEADER) + 5
    if not few or not _HEADER + 5 < behind <= min(len(message), _HEADER + MAX_NAME):
        return None
    question = _question(message[_HEADER : behind - 2])
    if question is None:
        return None
    query, asked, repeated = question
    if not flags & _RESPONSE:
        if answers or _behind_edns(message, behind, additional) != len(message):
            return None
        return Reading(query, _QUERIED, transaction=transaction)
    found = _addresses(message, behind, answers)
    if found is None or _behind_edns(message, found[1], additional) != len(message):
        return None
    host, source = asked[0], NameSource.DNS_ANSWER
    spoken = [Spoken(host, source, None, address, asked) for address in found[0]]
    return Reading((repeated, *spoken), _RESPONDED, transaction=transaction)


@lru_cache(MAX_REMEMBERED)
def _question(question: bytes) -> tuple[tuple[Spoken], tuple[str, str], Spoken] | None:
    """Of a name and a type what a query says, host and type as text, and what a response says."""
    host = _host(question[:-2])
    if not host:
        return None
    qtype = type_word(int.from_bytes(question[-2:], "big"))
    query = Spoken(host, NameSource.DNS_QUERY, qtype)
    return (query,), (host, qtype), Spoken(host, NameSource.DNS_ANSWER, qtype)


def _host(name: bytes) -> str:
    """A name without pointers, up to its first zero, as text; '' if it does not end there."""
    labels, at = [], 0
    while name[at]:
        labels.append(name[at + 1 : at + 1 + name[at]])
        at += 1 + name[at]
        if at >= len(name) or name[at] > 63:
            return ""
    return host_text(labels) if labels and name[0] <= 63 else ""


def _addresses(message: bytes, at: int, count: int) -> tuple[list[str], int] | None:
    """The addresses of the host in the question, and where these records end; None if others."""
    found = []
    for _ in range(count):
        begin = at + _RECORD.size
        if begin > len(message):
            return None
        owner, kind, class_, _, size = _RECORD.unpack_from(message, at)
        at = begin + size
        plain = owner == _OF_QUESTION and class_ & _CLASS_BITS == _IN and at <= len(message)
        if not plain or _ADDRESS_SIZE.get(kind) != size:
            return None
        found.append(address_text(message[begin:at]))
    return found, at


def _behind_edns(message: bytes, at: int, count: int) -> int:
    """Where an EDNS record ends, if there is one; -1 if it is another record."""
    if not count:
        return at
    if at + _EDNS.size > len(message):
        return -1
    owner, kind, _, _, size = _EDNS.unpack_from(message, at)
    return at + _EDNS.size + size if owner == 0 and kind == _OPT else -1
