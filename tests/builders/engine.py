"""Runs the columnar engine over the bytes of a capture and hands back values that compare.

What `tests.reference` hands back for the same bytes has the same shapes.
"""

import io
from collections import Counter
from dataclasses import dataclass, field, replace

from egress_audit.addresses import address_text
from egress_audit.capture.source import source_of
from egress_audit.capture.window import BLOCK, Window
from egress_audit.columns import (
    END_REASONS,
    SEALED,
    FlowColumns,
    FrameBatch,
    OpenedSource,
    PacketBatch,
)
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.outermost import outermost
from egress_audit.decode.packets import Decoder
from egress_audit.decode.sent_here import SentHere
from egress_audit.flows.table import FlowTable
from egress_audit.flows.view import columns_of, flow_at
from egress_audit.model.evidence import CaptureFacts
from egress_audit.model.flow import Flow
from tests.reference.capture_reader import ReferenceCapture, ReferenceFrame, read_capture
from tests.reference.flow_table import flows_of
from tests.reference.packet import NoDestination, Packet, Several, Undecoded
from tests.reference.packet_decoder import decode_frame, packets_in

SMALLEST_BLOCK = 32
"""Bytes that a window must hold for a capture to be recognised by its header."""

FrameRow = tuple[int, int, int, int, int, int, bytes]
"""Number, time, captured length, wire length, interface, link type, bytes."""
FlowRow = tuple[object, ...]


def packets_of(batch: FrameBatch, counted: Ledger) -> PacketBatch:
    """The outermost IP packets of a batch, no fragments put together and no tunnels opened."""
    return outermost(batch, counted).packets


@dataclass(slots=True)
class Run:
    """Everything the engine made of a capture."""

    frames: list[FrameRow] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    table: FlowTable = field(default_factory=FlowTable)
    facts: CaptureFacts | None = None

    @property
    def flows(self) -> FlowColumns:
        """The flows of the capture."""
        return columns_of(self.table)


def opened(data: bytes, block: int = BLOCK) -> OpenedSource:
    """A source for the bytes; ValueError if they begin like no capture."""
    source = source_of("capture", Window(io.BytesIO(data), block=block))
    if source is None:
        raise ValueError("no readable header")
    return source


def run(data: bytes, block: int = BLOCK, *, keep: bool = True) -> Run:
    """Reads, decodes and sorts a whole capture. `keep`: frames and packets as values, too."""
    done, source = Run(), opened(data, block)
    for batch in source:
        packets = packets_of(batch, done.ledger)
        done.table.add(packets)
        if keep:
            done.frames += frame_rows(batch)
            done.packets += packet_rows(batch, packets)
    done.facts = source.facts()
    return done


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet as the whole decoder sees it, fragments put together and tunnels opened."""

    frame: int
    depth: int
    src: str
    dst: str
    proto: int
    sport: int
    dport: int
    ip_len: int
    payload: bytes
    payload_len: int
    fragment: bool
    carrier: bool
    sealed: str


@dataclass(slots=True)
class Decoded:
    """What the whole decoder makes of a capture."""

    packets: list[Seen] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    table: FlowTable = field(default_factory=FlowTable)
    sent_here: SentHere = field(default_factory=SentHere)

    @property
    def flows(self) -> FlowColumns:
        """The flows of the capture."""
        return columns_of(self.table)


def decoded(data: bytes, block: int = BLOCK) -> Decoded:
    """Decodes a whole capture, fragments and tunnels included."""
    decoder = Decoder()
    done = Decoded(sent_here=decoder.sent_here)
    for batch in opened(data, block):
        packets = decoder.packets(batch, done.ledger)
        done.table.add(packets)
        done.packets += seen_in(packets)
    left = decoder.finish()
    if left is not None:
        done.table.add(left)
        done.packets += seen_in(left)
    return done


def seen_in(packets: PacketBatch) -> list[Seen]:
    """The packets of a batch as values."""
    found = []
    for row in range(len(packets)):
        version, start = int(packets.version[row]), int(packets.payload[row])
        ends = ((packets.src_hi, packets.src_lo), (packets.dst_hi, packets.dst_lo))
        src, dst = (address_text(version, int(hi[row]), int(lo[row])) for hi, lo in ends)
        payload = packets.buffer[start : start + int(packets.payload_cap[row])].tobytes()
        found.append(
            Seen(
                *(int(packets.frame[row]), int(packets.depth[row]), src, dst),
                *(int(packets.proto[row]), int(packets.sport[row]), int(packets.dport[row])),
                *(int(packets.ip_len[row]), payload, int(packets.payload_len[row])),
                *(bool(packets.fragment[row]), bool(packets.carrier[row])),
                SEALED[packets.sealed[row]],
            )
        )
    return found


def facts_of(data: bytes, block: int = BLOCK) -> CaptureFacts:
    """The facts of a capture, once it has been read."""
    source = opened(data, block)
    for _ in source:
        pass
    return source.facts()


def flows_in(data: bytes) -> list[Flow]:
    """The flows of a capture as values; no address is ours."""
    columns = run(data, keep=False).flows
    return [
        flow_at(columns, row, local_orig=False, local_resp=False) for row in range(len(columns))
    ]


def frame_rows(batch: FrameBatch) -> list[FrameRow]:
    """The frames of a batch."""
    columns = zip(
        *(column.tolist() for column in (batch.offset, batch.caplen, batch.wirelen, batch.ts_ns)),
        batch.interface.tolist(),
        batch.linktype.tolist(),
        strict=True,
    )
    return [
        (
            number,
            ts_ns,
            caplen,
            wirelen,
            interface,
            linktype,
            batch.buffer[at : at + caplen].tobytes(),
        )
        for number, (at, caplen, wirelen, ts_ns, interface, linktype) in enumerate(
            columns, batch.first_frame
        )
    ]


def packet_rows(batch: FrameBatch, packets: PacketBatch) -> list[Packet]:
    """The packets of a batch; `payload` counted from the frame, 0 where no byte of it is there."""
    start = batch.offset[packets.frame - batch.first_frame]
    payload = (packets.payload - start) * (packets.payload_cap > 0)
    columns = zip(
        *(getattr(packets, name).tolist() for name in FIELDS),
        payload.tolist(),
        *(getattr(packets, name).tolist() for name in ("src_hi", "src_lo", "dst_hi", "dst_lo")),
        strict=True,
    )
    return [
        Packet(
            **dict(zip(FIELDS, fields, strict=True)),
            payload=at,
            src=src_hi << 64 | src_lo,
            dst=dst_hi << 64 | dst_lo,
        )
        for *fields, at, src_hi, src_lo, dst_hi, dst_lo in columns
    ]


FIELDS = (
    *("frame", "ts_ns", "version", "proto", "ip_len", "sport", "dport", "one_way", "tcp_flags"),
    *("tcp_seq", "tcp_ack", "payload_cap", "payload_len", "fragment"),
)


def flow_rows(flows: FlowColumns) -> list[FlowRow]:
    """The flows, each as `reference_flow_rows` has it."""
    ends = (
        (flows.orig_hi.tolist(), flows.orig_lo.tolist(), flows.orig_p.tolist()),
        (flows.resp_hi.tolist(), flows.resp_lo.tolist(), flows.resp_p.tolist()),
    )
    pairs = [
        [(hi << 64 | lo, port) for hi, lo, port in zip(*columns, strict=True)] for columns in ends
    ]
    rest = [getattr(flows, name).tolist() for name in COUNTED]
    reasons = [END_REASONS[number] for number in flows.end_reason.tolist()]
    return list(zip(*pairs, reasons, *rest, strict=True))


COUNTED = (
    *("version", "proto", "direction_known", "ts_ns", "last_ts_ns", "first_frame", "last_frame"),
    *("orig_pkts", "resp_pkts", "orig_ip_bytes", "resp_ip_bytes"),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything the oracle makes of a capture."""

    frames: list[FrameRow]
    packets: list[Packet]
    """As `packet_rows` has them, `partial` left out."""
    undecoded: Counter[str]
    no_destination: Counter[str]
    partial: Counter[str]
    damage: list[int]
    """Offsets; each place once."""
    interfaces: list[tuple[int, int, int]]
    """Section, link type and snap length of each."""
    flows: list[FlowRow]


def reference(data: bytes) -> Reference:
    """What the oracle makes of the bytes; ValueError if they begin like no capture."""
    capture = read_capture(data)
    decoded = [decode_frame(frame) for frame in capture.frames]
    packets = [packet for found in decoded for packet in packets_in(found)]
    fates = [found.fate if isinstance(found, Several) else found for found in decoded]
    return Reference(
        frames=[reference_frame_row(frame) for frame in capture.frames],
        packets=[_without_partial(packet) for packet in packets],
        undecoded=Counter(found.reason for found in fates if isinstance(found, Undecoded)),
        no_destination=Counter(found.kind for found in fates if isinstance(found, NoDestination)),
        partial=Counter(packet.partial for packet in packets if packet.partial),
        damage=_places(capture),
        interfaces=[(i.section, i.linktype, i.snaplen) for i in capture.interfaces],
        flows=reference_flow_rows(packets),
    )


def _places(capture: ReferenceCapture) -> list[int]:
    stop = [capture.damage] if capture.damage else []
    return sorted({damage.offset for damage in (*capture.notes, *stop)})


def reference_frame_row(frame: ReferenceFrame) -> FrameRow:
    """A frame of the oracle as `frame_rows` has it."""
    return (
        *(frame.number, frame.ts_ns, frame.caplen, frame.wirelen),
        *(frame.interface, frame.linktype, frame.data),
    )


def reference_flow_rows(packets: list[Packet]) -> list[FlowRow]:
    """Both ends, end reason, then the columns of COUNTED."""
    return [
        (
            *(flow.orig, flow.resp, flow.end_reason, flow.version, flow.proto),
            *(flow.direction_known, flow.first_ts_ns, flow.last_ts_ns, flow.first_frame),
            *(flow.last_frame, flow.orig_pkts, flow.resp_pkts),
            *(flow.orig_ip_bytes, flow.resp_ip_bytes),
        )
        for flow in flows_of(packets)
    ]


def _without_partial(packet: Packet) -> Packet:
    return replace(packet, partial=None, payload=packet.payload if packet.payload_cap else 0)
