"""Records of pcap and frame blocks of pcapng as bytes, of which payloads can be made as well."""

import struct
from random import Random

from egress_audit.capture.walk import MAX_FRAME
from tests.builders.captures import block

SECONDS = 1_700_000_000
ORDERS = ("<", ">")


def record(data: bytes, order: str = "<", seconds: int = SECONDS, fraction: int = 0) -> bytes:
    """A whole record of a pcap file."""
    return struct.pack(order + "4I", seconds, fraction, len(data), len(data)) + data


def frame_block(data: bytes, order: str = "<") -> bytes:
    """An enhanced packet block of interface 0."""
    fixed = struct.pack(order + "5I", 0, 0, 0, len(data), len(data))
    return block(6, fixed + data + bytes(-len(data) % 4), order)


def joined(parts: list[bytes], seed: int, random: Random, order: str) -> bytes:
    """Records in a row: of three seeds one has damage in the middle, and one a cut end."""
    if seed % 3 == 1:
        parts[len(parts) // 2] = struct.pack(order + "4I", SECONDS, 0, MAX_FRAME + 1, 1)
    data = b"".join(parts)
    return data[: -random.randrange(1, 40)] if seed % 3 == 2 else data
