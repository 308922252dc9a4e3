"""Two segments that follow each other, put together as if they had come as one. HOT PATH.

A ClientHello with a key of a post-quantum exchange is longer than a segment, and takes two.
"""

from dataclasses import fields

import numpy as np

from egress_audit.columns import I64, PacketBatch
from egress_audit.flows.segments import beginnings_of, sequences_of

LONGEST = 4096
"""Bytes of a segment that is put together with another: most links carry 1,500."""
MOST = 4096
"""Pairs of a batch; what is beyond goes the long way."""


def pairs_of(packets: PacketBatch, side: I64, first: I64, payload: I64) -> tuple[I64, I64]:
    """Some rows, each of a side of its own, and the next ones of their sides, (m,) each: of those
    whose payload goes on right there.

    first: rows whose payload was captured to its end; payload: rows with payload, ascending, those
    of these sides among them.
    """
    first = first[packets.payload_cap[first] <= LONGEST][:MOST]
    order = np.argsort(side[first])
    sides = side[first][order]
    place = np.searchsorted(sides, side[payload])
    known = np.flatnonzero(place < len(sides))
    known = known[sides[place[known]] == side[payload[known]]]
    rows, pair = payload[known], order[place[known]]
    behind = rows > first[pair]
    pair, rows = pair[behind], rows[behind]
    # Of what is assigned to one place the last counts, which here is the next row of its side.
    second = np.full(len(first), -1)
    second[pair[::-1]] = rows[::-1]
    first, second = first[second >= 0], second[second >= 0]
    ends = sequences_of(packets, first) + packets.payload_len[first].astype(np.uint32)
    whole = packets.payload_cap[second] >= packets.payload_len[second]
    whole &= packets.payload_cap[second] <= LONGEST
    fits = whole & (sequences_of(packets, second) == ends)
    return first[fits], second[fits]


def joined(packets: PacketBatch, first: I64, second: I64) -> PacketBatch:
    """The second ones of pairs of rows, with the payload of both."""
    octets, sizes = beginnings_of(packets, np.stack((first, second), axis=1).ravel(), LONGEST)
    both = sizes.reshape(-1, 2).sum(axis=1)
    names = [field.name for field in fields(packets) if field.name != "buffer"]
    columns = {name: getattr(packets, name)[second] for name in names}
    columns |= {"payload": np.cumsum(both) - both, "payload_cap": both, "payload_len": both}
    return PacketBatch(buffer=np.frombuffer(octets, np.uint8), **columns)
