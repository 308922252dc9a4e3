"""What ICMP errors quote: the ends of the packets that they answer. HOT PATH.

An error begins with the packet that caused it (RFC 792, RFC 4443 §3), also where that packet never
was on a wire: if nobody answers for the next hop, the kernel tells itself that the host cannot be
reached. So the quote may be all that a capture has of an attempt.
"""

import numpy as np

from egress_audit.columns import I64, U64, PacketBatch, Quoted, alike_rows
from egress_audit.flows.table import Assigned
from egress_audit.model.protocols import ICMP_QUOTES, ICMPV6

REDIRECT = 137
"""Of ICMPv6; it names whom we sent to, whether it quotes the packet or not (RFC 4861 §4.5)."""
REDIRECTED_AT = 16
"""Bytes in front of that address, behind what all ICMP begins with."""
QUOTING = ICMP_QUOTES | {ICMPV6: (*ICMP_QUOTES[ICMPV6], REDIRECT)}
MAX_QUOTES = 1 << 16
"""Different quotes that are kept, of 300 bytes each; of those beyond it is not known whether what
they quote is in the capture."""
_WIDEST = 40
_ENDS = {4: (20, 12, 16), 6: (40, 8, 24)}
"""IP version → bytes of its header, and where in it the sender and the receiver stand."""
UNREADABLE = 0
"""In the place of a version."""

_Quote = tuple[int, int, int, int, int, int]
"""A row of `Quoted`."""


class Quotes:
    """The quotes of one body of evidence, each once."""

    def __init__(self) -> None:
        self._kept: set[_Quote] = set()
        self.beyond: I64 = np.zeros(0, np.int64)
        """How many were not kept, some of them more than once, by row of the flow of the error; as
        far as there are any."""

    def take(self, packets: PacketBatch, assigned: Assigned) -> None:
        """Keeps what the errors of a batch quote."""
        rows = _errors_in(packets)
        rows = rows[assigned.flow[rows] >= 0]
        if not len(rows):
            return
        columns = (assigned.flow[rows].astype(np.uint64), *_quoted_by(packets, rows))
        first = alike_rows(columns).first
        beyond: list[int] = []
        for quote in zip(*(column[first].tolist() for column in columns), strict=True):
            if quote in self._kept:
                continue
            if len(self._kept) < MAX_QUOTES:
                self._kept.add(quote)
            else:
                beyond.append(quote[0])
        if beyond:
            self._count(beyond)

    def _count(self, beyond: list[int]) -> None:
        """Counts one more for each of these flows, of which some may stand more than once."""
        counts = np.bincount(beyond, minlength=len(self.beyond))
        counts[: len(self.beyond)] += self.beyond
        self.beyond = counts

    def columns(self) -> Quoted:
        """What was kept."""
        table = np.array(sorted(self._kept), np.uint64).reshape(-1, 6).T
        return Quoted(table[0].astype(np.int64), *table[1:])


def _errors_in(packets: PacketBatch) -> I64:
    """Rows of the packets that quote another."""
    rows = np.flatnonzero(packets.one_way)
    if not len(rows):
        return rows
    proto, kind = packets.proto[rows], packets.sport[rows]
    # The few types are a table, whatever their range: to sort would import numpy.ma, 8 ms once.
    quoting = [
        (proto == number) & np.isin(kind, kinds, kind="table") for number, kinds in QUOTING.items()
    ]
    found: I64 = rows[np.logical_or.reduce(quoting)]
    return found


def _quoted_by(packets: PacketBatch, rows: I64) -> tuple[U64, ...]:
    """(n,) IP version of each quote, and both words of its sender and its receiver."""
    at = np.minimum(packets.payload[rows], len(packets.buffer) - _WIDEST)
    header = packets.buffer[at[:, None] + np.arange(_WIDEST)]
    found: U64 = np.zeros((5, len(rows)), np.uint64)
    for version, (size, *ends) in _ENDS.items():
        whole = packets.payload_cap[rows] >= size
        read = np.flatnonzero(whole & (header[:, 0] >> 4 == version))
        read = read[packets.version[rows[read]] == version]
        found[0, read] = version
        for word, end in zip((1, 3), ends, strict=True):
            if version == 4:
                found[word + 1, read] = _words(header[read, end : end + 4], ">u4")[:, 0]
            else:
                found[word : word + 2, read] = _words(header[read, end : end + 16], ">u8").T
    redirects = (packets.proto[rows] == ICMPV6) & (packets.sport[rows] == REDIRECT)
    if redirects.any():
        of, read = rows[redirects], packets.payload_cap[rows[redirects]] >= REDIRECTED_AT + 16
        sent_to = _words(header[redirects, REDIRECTED_AT : REDIRECTED_AT + 16], ">u8").T
        quote = (np.full(len(of), 6, np.uint64), packets.dst_hi[of], packets.dst_lo[of], *sent_to)
        found[:, redirects] = np.where(read, np.array(quote, np.uint64), np.uint64(0))
    return tuple(found)


def _words(octets: np.typing.NDArray[np.uint8], of: str) -> U64:
    """The words in rows of bytes."""
    words: U64 = np.ascontiguousarray(octets).view(of).astype(np.uint64)
    return words
