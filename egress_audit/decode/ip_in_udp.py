"""IP packets at once behind a UDP header, on whatever port: Foo over UDP and its like. HOT PATH.

No header says that a packet follows, and the ports are whatever both ends agreed on. So it is
taken for one only if it is whole, its stated length is that of the datagram, and its checksum is
right: that of the header of IPv4, that of the transport of IPv6. A header of IPv4 whose checksum
was left to hardware has 0 there; then it must be of the plainest form. Sources: Linux
net/ipv4/fou_core.c (Foo over UDP), draft-ietf-intarea-gue-09 §4 (variant 1 of GUE), RFC 791
§3.1, RFC 8200 §8.1.
"""

import numpy as np

from egress_audit.columns import I64, U8, U32, PacketBatch
from egress_audit.decode.contents import IP, Inside
from egress_audit.decode.link_rows import Rows
from egress_audit.model.protocols import ICMPV6, TCP, UDP

LEAST, IPV6_HEADER = 20, 40
WITH_CHECKSUM = (TCP, UDP, ICMPV6)
"""Their checksums cover the addresses; behind other headers of IPv6 nothing
tells a packet from other bytes."""
WHOLE, COMMON = (b"\0\0", b"\x40\0"), (1, 6, 17)
"""What an IPv4 header says of fragments where there are none, and the commonest protocols."""
ONES = 0xFFFF
"""Numbers of 16 bits added up with end-around carry are their sum modulo this (RFC 1071 §2)."""


def ip_at_once(rows: Rows) -> Inside:
    """A packet of either version from the first byte on."""
    return Inside(np.full(len(rows.start), IP, np.uint8), rows.start)


def whole_packets(packets: PacketBatch, rows: I64, first: U32) -> I64:
    """Which of the rows have a packet for payload: indexes into `rows`.

    rows: of UDP; first: (rows,) first four bytes of each payload, the first the lowest.
    """
    version = first & 0xF0
    found = []
    maybe = np.flatnonzero(version == 0x40)
    if len(maybe):
        word = first[maybe]
        stated = (word >> 16 & 0xFF) << 8 | word >> 24
        fits = (stated == packets.payload_len[rows[maybe]]) & (word & 15 >= LEAST // 4)
        found += [at for at in maybe[fits].tolist() if _is_ipv4(packets, rows[at].item())]
    maybe = np.flatnonzero(version == 0x60)
    if len(maybe):
        maybe = maybe[packets.payload_cap[rows[maybe]] >= IPV6_HEADER]
        at = packets.payload[rows[maybe]] + 4
        stated_6 = packets.buffer[at].astype(np.int64) << 8 | packets.buffer[at + 1]
        fits = stated_6 + IPV6_HEADER == packets.payload_len[rows[maybe]]
        found += [at for at in maybe[fits].tolist() if _is_ipv6(packets, rows[at].item())]
    return np.array(found, np.int64)


def _is_ipv4(packets: PacketBatch, row: int) -> bool:
    """Whether the header is there and its checksum right."""
    payload = _payload(packets, row)
    if len(payload) < LEAST:
        return False
    header = payload[: (payload[0] & 15) * 4].tobytes()
    if header[10:12] == b"\0\0":
        return header[0] == 0x45 and header[6:8] in WHOLE and header[9] in COMMON
    return int.from_bytes(header, "big") % ONES == 0


def _is_ipv6(packets: PacketBatch, row: int) -> bool:
    """Whether the packet is there to its end, and the checksum of its transport right."""
    payload = _payload(packets, row)
    if len(payload) < packets.payload_len[row] or payload[6] not in WITH_CHECKSUM:
        return False
    covered = payload[8:].tobytes() + bytes(len(payload) % 2)
    pseudo = len(payload) - IPV6_HEADER + int(payload[6])
    return (int.from_bytes(covered, "big") + pseudo) % ONES == 0


def _payload(packets: PacketBatch, row: int) -> U8:
    """The bytes of one datagram's payload that were captured."""
    start = int(packets.payload[row])
    return packets.buffer[start : start + int(packets.payload_cap[row])]
