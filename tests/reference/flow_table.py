"""Gathers packets into bidirectional flows with a dictionary: the oracle of `egress_audit.flows`.

Packets come in file order. Source: RFC 5103 (biflows); Zeek for who is held to have begun.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .packet import TCP, UDP, Packet

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

TCP_IDLE_NS = 300_000_000_000
OTHER_IDLE_NS = 60_000_000_000

LIKELY_SERVER_PORTS = frozenset(
    {
        *{21, 22, 25, 53, 67, 79, 80, 81, 88, 123, 135, 137, 139, 143, 161, 162, 389, 443, 445},
        *{465, 502, 514, 547, 563, 585, 587, 614, 631, 636, 784, 853, 989, 990, 992, 993, 995},
        *{1080, 1194, 1195, 1196, 1197, 1434, 1812, 1883, 2123, 2152, 2811, 3128, 3268, 3306},
        *{3389, 3544, 4789, 5060, 5072, 5222, 5223, 5269, 5351, 5353, 5355, 5432, 6081, 6379},
        *{6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000},
    }
)
"""Ports whose holder is taken for the server.

Zeek's `likely_server_ports` with every default script loaded, and the ports for which those
scripts register an analyzer; TCP and UDP in one set; DHCP's client ports 68 and 4011 are left out
as Zeek leaves them out of the former.
Source: zeek/zeek, scripts/base/protocols, scripts/base/packet-protocols, base/frameworks/tunnels.
"""

Endpoint = tuple[int, int]
"""Address and port."""
Key = tuple[int, int, frozenset[Endpoint] | tuple[Endpoint, Endpoint]]


@dataclass(slots=True)
class ReferenceFlow:
    """One flow; originator first."""

    version: int
    proto: int
    orig: Endpoint
    resp: Endpoint
    direction_known: bool
    first_ts_ns: int
    """Lowest time of its packets."""
    last_ts_ns: int
    """Highest."""
    first_frame: int
    last_frame: int
    orig_pkts: int = 0
    resp_pkts: int = 0
    orig_ip_bytes: int = 0
    resp_ip_bytes: int = 0
    end_reason: str = "forced-end"
    """`idle-timeout`, `end-of-flow` (reused after its end) or `forced-end` (end of capture)."""
    previous_ts_ns: int = 0
    """Time of the packet that came last, whether or not it is the highest."""
    orig_fin: bool = False
    resp_fin: bool = False
    reset: bool = False

    @property
    def closed(self) -> bool:
        """RST from one side, or FIN from both."""
        return self.reset or (self.orig_fin and self.resp_fin)

    def add(self, packet: Packet) -> None:
        """Counts one packet."""
        fin = packet.proto == TCP and packet.tcp_flags & FIN != 0
        if (packet.src, packet.sport) == self.orig:
            self.orig_pkts += 1
            self.orig_ip_bytes += packet.ip_len
            self.orig_fin = self.orig_fin or fin
        else:
            self.resp_pkts += 1
            self.resp_ip_bytes += packet.ip_len
            self.resp_fin = self.resp_fin or fin
        self.reset = self.reset or (packet.proto == TCP and packet.tcp_flags & RST != 0)
        if packet.ts_ns < self.first_ts_ns and packet.proto != TCP:
            self.direction_known = False
        self.first_ts_ns = min(self.first_ts_ns, packet.ts_ns)
        self.last_ts_ns = max(self.last_ts_ns, packet.ts_ns)
        self.previous_ts_ns = packet.ts_ns
        self.last_frame = packet.frame


def flows_of(packets: Iterable[Packet]) -> list[ReferenceFlow]:
    """The flows of a capture, in the order of their first packets."""
    flows: list[ReferenceFlow] = []
    live: dict[Key, ReferenceFlow] = {}
    for packet in packets:
        key = flow_key(packet)
        flow = live.get(key)
        if flow is not None:
            reason = _ended_by(flow, packet)
            if reason:
                flow.end_reason = reason
                flow = None
        if flow is None:
            flow = live[key] = _begun_by(packet)
            flows.append(flow)
        flow.add(packet)
    return flows


def flow_key(packet: Packet) -> Key:
    """What a packet shares with the others of its flow; unordered unless nothing can answer it."""
    ends = ((packet.src, packet.sport), (packet.dst, packet.dport))
    return packet.version, packet.proto, ends if packet.one_way else frozenset(ends)


def is_pure_syn(packet: Packet) -> bool:
    """SYN without ACK, FIN and RST."""
    return packet.proto == TCP and packet.tcp_flags & (SYN | ACK | FIN | RST) == SYN


def is_syn_ack(packet: Packet) -> bool:
    """SYN with ACK, whatever else is set."""
    return packet.proto == TCP and packet.tcp_flags & (SYN | ACK) == SYN | ACK


def _ended_by(flow: ReferenceFlow, packet: Packet) -> str:
    """Why `packet`, though it has the flow's key, begins a new flow; '' if it does not."""
    idle_ns = TCP_IDLE_NS if packet.proto == TCP else OTHER_IDLE_NS
    if packet.ts_ns - flow.previous_ts_ns > idle_ns:
        return "idle-timeout"
    if flow.closed and is_pure_syn(packet):
        return "end-of-flow"
    return ""


def _begun_by(packet: Packet) -> ReferenceFlow:
    """An empty flow, its originator decided by its first packet."""
    sender, receiver = (packet.src, packet.sport), (packet.dst, packet.dport)
    flipped = sent_by_responder(packet)
    known = packet.proto not in (UDP, 136) or packet.sport not in LIKELY_SERVER_PORTS
    if packet.proto == TCP:
        known = is_pure_syn(packet) or is_syn_ack(packet)
    return ReferenceFlow(
        version=packet.version,
        proto=packet.proto,
        orig=receiver if flipped else sender,
        resp=sender if flipped else receiver,
        direction_known=known,
        first_ts_ns=packet.ts_ns,
        last_ts_ns=packet.ts_ns,
        first_frame=packet.frame,
        last_frame=packet.frame,
    )


def sent_by_responder(packet: Packet) -> bool:
    """True if a flow's first packet looks like an answer: SYN+ACK, or from a server's port."""
    if is_syn_ack(packet):
        return True
    guessable = packet.proto in (UDP, 136) or (packet.proto == TCP and not packet.tcp_flags & SYN)
    from_server = packet.sport in LIKELY_SERVER_PORTS
    return guessable and from_server and packet.dport not in LIKELY_SERVER_PORTS
