"""Tunnels: which packets are some, and the packets inside of them, in columns. HOT PATH.

A tunnel is known by its protocol number or by a UDP port of either end; WireGuard also by what its
messages look like, and a packet at once behind UDP by its checksum. What is inside is believed only
if its own headers are consistent and it is no longer than its wrapping; otherwise the tunnel is
sealed, and so is one that is encrypted. Source: the IANA registries of protocol numbers and of
ports.
"""

from collections.abc import Callable

import numpy as np

from egress_audit.columns import I64, SEALED, U8, U32, Bool, FrameBatch, PacketBatch
from egress_audit.compiled import datagrams, library
from egress_audit.decode import contents, gre, ip_in_udp, ledger, link_kinds, mirrored, udp_tunnels
from egress_audit.decode.contents import Inside
from egress_audit.decode.link import LinkColumns, behind
from egress_audit.decode.link_rows import AVS, ETHERNET, IEEE802_11, MPLS, PPP_SERIAL, PRISM, Rows
from egress_audit.decode.network import NetworkColumns, network_columns
from egress_audit.model.protocols import DNS_PORT, UDP
from egress_audit.values import dataclass

Reader = Callable[[Rows], Inside]


def ip_in_ip(rows: Rows) -> Inside:
    """IPv4 at once (RFC 2003)."""
    return Inside(np.full(len(rows.start), contents.IPV4, np.uint8), rows.start)


def ipv6_in_ip(rows: Rows) -> Inside:
    """IPv6 at once (RFC 2473, RFC 4213)."""
    return Inside(np.full(len(rows.start), contents.IPV6, np.uint8), rows.start)


PROTOCOLS: dict[int, tuple[str, Reader]] = {
    4: ("IP in IP", ip_in_ip),
    41: ("IPv6 in IP", ipv6_in_ip),
    47: ("GRE", gre.gre),
    50: ("ESP", contents.sealed),
    97: ("EtherIP", gre.etherip),
    103: ("PIM Register", mirrored.pim_register),
    108: ("IPComp", contents.sealed),
    115: ("L2TPv3", gre.l2tpv3),
    137: ("MPLS in IP", gre.mpls),
}
PORTS: dict[int, tuple[str, Reader]] = {
    500: ("IKE", contents.sealed),
    1194: ("OpenVPN", contents.sealed),
    1701: ("L2TP", udp_tunnels.l2tp),
    2123: ("GTP-U", udp_tunnels.gtp_c),
    2152: ("GTP-U", udp_tunnels.gtp_u),
    2268: ("AMT", udp_tunnels.amt),
    3386: ("GTP version 0", udp_tunnels.gtp_0),
    3478: ("TURN", udp_tunnels.turn),
    3544: ("Teredo", udp_tunnels.teredo),
    4306: ("B.A.T.M.A.N.", udp_tunnels.batman),
    4341: ("LISP", udp_tunnels.lisp),
    4342: ("LISP", udp_tunnels.lisp_control),
    4500: ("ESP in UDP", udp_tunnels.esp_in_udp),
    4754: ("GRE in UDP", gre.gre),
    4789: ("VXLAN", udp_tunnels.vxlan),
    4790: ("VXLAN", udp_tunnels.vxlan_gpe),
    5072: ("AYIYA", udp_tunnels.ayiya),
    5247: ("CAPWAP", contents.sealed),
    6080: ("GUE", udp_tunnels.gue),
    6081: ("Geneve", udp_tunnels.geneve),
    6343: ("sFlow", contents.sealed),
    6635: ("MPLS in UDP", gre.mpls),
    8472: ("VXLAN", udp_tunnels.vxlan),
    9993: ("ZeroTier", contents.sealed),
    12222: ("LWAPP", contents.sealed),
    30030: ("Jmirror", mirrored.jmirror),
    37008: ("TZSP", mirrored.tzsp),
    51820: ("WireGuard", contents.sealed),
}
"""UDP port of either end → the tunnel. The port of the receiver counts more."""
IP_IN_UDP = ("IP in UDP", ip_in_udp.ip_at_once)
READERS: list[tuple[str, Reader]] = [
    ("", contents.sealed),
    *dict.fromkeys((*PROTOCOLS.values(), *PORTS.values(), IP_IN_UDP)),
]
WIREGUARD, AT_ONCE = READERS.index(PORTS[51820]), READERS.index(IP_IN_UDP)
BY_SHAPE_TOO = (
    0,
    *(READERS.index(PORTS[port]) for port in (2123, 2268, 3386, 3478, 4342, 37008)),
)
"""Readers that pass over what they do not know, so that it may be what is known by its form."""
PASSES_OVER: U8 = np.isin(np.arange(256), BY_SHAPE_TOO).astype(np.uint8)
TOO_DEEP = SEALED.index("nested too deeply")
SEALED_OF: U8 = np.array([SEALED.index(name) for name, _ in READERS], np.uint8)
"""Index of a reader → index into SEALED."""
WIREGUARD_LENGTHS = {1: 148, 2: 92, 3: 64}
"""Message type → length; type 4 carries packets in units of 16 bytes, behind a header of 16."""
SHORTEST_PACKET, UNIT = 32, 16


def _table(size: int, known: dict[int, tuple[str, Reader]]) -> U8:
    table: U8 = np.zeros(size, np.uint8)
    for number, reader in known.items():
        table[number] = READERS.index(reader)
    return table


READER_OF_PROTOCOL, READER_OF_PORT = _table(256, PROTOCOLS), _table(65_536, PORTS)


@dataclass(frozen=True, slots=True)
class Layer:
    """The IP packets inside of some others, as frames of nothing else."""

    batch: FrameBatch
    network: NetworkColumns
    frame: I64
    """Number of the frame in which each came."""


def opened(packets: PacketBatch) -> Layer | None:
    """The packets inside of some; None if there is none. Marks which packets are opened or sealed.

    packets: of one layer; its columns `carrier` and `sealed` are written.
    """
    rows, reader = readers_of(packets)
    if not len(rows):
        return None
    start = packets.payload[rows]
    end, wire_end = start + packets.payload_cap[rows], start + packets.payload_len[rows]
    shells = Rows(packets.buffer, start, end, end < wire_end)
    inside = _unwrapped(shells, reader)
    layer, read = _believed(packets, rows, inside, end, wire_end)
    packets.carrier[rows[read]] = True
    unread = inside.what != contents.NOTHING
    unread[read] = False
    packets.sealed[rows[unread]] = _named(shells, reader)[unread]
    return layer if len(read) else None


def seal_deepest(packets: PacketBatch) -> None:
    """Marks the tunnels that are not opened because too many are around them."""
    rows, _ = readers_of(packets)
    packets.sealed[rows] = TOO_DEEP


def readers_of(packets: PacketBatch) -> tuple[I64, U8]:
    """Rows of the packets that are a tunnel's and carry something, and the index of each into
    READERS."""
    if library.is_in_use():
        shapes = datagrams.Shapes(WIREGUARD, AT_ONCE, PASSES_OVER)
        likely = datagrams.tunnels(packets, READER_OF_PROTOCOL, READER_OF_PORT, shapes)
        return _looked_into(packets, *likely)
    reader = READER_OF_PROTOCOL[packets.proto]
    udp = np.flatnonzero(packets.proto == UDP)
    if len(udp):
        sport, dport = packets.sport[udp], packets.dport[udp]
        of_receiver = READER_OF_PORT[dport]
        found = np.where(of_receiver > 0, of_receiver, READER_OF_PORT[sport])
        first = _first_words(packets, udp)
        found[(PASSES_OVER[found] > 0) & _like_wireguard(packets, udp, first)] = WIREGUARD
        whole = ip_in_udp.whole_packets(packets, udp, first)
        found[whole[np.isin(found[whole], BY_SHAPE_TOO)]] = AT_ONCE
        reader[udp] = found
    if reader.any():
        reader[packets.payload_len == 0] = 0
    rows = np.flatnonzero(reader)
    return rows, reader[rows]


def _looked_into(packets: PacketBatch, rows: I64, reader: U8) -> tuple[I64, U8]:
    """The same without the datagrams that are no packet at once, though their length says so."""
    maybe = np.flatnonzero(reader == AT_ONCE)
    if not len(maybe):
        return rows, reader
    at = rows[maybe]
    of_receiver = READER_OF_PORT[packets.dport[at]]
    reader[maybe] = np.where(of_receiver > 0, of_receiver, READER_OF_PORT[packets.sport[at]])
    whole = ip_in_udp.whole_packets(packets, at, _first_words(packets, at))
    reader[maybe[whole]] = AT_ONCE
    kept = reader > 0
    return rows[kept], reader[kept]


def _first_words(packets: PacketBatch, rows: I64) -> U32:
    """(rows,) the first four bytes of payloads, the first the lowest; garbage of shorter ones."""
    at = np.minimum(packets.payload[rows], len(packets.buffer) - 4)
    view = np.ndarray((len(packets.buffer) - 3,), "V4", buffer=packets.buffer.data, strides=(1,))
    first: U32 = view[at].view("<u4")
    return first


def _like_wireguard(packets: PacketBatch, rows: I64, kind: U32) -> Bool:
    """(rows,) True for payloads of the form of WireGuard's messages, on whatever port.

    kind: (rows,) as `_first_words` has them.
    """
    found: Bool = (kind - np.uint32(1) < 4) & (packets.payload_cap[rows] >= 4)
    some = np.flatnonzero(found)
    if len(some):
        rows, kind, length = rows[some], kind[some], packets.payload_len[rows[some]]
        like = (kind == 4) & (length >= SHORTEST_PACKET) & (length % UNIT == 0)
        for number, exactly in WIREGUARD_LENGTHS.items():
            like |= (kind == number) & (length == exactly)
        found[some] = like & (packets.sport[rows] != DNS_PORT) & (packets.dport[rows] != DNS_PORT)
    return found


def _named(shells: Rows, reader: U8) -> U8:
    """(n,) index into SEALED of tunnels that could not be opened."""
    named = SEALED_OF[reader]
    # Behind four zero bytes stands IKE, not ESP (RFC 3948 §2.2).
    keys = (named == SEALED.index("ESP in UDP")) & (shells.u32(shells.start) == 0)
    named[keys & (shells.start + 4 <= shells.end)] = SEALED.index("IKE")
    return named


def _unwrapped(shells: Rows, reader: U8) -> Inside:
    """What every tunnel carries, down to IP."""
    inside = contents.sealed(shells)
    for number in np.unique(reader).tolist():
        _, read = READERS[number]
        _refine(shells, inside, np.flatnonzero(reader == number), read)
    for what, kind in FRAMES.items():
        _refine(shells, inside, np.flatnonzero(inside.what == what), in_frame(kind))
    return inside


def _refine(shells: Rows, inside: Inside, rows: I64, read: Reader) -> None:
    """Replaces what is known of the inside of some rows by what stands there."""
    if not len(rows):
        return
    inner = Rows(shells.buffer, inside.at[rows], shells.end[rows], shells.cut[rows])
    found = read(inner)
    # A header that points behind the end, or is not all there, says nothing.
    found.what[found.at > inner.end] = contents.SEALED
    inside.what[rows], inside.at[rows] = found.what, found.at


FRAMES = {
    contents.ETHERNET: ETHERNET,
    contents.PPP: PPP_SERIAL,
    contents.MPLS: MPLS,
    contents.WLAN: IEEE802_11,
    contents.PRISM: PRISM,
    contents.AVS: AVS,
}
"""What is inside → the kind of its first header."""


def in_frame(kind: int) -> Reader:
    """What a frame holds: IP, something that has no destination, or something else."""

    def read(rows: Rows) -> Inside:
        link, inside = behind(kind, rows), contents.sealed(rows)
        good = link.outcome == ledger.PACKET
        for version, what in IP_OF.items():
            inside.choose(good & (link.version == version), what, link.network)
        control = link.outcome - link_kinds.PPP_PROTOCOL
        harmless = (control >= CONTROL_PROTOCOLS) & (control < 1 << 16)
        inside.choose(harmless | np.isin(link.outcome, HARMLESS), contents.NOTHING, link.network)
        return inside

    return read


IP_OF = {0: contents.IP, 4: contents.IPV4, 6: contents.IPV6}
HARMLESS = tuple(ledger.NO_DESTINATION)
CONTROL_PROTOCOLS = 0x8000
"""From here on PPP's protocol numbers are those of PPP's own control (RFC 1661 §2)."""


def _believed(
    packets: PacketBatch, rows: I64, inside: Inside, end: I64, wire_end: I64
) -> tuple[Layer, I64]:
    """The packets inside whose headers are consistent, and which of the rows these are."""
    version = VERSION_OF[inside.what]
    there = np.flatnonzero(version != NO_PACKET)
    at, version = inside.at[there], version[there]
    none = np.zeros(len(there), np.int32)
    batch = FrameBatch(
        buffer=packets.buffer,
        offset=at,
        caplen=end[there] - at,
        wirelen=wire_end[there] - at,
        ts_ns=packets.ts_ns[rows[there]],
        interface=none,
        linktype=none,
        first_frame=0,
    )
    network = network_columns(batch, LinkColumns(at.copy(), np.zeros(len(at), np.int64), version))
    good = (network.outcome == ledger.PACKET) & (network.ip_len <= batch.wirelen)
    network.outcome[~good & (network.outcome == ledger.PACKET)] = ledger.IP_MALFORMED
    return Layer(batch, network, packets.frame[rows[there]]), there[good]


NO_PACKET = 255
VERSION_OF: U8 = np.full(contents.AVS + 1, NO_PACKET, np.uint8)
"""What is inside → the IP version that it must have, 0 for either."""
VERSION_OF[[contents.IP, contents.IPV4, contents.IPV6]] = 0, 4, 6
