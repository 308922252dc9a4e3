"""Questions and addresses in DNS messages, over UDP and over TCP.

Source: RFC 1035 §4 (messages), RFC 3596 §2 (AAAA), RFC 9460 §2 and §7.3 (HTTPS, SVCB and their
address hints), RFC 6762 §18 (the top bit of the class in mDNS), RFC 7766 §8 (TCP).
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_cursor import Cursor
from egress_audit.names.reading import HUNGRY, Damage, Reading, Spoken, Unread

MAX_QUESTIONS = 64
MAX_RECORDS = 512
MAX_ALIASES = 32
"""Names that lead to one address; resolvers give up after 11 to 17."""
MAX_MESSAGES = 1024
"""Messages read in one TCP stream."""

_HEADER = Struct(">HHHHHH")
_QUESTION = Struct(">HH")
_RECORD = Struct(">HHIH")
_PARAMETER = Struct(">HH")
_PRIORITY = Struct(">H")

_RESPONSE = 0x8000
_CLASS_IN = 1
_CLASS_BITS = 0x7FFF
_A, _CNAME, _AAAA, _SVCB, _HTTPS = 1, 5, 28, 64, 65
_IPV4_HINT, _IPV6_HINT = 4, 6
_ADDRESS_SIZE = {_A: 4, _AAAA: 16, _IPV4_HINT: 4, _IPV6_HINT: 16}
_MAPPED = bytes(10) + b"\xff\xff"

_QTYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX",
    16: "TXT", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT",
    43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 52: "TLSA",
    64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR",
    255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
"""IANA "Resource Record (RR) TYPEs"; those a person may meet, the rest are written as numbers."""


def read_message(message: bytes, complete: bool = True) -> Reading:
    """What one DNS message, from its ID on, asks or answers.

    A query speaks its questions, DNS_QUERY. A response speaks its questions as DNS_ANSWER without
    address (the query itself may be in no capture) and each address of its answer and additional
    sections once for every name that leads to it: the owner and, backwards, its aliases. Records
    inside a query are checked and never believed: whoever asks could invent the answer.

    `complete`: False when the capture has fewer bytes than were on the wire; running out of bytes
    is TRUNCATED then, and MALFORMED otherwise. Never raises.
    """
    end_means = Unread.MALFORMED if complete else Unread.TRUNCATED
    cursor = Cursor(message, end_means)
    spoken: list[Spoken] = []
    addresses = _Addresses()
    marks: frozenset[str] = frozenset()
    unread = None
    try:
        _, flags, *counts = cursor.fields(_HEADER)
        response = bool(flags & _RESPONSE)
        marks = frozenset(("dns", "dns-response")) if response else frozenset(("dns",))
        if not any(counts) and len(message) > _HEADER.size:
            raise Damage(Unread.MALFORMED)
        _read_questions(cursor, counts[0], response, spoken)
        _read_records(cursor, counts[1:], addresses if response else None)
    except Damage as damage:
        unread = damage.unread
    spoken += addresses.spoken()
    if unread is Unread.MALFORMED and not spoken:
        return Reading(unread=unread)
    if addresses.cut and unread is None:
        unread = Unread.TRUNCATED
    return Reading(tuple(spoken), marks, unread)


def read_stream(stream: bytes) -> Reading:
    """What the DNS messages of one direction of a TCP stream say, each behind a 2-byte length.

    Hungry while the last message is incomplete and could still become one; the names that its
    bytes already say are spoken. A damaged message does not hide those behind it.
    Source: RFC 1035 §4.2.2, RFC 7766 §8.
    """
    if not stream:
        return HUNGRY
    spoken: list[Spoken] = []
    marks: frozenset[str] = frozenset()
    unread: Unread | None = None
    at = 0
    for _ in range(MAX_MESSAGES):
        start, at = at + 2, at + 2 + int.from_bytes(stream[at : at + 2], "big")
        whole = start <= len(stream) and at <= len(stream)
        reading = read_message(stream[start:at], complete=whole)
        spoken += reading.spoken
        marks |= reading.marks
        if not whole and reading.unread is not Unread.MALFORMED:
            return Reading(tuple(spoken), marks, unread, hungry=True)
        unread = unread or reading.unread
        if at >= len(stream):
            return Reading(tuple(spoken), marks, unread)
    return Reading(tuple(spoken), marks, unread or Unread.TRUNCATED)


class _Addresses:
    """The addresses of one response, and the aliases on the way to them."""

    __slots__ = ("_aliases", "_found", "cut")

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []
        self._aliases: dict[str, list[str]] = {}
        self.cut = False
        """True once an address turned out to have more names than we follow."""

    def add(self, host: str, raw: bytes) -> None:
        """`host` has the address `raw`, 4 or 16 bytes in network order."""
        self._found.append((host, _address_text(raw)))

    def alias(self, owner: str, target: str) -> None:
        """Whoever asks for `owner` is sent on to `target`."""
        self._aliases.setdefault(target, []).append(owner)

    def spoken(self) -> list[Spoken]:
        """Every address with every name that leads to it, the nearest name first."""
        return [
            Spoken(name, NameSource.DNS_ANSWER, address=address)
            for host, address in self._found
            for name in self._names_leading_to(host)
        ]

    def _names_leading_to(self, host: str) -> list[str]:
        names = [host]
        for name in names:  # grows while it is walked
            for owner in self._aliases.get(name, ()):
                if owner in names:
                    continue
                if len(names) == MAX_ALIASES:
                    self.cut = True
                    return names
                names.append(owner)
        return names


def _read_questions(cursor: Cursor, count: int, response: bool, spoken: list[Spoken]) -> None:
    source = NameSource.DNS_ANSWER if response else NameSource.DNS_QUERY
    for _ in range(min(count, MAX_QUESTIONS)):
        host = cursor.name()
        qtype, _ = cursor.fields(_QUESTION)
        spoken.append(Spoken(host, source, qtype=_QTYPES.get(qtype) or f"TYPE{qtype}"))
    if count > MAX_QUESTIONS:
        raise Damage(Unread.TRUNCATED)


def _read_records(cursor: Cursor, counts: list[int], addresses: _Addresses | None) -> None:
    """Walks the three sections; keeps addresses and aliases, but none of the authority section."""
    answers, authority, additional = counts
    total = answers + authority + additional
    for index in range(min(total, MAX_RECORDS)):
        in_authority = answers <= index < answers + authority
        _read_record(cursor, None if in_authority else addresses)
    if total > MAX_RECORDS:
        raise Damage(Unread.TRUNCATED)


def _read_record(cursor: Cursor, addresses: _Addresses | None) -> None:
    """One resource record (RFC 1035 §4.1.3); into `addresses` what leads to an address, if any."""
    owner = cursor.name()
    kind, class_, _, size = cursor.fields(_RECORD)
    start = cursor.at
    cursor.skip(size)
    end = cursor.at
    if addresses is None or class_ & _CLASS_BITS != _CLASS_IN:
        return
    if kind in (_A, _AAAA):
        if size != _ADDRESS_SIZE[kind]:
            raise Damage(Unread.MALFORMED)
        addresses.add(owner, cursor.message[start:end])
    elif kind in (_CNAME, _SVCB, _HTTPS):
        cursor.at = start
        if kind == _CNAME:
            addresses.alias(owner, cursor.name())
        else:
            _read_service(cursor, end, owner, addresses)
        if cursor.at != end:
            raise Damage(Unread.MALFORMED)


def _read_service(cursor: Cursor, end: int, owner: str, addresses: _Addresses) -> None:
    """An SVCB or HTTPS record from its priority on: its target, and the addresses it hints at.

    A target of '.' is the owner itself. Source: RFC 9460 §2.2, §2.5 and §7.3.
    """
    cursor.fields(_PRIORITY)
    target = cursor.name()
    if target == ".":
        target = owner
    else:
        addresses.alias(owner, target)
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
            addresses.add(target, cursor.message[at : at + step])


@lru_cache(maxsize=4096)
def _address_text(raw: bytes) -> str:
    """The address as RFC 5952 writes it; mapped IPv4 in dots on every version of Python."""
    if len(raw) == 4:
        return str(IPv4Address(raw))
    if raw.startswith(_MAPPED):
        return f"::ffff:{IPv4Address(raw[12:])}"
    return str(IPv6Address(raw))
