"""What our DNS server says to a message: every name gets an address, or all are refused.

Source: RFC 1035 §4 (messages), RFC 2308 §2 (a SOA beside an empty answer), RFC 6891 (EDNS),
RFC 8482 (ANY), RFC 6761 §6 (localhost and invalid), RFC 7050 §3 (ipv4only.arpa: an invented AAAA
would announce a NAT64), RFC 9619 (one question a message).
"""

from struct import Struct
from typing import NamedTuple

from egress_audit.names.reading import printable
from egress_audit.record.internet.invented_names import InventedNames
from egress_audit.record.internet.settings import DnsPolicy

TTL_S = 60
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP = 0, 1, 2, 3, 4
_BADVERS_HIGH = 1
"""Extended RCODE 16, BADVERS: its upper bits stand in the OPT record, the lower four are zero."""

A, PTR, AAAA, OPT, ANY = 1, 12, 28, 41, 255
_CLASSES = (1, 255)
_SIZES = {A: (4,), AAAA: (16,), ANY: (4, 16)}
_OUR_UDP_SIZE = 1232
_MAX_RECORDS = 16
"""Records of a query that are searched for its OPT; real ones have one to three."""

_QR, _OPCODE, _RD, _RA, _CD = 0x8000, 0x7800, 0x0100, 0x0080, 0x0010
_DO = 0x8000
_HEADER = Struct(">HHHHHH")
_TYPE_CLASS = Struct(">HH")
_RECORD = Struct(">HHIH")
_SERIALS = Struct(">5I")
_QUESTION_NAME = b"\xc0\x0c"
# The zone is the root, whose server is the root: true of nothing, and an ancestor of every name.
_SOA = b"\0" + _RECORD.pack(6, 1, TTL_S, 22) + b"\0\0" + _SERIALS.pack(1, 3600, 600, 86_400, TTL_S)

_LOOPBACK = {4: b"\x7f\0\0\1", 16: bytes(15) + b"\1"}
_IPV4_ONLY = {4: b"\xc0\0\0\xaa"}


class Silence(NamedTuple):
    """No answer, and the reason under which it is counted."""

    reason: str
    is_no_query: bool = True
    """False for a name that is swallowed."""


class _Damage(Exception):
    """The message contradicts itself; caught in this file."""


class _Edns(NamedTuple):
    version: int
    dnssec_ok: int


class DnsAnswers:
    """Our DNS server. `answer` takes a message and returns one; nothing is ever looked up."""

    def __init__(
        self, names: InventedNames, policy: DnsPolicy, *, ipv6: bool = True, silent_suffix: str = ""
    ) -> None:
        self._names = names
        self._policy = policy
        self._ipv6 = ipv6
        self._silent_suffix = silent_suffix.strip(".").lower()

    def answer(self, message: bytes) -> bytes | Silence:
        """The response to a query of any transport; never longer than 512 bytes beside a question.

        Silence for what is no query, and for names that our own probes ask.
        """
        if len(message) < _HEADER.size:
            return Silence("dns: no message")
        ident, flags, questions, *_ = _HEADER.unpack_from(message)
        if flags & _QR:
            return Silence("dns: a response")
        if flags & _OPCODE:
            return _response(ident, flags, NOTIMP)
        try:
            if questions != 1:
                return _response(ident, flags, FORMERR)
            labels, end = _question_labels(message)
            edns = _edns(message, end + 4)
        except _Damage:
            return _response(ident, flags, FORMERR)
        host = _host(labels)
        if self._is_silent(host):
            return Silence("swallowed", is_no_query=False)
        qtype, qclass = _TYPE_CLASS.unpack_from(message, end)
        question = message[_HEADER.size : end + 4]
        if edns is not None and edns.version:
            return _response(ident, flags, NOERROR, question, (), edns, _BADVERS_HIGH)
        rcode, records = self._records(host, labels, qtype, qclass)
        return _response(ident, flags, rcode, question, records, edns)

    def _is_silent(self, host: str) -> bool:
        suffix = self._silent_suffix
        return bool(suffix) and (host == suffix or host.endswith("." + suffix))

    def _records(
        self, host: str, labels: list[bytes], qtype: int, qclass: int
    ) -> tuple[int, tuple[bytes, ...]]:
        """The response code, and the answers."""
        if self._policy is DnsPolicy.SERVFAIL:
            return SERVFAIL, ()
        if self._policy is DnsPolicy.NXDOMAIN or labels[-1:] == [b"invalid"]:
            return NXDOMAIN, ()
        if qclass not in _CLASSES or host == ".":
            return NOERROR, ()
        if qtype == PTR:
            return self._reverse(labels)
        return self._forward(host, qtype)

    def _forward(self, host: str, qtype: int) -> tuple[int, tuple[bytes, ...]]:
        records = []
        for size in _SIZES.get(qtype, ()):
            if size == 16 and not self._ipv6:
                continue
            fixed = _fixed(host)
            address = fixed.get(size) if fixed else self._names.address_of(host, size)
            if address is not None:
                records.append(_record(A if size == 4 else AAAA, address))
            elif fixed is None:
                return SERVFAIL, ()
        return NOERROR, tuple(records)

    def _reverse(self, labels: list[bytes]) -> tuple[int, tuple[bytes, ...]]:
        address = _reversed_address([label.lower() for label in labels])
        host = self._names.host_of(address) if address else None
        name = _wire_name(host) if host else None
        return (NOERROR, (_record(PTR, name),)) if name else (NXDOMAIN, ())


def _fixed(host: str) -> dict[int, bytes] | None:
    """The addresses of the few names that have the same ones everywhere."""
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    return _IPV4_ONLY if host == "ipv4only.arpa" else None


def _response(
    ident: int,
    flags: int,
    rcode: int,
    question: bytes = b"",
    records: tuple[bytes, ...] = (),
    edns: _Edns | None = None,
    extended: int = 0,
) -> bytes:
    empty = question and not records and not extended and rcode in (NOERROR, NXDOMAIN)
    authority = _SOA if empty else b""
    bits = _QR | (flags & (_OPCODE | _RD | _CD)) | _RA | rcode
    header = _HEADER.pack(
        ident, bits, bool(question), len(records), bool(authority), edns is not None
    )
    tail = b""
    if edns is not None:
        ttl = extended << 24 | edns.dnssec_ok
        tail = b"\0" + _RECORD.pack(OPT, _OUR_UDP_SIZE, ttl, 0)
    return header + question + b"".join(records) + authority + tail


def _record(rtype: int, content: bytes) -> bytes:
    return _QUESTION_NAME + _RECORD.pack(rtype, 1, TTL_S, len(content)) + content


def _question_labels(message: bytes) -> tuple[list[bytes], int]:
    """The labels of the question's name, and where the type behind it begins."""
    labels, at = [], _HEADER.size
    while True:
        if at >= len(message):
            raise _Damage
        length = message[at]
        if not length:
            break
        # Nothing stands before the first name that a pointer could point to.
        if length > 63 or at + 1 + length - _HEADER.size > 254:
            raise _Damage
        labels.append(message[at + 1 : at + 1 + length])
        at += 1 + length
    if at + 5 > len(message):
        raise _Damage
    return labels, at + 1


def _edns(message: bytes, at: int) -> _Edns | None:
    """The OPT record behind the question, if there is one. Two of them are a format error."""
    found = None
    count = sum(_HEADER.unpack_from(message)[3:])
    for _ in range(min(count, _MAX_RECORDS)):
        at = _behind_name(message, at)
        if at + _RECORD.size > len(message):
            raise _Damage
        rtype, _, ttl, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size + length
        if at > len(message) or (rtype == OPT and found is not None):
            raise _Damage
        if rtype == OPT:
            found = _Edns(ttl >> 16 & 0xFF, ttl & _DO)
    return found


def _behind_name(message: bytes, at: int) -> int:
    while at < len(message):
        length = message[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if not length:
            return at
    raise _Damage


def _host(labels: list[bytes]) -> str:
    """The labels as the reader of captures writes them: lower case, odd bytes escaped."""
    if not labels:
        return "."
    return ".".join(printable(label).replace(".", "\\x2e") for label in labels).lower()


def _wire_name(host: str) -> bytes | None:
    """A host on the wire; None if it cannot be written from its text alone."""
    labels = host.split(".")
    if "\\" in host or not all(0 < len(label) < 64 for label in labels):
        return None
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in labels) + b"\0"


def _reversed_address(labels: list[bytes]) -> bytes | None:
    """The address that a name below in-addr.arpa or ip6.arpa spells backwards."""
    try:
        if len(labels) == 6 and labels[4:] == [b"in-addr", b"arpa"]:
            return bytes(int(label) for label in reversed(labels[:4]))
        if len(labels) == 34 and labels[32:] == [b"ip6", b"arpa"]:
            return bytes.fromhex(b"".join(reversed(labels[:32])).decode("ascii"))
    except ValueError:
        return None
    return None
