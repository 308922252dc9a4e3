"""Decodes one frame at a time, outermost IP header only: the oracle of `egress_audit.decode`.

A frame becomes exactly one value: a `Packet`, an `Undecoded` with its reason, a `NoDestination` of
a kind that cannot leave the link, or `Several` of these if it is an aggregate.
Nothing is shared with the engine.
This file leads from one link header of link_layers.py or link_kinds.py to the next;
network_layer.py and transport_layer.py go on from there.
"""

from collections.abc import Callable

from . import link_kinds as kinds
from . import link_layers as layers
from . import link_wlan as wireless
from .capture_reader import ReferenceFrame, read_capture
from .link_cursor import Cursor, Onward, Short
from .link_upkeep import resolution
from .network_layer import ipv4, ipv6
from .packet import Decoded, NoDestination, Packet, Several, Undecoded, cut

__all__ = [
    "Decoded",
    "NoDestination",
    "Packet",
    "Several",
    "Undecoded",
    "decode_frame",
    "packets_of",
]

MAX_HEADERS = 16

NO_DESTINATION = {
    0x0842: "wake-on-LAN",
    0x22EA: "SRP",
    0x22F4: "IS-IS",
    0x8808: "MAC control",
    0x8809: "slow protocols",
    0x8863: "PPPoE discovery",
    0x886F: "NLB heartbeat",
    0x888E: "EAPOL",
    0x8892: "PROFINET real-time",
    0x88B8: "GOOSE",
    0x88B9: "GSE management",
    0x88BA: "sampled values",
    0x88CC: "LLDP",
    0x88E3: "MRP",
    0x88F5: "MVRP",
    0x88F6: "MMRP",
    0x88F7: "PTP",
    0x88FB: "PRP supervision",
    0x8902: "CFM",
    0x9000: "ECTP loopback",
}


def decode_frame(frame: ReferenceFrame) -> Decoded:
    """The packet in a frame, or why there is none."""
    try:
        return onward(f"link {frame.linktype}", Cursor(frame, headers=-1))
    except Short:
        return cut(frame, "link-malformed")


def packets_of(data: bytes) -> list[Packet]:
    """All packets of a capture."""
    found = [decode_frame(frame) for frame in read_capture(data).frames]
    return [packet for each in found for packet in packets_in(each)]


def packets_in(found: Decoded) -> list[Packet]:
    """The packets of one frame."""
    parts = found.parts if isinstance(found, Several) else (found,)
    return [part for part in parts if isinstance(part, Packet)]


def onward(kind: str | int, here: Cursor) -> Decoded:
    """What begins here, given its EtherType or the name of its header."""
    match kind:
        case 0x0800:
            return ipv4(here.frame, here.at)
        case 0x86DD:
            return ipv6(here.frame, here.at)
        case "any ip":
            return _any_ip(here)
    header = HEADERS.get(kind)
    if header is None or here.headers == MAX_HEADERS:
        return _strange(kind, known=header is not None)
    return header(Cursor(here.frame, here.at, here.headers + 1), onward)


def _strange(kind: str | int, *, known: bool) -> Decoded:
    if isinstance(kind, str):
        return Undecoded("link headers nested too deep" if known else kind.replace("k ", "k type "))
    if kind in NO_DESTINATION:
        return NoDestination(NO_DESTINATION[kind])
    return Undecoded(f"ethertype 0x{kind:04x}")


def _any_ip(here: Cursor) -> Decoded:
    """The version nibble alone tells IPv4 from IPv6."""
    match here.frame.data[here.at : here.at + 1].hex()[:1]:
        case "":
            return cut(here.frame, "ip-malformed")
        case "4":
            return ipv4(here.frame, here.at)
        case "6":
            return ipv6(here.frame, here.at)
    return Undecoded("ip-malformed")


def _plain(length: int, kind: str | int) -> Callable[[Cursor, Onward], Decoded]:
    """A header of fixed length that always leads to the same."""
    return lambda here, onward: onward(kind, here.past(length))


def _type_at(offset: int, length: int) -> Callable[[Cursor, Onward], Decoded]:
    """A header of fixed length with an EtherType inside."""

    def header(here: Cursor, onward: Onward) -> Decoded:
        return onward(here.read(offset, 2), here.past(length))

    return header


def _tag(length: int) -> Callable[[Cursor, Onward], Decoded]:
    """A tag of fixed length before an EtherType."""
    return lambda here, onward: layers.typed(here.past(length), onward)


HEADERS: dict[str | int, Callable[[Cursor, Onward], Decoded]] = {
    "link 0": kinds.null,
    "link 1": layers.ethernet,
    "link 6": kinds.token_ring,
    "link 8": kinds.slip,
    "link 9": layers.ppp,
    "link 10": kinds.fddi,
    "link 12": _plain(0, "any ip"),
    "link 14": _plain(0, "any ip"),
    "link 50": layers.ppp,
    "link 51": layers.pppoe,
    "link 100": kinds.atm,
    "link 101": _plain(0, "any ip"),
    "link 104": layers.c_hdlc,
    "link 105": wireless.wlan,
    "link 106": kinds.classical_ip,
    "link 107": layers.frame_relay,
    "link 108": kinds.loop,
    "link 109": kinds.enc,
    "link 113": lambda h, o: kinds.cooked(h, o, device=2, protocol=14, length=16),
    "link 117": kinds.pflog,
    "link 119": wireless.prism,
    "link 122": _plain(16, "llc"),
    "link 123": kinds.sun_atm,
    "link 127": wireless.radiotap,
    "link 129": kinds.arcnet,
    "link 138": _type_at(16, 18),
    "link 143": kinds.docsis,
    "link 149": kinds.user2,
    "link 163": wireless.avs,
    "link 166": layers.ppp_pppd,
    "link 192": kinds.ppi,
    "link 204": _plain(1, "link 9"),
    "link 205": _plain(1, "link 104"),
    "link 206": _plain(1, "link 107"),
    "link 226": kinds.ipnet,
    "link 228": _plain(0, 0x0800),
    "link 229": _plain(0, 0x86DD),
    "link 239": kinds.nflog,
    "link 240": _plain(4, "link 1"),
    "link 241": _plain(12, "link 1"),
    "link 242": _type_at(40, 44),
    "link 258": kinds.pktap,
    "link 276": lambda h, o: kinds.cooked(h, o, device=8, protocol=0, length=20),
    "link 281": _tag(16),
    "link 282": _plain(4, "link 1"),
    "link 284": _tag(16),
    "link 285": _tag(20),
    "llc": layers.llc,
    "snap": layers.snap,
    "nlpid": layers.nlpid,
    "ppp protocol": layers.ppp_protocol,
    "padded wlan": wireless.wlan_padded,
    0x0806: lambda h, _: resolution(h, "ARP"),
    0x8035: lambda h, _: resolution(h, "RARP"),
    0x8100: _tag(2),
    0x88A8: _tag(2),
    0x9100: _tag(2),
    0x8926: _tag(4),
    0x892F: _tag(4),
    0x893F: _tag(6),
    0x8909: _tag(6),
    0x8847: layers.mpls,
    0x8848: layers.mpls,
    0x22F3: layers.trill,
    0x880B: layers.ppp_protocol,
    0x8864: layers.pppoe,
    0x88E5: layers.macsec,
    0x88E7: _plain(4, "link 1"),
    0x8903: _plain(2, "link 1"),
}
"""Link type, name or EtherType to its header; www.tcpdump.org/linktypes.html."""
