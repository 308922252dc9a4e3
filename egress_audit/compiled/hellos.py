"""Streams told apart by their first payloads, and whole ClientHellos read, by hello.c. HOT PATH."""

from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, U8, Bool, PacketBatch
from egress_audit.compiled.bounds import refuse_strange_indexes
from egress_audit.compiled.library import address, addresses, function

OPEN, SILENT, PLAIN_HELLO, OTHER_HELLO = range(4)
"""What is known of a stream: readers must be asked; nothing is said in it, ever; it begins with a
whole ClientHello, which was read; with one that is not plain."""
PAYLOADS = ("payload", "payload_cap", "payload_len", "frame", "ts_ns")
"""Columns of PacketBatch that are read, in the order of C's struct payload_columns."""
HELLOS: tuple[type[np.generic], ...] = (np.int64, np.int64, np.int64, np.bool_, np.int64)
"""Of C's struct hello_columns, but for the last one."""
LONGEST_HOST = 255
"""Octets of a host in a plain hello."""


class PlainHellos(NamedTuple):
    """Plain ClientHellos; (n,) each."""

    flow: I64
    frame: I64
    ts_ns: I64
    outer: Bool
    """It stands in front of an Encrypted ClientHello."""
    host_size: I64
    """Bytes of the host; 0 if there is none."""
    hosts: bytes
    """One behind the other, as they were sent."""


def told_apart(packets: PacketBatch, side: I64, rows: I64) -> tuple[U8, I64, PlainHellos]:
    """(n,) what is known of the streams that begin with the payload of these rows; (n,) bytes with
    which a hello is whole that is not yet, else 0; and the plain hellos among them.

    side: of every packet, twice its flow, plus one for the originator.
    """
    count, size, packet_count = len(rows), len(packets.buffer), len(packets)
    columns = [np.ascontiguousarray(getattr(packets, name)) for name in PAYLOADS]
    given = addresses([(column, np.int64) for column in (*columns, side)], packet_count)
    refuse_strange_indexes(rows, packet_count)
    kind, needs = np.empty(count, np.uint8), np.empty(count, np.int64)
    found = [np.empty(count, dtype) for dtype in HELLOS]
    hosts = np.empty(min(count * LONGEST_HOST, size), np.uint8)
    places = [address(column, dtype, count) for column, dtype in zip(found, HELLOS, strict=True)]
    out = np.array([*places, address(hosts, np.uint8, len(hosts))], np.uint64)
    plain = function("tell_streams_apart", "pnppnpppn")(
        address(packets.buffer, np.uint8, size),
        size,
        address(given, np.uint64, len(given)),
        address(rows, np.int64, count),
        count,
        address(kind, np.uint8, count),
        address(needs, np.int64, count),
        address(out, np.uint64, len(out)),
        len(hosts),
    )
    flow, frame, ts_ns, outer, host_size = (column[:plain].copy() for column in found)
    used = hosts[: int(host_size.sum())].tobytes()
    return kind, needs, PlainHellos(flow, frame, ts_ns, outer, host_size, used)
