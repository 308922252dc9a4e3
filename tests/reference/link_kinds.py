"""One link header at a time: rings, ATM, and what capturing systems write.

Source: ITU-T and RFC numbers beside each; www.tcpdump.org/linktypes.html.
"""

from .link_cursor import Cursor, Onward
from .packet import Decoded, NoDestination, Undecoded

AF_IPV4, AF_IPV6 = {2}, {10, 23, 24, 28, 30}


def by_family(family: int, here: Cursor, onward: Onward) -> Decoded:
    """IPv4 or IPv6 by the number of an address family."""
    if family in AF_IPV4:
        return onward(0x0800, here)
    if family in AF_IPV6:
        return onward(0x86DD, here)
    return Undecoded(f"address family {family}")


def null(here: Cursor, onward: Onward) -> Decoded:
    """Family in the order of the writer."""
    rest = here.past(4)
    return by_family(min(here.read(0, 4), here.read(0, 4, "little")), rest, onward)


def loop(here: Cursor, onward: Onward) -> Decoded:
    """Family in network order."""
    return by_family(here.read(0, 4), here.past(4), onward)


def enc(here: Cursor, onward: Onward) -> Decoded:
    """Family, security parameter index, flags."""
    rest = here.past(12)
    return by_family(min(here.read(0, 4), here.read(0, 4, "little")), rest, onward)


def pflog(here: Cursor, onward: Onward) -> Decoded:
    """The length does not count the padding."""
    here.past(2)
    length = here.read(0, 1)
    if length < 45:
        return Undecoded("link-malformed")
    return by_family(here.read(1, 1), here.past((length + 3) // 4 * 4), onward)


def ipnet(here: Cursor, onward: Onward) -> Decoded:
    """Solaris: AF_INET6 is 26."""
    rest, family = here.past(24), here.read(1, 1)
    return by_family(10 if family == 26 else family, rest, onward)


def slip(here: Cursor, onward: Onward) -> Decoded:
    """RFC 1144: 0x80 compressed, 0x7. uncompressed but numbered."""
    rest, sort = here.past(16), here.read(1, 1)
    if sort & 0x80 or sort & 0xF0 == 0x70:
        return Undecoded("compressed SLIP")
    return onward("any ip", rest)


def cooked(here: Cursor, onward: Onward, *, device: int, protocol: int, length: int) -> Decoded:
    """LINUX_SLL and LINUX_SLL2."""
    rest, number = here.past(length), here.read(protocol, 2)
    links = {770: "link 107", 801: "link 105", 802: "link 119", 803: "link 127"}
    link = links.get(here.read(device, 2))
    return onward(link or ("llc" if number == 4 else number), rest)


def nflog(here: Cursor, onward: Onward) -> Decoded:
    """A chain of attributes; number 9 is the packet."""
    family = here.read(0, 1)
    here.past(4)
    order = "little" if here.peek(7, 1) == 0 else "big"
    place = here.past(4)
    for _ in range(64):
        rest = place.past(4)
        length, sort = place.read(0, 2, order), place.read(2, 2, order) & 0x7FFF
        if length < 4:
            return Undecoded("link-malformed")
        if sort == 9:
            if family not in (2, 10):
                return _family(family)
            if place.peek((length + 3) // 4 * 4, 4) is not None:
                return Undecoded("link-malformed")
            return by_family(family, rest, onward)
        place = place.past((length + 3) // 4 * 4)
    return Undecoded("link headers nested too deep")


def _family(number: int) -> Undecoded:
    return Undecoded(f"address family {number}")


def pktap(here: Cursor, onward: Onward) -> Decoded:
    """Length, sort, link type: Apple's machines are little-endian."""
    here.past(12)
    length, sort, linktype = (here.read(offset, 4, "little") for offset in (0, 4, 8))
    if sort != 1:
        return Undecoded(f"PKTAP record {sort}")
    if length < 108:
        return Undecoded("link-malformed")
    return onward(f"link {linktype}", here.past(length))


def user2(here: Cursor, onward: Onward) -> Decoded:
    """PKTAP if it looks like it."""
    if here.frame.caplen - here.at >= 8:
        length, sort = here.read(0, 4, "little"), here.read(4, 4, "little")
        if sort == 1 and 108 <= length <= here.frame.caplen - here.at:
            return pktap(here, onward)
    return Undecoded("link type 149")


def ppi(here: Cursor, onward: Onward) -> Decoded:
    """Version, flags, length, link type."""
    here.past(8)
    length = here.read(2, 2, "little")
    if length < 8:
        return Undecoded("link-malformed")
    return onward(f"link {here.read(4, 4, 'little')}", here.past(length))


def token_ring(here: Cursor, onward: Onward) -> Decoded:
    """A source address with its first bit set announces a route."""
    rest = here.past(14)
    mac = here.read(1, 1) & 0xC0 == 0
    if here.read(8, 1) & 0x80:
        rest = rest.past(max(rest.read(0, 1) & 31, 2))
    if mac:
        rest.past(4)
        return _upkeep("token ring MAC", rest, rest.read(0, 2), least=4)
    return onward("llc", rest)


def _upkeep(
    name: str, rest: Cursor, length: int, least: int = 0, other: str = "more than link upkeep"
) -> Decoded:
    """What keeps a link going, if it is all that is left, but for a check sequence."""
    left, cut = rest.frame.caplen - rest.at, rest.frame.caplen < rest.frame.wirelen
    if length >= least and (cut or length <= left <= length + 4):
        return NoDestination(name)
    return Undecoded(other)


def fddi(here: Cursor, onward: Onward) -> Decoded:
    """Frame control 0x5. is a logical link frame."""
    rest = here.past(13)
    control, left = here.read(0, 1), here.frame.caplen - rest.at
    if control & 0x70 == 0x50:
        return onward("llc", rest)
    if 0x41 <= control <= 0x4F:
        rest.past(20)
        return _upkeep("FDDI MAC and SMT", rest, 20 + rest.read(18, 2))
    if left < 20 and (control in (0, 0x80) or control >> 4 == 0xC):
        return NoDestination("FDDI MAC and SMT")
    return Undecoded("more than link upkeep")


def atm(here: Cursor, onward: Onward) -> Decoded:
    """RFC 2684 §5.2: bridged Ethernet has two bytes of padding."""
    if here.peek(0, 6) == 0xAAAA030080C2 and here.peek(6, 2) in (1, 7):
        return onward("link 1", here.past(10))
    return onward("llc", here)


def classical_ip(here: Cursor, onward: Onward) -> Decoded:
    """With or without 802.2."""
    if here.peek(0, 1) != 0xAA:
        return onward("any ip", here)
    return atm(here, onward)


def sun_atm(here: Cursor, onward: Onward) -> Decoded:
    """Four bytes: traffic, path, circuit."""
    rest, traffic = here.past(4), here.read(0, 1) & 15
    if here.read(1, 3) == 5:
        return Undecoded("ATM signalling")
    if here.read(1, 3) == 16:
        return NoDestination("ILMI")
    if traffic == 1:
        return onward("link 1", rest.past(2))
    return atm(rest, onward) if traffic == 2 else Undecoded("ATM traffic type")


def arcnet(here: Cursor, onward: Onward) -> Decoded:
    """RFC 1201 §2: split flag, sequence; 0xff before them marks an exception frame."""
    here.past(5)
    protocol = here.read(4, 1)
    ip = {0xF0: 0x0800, 0xD4: 0x0800, 0xC4: 0x86DD, 0xF1: 0x0806, 0xD5: 0x0806, 0xD6: 0x8035}.get(
        protocol
    )
    if ip is None:
        return Undecoded("ARCNET protocol")
    if protocol in (0xF0, 0xF1):
        return onward(ip, here.past(5))
    here.past(6)
    split = 9 if here.read(5, 1) == 0xFF else 5
    rest = here.past(split + 3)
    return Undecoded("ARCNET fragment") if here.read(split, 1) else onward(ip, rest)


def _docsis_upkeep(rest: Cursor, sort: int) -> Decoded:
    """Timing, management, requests and the depth of queues; fragments and the like hold packets."""
    if sort in (0, 1):
        rest.past(17)
        message = rest.past(14)
        if message.read(0, 3) == 3:
            length = rest.read(12, 2)
            return _upkeep("DOCSIS management", message, length, other="DOCSIS frame control")
    elif sort in (2, 4) and rest.frame.caplen - rest.at < 20:
        return NoDestination("DOCSIS management")
    return Undecoded("DOCSIS frame control")


def docsis(here: Cursor, onward: Onward) -> Decoded:
    """Six bytes and an extended header, which may say that the rest is encrypted."""
    here.past(6)
    control = here.read(0, 1)
    extended = here.read(1, 1) if control & 1 else 0
    if control >> 6 == 3:
        return _docsis_upkeep(here.past(6 + extended), control >> 1 & 31)
    if control & 0xFE:
        return Undecoded("DOCSIS frame control")
    rest = here.past(6 + extended)
    if extended >= 3 and here.read(4, 1) >> 4 in (3, 4, 7) and here.read(6, 1) & 0x80:
        return Undecoded("encrypted DOCSIS")
    return onward("link 1", rest)
