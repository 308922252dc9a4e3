"""One link header at a time: the headers around Ethernet, 802.2, PPP and MPLS.

Source: IEEE 802.3, 802.1Q, 802.1AE, 802.2; RFC 1042, 1661, 1662, 2427, 2516, 2684, 3032, 3518,
4385, 6325; www.tcpdump.org/linktypes.html for the pseudo link layers.
"""

from .link_cursor import Cursor, Onward
from .packet import Decoded, NoDestination, Undecoded

CISCO = {
    0x0104: "PAgP",
    0x010B: "STP",
    0x0111: "UDLD",
    0x2000: "CDP",
    0x2003: "VTP",
    0x2004: "DTP",
}
PPP_UPKEEP = {
    0x0207: "CDP",
    0x8021: "IPCP",
    0x8031: "BCP",
    0x8053: "ECP",
    0x8057: "IPV6CP",
    0x80FD: "CCP",
    0x8207: "CDPCP",
    0x8281: "MPLSCP",
    0xC021: "LCP",
    0xC023: "PAP",
    0xC025: "LQR",
    0xC223: "CHAP",
    0xC227: "EAP",
}
NLPIDS: dict[int, str | int] = {0xCC: 0x0800, 0x8E: 0x86DD, 0x80: "snap", 0xCF: "ppp protocol"}
NLPID_UPKEEP = {0x09: "LMI", 0x82: "ES-IS", 0x83: "IS-IS"}
FRAME_TYPES = {
    *(0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8, 0x8847, 0x8848, 0x8864, 0x88CC, 0x8863),
}


def ethernet(here: Cursor, onward: Onward) -> Decoded:
    """Two addresses, then a type or a length; or a frame of Cisco's ISL."""
    here.past(14)
    if here.read(12, 2) < 0x0600 and here.peek(14, 3) == 0xAAAA03:
        group = here.read(0, 5)
        if group in (0x01000C0000, 0x0C000C0000):
            return onward("link 1", here.past(26))
    return typed(here.past(12), onward)


def typed(here: Cursor, onward: Onward) -> Decoded:
    """An EtherType, or what is too small for one."""
    ethertype = here.read(0, 2)
    return onward("llc" if ethertype < 0x0600 else ethertype, here.past(2))


def macsec(here: Cursor, onward: Onward) -> Decoded:
    """IEEE 802.1AE §9.5: SC, E and C are bits of the first byte."""
    control = here.read(0, 1)
    if control & 0x08 or control & 0x04:
        return Undecoded("encrypted MACsec")
    return typed(here.past(14 if control & 0x20 else 6), onward)


def trill(here: Cursor, onward: Onward) -> Decoded:
    """RFC 6325 §3: five bits of option length, in words."""
    options = (here.read(0, 2) & 0b0000011111000000) >> 6
    return onward("link 1", here.past(6 + options * 4))


def llc(here: Cursor, onward: Onward) -> Decoded:
    """Two service access points and a control byte."""
    dsap, ssap, control = (here.read(offset, 1) for offset in range(3))
    if dsap == 0x42:
        return NoDestination("STP")
    if control | 0x10 in (0xBF, 0xF3):
        return NoDestination("LLC XID and TEST")
    if dsap == 0xF0 and ssap | 1 == 0xF1:
        return NoDestination("NetBEUI")
    if control == 3 and dsap == ssap:
        match dsap:
            case 0xAA:
                return onward("snap", here.past(3))
            case 0xFE:
                return onward("nlpid", here.past(3))
            case 0x06:
                return onward("any ip", here.past(3))
    return Undecoded("802.2 LLC")


def snap(here: Cursor, onward: Onward) -> Decoded:
    """An organisation and one of its protocols."""
    organisation, protocol = here.read(0, 3), here.read(3, 2)
    match organisation:
        case 0x000000 | 0x0000F8:
            return onward(protocol, here.past(5))
        case 0x0080C2 if protocol in (1, 7):
            return onward("link 1", here.past(5))
        case 0x0080C2 if protocol == 14:
            return NoDestination("STP")
        case 0x00000C if protocol in CISCO:
            return NoDestination(CISCO[protocol])
    return Undecoded("802.2 LLC")


def nlpid(here: Cursor, onward: Onward) -> Decoded:
    """ISO/IEC TR 9577."""
    value = here.read(0, 1)
    if value in NLPIDS:
        return onward(NLPIDS[value], here.past(1))
    if value == 0x08 and here.peek(1, 1) == 0:
        return NoDestination("Q.933 status")
    if value in NLPID_UPKEEP:
        return NoDestination(NLPID_UPKEEP[value])
    return Undecoded(f"NLPID 0x{value:02x}")


def ppp(here: Cursor, onward: Onward) -> Decoded:
    """With or without the address 0xff and control 3; Cisco's HDLC has 0x0f or 0x8f."""
    first = here.read(0, 1)
    if first in (0x0F, 0x8F):
        return onward("link 104", here)
    return onward("ppp protocol", here.past(2 if first == 0xFF else 0))


def ppp_pppd(here: Cursor, onward: Onward) -> Decoded:
    """0 or 1 in place of 0xff."""
    if here.read(0, 2) in (0x0003, 0x0103):
        return onward("ppp protocol", here.past(2))
    return ppp(here, onward)


def ppp_protocol(here: Cursor, onward: Onward) -> Decoded:
    """RFC 1661 §2: an odd byte ends the field."""
    length = 1 if here.read(0, 1) % 2 else 2
    protocol, rest = here.read(0, length), here.past(length)
    match protocol:
        case 0x0021:
            return onward(0x0800, rest)
        case 0x0057:
            return onward(0x86DD, rest)
        case 0x0281 | 0x0283:
            return onward(0x8847, rest)
        case 0x0031:
            return _bridged(rest, onward)
    if protocol >= 0x8000 and protocol != 0xC025 and protocol in PPP_UPKEEP:
        # RFC 1661 §5: code, identifier, length.
        length, left = rest.read(2, 2), rest.frame.caplen - rest.at
        whole = length <= left or rest.frame.caplen < rest.frame.wirelen
        if rest.read(0, 1) >= 64 or length < 4 or not whole:
            return Undecoded("more than link upkeep")
    if protocol in PPP_UPKEEP:
        return NoDestination(PPP_UPKEEP[protocol])
    return Undecoded(f"PPP protocol 0x{protocol:04x}")


def _bridged(here: Cursor, onward: Onward) -> Decoded:
    flags, sort = here.read(0, 1), here.read(1, 1)
    length = 6 if flags & 0x40 else 2
    if sort == 0 and here.read(length, 2) == 0 and here.read(length + 2, 1) <= 4:
        return NoDestination("STP")
    if sort != 1:
        return Undecoded("PPP protocol 0x0031")
    return onward("link 1", here.past(length))


def pppoe(here: Cursor, onward: Onward) -> Decoded:
    """RFC 2516 §4; nobody who is told of a session asks for its code."""
    return onward("ppp protocol", here.past(6))


def c_hdlc(here: Cursor, onward: Onward) -> Decoded:
    """Address, control, EtherType."""
    protocol, rest = here.read(2, 2), here.past(4)
    match protocol:
        case 0x8035:
            return NoDestination("SLARP")
        case 0x2000:
            return NoDestination("CDP")
        case 0x00FE:
            padded = rest.peek(0, 2) in (0x0081, 0x0082, 0x0083)
            return onward("nlpid", rest.past(1 if padded else 0))
    return onward(protocol, rest)


def frame_relay(here: Cursor, onward: Onward) -> Decoded:
    """Q.922: the last byte of the address is odd; two to four of them."""
    here.past(2)
    if here.read(0, 1) & 1:
        return Undecoded("link-malformed")
    length = 2
    while here.read(length - 1, 1) & 1 == 0:
        length += 1
        if length > 4:
            return Undecoded("link-malformed")
    rest = here.past(length)
    if rest.peek(0, 1) != 3:
        return onward(rest.read(0, 2), rest.past(2))
    return onward("nlpid", rest.past(2 if rest.peek(1, 1) == 0 else 1))


def mpls(here: Cursor, onward: Onward) -> Decoded:
    """Labels until one has the bottom bit; then the first nibble."""
    for _ in range(16):
        bottom = here.read(0, 4) & 0x100
        here = here.past(4)
        if bottom:
            break
    else:
        return Undecoded("link headers nested too deep")
    match here.read(0, 1) >> 4:
        case 4:
            return onward(0x0800, here)
        case 6:
            return onward(0x86DD, here)
        case 1:
            ip = {0x21: 0x0800, 0x57: 0x86DD}.get(here.read(2, 2))
            return onward(ip, here.past(4)) if ip else Undecoded("MPLS associated channel")
        case 0 if _frame_begins(here, 4):
            return onward("link 1", here.past(4))
    return onward("link 1", here) if _frame_begins(here, 0) else Undecoded("MPLS payload")


def _frame_begins(here: Cursor, offset: int) -> bool:
    ethertype = here.peek(offset + 12, 2)
    if ethertype is None:
        return False
    left = here.frame.caplen - here.at - offset - 14
    return ethertype in FRAME_TYPES or 3 <= ethertype <= min(1500, left)
