"""Questions and addresses in DNS messages, over UDP and over TCP.

Source: RFC 1035 §4 (messages), RFC 2782 (SRV), RFC 3596 §2 (AAAA), RFC 9460 §2 and §7.3 (HTTPS,
SVCB and their address hints), RFC 6672 §2.2 (DNAME), RFC 6762 §18 (the top bit of the class in
mDNS), RFC 7766 §8 (TCP).
"""

from struct import Struct

from egress_audit.names.dns_cursor import Cursor, type_word
from egress_audit.names.dns_parts import MAX_SPOKEN, Parts
from egress_audit.names.plain_dns import plain_message
from egress_audit.names.reading import Damage, Reading, Spoken, Unread

MAX_QUESTIONS = 64
MAX_RECORDS = 512

_HEADER = Struct(">HHHHHH")
ENOUGH_FOR_DNS = 2 + _HEADER.size
"""Bytes of a stream after which it can be said whether DNS is plausible."""
_QUESTION = Struct(">HH")
_RECORD = Struct(">HHIH")
_PARAMETER = Struct(">HH")
_PRIORITY = Struct(">H")

_RESPONSE = 0x8000
_LAST_OPCODE = 6
"""IANA "DNS OpCodes": 6 is DNS Stateful Operations."""
_CLASS_IN = 1
_CLASS_BITS = 0x7FFF
_A, _CNAME, _AAAA, _DNAME, _SVCB, _HTTPS = 1, 5, 28, 39, 64, 65
_SERVER_AT = {2: 0, 15: 2, 33: 6}
"""Where the name of a server begins in the data of NS, MX and SRV records."""
_AUTHORITY = 1
"""The section of these, counted from that of the answers."""
_IPV4_HINT, _IPV6_HINT = 4, 6
_ADDRESS_SIZE = {_A: 4, _AAAA: 16, _IPV4_HINT: 4, _IPV6_HINT: 16}


def read_message(message: bytes, complete: bool = True) -> Reading:
    """What one DNS message, from its ID on, asks or answers.

    A query speaks its questions and the owners of its records, which are asked for as well as any
    question: DNS_QUERY. A response speaks its questions as DNS_ANSWER without address (the query
    itself may be in no capture), each address that a question leads to once for every name on the
    way, or the host at which the aliases end, and the owners of the other records without address:
    nobody asked for them. The address of a server that the message names is spoken too, as
    DNS_UNPROVEN, and so is every address of a message without answers.

    `complete`: False when the capture has fewer bytes than were on the wire; running out of bytes
    is TRUNCATED then, and MALFORMED otherwise, as are bytes behind the last record, which begin at
    `consumed`, and a query that asks nothing at all. Never raises.
    """
    return plain_message(message) or any_message(message, complete)


def any_message(message: bytes, complete: bool = True) -> Reading:
    """What `read_message` says, of messages that are not plain too, and slower."""
    parts, flags, unread, end = _parse(message, Unread.MALFORMED if complete else Unread.TRUNCATED)
    response = bool(flags & _RESPONSE)
    spoken = parts.answers(whole=unread is not Unread.TRUNCATED) if response else parts.asked()
    if unread is Unread.MALFORMED and not spoken:
        return Reading(unread=unread)
    if (parts.cut or len(spoken) > MAX_SPOKEN) and unread is None:
        unread = Unread.TRUNCATED
    marks = ("dns", "dns-response") if response else ("dns",)
    if len(message) < _HEADER.size:
        return Reading(tuple(spoken[:MAX_SPOKEN]), unread=unread)
    transaction = int.from_bytes(message[:2], "big")
    marked = frozenset(marks)
    said = tuple(spoken[:MAX_SPOKEN])
    return Reading(said, marked, unread, consumed=end, transaction=transaction)


def read_stream(stream: bytes, *, begin: int = 0) -> Reading:
    """What the DNS messages of one direction of a TCP stream say, each behind a 2-byte length.

    `begin`: where a message begins; what stands before it was read. Hungry while the last message
    is incomplete and could still become one; the questions that its bytes already ask are spoken.
    A damaged message does not hide those behind it. `then` is this reader itself.
    Source: RFC 1035 §4.2.2, RFC 7766 §8.
    """
    if begin >= len(stream):
        return Reading(hungry=not begin, consumed=begin, then=read_stream)
    spoken: list[Spoken] = []
    marks: frozenset[str] = frozenset()
    unread: Unread | None = None
    at = begin
    while at < len(stream):
        before, start = at, at + 2
        at = start + int.from_bytes(stream[before:start], "big")
        whole = start <= len(stream) and at <= len(stream)
        reading = read_message(stream[start:at], complete=whole)
        if not whole and reading.unread is not Unread.MALFORMED:
            asked = [word for word in reading.spoken if word.question is None]
            said, marks = (*spoken, *asked), marks | reading.marks
            return Reading(said, marks, unread, True, before, len(spoken), then=read_stream)
        spoken += reading.spoken
        marks |= reading.marks
        unread = unread or reading.unread
    return Reading(tuple(spoken), marks, unread, False, at, len(spoken), then=read_stream)


def could_begin_stream(stream: bytes) -> bool:
    """True if the length and the header there are those of a DNS message over TCP.

    No TLS record, request of HTTP or SOCKS passes: its bytes give counts that no message has.
    """
    if len(stream) < ENOUGH_FOR_DNS:
        return False
    _, flags, questions, *records = _HEADER.unpack_from(stream, 2)
    opcode = flags >> 11 & 15
    fits = opcode <= _LAST_OPCODE and questions <= MAX_QUESTIONS and sum(records) <= MAX_RECORDS
    return bool(fits)


def is_no_stream(stream: bytes) -> bool:
    """True if enough is there to see that no DNS message over TCP begins with it."""
    return len(stream) >= ENOUGH_FOR_DNS and not could_begin_stream(stream)


def _parse(message: bytes, end_means: Unread) -> tuple[Parts, int, Unread | None, int]:
    """The parts of a message up to its end or to the damage, its flags, and the damage; and where
    it ends, if there are bytes behind it."""
    cursor, parts, flags = Cursor(message, end_means), Parts(), 0
    try:
        _, flags, *counts = cursor.fields(_HEADER)
        response = bool(flags & _RESPONSE)
        if not response and not any(counts):
            raise Damage(Unread.MALFORMED)
        _read_questions(cursor, counts[0], parts)
        _read_records(cursor, counts[1:], parts, response)
    except Damage as damage:
        return parts, flags, damage.unread, 0
    if cursor.at < len(message):
        return parts, flags, Unread.MALFORMED, cursor.at
    return parts, flags, None, 0


def _read_questions(cursor: Cursor, count: int, parts: Parts) -> None:
    for _ in range(min(count, MAX_QUESTIONS)):
        host = cursor.name()
        qtype, _ = cursor.fields(_QUESTION)
        parts.questions.append((host, type_word(qtype)))
    if count > MAX_QUESTIONS:
        raise Damage(Unread.TRUNCATED)


def _read_records(cursor: Cursor, counts: list[int], parts: Parts, response: bool) -> None:
    """Walks the three sections; believes no address in the authority section, or in a query."""
    answers, authority, additional = counts
    total = answers + authority + additional
    parts.unanswered = not answers
    for index in range(min(total, MAX_RECORDS)):
        section = (index >= answers) + (index >= answers + authority)
        _read_record(cursor, parts, section, response)
    if total > MAX_RECORDS:
        raise Damage(Unread.TRUNCATED)


def _read_record(cursor: Cursor, parts: Parts, section: int, response: bool) -> None:
    """One resource record (RFC 1035 §4.1.3); into `parts` its owner, and what leads to an address.

    `section`: 0 for that of the answers.
    """
    owner = cursor.name()
    kind, class_, _, size = cursor.fields(_RECORD)
    start = cursor.at
    parts.own(owner, kind, section > 0)
    cursor.skip(size)
    if not response or class_ & _CLASS_BITS != _CLASS_IN:
        return
    if kind in _SERVER_AT:
        end, cursor.at = cursor.at, start
        cursor.skip(_SERVER_AT[kind])
        parts.serve(cursor.name())
        if cursor.at != end:
            raise Damage(Unread.MALFORMED)
    elif section != _AUTHORITY:
        _read_leading(cursor, parts, owner, kind, start)


def _read_leading(cursor: Cursor, parts: Parts, owner: str, kind: int, start: int) -> None:
    """What leads to an address: that itself, an alias, or an SVCB or HTTPS record.

    The data of the record go from `start` to where the cursor is.
    """
    end = cursor.at
    size = end - start
    if kind in (_A, _AAAA):
        if size != _ADDRESS_SIZE[kind]:
            raise Damage(Unread.MALFORMED)
        parts.add(owner, cursor.message[start:end])
    elif kind in (_CNAME, _DNAME, _SVCB, _HTTPS):
        cursor.at = start
        if kind == _CNAME:
            parts.alias(owner, cursor.name())
        elif kind == _DNAME:
            parts.rename(owner, cursor.name())
        else:
            _read_service(cursor, end, owner, parts)
        if cursor.at != end:
            raise Damage(Unread.MALFORMED)


def _read_service(cursor: Cursor, end: int, owner: str, parts: Parts) -> None:
    """An SVCB or HTTPS record from its priority on: its target, and the addresses it hints at.

    A target of '.' is the owner itself. Source: RFC 9460 §2.2, §2.5 and §7.3.
    """
    cursor.fields(_PRIORITY)
    target = cursor.name()
    if target == ".":
        target = owner
    else:
        parts.alias(owner, target)
    while cursor.at < end:
        key, size = cursor.fields(_PARAMETER)
        start = cursor.at
        cursor.skip(size)
        if key not in (_IPV4_HINT, _IPV6_HINT):
            continue
        step = _ADDRESS_SIZE[key]
        if size % step or cursor.at > end:
            raise Damage(Unread.MALFORMED)
        for at in range(start, start + size, step):
            parts.add(target, cursor.message[at : at + step])
