"""A place in a DNS message that moves on and never leaves it; and how what stands there is written.

Source: RFC 1035 §3.1 (names) and §4.1.4 (compression).

Compression pointers may point anywhere, also forward, as long as the name ends: a name that some
lenient resolver would understand must not be hidden from us.
"""

from functools import lru_cache
from struct import Struct

from egress_audit.addresses import address_text as text_of_address
from egress_audit.names.reading import Damage, Unread, printable

MAX_HOPS = 128
"""Compression pointers followed in one name; dnsmasq gives up at 255, others far earlier."""
MAX_OCTETS = 255
"""Of one name on the wire, length bytes and root included."""

_POINTER = 0xC0
_LONGEST_LABEL = 0x3F

_QTYPES = {
    1: "A", 2: "NS", 3: "MD", 4: "MF", 5: "CNAME", 6: "SOA", 7: "MB", 8: "MG", 9: "MR", 10: "NULL",
    11: "WKS", 12: "PTR", 13: "HINFO", 14: "MINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB",
    19: "X25", 20: "ISDN", 21: "RT", 22: "NSAP", 23: "NSAP-PTR", 24: "SIG", 25: "KEY", 26: "PX",
    27: "GPOS", 28: "AAAA", 29: "LOC", 30: "NXT", 31: "EID", 33: "SRV", 34: "ATMA", 35: "NAPTR",
    36: "KX", 37: "CERT", 38: "A6", 39: "DNAME", 40: "SINK", 41: "OPT", 42: "APL", 43: "DS",
    44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3",
    51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 55: "HIP", 56: "NINFO", 57: "RKEY", 58: "TALINK",
    59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS",
    99: "SPF", 100: "UINFO", 101: "UID", 102: "GID", 103: "UNSPEC", 104: "NID", 105: "L32",
    106: "L64", 107: "LP", 108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR",
    252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI", 257: "CAA", 258: "AVC",
    259: "DOA", 260: "AMTRELAY", 261: "RESINFO", 32768: "TA", 32769: "DLV",
}  # fmt: skip
"""IANA "Resource Record (RR) TYPEs", without 32, which NetBIOS took for another use before it was
assigned (RFC 1002 §4.2.1.2); the rest are written as numbers."""

_Rest = tuple[list[bytes], int, int]
"""The rest of a name: its labels, their octets, and the pointers followed in it."""


class Cursor:
    """A place in a message. Every step checks what it takes and raises `Damage` otherwise."""

    __slots__ = ("_known", "at", "end_means", "message")

    def __init__(self, message: bytes, end_means: Unread) -> None:
        self.message = message
        self.at = 0
        self.end_means = end_means
        self._known: dict[int, _Rest] = {}
        """What was read behind pointers, by offset: a chain of pointers is followed once."""

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
        at, octets, hops = self.at, 1, 0
        labels: list[bytes] = []
        targets: list[tuple[int, int, int]] = []
        while octets <= MAX_OCTETS and hops <= MAX_HOPS:
            length = self._octet(at)
            if length <= _LONGEST_LABEL:
                at, octets = at + 1 + length, octets + 1 + length
                self.at = self.at if hops else at
                if not length:
                    return self._remembered(targets, labels, octets, hops)
                self._octet(at - 1)
                labels.append(self.message[at - length : at])
                continue
            if length < _POINTER:
                break
            target = (length & ~_POINTER) << 8 | self._octet(at + 1)
            self.at = self.at if hops else at + 2
            at, hops = target, hops + 1
            if at in self._known:
                rest, more_octets, more_hops = self._known[at]
                labels += rest
                return self._remembered(targets, labels, octets + more_octets, hops + more_hops)
            targets.append((at, len(labels), octets))
        raise Damage(Unread.MALFORMED)

    def _octet(self, at: int) -> int:
        if at >= len(self.message):
            raise Damage(self.end_means)
        return self.message[at]

    def _remembered(
        self, targets: list[tuple[int, int, int]], labels: list[bytes], octets: int, hops: int
    ) -> str:
        """The name of these labels, its size checked; what stood behind its pointers is kept.

        `targets`: of each pointer the offset, and the labels and octets in front of it.
        """
        if octets > MAX_OCTETS + 1 or hops > MAX_HOPS:
            raise Damage(Unread.MALFORMED)
        for place, (target, first, before) in enumerate(targets, 1):
            self._known[target] = (labels[first:], octets - before, hops - place)
        return host_text(labels)


def host_text(labels: list[bytes]) -> str:
    r"""The labels as a host name; a dot inside a label is no separator and is written \x2e."""
    if not labels:
        return "."
    joined = b".".join(labels)
    if joined.count(b".") == len(labels) - 1:
        return printable(joined).lower()
    return ".".join(printable(label).replace(".", "\\x2e") for label in labels).lower()


def type_word(number: int) -> str:
    """A record type as it is shown: 'A', 'AAAA', … or 'TYPE65400' (RFC 3597 §5)."""
    return _QTYPES.get(number) or f"TYPE{number}"


@lru_cache(maxsize=4096)
def address_text(raw: bytes) -> str:
    """The address as RFC 5952 writes it; mapped IPv4 in dots on every version of Python."""
    if len(raw) == 4:
        return f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}"
    return text_of_address(6, int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big"))
