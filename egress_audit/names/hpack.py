"""Header fields of HTTP/2, out of their compression.

Source: RFC 7541 §2.3 (tables), §4 (their size), §5 (integers and strings), §6 (representations).

Everything is bounded: by the bytes of a block, and where a few bytes may stand for many (a field
of the table costs one byte), by MAX_FIELDS and MAX_OUTPUT.
"""

from collections import deque
from functools import lru_cache

from egress_audit.names.hpack_tables import (
    END_OF_STRING,
    LONGEST,
    SHORTEST,
    STATIC_FIELDS,
    SYMBOLS,
)
from egress_audit.names.reading import Damage, Unread

MAX_TABLE = 65_536
"""Octets of the dynamic table that a peer may ask for; usual are 4096."""
USUAL_TABLE = 4096
MAX_FIELDS = 4096
"""Fields read of one block."""
MAX_OUTPUT = 1 << 18
"""Octets of the fields of one block, names and values together."""

_ENTRY_OVERHEAD = 32
_MAX_INTEGER_OCTETS = 5
_STATIC = tuple((name.encode(), value.encode()) for name, value in STATIC_FIELDS)

Field = tuple[bytes, bytes]


class HeaderTable:
    """The fields that one direction of a connection has spoken before, newest first."""

    def __init__(self) -> None:
        self._fields: deque[Field] = deque()
        self._size = 0
        self._limit = USUAL_TABLE

    def field(self, index: int) -> Field:
        """The field with this index; raises Damage if there is none (RFC 7541 §2.3.3)."""
        if 0 < index <= len(_STATIC):
            return _STATIC[index - 1]
        place = index - len(_STATIC) - 1
        if not 0 <= place < len(self._fields):
            raise Damage(Unread.MALFORMED)
        return self._fields[place]

    def add(self, field: Field) -> None:
        """Puts a field in front; the oldest make room (§4.4)."""
        self._fields.appendleft(field)
        self._size += _size_of(field)
        self._evict()

    def resize(self, limit: int) -> None:
        """Sets the size that the table may have; raises Damage beyond MAX_TABLE (§6.3)."""
        if limit > MAX_TABLE:
            raise Damage(Unread.TRUNCATED)
        self._limit = limit
        self._evict()

    def _evict(self) -> None:
        while self._size > self._limit:
            self._size -= _size_of(self._fields.pop())


def fields_of(block: bytes, table: HeaderTable) -> list[Field]:
    """The fields of a whole header block, in order; `table` learns from it.

    Raises Damage: MALFORMED for what HPACK forbids, TRUNCATED beyond a bound. The table is of no
    use after that. Source: RFC 7541 §6.
    """
    fields: list[Field] = []
    at = output = 0
    while at < len(block):
        first = block[at]
        if first & 0xE0 == 0x20:
            limit, at = _integer(block, at, 5)
            table.resize(limit)
            continue
        if first & 0x80:
            index, at = _integer(block, at, 7)
            field = table.field(index)
        else:
            kept = bool(first & 0x40)
            field, at = _literal(block, at, 6 if kept else 4, table)
            if kept:
                table.add(field)
        fields.append(field)
        output += len(field[0]) + len(field[1])
        if len(fields) > MAX_FIELDS or output > MAX_OUTPUT:
            raise Damage(Unread.TRUNCATED)
    return fields


def _literal(block: bytes, at: int, bits: int, table: HeaderTable) -> tuple[Field, int]:
    """A field with its value, and maybe its name, written out (§6.2); and where it ends."""
    index, at = _integer(block, at, bits)
    if index:
        name = table.field(index)[0]
    else:
        name, at = _string(block, at)
    value, at = _string(block, at)
    return (name, value), at


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number that begins in the last `bits` bits of an octet, and where it ends (§5.1)."""
    if at >= len(block):
        raise Damage(Unread.MALFORMED)
    most = (1 << bits) - 1
    number = block[at] & most
    at += 1
    if number < most:
        return number, at
    for octet in range(_MAX_INTEGER_OCTETS):
        if at >= len(block):
            break
        number += (block[at] & 0x7F) << 7 * octet
        at += 1
        if not block[at - 1] & 0x80:
            return number, at
    raise Damage(Unread.MALFORMED)


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    """A string behind its length, and where it ends (§5.2)."""
    coded = at < len(block) and block[at] & 0x80
    size, start = _integer(block, at, 7)
    end = start + size
    if end > len(block):
        raise Damage(Unread.MALFORMED)
    raw = block[start:end]
    return (decoded(raw) if coded else raw), end


@lru_cache(maxsize=1024)
def decoded(coded: bytes) -> bytes:
    """The bytes that a string in HPACK's code stands for.

    Raises Damage for END_OF_STRING, and for padding that is not its first bits, at most 7 of them.
    Source: RFC 7541 §5.2.
    """
    said = bytearray()
    code = length = 0
    for octet in coded:
        for shift in range(7, -1, -1):
            code, length = code << 1 | octet >> shift & 1, length + 1
            if length < SHORTEST:
                continue
            symbol = SYMBOLS.get((length, code))
            if symbol is not None and symbol != END_OF_STRING:
                said.append(symbol)
                code = length = 0
            elif symbol == END_OF_STRING or length >= LONGEST:
                raise Damage(Unread.MALFORMED)
    if length > 7 or code != (1 << length) - 1:
        raise Damage(Unread.MALFORMED)
    return bytes(said)


def _size_of(field: Field) -> int:
    return len(field[0]) + len(field[1]) + _ENTRY_OVERHEAD
