"""What ends at the link if it is no more than it states: ARP, and the upkeep of 802.11.

Source: RFC 826, 2225, 2734; IEEE 802.11-2020 §9.3.1, §9.3.3.
"""

from .link_cursor import Cursor
from .packet import Decoded, NoDestination, Undecoded

WLAN_CONTROL = {10: 16, 11: 16, 12: 10, 13: 10, 14: 16, 15: 16}


def wlan_upkeep(here: Cursor, control: int, flags: int) -> Decoded:
    """Types 0, 1 and 3."""
    subtype, sort = control >> 4, control >> 2 & 3
    if sort == 3:
        return Undecoded("802.11 extension")
    if sort == 0:
        return _management(here, subtype, flags)
    here.past(10)
    stated = WLAN_CONTROL.get(subtype)
    if stated is not None and here.frame.caplen - here.past(stated).at > 4:
        return Undecoded("more than 802.11 upkeep")
    if subtype < 2:
        return Undecoded("802.11 of a reserved subtype")
    return NoDestination("802.11 control")


def _management(here: Cursor, subtype: int, flags: int) -> Decoded:
    """Only actions are looked into: category, and of a public one which it is."""
    body = here.past(28 if flags & 0x80 else 24)
    if subtype in (7, 15):
        return Undecoded("802.11 of a reserved subtype")
    if subtype in (13, 14):
        if flags & 0x40:
            return Undecoded("encrypted 802.11")
        category, action = body.read(0, 1), body.read(1, 1)
        if category in (126, 127) or (category in (4, 9) and action == 9):
            return Undecoded("802.11 action of a vendor")
    elif flags & 0x40 and subtype not in (10, 11, 12):
        return Undecoded("encrypted 802.11")
    begin = here.at + 24
    places = range(begin, begin + 16, 2)
    if any(here.frame.data[at : at + 6] == b"\xaa\xaa\3\0\0\0" for at in places):
        return Undecoded("more than 802.11 upkeep")
    return NoDestination("802.11 management")


def resolution(here: Cursor, kind: str) -> Decoded:
    """RFC 826: what stands behind the last address is padding, or unknown."""
    here.past(8)
    hardware, protocol, operation = here.read(0, 2), here.read(2, 2), here.read(6, 2)
    hlen, plen = here.read(4, 1), here.read(5, 1)
    shaped = hardware == 19 or (hlen <= 20 and plen == 4)
    if not shaped or protocol != 0x0800 or not 1 <= operation <= 25:
        return Undecoded("ARP of another form")
    length = 8 + 2 * (hlen + plen)
    if hardware == 24:
        length = 32
    elif hardware == 19:
        # The last four lengths lie behind the operation, so a shorter frame ends inside them.
        sizes = [here.peek(at, 1) or 0 for at in (4, 5, 8, 9, 10, 11)]
        length = 12 + sum(size & 63 for size in sizes)
    rest = here.past(length)
    behind = here.frame.data[rest.at : here.frame.caplen]
    if len(behind) > 22 and any(behind):
        return Undecoded("more than ARP")
    return NoDestination(kind)
