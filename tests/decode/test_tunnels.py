"""Tunnels: what is inside follows its wrapping; what is not believed stays sealed and is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.columns import SEALED
from egress_audit.decode.packets import MAX_DEPTH
from egress_audit.decode.tunnels import PORTS, PROTOCOLS, READERS
from tests.builders.captures import UDP, Frame, arp, dns_query, ethernet, ip, pcap, udp
from tests.builders.engine import Decoded, Seen, decoded
from tests.builders.tunnels import (
    FAR,
    GRE,
    OUTER,
    gre,
    gtp,
    in_fragments,
    over_ip,
    over_udp,
    vxlan,
)

QUESTION = dns_query("example.com", 1)
INNER = ip("10.9.0.1", "198.51.100.7", udp(40001, 53, QUESTION), UDP)
INNER6 = ip("2001:db8::9", "2001:db8::7", udp(40001, 53, QUESTION), UDP)


def read(*packets: bytes) -> Decoded:
    """What the decoder makes of IP packets."""
    return decoded(pcap([Frame(0, data) for data in packets], 101))


def opened(packet: bytes) -> Seen:
    """The one packet inside of a tunnel's packet."""
    outer, inner = read(packet).packets
    assert (outer.carrier, outer.sealed, outer.depth) == (True, "", 0)
    assert inner.depth == 1
    return inner


def sealed(packet: bytes) -> str:
    """The kind of a tunnel of which nothing was opened; '' if it holds no packet."""
    (outer,) = read(packet).packets
    assert not outer.carrier
    return outer.sealed


@pytest.mark.parametrize("inner", [INNER, INNER6])
def test_ip_in_ip_is_opened(inner: bytes) -> None:
    found = opened(over_ip(4 if inner[0] >> 4 == 4 else 41, inner))
    assert (found.frame, found.sport, found.dport, found.payload) == (1, 40001, 53, QUESTION)


def test_the_inside_of_a_tunnel_is_a_flow_of_its_own() -> None:
    done = read(over_ip(4, INNER), over_ip(4, INNER))
    assert done.flows.encap_depth.tolist() == [0, 1]
    assert done.flows.carrier.tolist() == [True, False]
    assert done.flows.orig_pkts.tolist() == [2, 2]


def test_equal_ends_inside_and_outside_are_two_flows() -> None:
    packet = ip(OUTER, FAR, udp(1, 4789, vxlan(ethernet(over_udp(4789, b"x", 1)))), UDP)
    assert read(packet).flows.encap_depth.tolist() == [0, 1]


def test_a_frame_is_counted_once_however_many_packets_are_in_it() -> None:
    ledger = read(over_ip(4, over_ip(4, INNER))).ledger
    assert (ledger.frames, ledger.packets) == (1, 1)


def test_packets_stand_in_the_order_of_their_frames() -> None:
    done = read(over_ip(4, INNER), INNER, over_ip(4, over_ip(4, INNER)))
    assert [(packet.frame, packet.depth) for packet in done.packets] == [
        *((1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (3, 2)),
    ]


def test_a_tunnel_in_fragments_is_opened_once_it_is_whole() -> None:
    done = read(*in_fragments(over_udp(4789, vxlan(ethernet(INNER))), 32))
    assert [packet.payload for packet in done.packets if packet.depth] == [QUESTION]


def test_fragments_inside_of_a_tunnel_are_put_together() -> None:
    done = read(*(over_ip(4, part) for part in in_fragments(INNER, 16)))
    inner = [packet for packet in done.packets if packet.depth]
    assert [packet.payload for packet in inner if packet.payload_len] == [QUESTION]
    assert {packet.sport for packet in inner} == {40001}
    assert done.ledger.partial == {}


def test_what_is_missing_of_a_packet_inside_is_counted() -> None:
    assert read(over_ip(4, in_fragments(INNER, 16)[0])).ledger.partial == {"fragment": 1}


@pytest.mark.parametrize("deep", [MAX_DEPTH + 1, 100])
def test_tunnels_in_tunnels_are_opened_to_a_depth(deep: int) -> None:
    packet = INNER
    for _ in range(deep):
        packet = over_ip(4, packet)
    done = read(packet)
    assert [seen.depth for seen in done.packets] == list(range(MAX_DEPTH + 1))
    assert done.packets[-1].sealed == "nested too deeply"
    assert not done.packets[-1].carrier


def test_at_that_depth_an_ordinary_packet_is_no_tunnel() -> None:
    packet = INNER
    for _ in range(MAX_DEPTH):
        packet = over_ip(4, packet)
    assert read(packet).packets[-1].sealed == ""


@pytest.mark.parametrize(
    "inner",
    [
        b"",
        INNER[:19],
        bytes([0x41]) + INNER[1:],
        INNER[:2] + b"\xff\xff" + INNER[4:],
        INNER6,
    ],
    ids=["empty", "short", "header length", "total length", "version"],
)
def test_an_inconsistent_packet_is_not_believed(inner: bytes) -> None:
    if inner:
        assert sealed(over_ip(4, inner)) == "IP in IP"
    assert sealed(over_udp(8472, vxlan(ethernet(inner, 0x0800)))) == "VXLAN"


def test_of_what_the_snaplen_cut_the_inside_is_sealed() -> None:
    whole = over_ip(4, INNER)
    (outer,) = decoded(pcap([Frame(0, whole[:30], len(whole))], 101)).packets
    assert outer.sealed == "IP in IP"


def test_a_header_that_points_behind_the_end_opens_nothing() -> None:
    assert sealed(over_udp(6081, b"\x3f\0\x65\x58" + bytes(12))) == "Geneve"
    assert sealed(over_udp(2152, b"\x34\xff\0\x08" + bytes(7) + b"\x85\xff" + bytes(3))) == "GTP-U"


@pytest.mark.parametrize("proto", [50, 108])
def test_what_is_encrypted_or_compressed_stays_sealed(proto: int) -> None:
    assert sealed(over_ip(proto, INNER)) == PROTOCOLS[proto][0]


@pytest.mark.parametrize("port", [500, 1194, 5247, 9993, 51820])
def test_datagrams_of_those_who_encrypt_stay_sealed(port: int) -> None:
    assert sealed(over_udp(port, INNER)) == PORTS[port][0]


def test_an_arp_question_in_a_frame_is_nothing_to_open() -> None:
    assert sealed(over_udp(4789, vxlan(ethernet(arp(), 0x0806)))) == ""


def test_an_unknown_kind_of_frame_is_sealed() -> None:
    assert sealed(over_udp(4789, vxlan(ethernet(bytes(28), 0x1234)))) == "VXLAN"


def test_a_datagram_without_payload_is_no_tunnel() -> None:
    assert sealed(over_udp(4789, b"")) == ""


def test_the_port_of_the_sender_says_it_too() -> None:
    assert opened(over_udp(40000, gtp(INNER), sport=2152)).payload == QUESTION


WIREGUARD = [(1, 148), (2, 92), (3, 64), (4, 32), (4, 1440)]


@pytest.mark.parametrize(("kind", "length"), WIREGUARD)
def test_wireguard_is_known_by_its_messages_on_any_port(kind: int, length: int) -> None:
    message = bytes([kind, 0, 0, 0]) + bytes(length - 4)
    assert sealed(over_udp(4242, message)) == "WireGuard"
    assert sealed(over_udp(3478, message)) == "WireGuard"


@pytest.mark.parametrize(("kind", "length"), [(1, 147), (4, 33), (4, 16), (5, 64), (0, 64)])
def test_what_only_resembles_messages_of_wireguard_is_none(kind: int, length: int) -> None:
    assert sealed(over_udp(4242, bytes([kind, 0, 0, 0]) + bytes(length - 4))) == ""


def test_a_message_of_the_dns_is_none_of_wireguard() -> None:
    assert sealed(over_udp(53, bytes([4, 0, 0, 0]) + bytes(28))) == ""


def test_every_tunnel_has_its_word() -> None:
    assert {name for name, _ in READERS} <= set(SEALED)


@settings(max_examples=200)
@given(
    st.one_of(
        st.tuples(st.sampled_from(sorted(PROTOCOLS)), st.binary(max_size=80)).map(
            lambda drawn: over_ip(*drawn)
        ),
        st.tuples(st.sampled_from(sorted(PORTS)), st.binary(max_size=80)).map(
            lambda drawn: over_udp(*drawn)
        ),
    ),
    st.integers(0, 120),
)
def test_any_bytes_in_a_tunnel_are_one_frame_and_either_opened_or_not(
    packet: bytes, kept: int
) -> None:
    done = decoded(pcap([Frame(0, packet[:kept], len(packet))], 101))
    ledger = done.ledger
    assert ledger.frames == ledger.packets + ledger.undecoded.total() == 1
    for number, seen in enumerate(done.packets, 1):
        assert seen.carrier == (number < len(done.packets))
        assert not (seen.carrier and seen.sealed)


@settings(max_examples=200)
@given(st.binary(max_size=12), st.integers(0, 160), st.integers(0, 255))
def test_a_tampered_tunnel_is_opened_or_sealed(noise: bytes, at: int, flip: int) -> None:
    packet = bytearray(
        over_ip(GRE, gre(over_udp(4789, vxlan(ethernet(over_udp(2152, gtp(INNER))))), 0x0800))
    )
    at = min(at, len(packet) - 1)
    packet[at] ^= flip
    packet[at:at] = noise
    ledger = read(bytes(packet)).ledger
    assert ledger.frames == ledger.packets + ledger.undecoded.total() == 1
