"""What was watched, and how well: the facts of a capture and the coverage ledger."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from egress_audit.model.destination import Absent
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of a capture, as its own header describes it."""

    index: int
    """Position in the file, over all sections, from 0."""
    section: int
    """Section of a pcapng file, from 0; 0 for pcap."""
    name: str | Absent
    linktype: int
    """LINKTYPE_ value."""
    linktype_name: str
    snaplen: int
    """Bytes of each frame that were kept at most; 0 means no limit."""
    capture_filter: str | Absent
    """The filter that the file records; NOT_FOUND when the format has no place for it or it is
    not given, which says nothing of whether one was used."""
    drops: int | Absent
    """Frames lost between interface and file; NOT_FOUND when the file does not say."""
    received: int | Absent
    frames: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the file stops making sense; reading ended or skipped there."""

    offset: int
    """Byte offset in the (uncompressed) input."""
    what: str


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A line of a pcapng Name Resolution Block: what the file's writer held a name to be."""

    address: str
    hosts: tuple[str, ...]


class Dialect(StrEnum):
    """Ways in which captures name the processes behind their frames: what `Owner.how` says."""

    APPLE = "Apple's process blocks"
    WIRESHARK = "Wireshark's process information blocks"
    HONE = "Hone's process blocks"
    PTCPDUMP = "comments of ptcpdump"
    RUSTNET = "comments of RustNet"
    ETL2PCAPNG = "comments of etl2pcapng"
    """Whatever ran when the frame was logged: not who sent it, by its own manual."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What a block of a pcapng file says of a process."""

    dialect: Dialect
    section: int
    number: int
    """Position among the blocks of its dialect in its section, from 0."""
    pid: int
    exe: str | Absent
    """Its path, or else its name."""
    cmdline: str | Absent
    start_ns: int | Absent
    """When it started; ns since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """What a block of Hone says of a socket: whose it was."""

    section: int
    connection: int
    pid: int


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What a frame source knows once it has been read to its end."""

    name: str
    """File name without folder; `-` for standard input."""
    sha256: str | Absent
    """NOT_ASKED if the user wanted none; NOT_APPLICABLE if merged: each of `parts` has its own."""
    size: int
    format: str
    """`pcap` or `pcapng`."""
    format_detail: str
    """For people: byte order, resolution, version, sections."""
    interfaces: tuple[Interface, ...]
    frames: int
    frames_without_time: int
    damage: tuple[Damage, ...]
    skipped_blocks: Mapping[str, int]
    """pcapng blocks that were not interpreted, by name; unknown and custom ones may hold frames."""
    host_records: tuple[HostRecord, ...]
    host_records_beyond: int
    """Name records past the bound that was kept."""
    processes: tuple[ProcessRecord, ...] = ()
    connections: tuple[ConnectionRecord, ...] = ()
    ended_by_user: bool = False
    """A live capture whose reader was told to stop before the capture had ended."""
    parts: tuple["CaptureFacts", ...] = ()
    """Of several captures that are read as one: the facts of each."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The longest time without a frame."""

    after_ns: int
    """Time of the frame before it; ns since the epoch, UTC."""
    length_ns: int


@dataclass(frozen=True, slots=True)
class Recording:
    """How far a bundle can be believed, and what was found of it in its own frames."""

    complete: bool
    """The record was closed by its recorder, and its manifest is there."""
    altered: tuple[str, ...]
    """Files of the bundle that are not as its manifest says."""
    problems: tuple[str, ...]
    """What is damaged, missing or contradictory in the record."""
    missing_probes: tuple[str, ...]
    """Parts of the positive control that are not there: `after, by name, IPv6`."""
    unattributed: int
    """Packets of ours of which nobody knows who sent them."""
    not_the_programs: Mapping[str, int]
    """Flows of our own helpers, by role; in no finding and no blind spot."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ledger: every frame in exactly one of `packets`, `no_destination`, `undecoded`."""

    frames: int
    packets: int
    """Frames that became packets of a flow."""
    no_destination: Mapping[str, int]
    """Frames of kinds that cannot carry a destination off the link (ARP, LLDP …), by kind."""
    undecoded: Mapping[str, int]
    """Frames that were not understood, by reason."""
    partial: Mapping[str, int]
    """Packets in a flow of which a part was not understood (fragment, cut header), by reason.
    Not beside `packets`: a part of it, or inside of one of them."""
    truncated: int
    """Frames of which the file holds fewer bytes than were on the wire."""
    duplicates: int
    """Frames that repeat one of the four before them, counted like the others: a capture on several
    interfaces records a packet more than once."""
    drops: int | Absent
    """Sum over interfaces; NOT_FOUND if any interface does not say."""
    interfaces: tuple[Interface, ...]
    first_ts_ns: int | Absent
    last_ts_ns: int | Absent
    longest_silence: Silence | Absent
    time_reversals: int
    """Frames whose time lies more than a second before their predecessor's on that interface."""
    frames_without_time: int
    damage: tuple[Damage, ...]
    skipped_blocks: Mapping[str, int]
    flows: int
    flows_evicted: int
    unread_heads: Mapping[str, int]
    """Beginnings of streams or datagrams in which a name was expected and could not be read,
    by reason."""
    hidden_names: Mapping[str, int]
    """Flows whose protocol hides the name (QUIC, encrypted DNS, TLS without SNI), by kind."""
    hidden_near: Mapping[str, int]
    """Those of them whose far end is this machine and which could carry a name further: a local
    proxy or resolver whose protocol was not read."""
    tunnels: Mapping[str, int]
    """Flows that carry other packets, some of which were not seen, by kind of tunnel."""
    names_dropped: int
    """Names not kept because a bound was reached."""
    one_way_flows: int
    """Flows in which one side answers a peer that the capture never shows."""
    unprompted_errors: int
    """Packets of ours that ICMP errors quote, from whoever, and that are not in the capture."""
    foreign_flows: int
    """Flows of which neither end is among the own addresses that were given, and one is beyond the
    local network: another host's, or of an own address that was not given; and flows begun by an
    address that was not given, from which this machine itself sent (sent_here.py)."""
    loopback_on_wire: int
    """Packets for or from a loopback address, or from an address to itself, in frames that no
    loopback interface recorded: of the outermost layer."""
    gap_flows: int
    missed_bytes: int
    conflicting_segments: int
    """Streams in which a segment was sent twice with different content, and datagrams in whose
    fragments some byte was."""
    probes: int | Absent
    """Probe packets of our own seen; NOT_APPLICABLE on a capture that was not made by us."""
    phases: tuple[str, ...] = ()
    """Those that are proven."""
    conditions: tuple[str, ...] = ()
    """Settings that silence a product, `NAME=value`."""
    host_records: tuple[HostRecord, ...] = field(default=())
    host_records_beyond: int = 0
    ended_by_user: bool = False
    """The user ended the reading of a live capture; what came after was not read."""
    recording: Recording | Absent = Absent.NOT_APPLICABLE
    """NOT_APPLICABLE on a capture that was not made by us."""
