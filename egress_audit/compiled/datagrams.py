"""What datagrams may be by their ports and first bytes, by datagrams.c. HOT PATH."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from egress_audit.columns import I8, I64, U8, U32, PacketBatch
from egress_audit.compiled.library import address, addresses, function

DATAGRAMS: dict[str, type[np.generic]] = {
    "proto": np.uint8,
    "sport": np.uint16,
    "dport": np.uint16,
    "payload": np.int64,
    "payload_cap": np.int64,
    "payload_len": np.int64,
}
"""Columns of PacketBatch, in the order of C's struct datagram_columns."""
PORTS, PROTOCOLS, NUMBERS = 1 << 16, 1 << 8, 1 << 8


class Shapes(NamedTuple):
    """Numbers of the tunnels that are known by their form."""

    wireguard: int
    packet: int
    """Of datagrams that may be an IP packet: their length is what it states."""
    passes_over: U8
    """(256,) 1 for the numbers that give way to this one."""


def tunnels(packets: PacketBatch, of_protocol: U8, of_port: U8, shapes: Shapes) -> tuple[I64, U8]:
    """Rows of the packets that are a tunnel's and carry something, and the number of it.

    of_protocol: (256,) of_port: (65536,) numbers of tunnels, 0 for none.
    """
    count, size = len(packets), len(packets.buffer)
    columns = _columns(packets)
    given = addresses(columns, count)
    rows, found = np.empty(count, np.int64), np.empty(count, np.uint8)
    some = function("tunnels_of_packets", "pnpnppnnppp")(
        address(packets.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        count,
        address(of_protocol, np.uint8, PROTOCOLS),
        address(of_port, np.uint8, PORTS),
        shapes.wireguard,
        shapes.packet,
        address(shapes.passes_over, np.uint8, NUMBERS),
        address(rows, np.int64, count),
        address(found, np.uint8, count),
    )
    return rows[:some].copy(), found[:some].copy()


def kinds(
    packets: PacketBatch, flow: I64, of_port: I8, versions: U32, plain_versions: U32
) -> tuple[I64, I8]:
    """Rows of the datagrams that somebody reads, and their kinds.

    flow: (n,) of each packet, negative for none; of_port: (65536,) kinds, -1 for none; versions:
    words of QUIC that are looked for, plain_versions those of Google's.
    """
    count, size = len(packets), len(packets.buffer)
    columns = _columns(packets)
    given = addresses(columns, count)
    looked_for = np.array(
        [
            address(versions, np.uint32, len(versions)),
            address(plain_versions, np.uint32, len(plain_versions)),
            len(versions),
            len(plain_versions),
        ],
        np.uint64,
    )
    rows, found = np.empty(count, np.int64), np.empty(count, np.int8)
    some = function("kinds_of_datagrams", "pnppnpppp")(
        address(packets.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        address(flow, np.int64, count),
        count,
        address(of_port, np.int8, PORTS),
        address(looked_for, np.uint64, len(looked_for)),
        address(rows, np.int64, count),
        address(found, np.int8, count),
    )
    return rows[:some].copy(), found[:some].copy()


def _columns(packets: PacketBatch) -> list[tuple[npt.NDArray[Any], npt.DTypeLike]]:
    return [
        (np.ascontiguousarray(getattr(packets, name)), dtype) for name, dtype in DATAGRAMS.items()
    ]
