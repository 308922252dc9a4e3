"""An A-MSDU is as many packets as it holds, and is decoded if all of it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.decode.aggregates import MAX_SUBFRAMES
from tests.builders import strategies
from tests.builders.both_engines import assert_alike, needs_library
from tests.builders.captures import (
    UDP,
    Frame,
    Interface,
    Section,
    arp,
    ethernet,
    ip,
    pcap,
    pcapng,
    udp,
)
from tests.builders.engine import Run, decoded, reference, run
from tests.builders.links import aggregate, avs, ppi, prism, radiotap, snap, subframe
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate
from tests.builders.tunnels import in_fragments, over_ip

WLAN = 105
BOTH = (Interface(linktype=WLAN), Interface(linktype=1))
NEAR, FAR = "10.0.0.1", "192.0.2.1"


def to(port: int) -> bytes:
    """A unit with a packet to this port."""
    return subframe(snap(ip(NEAR, FAR, udp(40000, port, b"x"), UDP)))


ARP = subframe(snap(arp())[:6] + b"\x08\x06" + arp())
FOREIGN = subframe(snap(TO_V4)[:6] + b"\x88\xca" + bytes(20))
ONE, TWO, THREE = to(1), to(2), to(3)


def read(*frames: bytes, wirelen: int | None = None, linktype: int = WLAN) -> Run:
    """What the engine makes of these frames."""
    return run(pcap([Frame(n, frame, wirelen) for n, frame in enumerate(frames)], linktype))


def ports(done: Run) -> list[tuple[int, int]]:
    """Frame and port of each packet."""
    return [(packet.frame, packet.dport) for packet in done.packets]


@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
@pytest.mark.parametrize("units", [1, 2, 3])
def test_each_unit_of_an_aggregate_is_a_packet(units: int, packet: bytes) -> None:
    frame = aggregate(*[subframe(snap(packet))] * units)
    assert fate(frame, WLAN) == PACKET
    assert len(read(frame).packets) == units


def test_the_packets_of_a_frame_stand_in_their_order() -> None:
    assert ports(read(aggregate(THREE, ONE), aggregate(TWO))) == [(1, 3), (1, 1), (2, 2)]


def test_a_frame_of_several_packets_counts_as_one_frame() -> None:
    counted = read(aggregate(ONE, TWO), aggregate(THREE)).ledger
    assert (counted.frames, counted.packets) == (2, 2)


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (127, radiotap(aggregate(ONE, TWO))),
        (119, prism(aggregate(ONE, TWO))),
        (163, avs(aggregate(ONE, TWO))),
        (192, ppi(aggregate(ONE, TWO))),
    ],
)
def test_radios_put_their_headers_before_it(linktype: int, frame: bytes) -> None:
    assert ports(read(frame, linktype=linktype)) == [(1, 1), (1, 2)]


@pytest.mark.parametrize("rest", [b"", bytes(4), bytes(13)])
def test_less_than_a_header_behind_the_last_unit_is_no_unit(rest: bytes) -> None:
    assert read(aggregate(ONE, TWO, rest=rest)).ledger.packets == 1


def test_a_header_behind_the_last_unit_is_one() -> None:
    assert read(aggregate(ONE, rest=bytes(14))).ledger.undecoded == {"link-malformed": 1}


def test_a_packet_beside_what_ends_at_the_link_makes_the_frame_a_packet() -> None:
    counted = read(aggregate(ARP, ONE)).ledger
    assert (counted.packets, counted.no_destination) == (1, {})


def test_an_aggregate_of_what_ends_at_the_link_ends_there() -> None:
    assert fate(aggregate(ARP, ARP), WLAN) == "ARP"


@pytest.mark.parametrize("units", [(FOREIGN, ONE, TWO), (ONE, FOREIGN, TWO), (ONE, TWO, FOREIGN)])
def test_a_unit_that_was_not_understood_leaves_the_frame_undecoded(
    units: tuple[bytes, ...],
) -> None:
    done = read(aggregate(*units))
    assert done.ledger.undecoded == {"ethertype 0x88ca": 1}
    assert (done.ledger.packets, done.ledger.frames) == (0, 1)


def test_what_was_read_beside_it_is_a_packet_all_the_same() -> None:
    assert ports(read(aggregate(ONE, FOREIGN, TWO))) == [(1, 1), (1, 2)]


def test_of_two_units_not_understood_the_first_says_why() -> None:
    later = subframe(b"\xe0\xe0\x03" + bytes(20))
    assert read(aggregate(ONE, FOREIGN, later)).ledger.undecoded == {"ethertype 0x88ca": 1}


@pytest.mark.parametrize("excess", [1, 1000])
def test_a_unit_longer_than_its_frame_is_read_and_malformed(excess: int) -> None:
    lying = subframe(snap(TO_V4), len(snap(TO_V4)) + 3 + excess)
    done = read(aggregate(ONE, lying))
    assert done.ledger.undecoded == {"link-malformed": 1}
    assert ports(done) == [(1, 1), (1, 4433)]


@pytest.mark.parametrize("length", [0, 7, 20])
def test_a_unit_too_short_for_its_packet_leaves_the_frame_undecoded(length: int) -> None:
    assert read(aggregate(ONE, subframe(snap(TO_V4)[:length]))).ledger.undecoded.total() == 1


def test_a_frame_cut_behind_a_unit_has_its_packet_and_is_truncated() -> None:
    whole = aggregate(ONE, TWO)
    done = read(aggregate(ONE), wirelen=len(whole))
    assert done.ledger.undecoded == {"truncated": 1}
    assert ports(done) == [(1, 1)]


def test_a_frame_cut_in_the_payload_of_its_last_unit_is_decoded() -> None:
    last = subframe(snap(ip(NEAR, FAR, udp(40000, 2, bytes(98)), UDP)))
    whole = aggregate(ONE, last)
    done = read(whole[:-60], wirelen=len(whole))
    assert (done.ledger.packets, done.ledger.truncated) == (1, 1)
    assert [(packet.payload_cap, packet.payload_len) for packet in done.packets] == [
        *((1, 1), (98 - 60, 98))
    ]


def test_so_many_units_of_a_frame_are_followed_and_no_more() -> None:
    most = aggregate(*[ONE] * MAX_SUBFRAMES)
    assert read(most).ledger.undecoded == {}
    more = read(aggregate(*[ONE] * (MAX_SUBFRAMES + 1)))
    assert more.ledger.undecoded == {"802.11 A-MSDU": 1}
    assert len(more.packets) == MAX_SUBFRAMES


def test_each_packet_is_in_the_flow_that_it_belongs_to() -> None:
    flows = read(aggregate(ONE, TWO), aggregate(TWO, ONE, ONE)).flows
    assert flows.orig_pkts.tolist() == [3, 2]
    assert flows.last_frame.tolist() == [2, 2]


def test_fragments_in_one_frame_are_put_together() -> None:
    pieces = in_fragments(ip(NEAR, FAR, udp(40000, 53, bytes(60)), UDP), 40)
    units = [subframe(snap(piece)) for piece in pieces]
    for order in (units, units[::-1]):
        done = decoded(pcap([Frame(0, aggregate(*order))], WLAN))
        assert done.ledger.partial == {}
        assert {packet.dport for packet in done.packets} == {53}
        assert len(done.packets) == len(units)


def test_tunnels_in_one_frame_are_opened() -> None:
    inner = [ip("10.9.0.1", "10.9.0.2", udp(5, port, b"x"), UDP) for port in (7, 8)]
    frame = aggregate(*[subframe(snap(over_ip(4, packet))) for packet in inner])
    done = decoded(pcap([Frame(0, frame)], WLAN))
    assert sorted((packet.depth, packet.dport) for packet in done.packets) == [
        *((0, 0), (0, 0), (1, 7), (1, 8))
    ]


def test_frames_of_other_links_between_them_keep_their_places() -> None:
    frames = [
        Frame(0, ethernet(ip(NEAR, FAR, udp(40000, 10, b"x"), UDP)), None, 1),
        Frame(1, aggregate(ONE, TWO), None, 0),
        Frame(2, aggregate(ARP), None, 0),
        Frame(3, ethernet(ip(NEAR, FAR, udp(40000, 11, b"x"), UDP)), None, 1),
        Frame(4, aggregate(THREE), None, 0),
    ]
    data = pcapng([Section(frames, BOTH)])
    assert ports(run(data)) == [(1, 10), (2, 1), (2, 2), (4, 11), (5, 3)]


UNITS = st.one_of(
    strategies.ip_packets.map(lambda packet: subframe(snap(packet))),
    st.sampled_from((ONE, TWO, ARP, FOREIGN)),
    st.builds(subframe, st.binary(max_size=40), st.one_of(st.none(), st.integers(0, 65535))),
)


@st.composite
def captures(draw: st.DrawFn) -> bytes:
    """Aggregates between frames of Ethernet; some altered, some cut."""
    frames = []
    for number in range(draw(st.integers(1, 6))):
        data, link = aggregate(*draw(st.lists(UNITS, max_size=5))), draw(st.integers(0, 1))
        if link:
            data = ethernet(draw(strategies.ip_packets))
        elif draw(st.booleans()):
            data = draw(strategies.altered(data))
        kept = len(data) - draw(st.sampled_from((0, 0, 0, 1, 5, 30, 60)))
        frames.append(Frame(number, data[: max(kept, 0)], len(data), link))
    return pcapng([Section(frames, BOTH)])


@given(captures())
def test_any_aggregate_becomes_what_the_oracle_makes_of_it(data: bytes) -> None:
    done, expected = run(data), reference(data)
    assert done.packets == expected.packets
    assert done.ledger.undecoded == expected.undecoded
    assert done.ledger.no_destination == expected.no_destination
    assert done.ledger.partial == expected.partial


@needs_library
@given(captures(), st.sampled_from((200, 1 << 16)))
def test_both_engines_make_the_same_of_any_aggregate(data: bytes, block: int) -> None:
    assert_alike(data, block)
