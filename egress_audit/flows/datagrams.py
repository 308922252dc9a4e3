"""The datagrams in which names may be spoken, few out of many. HOT PATH.

By port those of the DNS and its kin on the link, of SSDP; by their first bytes, on any port, the
handshakes of QUIC and DTLS, from flows whose reader has not had enough.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import partial
from typing import NamedTuple

import numpy as np

from egress_audit.columns import I8, I64, U8, U32, Bool, PacketBatch
from egress_audit.compiled import datagrams, library
from egress_audit.flows.table import IS_DATAGRAM, Assigned
from egress_audit.model.protocols import DNS_PORT


class Kind(StrEnum):
    """What a datagram is, as far as its port or its first bytes say."""

    OTHER_QUIC = "QUIC of another version"
    """A long header of a version that is not looked for, at the port of QUIC."""
    MDNS = "mDNS"
    LLMNR = "LLMNR"
    NETBIOS = "NetBIOS names"
    SSDP = "SSDP"
    DNS = "DNS"
    QUIC = "QUIC"
    GQUIC = "gQUIC"
    DTLS = "DTLS"
    LIKE_DNS = "DNS on another port"
    """Its first bytes could be those of a DNS message; its reader looks closer."""

    # Enum's own is a function of Python, and part of every look-up of a reader.
    __hash__ = str.__hash__


BY_PORT = {
    DNS_PORT: Kind.DNS,
    137: Kind.NETBIOS,
    443: Kind.OTHER_QUIC,
    1900: Kind.SSDP,
    5353: Kind.MDNS,
    5355: Kind.LLMNR,
}
"""IANA "Service Name and Transport Protocol Port Number Registry"; of either end. Of two the kind
that is named last, the DNS: what is sent to a resolver from the port of its kin asks the resolver.
"""
OF_FLOWS = frozenset((Kind.QUIC, Kind.GQUIC, Kind.DTLS))
"""Kinds known by their first bytes, of which a reader may have enough."""
LONG_HEADER = 0x80
"""The first bit of a QUIC packet that names its version (RFC 8999 §5.1)."""
LEAST_OF_QUIC = 0xC0
"""First byte of such a packet with the bit of QUIC (RFC 9000 §17.2), at least."""
RESERVED_BITS, RESERVED = 0x0F0F0F0F, 0x0A0A0A0A
"""Version words that force a negotiation (RFC 9000 §15). Others' bytes often look like one."""
INITIAL, LEAST_INITIAL, ID_SIZES = 0xC, 1200, range(8, 21)
"""Upper half of the first byte of an Initial, octets of a client's datagram with one, and of the
connection ID it goes to (RFC 9000 §17.2.2, §14.1, §7.2)."""
GOOGLE_FLAGS, GOOGLE_VERSION_AT = 0x89, 9
"""Of a packet of Q043 or before: flags of the version and of 8 octets of connection ID, which stand
in front of the version (draft-hamilton-early-deployment-quic §5.1)."""
RECORDS = range(20, 27)
"""Kinds of records of DTLS (RFC 6347 §4, RFC 6520 §3, RFC 9146 §4, RFC 9147 §7)."""
RECORD_LIKE_GOOGLES = 25
"""The kind that has those flags as well: of records with a connection ID."""
HANDSHAKE_RECORD, CLIENT_HELLO = 22, 1
"""The kind that matters, and that of the handshake message in it."""
LENGTH_AT, HANDSHAKE_AT = 11, 13
SIZE_AT, HANDSHAKE_HEADER = HANDSHAKE_AT + 9, 12
"""Where the size of the first handshake fragment stands, and the size of what is before it."""
DTLS_MAJOR, BEFORE_DTLS = 0xFE, 0x0100
"""First octet of each version of DTLS, of which servers take any in front of a ClientHello; and the
version that OpenSSL wrote before there was a standard."""
DNS_HEADER = 12
NOT_IN_ITS_FLAGS = 0x7800
"""Any operation but a query (RFC 1035 §4.1.1)."""
FLAGS_AT, OPERATION, LAST_OPERATION = 2, 0x78, 6 << 3
"""Of a message the octet with its operation, and the last one there is (RFC 8490 §5.1)."""


class Datagram(NamedTuple):
    """One payload of UDP or UDP-Lite."""

    kind: Kind
    flow: int
    by_orig: bool
    frame: int
    ts_ns: int
    payload: bytes
    complete: bool


_datagram = partial(tuple.__new__, Datagram)
"""Of its fields in order. Datagram itself is a function of Python, and takes twice the time."""


class Datagrams:
    """Chooses datagrams; `versions` and `plain_versions` are the QUIC version words to look for.

    The latter are those of Google's whose first packets are in the clear.
    """

    def __init__(self, versions: Collection[int], plain_versions: Collection[int]) -> None:
        self._versions = np.sort(np.array([*versions], np.uint32))
        self._plain = np.sort(np.array([*plain_versions], np.uint32))
        self.sated: set[int] = set()
        """Flows of which no handshake is wanted any more: few, so that it is asked for first."""

    def take(self, packets: PacketBatch, assigned: Assigned) -> list[Datagram]:
        """The datagrams of a batch, in order."""
        at, numbers = self._chosen(packets, assigned.flow)
        if not len(at):
            return []
        octets, begin, size = packets.buffer.data, packets.payload[at], packets.payload_cap[at]
        spans = zip(begin.tolist(), (begin + size).tolist(), strict=True)
        columns = zip(
            [KINDS[number] for number in numbers.tolist()],
            assigned.flow[at].tolist(),
            assigned.by_orig[at].tolist(),
            packets.frame[at].tolist(),
            packets.ts_ns[at].tolist(),
            [bytes(octets[first:end]) for first, end in spans],
            (size == packets.payload_len[at]).tolist(),
            strict=True,
        )
        found = [*map(_datagram, columns)]
        if self.sated:
            return [datagram for datagram in found if self.wants(datagram.kind, datagram.flow)]
        return found

    def wants(self, kind: Kind, flow: int) -> bool:
        """True unless a handshake of this flow is one too many."""
        return flow not in self.sated or kind not in OF_FLOWS

    def sate(self, flow: int) -> None:
        """No handshake of this flow is wanted any more."""
        self.sated.add(flow)

    def _chosen(self, packets: PacketBatch, flow: I64) -> tuple[I64, I8]:
        """Rows of the datagrams that somebody reads, and the index into KINDS of each."""
        if library.is_in_use():
            return datagrams.kinds(packets, flow, _OF_PORT, self._versions, self._plain)
        rows = np.flatnonzero(IS_DATAGRAM[packets.proto] & (packets.payload_len > 0) & (flow >= 0))
        kinds = self._kinds(packets, rows)
        chosen = np.flatnonzero(kinds >= 0)
        return rows[chosen], kinds[chosen]

    def _kinds(self, packets: PacketBatch, rows: I64) -> I8:
        """(n,) index into KINDS of each row, -1 for what nobody reads; first bytes over ports."""
        kinds = np.maximum(_OF_PORT[packets.sport[rows]], _OF_PORT[packets.dport[rows]])
        buffer, at = packets.buffer, packets.payload[rows]
        may_be = _MAY_BE[buffer[at]]
        some = np.flatnonzero(may_be)
        at, there, may_be = at[some], packets.payload_cap[rows[some]], may_be[some]
        of_port = kinds[some]
        long = np.flatnonzero((may_be == _LONG) & (there > 4))
        version = _u32(buffer, at[long] + 1)
        kinds[some[long[_among(version, self._versions)]]] = _QUIC
        reserved = long[version & np.uint32(RESERVED_BITS) == RESERVED]
        kinds[some[reserved[_may_force(buffer, at[reserved], there[reserved])]]] = _QUIC
        kinds[some[long[_among(version, self._plain)]]] = _GQUIC
        old = np.flatnonzero((may_be == _GOOGLE) & (there > GOOGLE_VERSION_AT + 4))
        if len(old):
            word = _u32(buffer, at[old] + GOOGLE_VERSION_AT)
            kinds[some[old[_is_google(word)]]] = _GQUIC
        record = (may_be == _RECORD) | (buffer[at] == RECORD_LIKE_GOOGLES)
        hello = np.flatnonzero(record & (there > HANDSHAKE_AT))
        if len(hello):
            hello = hello[_may_greet(buffer, at[hello], there[hello])]
            version = _u32(buffer, at[hello] + 1) >> np.uint32(16)
            hello = hello[(version >> np.uint32(8) == DTLS_MAJOR) | (version == BEFORE_DTLS)]
            hello = hello[~_may_be_dns(packets, rows[some[hello]], of_port[hello])]
            kinds[some[hello]] = _DTLS
        elsewhere = np.flatnonzero(kinds == _OTHER_QUIC)
        kinds[elsewhere[~_names_version(buffer, packets, rows[elsewhere])]] = -1
        others = np.flatnonzero((kinds < 0) | (kinds == _SSDP))
        kinds[others[_like_dns(packets, rows[others])]] = _LIKE_DNS
        return kinds


def _names_version(buffer: U8, packets: PacketBatch, rows: I64) -> Bool:
    """(n,) True for a long header with a version (RFC 8999 §5.1); 0 is that of a negotiation, and
    from 0x80 to 0xBF stand media beside QUIC (RFC 9443 §3)."""
    at = packets.payload[rows]
    named: Bool = (packets.payload_cap[rows] > 4) & (buffer[at] >= LEAST_OF_QUIC)
    named[named] = _u32(buffer, at[named] + 1) != 0
    return named


def _may_force(buffer: U8, at: I64, there: I64) -> Bool:
    """(n,) True for what begins as a client's Initial, of those with a reserved version."""
    found: Bool = (there >= LEAST_INITIAL) & (buffer[at] >> 4 == INITIAL)
    found[found] = np.isin(buffer[at[found] + 5], ID_SIZES)
    return found


def _is_google(word: U32) -> Bool:
    """(n,) True for "Q", "0" and two digits."""
    tens, ones = (word >> 8 & 0xFF) - ord("0"), (word & 0xFF) - ord("0")
    found: Bool = (word >> 16 == int.from_bytes(b"Q0")) & (tens < 10) & (ones < 10)
    return found


def _may_greet(buffer: U8, at: I64, there: I64) -> Bool:
    """(n,) True where a ClientHello is in the first record of a datagram, or may be in one behind
    it, or behind another message in it: what a receiver does not expect yet it passes over, or
    keeps for later (RFC 6347 §4.1.2.7 and §4.2.2)."""
    handshake = buffer[at] == HANDSHAKE_RECORD
    size = buffer[at + LENGTH_AT].astype(np.int64) << 8 | buffer[at + LENGTH_AT + 1]
    found: Bool = handshake & (buffer[at + HANDSHAKE_AT] == CLIENT_HELLO)
    found |= there > 2 * HANDSHAKE_AT + size
    rest = np.flatnonzero(handshake & ~found & (there > SIZE_AT + 2))
    fragment = _u32(buffer, at[rest] + SIZE_AT - 1).astype(np.int64) & 0xFFFFFF
    found[rest] = size[rest] > HANDSHAKE_HEADER + fragment
    return found


def _may_be_dns(packets: PacketBatch, rows: I64, of_port: I8) -> Bool:
    """(n,) True for what may be a message of the DNS or its kin, whose ID and flags look like the
    kind and the version of a record; at the ports of those for all that their readers may read.
    of_port: what each row is by its port."""
    at, buffer = packets.payload[rows], packets.buffer
    found = np.zeros(len(rows), np.bool_)
    found[_like_dns(packets, rows)] = True
    greets = (buffer[at] == HANDSHAKE_RECORD) & (buffer[at + HANDSHAKE_AT] == CLIENT_HELLO)
    no_message = greets & (buffer[at + FLAGS_AT] & OPERATION > LAST_OPERATION)
    return np.where((of_port > _OTHER_QUIC) & (of_port != _SSDP), ~no_message, found)


def _like_dns(packets: PacketBatch, rows: I64) -> I64:
    """Places among the rows of what has the header of one question and, if any, few answers."""
    at, buffer = packets.payload[rows], packets.buffer
    # Most payloads are gone after the first look: the count of questions is 1.
    near = np.flatnonzero(buffer[at + 5] == 1)
    near = near[(buffer[at[near] + 4] == 0) & (packets.payload_cap[rows[near]] > DNS_HEADER)]
    flags = _u32(buffer, at[near]) & np.uint32(0xFFFF)
    counts = _u32(buffer, at[near] + 8)
    answers = _u32(buffer, at[near] + 4) & np.uint32(0xFFFF)
    is_response = flags >> 15 == 1
    bare = (answers == 0) & (counts >> 16 == 0) & (counts < 3)
    found: I64 = near[(flags & NOT_IN_ITS_FLAGS == 0) & (is_response | bare)]
    return found


def _port_table() -> I8:
    table = np.full(1 << 16, -1, np.int8)
    for port, kind in BY_PORT.items():
        table[port] = KINDS.index(kind)
    return table


def _first_byte_table() -> U8:
    first = np.arange(256)
    google = first & GOOGLE_FLAGS == GOOGLE_FLAGS & ~LONG_HEADER
    kinds = [first & LONG_HEADER != 0, google, np.isin(first, RECORDS)]
    return np.select(kinds, [_LONG, _GOOGLE, _RECORD]).astype(np.uint8)


KINDS = tuple(Kind)
_OTHER_QUIC, _SSDP, _QUIC, _GQUIC, _DTLS, _LIKE_DNS = (
    np.int8(KINDS.index(kind))
    for kind in (Kind.OTHER_QUIC, Kind.SSDP, Kind.QUIC, Kind.GQUIC, Kind.DTLS, Kind.LIKE_DNS)
)
_LONG, _GOOGLE, _RECORD = 1, 2, 3
_OF_PORT = _port_table()
"""Index into KINDS by port, -1 for all the others."""
_MAY_BE = _first_byte_table()
"""What a datagram may be by its first byte, 0 for nothing that is read."""


def _u32(buffer: U8, at: I64) -> U32:
    """Big-endian words at these places."""
    words: U32 = buffer[at[:, None] + np.arange(4)].view(">u4").ravel().astype(np.uint32)
    return words


def _among(values: U32, known: U32) -> I64:
    """Places of the values that are known; `known` is sorted."""
    if not len(values) or not len(known):
        return np.zeros(0, np.int64)
    near = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.flatnonzero(known[near] == values)
