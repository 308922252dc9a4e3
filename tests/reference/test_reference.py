"""The oracle and the builders, held against each other and against the rules they follow."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given, settings

from tests.builders import strategies
from tests.builders.captures import (
    FRAGMENT,
    HOP_BY_HOP,
    ICMP,
    ICMPV6,
    NANOSECONDS,
    TCP,
    UDP,
    Frame,
    Interface,
    ObsoleteFrame,
    Section,
    SimpleFrame,
    arp,
    ethernet,
    ethernet_snap,
    extension_body,
    fragment,
    icmp,
    ip,
    ipv4,
    ipv6,
    null,
    pcap,
    pcapng,
    sll,
    sll2,
    tcp,
    tcp_session,
    udp,
    udp_exchange,
)
from tests.reference.capture_reader import read_capture
from tests.reference.flow_table import flows_of
from tests.reference.packet_decoder import (
    Decoded,
    NoDestination,
    Packet,
    Undecoded,
    decode_frame,
    packets_of,
)

T0 = 1_700_000_000_123_456_789
CLIENT, SERVER = ("10.0.0.2", 40000), ("192.0.2.1", 443)
CLIENT6, SERVER6 = ("2001:db8::2", 40000), ("2001:db8::1", 443)


def decoded(data: bytes, linktype: int = 1, wirelen: int | None = None) -> Decoded:
    """What the oracle makes of one frame."""
    return decode_frame(read_capture(pcap([Frame(T0, data, wirelen)], linktype)).frames[0])


def packet_in(data: bytes, linktype: int = 1, wirelen: int | None = None) -> Packet:
    """The packet that the oracle finds in one frame."""
    found = decoded(data, linktype, wirelen)
    assert isinstance(found, Packet)
    return found


# Reading


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(("nanoseconds", "lost_ns"), [(False, 789), (True, 0)])
def test_a_pcap_reads_back_as_it_was_built(
    big_endian: bool, nanoseconds: bool, lost_ns: int
) -> None:
    data = pcap([Frame(T0, b"abc", 9)], 101, nanoseconds=nanoseconds, big_endian=big_endian)
    (frame,) = read_capture(data).frames
    assert (frame.ts_ns, frame.data, frame.wirelen) == (T0 - lost_ns, b"abc", 9)
    assert (frame.linktype, frame.interface, frame.number) == (101, 0, 1)


def test_every_section_of_a_pcapng_has_its_own_interfaces_and_byte_order() -> None:
    late = Interface(113, tsresol=NANOSECONDS, tsoffset=-3600)
    first = Section([Frame(T0, b"a"), late, Frame(T0, b"bb", interface=1), SimpleFrame(b"c")])
    second = Section([ObsoleteFrame(T0, b"d")], [Interface(101, tsresol=0x80 | 30)], True)
    capture = read_capture(pcapng([first, second]))
    assert capture.damage is None
    assert [i.linktype for i in capture.interfaces] == [1, 113, 101]
    assert [f.interface for f in capture.frames] == [0, 1, 0, 2]
    assert [f.data for f in capture.frames] == [b"a", b"bb", b"c", b"d"]
    assert [f.ts_ns for f in capture.frames] == [T0 - 789, T0, T0, T0 - 1]
    assert [f.has_time for f in capture.frames] == [True, True, False, True]


@pytest.mark.parametrize("kept", [25, 39, 40, 42])
def test_a_cut_pcap_says_where_and_keeps_what_came_before(kept: int) -> None:
    capture = read_capture(pcap([Frame(T0, b"abc"), Frame(T0, b"def")])[: 19 + kept])
    assert capture.damage is not None
    assert capture.damage.offset == 43
    assert len(capture.frames) == 1


def test_an_undeclared_interface_is_damage_at_its_block() -> None:
    data = pcapng([Section([Frame(T0, b"a"), Frame(T0, b"b", interface=7)])])
    capture = read_capture(data)
    assert capture.damage is not None
    assert capture.damage.offset == len(data) - 36
    assert len(capture.frames) == 1


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", b"GIF89a" * 9, b"\n\r\r\n" * 6])
def test_what_begins_like_no_capture_has_no_readable_header(data: bytes) -> None:
    with pytest.raises(ValueError, match="no readable header"):
        read_capture(data)


@pytest.mark.parametrize("length", [0, 24, 30, (16 << 20) + 4, 32])
def test_a_section_header_of_an_impossible_length_is_no_readable_header(length: int) -> None:
    data = pcapng([Section([], ())])
    with pytest.raises(ValueError, match="no readable header"):
        read_capture(data[:4] + length.to_bytes(4, "little") + data[8:])


def test_a_drop_count_of_another_size_is_noted_and_reading_goes_on() -> None:
    odd = Frame(T0, b"a", options=[(4, b"\x05")])
    capture = read_capture(pcapng([Section([odd, Frame(T0, b"b")])]))
    assert [note.offset for note in capture.notes] == [48]
    assert (len(capture.frames), capture.damage) == (2, None)


# Decoding


def test_a_tcp_segment_gives_every_field() -> None:
    frame = ethernet(ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, "PA", 3, 4, b"hello"), TCP)) + bytes(9)
    packet = packet_in(frame)
    assert (ip_address(packet.src), packet.sport) == (ip_address("10.0.0.2"), 1)
    assert (ip_address(packet.dst), packet.dport) == (ip_address("1.2.3.4"), 2)
    assert (packet.tcp_flags, packet.tcp_seq, packet.tcp_ack) == (0x18, 3, 4)
    assert (packet.ip_len, packet.payload_len, packet.payload_cap) == (45, 5, 5)
    assert frame[packet.payload :][: packet.payload_cap] == b"hello"


@pytest.mark.parametrize(
    ("wrapped", "linktype"),
    [
        (lambda p: ethernet(p, vlans=[1, 2, 3]), 1),
        (ethernet_snap, 1),
        (sll, 113),
        (sll2, 276),
        (null, 0),
        (lambda p: null(p, big_endian=True), 0),
        (lambda p: null(p, big_endian=True), 108),
        (bytes, 101),
    ],
)
@pytest.mark.parametrize(("near", "far"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_every_link_layer_leads_to_the_same_packet(
    wrapped: Callable[[bytes], bytes], linktype: int, near: tuple[str, int], far: tuple[str, int]
) -> None:
    inner = ip(near[0], far[0], udp(near[1], far[1], b"payload"), UDP)
    packet = packet_in(wrapped(inner), linktype)
    assert (packet.sport, packet.dport, packet.payload_len) == (40000, 443, 7)
    assert packet.ip_len == len(inner)


def test_extension_headers_are_stepped_over_and_fragments_marked() -> None:
    hop = (HOP_BY_HOP, extension_body(b"\x01\x0c" + bytes(12)))
    data = udp(1, 2, b"x" * 16)
    whole = packet_in(ipv6("::1", "::2", data, UDP, [hop]), 101)
    assert (whole.proto, whole.sport, whole.payload_len, whole.partial) == (UDP, 1, 16, None)
    first = packet_in(ipv6("::1", "::2", data, UDP, [hop, (FRAGMENT, fragment(0, more=True))]), 101)
    assert (first.sport, first.fragment, first.partial, first.payload_len) == (
        1,
        True,
        "fragment",
        0,
    )
    later = packet_in(ipv6("::1", "::2", data, UDP, [(FRAGMENT, fragment(24, more=False))]), 101)
    assert (later.proto, later.sport, later.fragment) == (UDP, 0, True)
    atomic = packet_in(ipv6("::1", "::2", data, UDP, [(FRAGMENT, fragment(0, more=False))]), 101)
    assert (atomic.sport, atomic.fragment, atomic.payload_len) == (1, False, 16)


def test_seventeen_extension_headers_are_one_too_many() -> None:
    chain = [(60, extension_body())] * 16
    assert packet_in(ipv6("::1", "::2", udp(1, 2), UDP, chain), 101).sport == 1
    longer = packet_in(ipv6("::1", "::2", udp(1, 2), UDP, [*chain, chain[0]]), 101)
    assert (longer.proto, longer.sport, longer.partial) == (60, 0, "header-malformed")


@pytest.mark.parametrize(
    ("kept", "ports", "seq", "flags"),
    [(3, 0, 0, 0), (4, 1, 0, 0), (12, 1, 7, 0), (14, 1, 7, 2), (19, 1, 7, 2)],
)
def test_a_cut_tcp_header_gives_the_fields_that_are_there(
    kept: int, ports: int, seq: int, flags: int
) -> None:
    whole = ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, "S", 7), TCP)
    packet = packet_in(whole[: 20 + kept], 101, len(whole))
    assert (packet.sport, packet.tcp_seq, packet.tcp_flags) == (ports, seq, flags)
    assert packet.partial == "header-cut"


@pytest.mark.parametrize(
    ("kind", "proto", "dport", "one_way"),
    [(8, ICMP, 0, False), (3, ICMP, 1, True), (135, ICMPV6, 136, False), (143, ICMPV6, 1, True)],
)
def test_icmp_has_the_type_and_its_answer_for_ports(
    kind: int, proto: int, dport: int, one_way: bool
) -> None:
    addresses = ("10.0.0.1", "10.0.0.2") if proto == ICMP else ("::1", "::2")
    packet = packet_in(ip(*addresses, icmp(kind, 1), proto), 101)
    assert (packet.sport, packet.dport, packet.one_way) == (kind, dport, one_way)


@pytest.mark.parametrize(
    ("data", "linktype", "wirelen", "expected"),
    [
        (ethernet(arp(), 0x0806), 1, None, NoDestination("ARP")),
        (ethernet(b"\x42\x42\x03" + bytes(35), 38), 1, None, NoDestination("STP")),
        (ethernet(b"\xe0\xe0\x03", 3), 1, None, Undecoded("802.2 LLC")),
        (ethernet(b"", 0x88CA), 1, None, Undecoded("ethertype 0x88ca")),
        (ethernet(b"", 0x0800, range(17)), 1, None, Undecoded("ethertype 0x8100")),
        (bytes(13), 1, None, Undecoded("link-malformed")),
        (bytes(13), 1, 14, Undecoded("truncated")),
        (b"\x45", 101, 20, Undecoded("truncated")),
        (b"\x45", 101, None, Undecoded("ip-malformed")),
        (b"\x75" + bytes(40), 101, None, Undecoded("ip-malformed")),
        (ipv4("1.1.1.1", "1.1.1.1", b"", 6, total_length=19), 101, None, Undecoded("ip-malformed")),
        (null(b"\x45", 7), 0, None, Undecoded("address family 7")),
        (b"", 147, None, Undecoded("link type 147")),
    ],
)
def test_what_is_no_packet_says_why(
    data: bytes, linktype: int, wirelen: int | None, expected: Decoded
) -> None:
    assert decoded(data, linktype, wirelen) == expected


# Flows


def test_a_session_is_one_flow_from_its_client() -> None:
    (flow,) = flows_of(packets_of(pcap(tcp_session(CLIENT, SERVER, b"x" * 3000, b"y"))))
    assert flow.orig == (int(ip_address("10.0.0.2")), 40000)
    assert (flow.orig_pkts, flow.resp_pkts) == (8, 4)
    assert (flow.direction_known, flow.closed) == (True, True)


def test_a_port_used_again_after_its_close_is_a_second_flow() -> None:
    session = tcp_session(CLIENT, SERVER, b"x")
    flows = flows_of(packets_of(pcap(session + session)))
    assert [flow.end_reason for flow in flows] == ["end-of-flow", "forced-end"]


@pytest.mark.parametrize(("gap_ns", "flows"), [(60_000_000_000, 1), (60_000_001_000, 2)])
def test_a_udp_flow_ends_after_more_than_a_minute_of_silence(gap_ns: int, flows: int) -> None:
    frames = udp_exchange(CLIENT, SERVER, b"?", b"!", step_ns=gap_ns)
    assert len(flows_of(packets_of(pcap(frames)))) == flows


def test_an_answer_that_comes_first_is_given_to_the_other_side() -> None:
    (flow,) = flows_of(packets_of(pcap(udp_exchange(CLIENT, SERVER, b"?", b"!")[1:])))
    assert flow.orig == (int(ip_address("10.0.0.2")), 40000)
    assert (flow.orig_pkts, flow.resp_pkts, flow.direction_known) == (0, 1, False)


def test_icmp_that_nothing_answers_is_a_flow_for_each_direction() -> None:
    near, far = "10.0.0.1", "10.0.0.2"
    frames = [
        Frame(T0, ip(a, b, icmp(kind), ICMP))
        for a, b, kind in [(near, far, 8), (far, near, 0), (near, far, 3), (far, near, 3)]
    ]
    assert [f.orig_pkts + f.resp_pkts for f in flows_of(packets_of(pcap(frames, 101)))] == [2, 1, 1]


# Properties


@settings(max_examples=60, deadline=None)
@given(strategies.captures)
def test_what_the_builders_build_reads_without_damage(data: bytes) -> None:
    capture = read_capture(data)
    assert capture.damage is None
    packets = packets_of(data)
    flows = flows_of(packets)
    assert sum(flow.orig_pkts + flow.resp_pkts for flow in flows) == len(packets)


@settings(max_examples=120, deadline=None)
@given(strategies.damaged_captures())
def test_no_damage_makes_the_oracle_fall_over(data: bytes) -> None:
    try:
        capture = read_capture(data)
    except ValueError:
        return
    for frame in capture.frames:
        packet = decode_frame(frame)
        if isinstance(packet, Packet):
            assert 0 <= packet.payload_cap <= packet.payload_len
            assert packet.payload_cap == 0 or packet.payload + packet.payload_cap <= frame.caplen
