"""Hypothesis strategies: captures that are nearly right, and captures that were tampered with.

Few addresses and ports, so that packets meet in flows; every link layer, tag, option, fragment
and extension header that the decoder knows, and some that it does not.
"""

from hypothesis import strategies as st

from . import packets as p
from .files import (
    Block,
    Frame,
    Interface,
    Item,
    NameResolution,
    ObsoleteFrame,
    Section,
    SimpleFrame,
    Statistics,
    pcap,
    pcapng,
)
from .links import LINKS

LINKTYPES = (
    *(0, 1, 6, 8, 9, 10, 12, 14, 50, 51, 100, 101, 104, 105, 106, 107, 108, 109, 113, 117, 119),
    *(122, 123, 127, 129, 138, 143, 149, 163, 166, 192, 204, 205, 206, 226, 228, 229, 239, 240),
    *(241, 242, 258, 276, 281, 282, 284, 285),
)
UNKNOWN_LINKTYPE = 147
IPV4_ADDRESSES = ("10.0.0.1", "10.0.0.2", "192.0.2.1", "255.255.255.255")
IPV6_ADDRESSES = ("2001:db8::1", "2001:db8::2", "fe80::1", "ff02::fb")
PORTS = (53, 443, 8080, 40000, 40001)
ETHERTYPES = (0x0806, 0x88CC, 0x888E, 0x8100, 0x86DD, 0x0800, 0x1234, 0x0026)
PROTOCOLS = (6, 6, 6, 6, 17, 17, 17, 1, 58, 47, 51, 59, 132)
EXTENSIONS = (0, 43, 60, 135, 139, 140)
GAPS_NS = (-2_000_000_000, 0, 1, 1_000_000, 60_000_000_000, 60_000_000_001, 300_000_000_001)
"""Between frames: around the idle timeouts, and backwards."""

flags = st.sampled_from(("S", "SA", "A", "PA", "FA", "R", "RA", "F", "", "FSRPAUEC"))
payloads = st.binary(max_size=24)
ports = st.sampled_from(PORTS)
whole = st.sampled_from((False, False, False, True)).map(lambda rare: not rare)
"""True three times in four: the ordinary case is to stay the ordinary case."""


@st.composite
def transports(draw: st.DrawFn) -> tuple[bytes, int]:
    """A transport header with payload, and its protocol number; at times cut short or lying."""
    proto = draw(st.sampled_from(PROTOCOLS))
    sport, dport, payload = draw(ports), draw(ports), draw(payloads)
    if proto == p.TCP:
        words = None if draw(whole) else draw(st.integers(0, 15))
        seq, ack = draw(st.integers(0, 99)), draw(st.integers(0, 99))
        data = p.tcp(sport, dport, draw(flags), seq, ack, payload, data_offset=words)
    elif proto == p.UDP:
        length = None if draw(whole) else draw(st.integers(0, 64))
        data = p.udp(sport, dport, payload, length=length)
    elif proto in (p.ICMP, p.ICMPV6):
        kinds = (0, 3, 8, 9, 10, 13, 14, 128, 129, 135, 136, 143)
        data = p.icmp(draw(st.sampled_from(kinds)), draw(st.integers(0, 3)), payload)
    else:
        data = payload
    return (data if draw(whole) else data[: draw(st.integers(0, 20))]), proto


@st.composite
def ipv4_packets(draw: st.DrawFn) -> bytes:
    """An IPv4 packet: options, fragments, and total lengths of 0, too small, too large."""
    data, proto = draw(transports())
    ordinary = draw(whole)
    return p.ipv4(
        draw(st.sampled_from(IPV4_ADDRESSES)),
        draw(st.sampled_from(IPV4_ADDRESSES)),
        data,
        proto,
        b"" if ordinary else draw(st.binary(max_size=40)),
        fragment_offset=0 if ordinary else draw(st.sampled_from((0, 8, 1480))),
        more_fragments=False if ordinary else draw(st.booleans()),
        total_length=None if draw(whole) else draw(st.sampled_from((0, 1, 19, 20, 24, 40, 1500))),
        checksum=False,
    )


@st.composite
def extension_headers(draw: st.DrawFn) -> tuple[int, bytes]:
    """One IPv6 extension header, as `builders.packets.ipv6` takes it."""
    if draw(st.booleans()):
        offset = draw(st.sampled_from((0, 0, 8, 1448)))
        return p.FRAGMENT, p.fragment(offset, more=draw(st.booleans()))
    return draw(st.sampled_from(EXTENSIONS)), p.extension_body(draw(st.binary(max_size=20)))


@st.composite
def ipv6_packets(draw: st.DrawFn) -> bytes:
    """An IPv6 packet: up to 18 extension headers, and payload lengths that may lie."""
    data, proto = draw(transports())
    chain: list[tuple[int, bytes]] = []
    if not draw(whole):
        chain = draw(st.lists(extension_headers(), max_size=3))
        chain *= draw(st.sampled_from((1, 1, 1, 6)))
    return p.ipv6(
        draw(st.sampled_from(IPV6_ADDRESSES)),
        draw(st.sampled_from(IPV6_ADDRESSES)),
        data,
        proto,
        chain,
        payload_length=None if draw(whole) else draw(st.sampled_from((0, 1, 8, 20, 1500))),
        checksum=False,
    )


ip_packets = st.one_of(ipv4_packets(), ipv6_packets())


@st.composite
def linked(draw: st.DrawFn, linktype: int) -> bytes:
    """An IP packet in the given link layer, padding behind it at times; or something else."""
    packet = draw(ip_packets)
    padding = bytes(0 if draw(whole) else draw(st.integers(1, 30)))
    wrong = None if draw(whole) else draw(st.sampled_from(ETHERTYPES))
    match linktype:
        case 1:
            if not draw(whole) and draw(st.booleans()):
                return p.ethernet_snap(packet, wrong) + padding
            vlans = () if draw(whole) else draw(st.lists(st.integers(0, 4095), max_size=9))
            tpid = draw(st.sampled_from((0x8100, 0x88A8, 0x9100)))
            return p.ethernet(packet, wrong, vlans, tpid=tpid) + padding
        case 113:
            return p.sll(packet, 4 if wrong == ETHERTYPES[-1] else wrong) + padding
        case 276:
            return p.sll2(packet, 4 if wrong == ETHERTYPES[-1] else wrong) + padding
        case 0 | 108:
            family = None if draw(whole) else draw(st.sampled_from((2, 7, 10, 23, 24, 28, 30)))
            return p.null(packet, family, big_endian=linktype == 108 or draw(st.booleans()))
    if linktype in LINKS:
        frame = LINKS[linktype](packet) + padding
        return frame if draw(whole) else draw(altered(frame))
    return packet + padding


@st.composite
def altered(draw: st.DrawFn, frame: bytes) -> bytes:
    """A frame with some bytes of its headers changed."""
    changed = bytearray(frame)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, min(len(frame), 48) - 1))
        changed[at] = draw(st.one_of(st.integers(0, 255), st.sampled_from((0, 1, 3, 0x80))))
    return bytes(changed)


@st.composite
def frame_lists(
    draw: st.DrawFn, interfaces: tuple[Interface, ...], max_size: int = 12
) -> list[Frame]:
    """Frames of the given interfaces; some cut by a snaplen, some out of order in time."""
    ts_ns = 1_700_000_000_000_000_000
    frames = []
    for _ in range(draw(st.integers(0, max_size))):
        number = draw(st.integers(0, len(interfaces) - 1))
        data = draw(linked(interfaces[number].linktype))
        kept = len(data) if draw(whole) else draw(st.integers(0, len(data)))
        ts_ns += 1_000 if draw(whole) else draw(st.sampled_from(GAPS_NS))
        frames.append(Frame(ts_ns, data[:kept], len(data), number))
    return frames


linktypes = st.sampled_from((1, 1, 1, *LINKTYPES, UNKNOWN_LINKTYPE))


@st.composite
def pcap_files(draw: st.DrawFn) -> bytes:
    """A classic file of one link type, any byte order and resolution."""
    linktype = draw(linktypes)
    return pcap(
        draw(frame_lists((Interface(linktype),))),
        linktype,
        nanoseconds=draw(st.booleans()),
        big_endian=draw(st.booleans()),
    )


@st.composite
def sections(draw: st.DrawFn) -> Section:
    """A section with one to three interfaces, and blocks of every kind between its frames."""
    interfaces = tuple(
        Interface(
            linktype=draw(linktypes),
            snaplen=draw(st.sampled_from((0, 60, 262_144))),
            tsresol=draw(st.sampled_from((None, 6, 9, 3, 0x80 | 20))),
            tsoffset=draw(st.sampled_from((None, None, 3_600, -3_600))),
            name=draw(st.sampled_from(("", "eth0"))),
        )
        for _ in range(draw(st.integers(1, 3)))
    )
    items: list[Item] = []
    for frame in draw(frame_lists(interfaces)):
        kind = draw(
            st.sampled_from(("enhanced",) * 6 + ("simple", "obsolete", "statistics", "names"))
        )
        match kind:
            case "simple":
                items.append(SimpleFrame(frame.data, frame.wirelen))
            case "obsolete":
                items.append(ObsoleteFrame(frame.ts_ns, frame.data, frame.wirelen, frame.interface))
            case "statistics":
                items += [frame, Statistics(0, frame.ts_ns, received=9, drops=1)]
            case "names":
                items += [frame, NameResolution([(b"\x0a\0\0\1", ["here"])]), Block(0x0BAD, b"?")]
            case _:
                items.append(frame)
    return Section(items, interfaces, draw(st.booleans()), draw(st.booleans()))


pcapng_files = st.lists(sections(), min_size=1, max_size=3).map(pcapng)
captures = st.one_of(pcap_files(), pcapng_files)
"""Files that read without damage."""


@st.composite
def damaged_captures(draw: st.DrawFn, sound: st.SearchStrategy[bytes] = captures) -> bytes:
    """A capture after one to four mutations, which may leave it as sound as it was."""
    data = bytearray(draw(sound))
    for _ in range(draw(st.integers(1, 4))):
        lowest = 12 if draw(whole) else 0
        at = draw(st.integers(lowest, max(lowest, len(data) - 1)))
        match draw(st.sampled_from(("flip", "cut", "length", "insert", "delete"))):
            case "flip" if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at:]
            case "length":
                lie = draw(st.sampled_from((0, 1, 8, 12, 13, 28, 262_144, 262_145, 1 << 31)))
                at -= at % 4
                data[at : at + 4] = lie.to_bytes(4, draw(st.sampled_from(("little", "big"))))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "delete":
                del data[at : at + draw(st.integers(1, 8))]
    return bytes(data)
