"""The columns that pass along the hot path: frames as read, packets, flows. HOT PATH."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from egress_audit.model.evidence import CaptureFacts
from egress_audit.model.flow import EndReason
from egress_audit.values import dataclass

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Counts = I32 | I64
"""Packets, bytes or frame numbers: narrow while those of the whole capture fit."""

Column = TypeVar("Column", bound=npt.NDArray[Any])

PADDING = 256
"""Zero bytes behind the last captured byte of every buffer, so that fixed-width gathers near its
end read zeros instead of leaving it. Lengths are checked by value, never by what was gathered."""


def rows_of(column: Column, rows: I64) -> Column:
    """Some rows of a column; the column itself if they are all of it, as in most batches.

    rows: ascending, each once. Whoever writes to what comes back may write to the column too.
    """
    chosen: Any = column if len(rows) == len(column) else column.take(rows)
    return chosen  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows that are equal in some columns, as groups in the order of their first rows."""

    first: I64
    """(g,) The first row of each group."""
    group: I64
    """(n,) The group of each row."""
    sizes: I64
    """(g,) How many rows each group has."""


def alike_side_by_side(columns: Sequence[npt.NDArray[Any]]) -> tuple[I64, I64]:
    """Rows, those that are equal in all of the columns in a row, and where each such group begins.

    columns: at least one. Alike rows stand in their own order.
    """
    order = np.lexsort(columns)
    changed = np.zeros(len(order), np.bool_)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[order][1:] != column[order][:-1]
    return order, np.flatnonzero(changed)


def alike_rows(columns: Sequence[npt.NDArray[Any]]) -> Alike:
    """Which rows are equal in all of the columns; there is at least one column."""
    order, starts = alike_side_by_side(columns)
    by_first = np.argsort(order[starts])
    number = np.empty(len(starts), np.int64)
    number[by_first] = np.arange(len(starts))
    sizes = np.diff(np.append(starts, len(order)))
    group = np.empty(len(order), np.int64)
    group[order] = np.repeat(number, sizes)
    return Alike(order[starts][by_first], group, sizes[by_first])


@dataclass(frozen=True, slots=True)
class Annotations:
    """Options beside frames that may say who sent them: comments, and numbers of processes.

    One row an option, in no order; most captures have none. Positions into the batch's buffer.
    """

    frame: I64
    """Frame number, from 1."""
    code: U16
    """Of the option, as its section numbers it."""
    offset: I64
    """First byte of the value."""
    length: I64
    big_endian: Bool
    section: I64
    """Section of the file, from 0."""

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Some consecutive frames of one capture: positions into a shared buffer.

    The buffer is reused: it is valid until the next batch is asked for.
    """

    buffer: U8
    """Bytes of the input, `PADDING` zeros behind them."""
    offset: I64
    """First captured byte of each frame, into `buffer`."""
    caplen: I64
    """Captured bytes."""
    wirelen: I64
    """Bytes on the wire, as the capture says; never less than `caplen`."""
    ts_ns: I64
    """Nanoseconds since the epoch, UTC."""
    interface: I32
    """Index into the interfaces of the capture."""
    linktype: I32
    """LINKTYPE_ value of that interface."""
    first_frame: int
    """Number of the first frame of the batch, counted from 1 over the whole capture."""
    annotations: Annotations | None = None
    """None where no frame has any."""

    def __len__(self) -> int:
        return len(self.offset)

    def chosen(self, rows: I64 | slice) -> "FrameBatch":
        """Some of its frames, without their annotations; `first_frame` stays that of the batch."""
        return replace(
            self,
            offset=self.offset[rows],
            caplen=self.caplen[rows],
            wirelen=self.wirelen[rows],
            ts_ns=self.ts_ns[rows],
            interface=self.interface[rows],
            linktype=self.linktype[rows],
            annotations=None,
        )


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """IP packets, one row each, in frame order; behind a tunnel's packet the one inside it.

    Later fragments that came before their first stand where that one does.
    """

    buffer: U8
    """Bytes of the frames, and those of datagrams that were put together from fragments."""
    frame: I64
    """Frame number, from 1."""
    ts_ns: I64
    version: U8
    """4 or 6."""
    src_hi: U64
    """Upper 64 bits of the source address in numerical order; 0 for IPv4."""
    src_lo: U64
    """Lower 64 bits; the whole address for IPv4."""
    dst_hi: U64
    dst_lo: U64
    proto: U8
    """IANA number of the transport, behind IPv6 extension headers."""
    sport: U16
    """Source port; ICMP type; 0 where there is none."""
    dport: U16
    """Destination port; for ICMP the type that answers (code if none does), as Zeek has it."""
    one_way: Bool
    """ICMP that no other type answers: its two directions are two flows."""
    ip_len: I64
    """Length on the wire from the IP header, header included."""
    tcp_flags: U8
    tcp_seq: U32
    tcp_ack: U32
    payload: I64
    """First byte of the transport payload, into `buffer`."""
    payload_cap: I64
    """Captured bytes of the payload."""
    payload_len: I64
    """Payload bytes on the wire."""
    fragment: Bool
    """A fragment (IPv4, or IPv6 fragment header) that does not make its datagram whole; ports only
    if the first fragment was seen."""
    depth: U8
    """Tunnels around the packet; 0 for the outermost packet of a frame."""
    carrier: Bool
    """A tunnel's packet whose inside is a row of its own, one depth further in."""
    sealed: U8
    """Index into SEALED: the tunnel that it belongs to, if its inside could not be read."""

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class FlowColumns:
    """The flows of one body of evidence, one row each, in the order of their first packets."""

    version: U8
    proto: U8
    one_way: Bool
    orig_hi: U64
    orig_lo: U64
    orig_p: U16
    resp_hi: U64
    resp_lo: U64
    resp_p: U16
    ts_ns: I64
    last_ts_ns: I64
    orig_pkts: Counts
    resp_pkts: Counts
    orig_ip_bytes: Counts
    resp_ip_bytes: Counts
    direction_known: Bool
    conn_state: U8
    """Index into CONN_STATES."""
    history: I32
    """Index into `histories`."""
    histories: tuple[str, ...]
    data_in_fin: Bool
    """A FIN carries payload, for which the history has no letter."""
    missed_bytes: I64
    end_reason: U8
    """Index into END_REASONS."""
    first_frame: Counts
    last_frame: Counts
    one_sided: Bool
    """TCP of which only one side is in the capture, and that side acknowledges the other."""
    encap_depth: U8
    """Tunnels around the flow."""
    carrier: Bool
    """A tunnel, some packets of which were opened: what was inside are flows of their own."""
    sealed: U8
    """Index into SEALED: the tunnel of which some packets could not be opened."""

    def __len__(self) -> int:
        return len(self.ts_ns)

    def has_letter(self, letters: str) -> Bool:
        """(n,) True for flows whose history has one of these letters."""
        table = np.array([not set(letters).isdisjoint(text) for text in self.histories], np.bool_)
        found: Bool = table[self.history]
        return found


class Quoted(NamedTuple):
    """Packets that ICMP errors quote; (n,) each."""

    flow: I64
    """Row of the flow of the error."""
    version: U64
    """0 of a quote that could not be read, whose ends are 0 too."""
    src_hi: U64
    src_lo: U64
    dst_hi: U64
    dst_lo: U64


CONN_STATES = (
    *("S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"),
)
SEALED = (
    *("", "IP in IP", "IPv6 in IP", "GRE", "ESP", "EtherIP", "IPComp", "L2TPv3", "MPLS in IP"),
    *("OpenVPN", "L2TP", "GTP-U", "Teredo", "ESP in UDP", "IKE", "GRE in UDP", "VXLAN", "Geneve"),
    *("WireGuard", "LISP", "GUE", "MPLS in UDP", "AYIYA", "CAPWAP", "ZeroTier"),
    *("PIM Register", "GTP version 0", "TZSP", "IP in UDP", "AMT", "TURN"),
    *("B.A.T.M.A.N.", "sFlow", "LWAPP", "Jmirror"),
    "nested too deeply",
)
"""Tunnels, as `sealed` numbers them; the first is none."""
END_REASONS = tuple(reason.value for reason in EndReason)


class FrameSource(Protocol):
    """Where frames come from: a file, standard input, a live ring."""

    def __iter__(self) -> Iterator[FrameBatch]:
        """Yields every frame exactly once, in the order of the capture."""
        ...

    def facts(self) -> CaptureFacts:
        """What is known once iteration has ended."""
        ...


class OpenedSource(FrameSource, Protocol):
    """A source that holds an input open until it has been read to its end."""

    def close(self) -> None:
        """Closes the input, for those who stop early."""
        ...


def is_loopback(version: U8, hi: U64, lo: U64) -> Bool:
    """(n,) True for 127.0.0.0/8, the same mapped into IPv6 (RFC 4291 §2.5.5.2), and ::1."""
    four: Bool = (version == 4) & (lo >> np.uint64(24) == 127)
    mapped = lo >> np.uint64(24) == 0xFFFF7F
    six: Bool = (version == 6) & (hi == 0) & ((lo == 1) | mapped)
    return four | six
