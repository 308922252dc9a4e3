"""Fragments of one layer: each in the flow of its datagram, and the payload once. HOT PATH.

Sources: RFC 791 §3.2, RFC 8200 §4.5. Fragments are few and are looked at one by one; a batch
without any costs one test. A later fragment gets the ports of its first one, and waits for it if it
came before: it then stands in front of it. The fragment that makes a datagram whole is the packet
that carries the payload; its bytes stand behind those of the frames, in a longer buffer.
"""

from collections.abc import Iterator
from dataclasses import field, replace

import numpy as np

from egress_audit.columns import I64, U8, PacketBatch
from egress_audit.decode import ledger
from egress_audit.decode.further_readings import FurtherReading, Whole, side_by_side, without_link
from egress_audit.decode.layers import (
    COLUMNS,
    Values,
    chosen,
    from_values,
    joined,
    places_of,
    values_of,
)
from egress_audit.decode.ledger import Ledger
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
from egress_audit.values import dataclass

TRANSPORT = ("proto", "sport", "dport", "one_way", "tcp_flags", "tcp_seq", "tcp_ack")
"""Columns that a later fragment has from the first one of its datagram."""
PAYLOAD = ("payload", "payload_cap", "payload_len", "fragment")
"""What the fragment that completes a datagram has from the whole of it, beside TRANSPORT."""
FRAME = COLUMNS.index("frame")
MAX_WAITING = 4096
"""Later fragments that wait for their first one; further ones count as of no port at once."""
FRAGMENT_HEADER = 8
AT_THE_END = 1 << 62
"""Higher than the number of any frame."""


@dataclass(slots=True)
class Arrangement:
    """What becomes of the packets of one batch."""

    place: I64
    """(n,) where each packet stands, as `places_of` has it if nothing moves it."""
    held: dict[int, Late] = field(default_factory=dict)
    """Rows that do not stand in this batch."""
    said: dict[int, Transport] = field(default_factory=dict)
    """Rows, and what their first fragment says of the transport."""
    whole: dict[int, Whole] = field(default_factory=dict)
    """Rows that complete a datagram, and that."""
    released: list[tuple[int, Values]] = field(default_factory=list)
    """Packets of earlier batches, and where they stand."""


class Fragments:
    """The fragments of one layer of a capture."""

    def __init__(self) -> None:
        self._store = Reassembly()
        self._waiting = 0
        self.further: list[FurtherReading] = []
        """What fragments said beyond the packets; for the caller to empty."""

    def take(
        self, packets: PacketBatch, network: NetworkColumns, rows: I64, counted: Ledger
    ) -> tuple[PacketBatch, I64 | None]:
        """The packets as they are once fragments were looked at, and the place of each; None where
        all stand where their frames do, as without fragments.

        rows: (n,) row of each packet in `network`. Fragments are in the ledger already; those
        that were put together are taken out of it.
        """
        at = np.flatnonzero(packets.fragment)
        if not len(at):
            return packets, None
        made = Arrangement(places_of(packets))
        for row, piece in zip(at.tolist(), _pieces(packets, network, rows, at), strict=True):
            if piece.offset + piece.length + len(piece.head) <= LONGEST:
                self._take(packets, row, piece, made, counted)
        packets = _with_whole(packets, made, counted)
        if made.said:
            _say(packets, made.said)
        for row, late in made.held.items():
            late.row, late.values = -1, values_of(packets, row)
        return _arranged(packets, made)

    def waiting(self) -> set[int]:
        """Frames of the fragments that wait for their first one."""
        if not self._waiting:
            return set()
        return {int(late.values[FRAME]) for late in self._store.waiting()}

    def finish(self, buffer: U8) -> PacketBatch | None:
        """The fragments that still wait when the capture has ended, if any."""
        rest = self._store.rest()
        for datagram in rest:
            self._read_beginning(datagram, AT_THE_END)
        late = [late.values for datagram in rest for late in datagram.waiting]
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
        frame = int(packets.frame[row])
        if piece.offset == 0:
            datagram.transport = tuple(getattr(packets, name)[row] for name in TRANSPORT)
            datagram.frame, datagram.depth = frame, int(packets.depth[row])
            self._release(datagram, frame * 2, made)
        elif datagram.transport is not None:
            made.said[row] = datagram.transport
        elif self._waiting < MAX_WAITING:
            self._waiting += 1
            made.held[row] = Late(row)
            datagram.waiting.append(made.held[row])
        if datagram.whole:
            counted.put_together(datagram.pieces)
            otherwise = datagram.otherwise
            data = self._store.close(piece, datagram)
            whole = Whole(datagram.head, data, datagram.total, piece.ts_ns)
            made.whole[row] = whole
            if otherwise is not None:
                other = replace(whole, data=otherwise)
                self.further.append(FurtherReading(other, frame, datagram.depth, frame))
        while self._store.given_up:
            given_up = self._store.given_up.pop()
            self._read_beginning(given_up, frame)
            self._release(given_up, frame * 2, made)

    def _read_beginning(self, datagram: Datagram, behind: int) -> None:
        """Keeps what is there of a datagram that did not become whole, if it begins anew.

        behind: the frame with which that was sure.
        """
        data = datagram.beginning
        if datagram.head and data and not datagram.previous.startswith(data):
            # At least one byte is missing, or it would be whole.
            total = max(datagram.total, len(data) + 1)
            begun = Whole(datagram.head, data, total, datagram.ts_ns)
            self.further.append(FurtherReading(begun, datagram.frame, datagram.depth, behind))

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
            size, proto = (head[0] & 15) * 4, head[9]
            identification = head[9] << 16 | head[4] << 8 | head[5]
            word = (head[6] << 8 | head[7]) & 0x3FFF
            offset, more = (word & 0x1FFF) * 8, word & 0x2000 != 0
        else:
            size = field_at + FRAGMENT_HEADER - header
            head = buffer[field_at : field_at + FRAGMENT_HEADER].tobytes()
            proto = head[0]
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
            proto=proto,
        )


def _with_whole(packets: PacketBatch, made: Arrangement, counted: Ledger) -> PacketBatch:
    """The packets, those that complete a datagram with what the whole of it says."""
    if not made.whole:
        return packets
    rows = np.array(list(made.whole))
    batch = side_by_side(list(made.whole.values()))
    # Behind the bytes of the batch, where the other packets have theirs.
    buffer = np.concatenate([packets.buffer, batch.buffer])
    batch = replace(batch, buffer=buffer, offset=len(packets.buffer) + batch.offset)
    network = network_columns(batch, without_link(batch))
    read = np.flatnonzero(network.outcome == ledger.PACKET)
    whole, partial = transport_layers(batch, network, read, packets.frame[rows[read]])
    counted.add_partial(partial)
    counted.add_partial(np.full(len(rows) - len(read), ledger.FRAGMENT, np.uint8))
    for name in (*TRANSPORT, *PAYLOAD):
        getattr(packets, name)[rows[read]] = getattr(whole, name)
    for row in made.whole:
        made.said.pop(row, None)
    return replace(packets, buffer=buffer)


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
