"""Fragments of one layer: each in the flow of its datagram, and the payload once. HOT PATH.

Sources: RFC 791 §3.2, RFC 8200 §4.5. Fragments are few and are looked at one by one; a batch
without any costs one test. A later fragment gets the ports of its first one, and waits for it if it
came before: it then stands in front of it. The fragment that makes a datagram whole is the packet
that carries the payload; its bytes stand behind those of the frames, in a longer buffer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from egress_audit.columns import I64, PADDING, U8, FrameBatch, PacketBatch
from egress_audit.decode import ledger
from egress_audit.decode.layers import COLUMNS, Values, chosen, from_values, joined, values_of
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.link import LinkColumns
from egress_audit.decode.network import NetworkColumns, network_columns
from egress_audit.decode.reassembly import (
    LONGEST,
    Datagram,
    Fragment,
    Late,
    Reassembly,
    Transport,
)
from egress_audit.decode.transport import transport_layers

TRANSPORT = ("proto", "sport", "dport", "one_way", "tcp_flags", "tcp_seq", "tcp_ack")
"""Columns that a later fragment has from the first one of its datagram."""
PAYLOAD = ("payload", "payload_cap", "payload_len", "fragment")
"""What the fragment that completes a datagram has from the whole of it, beside TRANSPORT."""
MAX_WAITING = 4096
"""Later fragments that wait for their first one; further ones count as of no port at once."""
IPV6_HEADER, FRAGMENT_HEADER = 40, 8


@dataclass(slots=True)
class Arrangement:
    """What becomes of the packets of one batch."""

    place: I64
    """(n,) where each packet stands: twice its frame, plus one."""
    held: dict[int, Late] = field(default_factory=dict)
    """Rows that do not stand in this batch."""
    said: dict[int, Transport] = field(default_factory=dict)
    """Rows, and what their first fragment says of the transport."""
    whole: list[tuple[int, bytes, bytes, int]] = field(default_factory=list)
    """Rows that complete a datagram: headers, data as captured, bytes of data on the wire."""
    released: list[tuple[int, Values]] = field(default_factory=list)
    """Packets of earlier batches, and where they stand."""


class Fragments:
    """The fragments of one layer of a capture."""

    def __init__(self) -> None:
        self._store = Reassembly()
        self._waiting = 0

    def take(
        self, packets: PacketBatch, network: NetworkColumns, rows: I64, counted: Ledger
    ) -> tuple[PacketBatch, I64]:
        """The packets as they are once fragments were looked at, and the place of each.

        rows: (n,) row of each packet in `network`. Fragments are in the ledger already; those
        that were put together are taken out of it.
        """
        place = packets.frame * 2 + 1
        at = np.flatnonzero(packets.fragment)
        if not len(at):
            return packets, place
        made = Arrangement(place)
        for row, piece in zip(at.tolist(), _pieces(packets, network, rows, at), strict=True):
            if piece.offset + piece.length + len(piece.head) <= LONGEST:
                self._take(packets, row, piece, made, counted)
        packets = _with_whole(packets, made, counted)
        if made.said:
            _say(packets, made.said)
        for row, late in made.held.items():
            late.row, late.values = -1, values_of(packets, row)
        return _arranged(packets, made)

    def finish(self, buffer: U8) -> PacketBatch | None:
        """The fragments that still wait when the capture has ended, if any."""
        late = [late.values for datagram in self._store.rest() for late in datagram.waiting]
        return from_values(buffer, late) if late else None

    def _take(
        self, packets: PacketBatch, row: int, piece: Fragment, made: Arrangement, counted: Ledger
    ) -> None:
        """Looks at one fragment."""
        datagram, repeats = self._store.take(piece)
        if repeats:
            counted.put_together(1)
        counted.conflicting += datagram.contradicted and not datagram.counted
        datagram.counted = datagram.contradicted
        front = int(packets.frame[row]) * 2
        if piece.offset == 0:
            datagram.transport = tuple(getattr(packets, name)[row] for name in TRANSPORT)
            self._release(datagram, front, made)
        elif datagram.transport is not None:
            made.said[row] = datagram.transport
        elif self._waiting < MAX_WAITING:
            self._waiting += 1
            made.held[row] = Late(row)
            datagram.waiting.append(made.held[row])
        if datagram.whole:
            counted.put_together(datagram.pieces)
            data = self._store.close(piece, datagram)
            made.whole.append((row, datagram.head, data, datagram.total))
        while self._store.given_up:
            self._release(self._store.given_up.pop(), front, made)

    def _release(self, datagram: Datagram, place: int, made: Arrangement) -> None:
        """Lets those go that waited for the first fragment of a datagram."""
        for late in datagram.waiting:
            if late.row < 0:
                made.released.append((place, _with_transport(late.values, datagram.transport)))
                continue
            made.place[late.row] = place
            del made.held[late.row]
            if datagram.transport is not None:
                made.said[late.row] = datagram.transport
        self._waiting -= len(datagram.waiting)
        datagram.waiting.clear()


def _say(packets: PacketBatch, said: dict[int, Transport]) -> None:
    """Writes what first fragments say of the transport over rows of a batch."""
    rows = np.array(list(said))
    for name, values in zip(TRANSPORT, zip(*said.values(), strict=True), strict=True):
        getattr(packets, name)[rows] = values


def _with_transport(values: Values, transport: Transport | None) -> Values:
    """A packet with the ports of its first fragment, if that was seen."""
    if transport is None:
        return values
    columns = dict(zip(COLUMNS, values, strict=True))
    return tuple((columns | dict(zip(TRANSPORT, transport, strict=True))).values())


def _pieces(
    packets: PacketBatch, network: NetworkColumns, rows: I64, at: I64
) -> Iterator[Fragment]:
    """The fragments at the given rows of a batch."""
    buffer, rows = packets.buffer, rows[at]
    columns = (packets.version, packets.src_hi, packets.src_lo, packets.dst_hi, packets.dst_lo)
    ends = zip(*(column[at].tolist() for column in columns), strict=True)
    places = zip(
        *(network.header[rows].tolist(), network.fragment_at[rows].tolist()),
        *(network.end[rows].tolist(), packets.ip_len[at].tolist(), packets.ts_ns[at].tolist()),
        strict=True,
    )
    for addresses, (header, field_at, end, ip_len, ts_ns) in zip(ends, places, strict=True):
        if addresses[0] == 4:
            head = buffer[header : header + 60].tobytes()
            size = (head[0] & 15) * 4
            identification = head[9] << 16 | head[4] << 8 | head[5]
            word = (head[6] << 8 | head[7]) & 0x3FFF
            offset, more = (word & 0x1FFF) * 8, word & 0x2000 != 0
        else:
            size = field_at + FRAGMENT_HEADER - header
            head = buffer[field_at : field_at + FRAGMENT_HEADER].tobytes()
            identification = int.from_bytes(head[4:8], "big")
            word = head[2] << 8 | head[3]
            offset, more = word & 0xFFF8, word & 1 != 0
        start = header + size
        length = max(header + ip_len - start, 0)
        yield Fragment(
            key=(*addresses, identification),
            ts_ns=ts_ns,
            offset=offset,
            length=length,
            data=buffer[start : max(min(end, start + length), start)].tobytes(),
            more=more,
            head=buffer[header:start].tobytes() if offset == 0 else b"",
        )


def _with_whole(packets: PacketBatch, made: Arrangement, counted: Ledger) -> PacketBatch:
    """The packets, those that complete a datagram with what the whole of it says."""
    if not made.whole:
        return packets
    rows = np.array([row for row, *_ in made.whole])
    batch = _side_by_side(packets, rows, made.whole)
    count = len(rows)
    link = LinkColumns(batch.offset, np.zeros(count, np.int64), np.zeros(count, np.uint8))
    network = network_columns(batch, link)
    read = np.flatnonzero(network.outcome == ledger.PACKET)
    whole, partial = transport_layers(batch, network, read, packets.frame[rows[read]])
    counted.add_partial(partial)
    counted.add_partial(np.full(count - len(read), ledger.FRAGMENT, np.uint8))
    for name in (*TRANSPORT, *PAYLOAD):
        getattr(packets, name)[rows[read]] = getattr(whole, name)
    for row in rows.tolist():
        made.said.pop(row, None)
    return replace(packets, buffer=batch.buffer)


def _side_by_side(
    packets: PacketBatch, rows: I64, whole: Iterable[tuple[int, bytes, bytes, int]]
) -> FrameBatch:
    """Datagrams as frames of nothing else, behind the bytes of the batch."""
    parts = [(_unfragmented(head, total), data, total) for _, head, data, total in whole]
    caplen = np.array([len(head) + len(data) for head, data, _ in parts])
    wirelen = np.array([len(head) + total for head, _, total in parts])
    bytes_of_all = b"".join(head + data for head, data, _ in parts) + bytes(PADDING)
    side = np.frombuffer(bytes_of_all, np.uint8)
    none = np.zeros(len(rows), np.int32)
    return FrameBatch(
        buffer=np.concatenate([packets.buffer, side]),
        offset=len(packets.buffer) + np.cumsum(caplen) - caplen,
        caplen=caplen,
        wirelen=wirelen,
        ts_ns=packets.ts_ns[rows],
        interface=none,
        linktype=none,
        first_frame=0,
    )


def _unfragmented(head: bytes, total: int) -> bytes:
    """The headers of a first fragment as those of the whole datagram; 0 for a length too long."""
    length = len(head) + total
    if head[0] >> 4 == 4:
        stated = (length if length <= LONGEST else 0).to_bytes(2, "big")
        return head[:2] + stated + head[4:6] + b"\0\0" + head[8:]
    length -= IPV6_HEADER
    stated = (length if length <= LONGEST else 0).to_bytes(2, "big")
    return head[:4] + stated + head[6:-6] + b"\0\0" + head[-4:]


def _arranged(packets: PacketBatch, made: Arrangement) -> tuple[PacketBatch, I64]:
    """The packets that stand in this batch, and their places."""
    place = made.place
    if made.held:
        stays = np.ones(len(packets), np.bool_)
        stays[list(made.held)] = False
        packets, place = chosen(packets, stays), place[stays]
    if made.released:
        before = from_values(packets.buffer, [values for _, values in made.released])
        places = np.array([front for front, _ in made.released])
        place = np.concatenate([places, place])
        packets = joined([before, packets])
    return packets, place
