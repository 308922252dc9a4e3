"""Community ID v1: the same short text for a flow in every tool.

Source: github.com/corelight/community-id-spec (version 1).
"""

import base64
import hashlib
import struct

from egress_audit.model.protocols import ICMP, ICMPV6, SCTP, TCP, UDP

SEED = b"\0\0"
"""The default of the specification; another would make every id another."""
HASHED_PORTS = (ICMP, TCP, UDP, ICMPV6, SCTP)
"""Protocols whose ports (or ICMP types) enter the hash, as its specification has them."""


def packed(version: int, hi: int, lo: int) -> bytes:
    """An address as 4 or 16 bytes in network order."""
    return lo.to_bytes(4, "big") if version == 4 else (hi << 64 | lo).to_bytes(16, "big")


def community_id(
    proto: int, src: bytes, dst: bytes, sport: int, dport: int, *, one_way: bool = False
) -> str:
    """`1:` and 28 characters of base64; the same from both directions unless `one_way`.

    src, dst: 4 or 16 bytes in network order; sport, dport: ports, or ICMP type and answering type
    (code if `one_way`).
    """
    if not one_way and (src, sport) > (dst, dport):
        src, dst, sport, dport = dst, src, dport, sport
    head = SEED + src + dst + struct.pack("!BB", proto, 0)
    ports = struct.pack("!HH", sport, dport) if proto in HASHED_PORTS else b""
    digest = hashlib.sha1(head + ports, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode("ascii")
