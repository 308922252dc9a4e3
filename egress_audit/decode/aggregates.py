"""A-MSDUs: frames of 802.11 that hold several packets, each of which gets a row. HOT PATH.

Such a frame holds subframes: two addresses, a length, what Ethernet would have behind its type, and
padding to four bytes. Source: IEEE 802.11-2020 §9.3.2.2 (A-MSDU format).
"""

from typing import NamedTuple

import numpy as np

from egress_audit.columns import I64, FrameBatch
from egress_audit.decode import ledger
from egress_audit.decode.ledger import PACKET
from egress_audit.decode.link import LinkColumns, behind
from egress_audit.decode.link_kinds import AGGREGATE_80211
from egress_audit.decode.link_rows import LLC, Rows, unless
from egress_audit.values import dataclass

HEADER, LENGTH_AT = 14, 12
MAX_SUBFRAMES = 260
"""Followed in one frame, each in a pass of its own: the largest MPDU has 11,454 bytes, and the
smallest subframe with a packet in it 44. A frame of more is counted as not decoded."""
HARMLESS = tuple(ledger.NO_DESTINATION)


@dataclass(frozen=True, slots=True)
class Units:
    """What the frames of a batch hold: a row a frame, but of aggregates a row a subframe."""

    batch: FrameBatch
    link: LinkColumns
    frame: I64
    """(n,) Place of the frame among all that there were, ascending; none is left out."""


class Subframes(NamedTuple):
    """What aggregates hold; (n,) each, one aggregate behind the other."""

    frame: I64
    """Row of the aggregate."""
    start: I64
    """First byte behind the header of the subframe, into the buffer."""
    end: I64
    """Where its captured bytes end."""
    wire_end: I64
    outcome: I64
    """PACKET for what may be read, else why it cannot be."""


def units_of(batch: FrameBatch, link: LinkColumns) -> Units:
    """The frames, those that are aggregates taken apart. link: of the frames."""
    rows = np.flatnonzero(link.outcome == AGGREGATE_80211)
    if not len(rows):
        return Units(batch, link, np.arange(len(batch)))
    found = _subframes(batch, link.network, rows)
    count = np.ones(len(batch), np.int64)
    count[rows] = np.bincount(found.frame, minlength=len(batch))[rows]
    frame = np.repeat(np.arange(len(batch)), count)
    inside = np.flatnonzero(link.outcome[frame] == AGGREGATE_80211)
    units = batch.chosen(frame)
    units.offset[inside] = found.start
    units.caplen[inside] = found.end - found.start
    units.wirelen[inside] = found.wire_end - found.start
    cut = found.end < found.wire_end
    read = behind(LLC, Rows(batch.buffer, found.start, found.end, cut))
    taken = LinkColumns(link.network[frame], link.outcome[frame], link.version[frame])
    taken.network[inside], taken.version[inside] = read.network, read.version
    taken.outcome[inside] = unless(found.outcome, [(read.outcome != PACKET, read.outcome)])
    return Units(units, taken, frame)


def outcome_of_frames(units: Units, outcome: I64) -> I64:
    """(frames,) what became of each frame. outcome: (n,) of each unit.

    The first unit that could not be read decides, or else one that became a packet: a frame is
    decoded only if all of it is.
    """
    first = np.flatnonzero(np.diff(units.frame, prepend=-1))
    if len(first) == len(outcome):
        return outcome
    rank = np.where(outcome == PACKET, 1, np.where(np.isin(outcome, HARMLESS), 2, 0))
    decisive: I64 = outcome[np.lexsort((rank, units.frame))][first]
    return decisive


def _subframes(batch: FrameBatch, first: I64, rows: I64) -> Subframes:
    """The subframes of some frames. first: (frames,) where the first one begins; rows: of those."""
    at, end = first[rows], batch.offset[rows] + batch.caplen[rows]
    wire_end = batch.offset[rows] + batch.wirelen[rows]
    found: list[Subframes] = []
    for _ in range(MAX_SUBFRAMES):
        headers, start = Rows(batch.buffer, at, end, end < wire_end), at + HEADER
        outcome, stated = headers.short(start), start + headers.u16(at + LENGTH_AT)
        behind = np.where(outcome == PACKET, np.minimum(stated, wire_end), start)
        captured = np.clip(end, start, behind)
        found.append(Subframes(rows, start, captured, behind, outcome))
        # What a frame holds less of than is stated is read, as by tshark, and does not pass.
        lies = np.flatnonzero((outcome == PACKET) & (stated > wire_end))
        found.append(_unread(rows[lies], start[lies], ledger.LINK_MALFORMED))
        following = at + (stated - at + 3 & ~3)
        more = np.flatnonzero((outcome == PACKET) & (following + HEADER <= wire_end))
        rows, at, end, wire_end = rows[more], following[more], end[more], wire_end[more]
        if not len(rows):
            break
    found.append(_unread(rows, at, AGGREGATE_80211))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Subframes(*(column[order] for column in columns))


def _unread(rows: I64, at: I64, outcome: int) -> Subframes:
    """Stands for what is not read of some frames."""
    return Subframes(rows, at, at, at, np.full(len(rows), outcome))
