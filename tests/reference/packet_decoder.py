"""Decodes one frame at a time, outermost IP header only: the oracle of `egress_audit.decode`.

A frame becomes exactly one of three values: a `Packet`, an `Undecoded` with its reason, or a
`NoDestination` of a kind that cannot leave the link. Nothing is shared with the engine.
This file reads the link layer; network_layer.py and transport_layer.py go on from there.
Source: IEEE 802.3, 802.1Q, 802.2; www.tcpdump.org/linktypes.html for the pseudo link layers.
"""

from collections.abc import Callable
from functools import partial

from .capture_reader import ReferenceFrame
from .network_layer import ipv4, ipv6
from .packet import Decoded, NoDestination, Packet, Undecoded, cut, u16

__all__ = ["Decoded", "NoDestination", "Packet", "Undecoded", "decode_frame"]

ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
VLAN_TAGS = {0x8100, 0x88A8, 0x9100}
MAX_VLAN_TAGS = 8
FIRST_ETHERTYPE = 0x0600
"""Below it, the field is an IEEE 802.3 length and an 802.2 header follows."""
SLL_802_2 = 0x0004
AF_IPV4, AF_IPV6 = {2}, {10, 23, 24, 28, 30}

NO_DESTINATION = {
    0x0806: "ARP",
    0x0842: "wake-on-LAN",
    0x8035: "RARP",
    0x8808: "MAC control",
    0x8809: "slow protocols",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88F7: "PTP",
    0x9000: "ECTP loopback",
}


def decode_frame(frame: ReferenceFrame) -> Decoded:
    """The packet in a frame, or why there is none."""
    decoder = LINK_DECODERS.get(frame.linktype)
    return decoder(frame) if decoder else Undecoded(f"link type {frame.linktype}")


def _ethernet(frame: ReferenceFrame) -> Decoded:
    """IEEE 802.3: two addresses, then EtherType or length."""
    if frame.caplen < 14:
        return cut(frame, "link-malformed")
    return _behind_tags(frame, u16(frame.data, 12), 14, lengths_below=FIRST_ETHERTYPE)


def _linux_cooked(frame: ReferenceFrame, header_len: int, protocol_at: int) -> Decoded:
    """LINKTYPE_LINUX_SLL and _SLL2: an EtherType, or 4 for an 802.2 frame."""
    if frame.caplen < header_len:
        return cut(frame, "link-malformed")
    protocol = u16(frame.data, protocol_at)
    if protocol == SLL_802_2:
        return _llc(frame, header_len)
    return _behind_tags(frame, protocol, header_len, lengths_below=0)


def _behind_tags(frame: ReferenceFrame, ethertype: int, at: int, lengths_below: int) -> Decoded:
    """Whatever stands behind up to eight VLAN tags (IEEE 802.1Q: TCI, then the next EtherType)."""
    tags = 0
    while ethertype in VLAN_TAGS and tags < MAX_VLAN_TAGS:
        if frame.caplen < at + 4:
            return cut(frame, "link-malformed")
        ethertype = u16(frame.data, at + 2)
        at += 4
        tags += 1
        lengths_below = FIRST_ETHERTYPE
    if ethertype < lengths_below:
        return _llc(frame, at)
    return _by_ethertype(frame, ethertype, at)


def _llc(frame: ReferenceFrame, at: int) -> Decoded:
    """An 802.2 header: spanning tree, an EtherType inside SNAP (RFC 1042), or something else."""
    if frame.caplen < at + 3:
        return cut(frame, "link-malformed")
    if frame.data[at] == 0x42:
        return NoDestination("STP")
    if frame.data[at : at + 3] != b"\xaa\xaa\x03":
        return Undecoded("802.2 LLC")
    if frame.caplen < at + 8:
        return cut(frame, "link-malformed")
    if frame.data[at + 3 : at + 6] != b"\0\0\0":
        return Undecoded("802.2 LLC")
    return _by_ethertype(frame, u16(frame.data, at + 6), at + 8)


def _by_ethertype(frame: ReferenceFrame, ethertype: int, at: int) -> Decoded:
    if ethertype == ETHERTYPE_IPV4:
        return ipv4(frame, at)
    if ethertype == ETHERTYPE_IPV6:
        return ipv6(frame, at)
    if ethertype in NO_DESTINATION:
        return NoDestination(NO_DESTINATION[ethertype])
    return Undecoded(f"ethertype 0x{ethertype:04x}")


def _raw_ip(frame: ReferenceFrame) -> Decoded:
    """LINKTYPE_RAW: the version nibble alone tells IPv4 from IPv6."""
    if not frame.data:
        return cut(frame, "ip-malformed")
    match frame.data[0] >> 4:
        case 4:
            return ipv4(frame, 0)
        case 6:
            return ipv6(frame, 0)
    return Undecoded("ip-malformed")


def _bsd_loopback(frame: ReferenceFrame, *, either_order: bool) -> Decoded:
    """LINKTYPE_NULL (the writer's byte order) and _LOOP (network order): a 32-bit AF_ value."""
    if frame.caplen < 4:
        return cut(frame, "link-malformed")
    family = int.from_bytes(frame.data[:4], "big")
    if either_order:
        family = min(family, int.from_bytes(frame.data[:4], "little"))
    if family in AF_IPV4:
        return ipv4(frame, 4)
    if family in AF_IPV6:
        return ipv6(frame, 4)
    return Undecoded(f"address family {family}")


LINK_DECODERS: dict[int, Callable[[ReferenceFrame], Decoded]] = {
    0: partial(_bsd_loopback, either_order=True),  # LINKTYPE_NULL
    1: _ethernet,
    12: _raw_ip,  # DLT_RAW, as most systems have it
    14: _raw_ip,  # DLT_RAW, as OpenBSD has it
    101: _raw_ip,  # LINKTYPE_RAW
    108: partial(_bsd_loopback, either_order=False),  # LINKTYPE_LOOP
    113: partial(_linux_cooked, header_len=16, protocol_at=14),  # LINKTYPE_LINUX_SLL
    228: partial(ipv4, at=0),
    229: partial(ipv6, at=0),
    276: partial(_linux_cooked, header_len=20, protocol_at=0),  # LINKTYPE_LINUX_SLL2
}
"""LINKTYPE_ value to decoder; www.tcpdump.org/linktypes.html."""
