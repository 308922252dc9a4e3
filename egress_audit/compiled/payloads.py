"""The first bytes of payloads put side by side, by payloads.c. HOT PATH."""

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.compiled.bounds import refuse_strange_indexes
from egress_audit.compiled.library import address, function


def joined_beginnings(packets: PacketBatch, rows: I64, longest: int) -> tuple[memoryview, I64]:
    """The first captured bytes of the payload of some rows, at most `longest` of each, one behind
    the other; and how many they are, (n,)."""
    count, size, packet_count = len(rows), len(packets.buffer), len(packets)
    refuse_strange_indexes(rows, packet_count)
    payload, captured = (
        np.ascontiguousarray(column) for column in (packets.payload, packets.payload_cap)
    )
    octets, sizes = np.empty(count * longest, np.uint8), np.empty(count, np.int64)
    used = function("join_beginnings", "pnpppnnpp")(
        address(packets.buffer, np.uint8, size),
        size,
        address(payload, np.int64, packet_count),
        address(captured, np.int64, packet_count),
        address(rows, np.int64, count),
        count,
        longest,
        address(octets, np.uint8, count * longest),
        address(sizes, np.int64, count),
    )
    return octets[:used].data, sizes
