"""A place in a DNS message that moves on and never leaves it.

Source: RFC 1035 §3.1 (names) and §4.1.4 (compression).

Compression pointers may point anywhere, also forward, as long as the name ends: a name that some
lenient resolver would understand must not be hidden from us.
"""

from struct import Struct

from egress_audit.names.reading import Damage, Unread, printable

MAX_HOPS = 128
"""Compression pointers followed in one name; dnsmasq gives up at 255, others far earlier."""
MAX_OCTETS = 255
"""Of one name on the wire, length bytes and root included."""

_POINTER = 0xC0
_LONGEST_LABEL = 0x3F


class Cursor:
    """A place in a message. Every step checks what it takes and raises `Damage` otherwise."""

    __slots__ = ("at", "end_means", "message")

    def __init__(self, message: bytes, end_means: Unread) -> None:
        self.message = message
        self.at = 0
        self.end_means = end_means

    def fields(self, layout: Struct) -> tuple[int, ...]:
        """The next integers, laid out as `layout` says."""
        start = self.at
        self.skip(layout.size)
        return layout.unpack_from(self.message, start)

    def skip(self, size: int) -> None:
        """Moves on by `size` bytes, which must be there."""
        if self.at + size > len(self.message):
            raise Damage(self.end_means)
        self.at += size

    def name(self) -> str:
        """The domain name here, compression followed; the cursor moves behind its first part.

        MALFORMED for a label type of the future, more than 255 octets, or too many pointers.
        Source: RFC 1035 §3.1 and §4.1.4.
        """
        message, at, size = self.message, self.at, len(self.message)
        labels: list[bytes] = []
        octets, hops = 1, 0
        while True:
            if at >= size:
                raise Damage(self.end_means)
            length = message[at]
            if length <= _LONGEST_LABEL:
                at += 1 + length
                octets += 1 + length
                if not hops:
                    self.at = at
                if not length:
                    return _host(labels)
                if at > size:
                    raise Damage(self.end_means)
                labels.append(message[at - length : at])
            else:
                if at + 2 > size:
                    raise Damage(self.end_means)
                if not hops:
                    self.at = at + 2
                hops += 1
                at = (length & ~_POINTER) << 8 | message[at + 1]
            if _LONGEST_LABEL < length < _POINTER or octets > MAX_OCTETS or hops > MAX_HOPS:
                raise Damage(Unread.MALFORMED)


def _host(labels: list[bytes]) -> str:
    r"""The labels as a host name; a dot inside a label is no separator and is written \x2e."""
    if not labels:
        return "."
    joined = b".".join(labels)
    if joined.count(b".") == len(labels) - 1:
        return printable(joined).lower()
    return ".".join(printable(label).replace(".", "\\x2e") for label in labels).lower()
