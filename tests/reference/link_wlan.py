"""One link header at a time: 802.11, its aggregates, and what radios put before them.

Source: IEEE 802.11-2020 §9.2, §9.3.2; radiotap.org; www.tcpdump.org/linktypes.html.
"""

from dataclasses import replace

from .capture_reader import ReferenceFrame
from .link_cursor import Cursor, Onward, Short
from .link_upkeep import wlan_upkeep
from .packet import Decoded, NoDestination, Several, Undecoded, cut


def wlan(here: Cursor, onward: Onward, *, padded: bool = False) -> Decoded:
    """Frame control decides everything."""
    here.past(2)
    control, flags = here.read(0, 1), here.read(1, 1)
    if control & 3:
        return Undecoded("802.11 of another version")
    if control >> 2 & 3 != 2:
        return wlan_upkeep(here, control, flags)
    if control & 0x40:
        return _null_data(here, control, flags, padded=padded)
    if flags & 0x40:
        return Undecoded("encrypted 802.11")
    quality, length = _wlan_header(control, flags)
    rest = here.past(length + (-length % 4 if padded else 0))
    if here.read(22, 1) & 15:
        return Undecoded("802.11 fragment")
    if quality is not None and here.read(quality, 1) & 0x80:
        return _aggregate(rest, onward)
    return onward("llc", rest)


def _wlan_header(control: int, flags: int) -> tuple[int | None, int]:
    """Where QoS control stands, if it does, and the length of a data frame's header."""
    length = 24 + (6 if flags & 3 == 3 else 0)
    if not control & 0x80:
        return None, length
    return length, length + (6 if flags & 0x80 else 2)


def _null_data(here: Cursor, control: int, flags: int, *, padded: bool) -> Decoded:
    """A header and nothing, but for a check sequence."""
    if control >> 4 == 13:
        return Undecoded("802.11 of a reserved subtype")
    _, length = _wlan_header(control, flags)
    rest = here.past(length + (-length % 4 if padded else 0))
    if here.frame.caplen - rest.at > 4:
        return Undecoded("more than 802.11 upkeep")
    return NoDestination("802.11 null data")


def _aggregate(here: Cursor, onward: Onward) -> Decoded:
    """Units until less than a header is left of the frame as it was on the wire."""
    frame, at, parts = here.frame, here.at, list[Decoded]()
    for _ in range(260):
        begin, length = at + 14, Cursor(frame, at).peek(12, 2)
        if length is None:
            return Several((*parts, cut(frame, "link-malformed")))
        end = min(begin + length, frame.wirelen)
        parts.append(_unit(replace(frame, data=frame.data[:end], wirelen=end), begin, onward))
        if end < begin + length:
            parts.append(Undecoded("link-malformed"))
        at += (14 + length + 3) // 4 * 4
        if at + 14 > frame.wirelen:
            return Several(tuple(parts))
    return Several((*parts, Undecoded("802.11 A-MSDU")))


def _unit(frame: ReferenceFrame, begin: int, onward: Onward) -> Decoded:
    """What stands behind two addresses and a length, up to where that ends."""
    if begin > frame.caplen:
        return cut(frame, "link-malformed")
    try:
        found = onward("llc", Cursor(frame, begin, headers=-1))
    except Short:
        return cut(frame, "link-malformed")
    return Undecoded("802.11 A-MSDU") if isinstance(found, Several) else found


def wlan_padded(here: Cursor, onward: Onward) -> Decoded:
    """The header is filled up to words."""
    return wlan(here, onward, padded=True)


def radiotap(here: Cursor, onward: Onward) -> Decoded:
    """Fields stand in the order of their bits, each aligned to its size."""
    here.past(8)
    length = here.read(2, 2, "little")
    if here.read(0, 1) or length < 8:
        return Undecoded("link-malformed")
    rest = here.past(length)
    present, field = here.read(4, 4, "little"), 8
    more = bool(present >> 31)
    while more and field < length:
        # The last word may lie behind the header that claims it: then nothing is read of it.
        word = here.peek(field, 4)
        more = word is not None and bool(word & 0x80)
        field += 4
    if present & 1:
        field = (field + 7) // 8 * 8 + 8
    padded = present & 2 and field < length and here.read(field, 1) & 0x20
    return onward("padded wlan" if padded else "link 105", rest)


def prism(here: Cursor, onward: Onward) -> Decoded:
    """Fixed length, unless it is AVS."""
    cookie = here.peek(0, 4)
    if cookie is not None and cookie >> 12 == 0x80211:
        return avs(here, onward)
    return onward("link 105", here.past(144))


def avs(here: Cursor, onward: Onward) -> Decoded:
    """Cookie and length."""
    length = here.read(4, 4)
    return onward("link 105", here.past(length)) if length >= 8 else Undecoded("link-malformed")
