"""A packet at once behind UDP is opened if it is whole and its checksum right, on any port."""

import pytest

from tests.builders.captures import (
    HOP_BY_HOP,
    ICMPV6,
    TCP,
    UDP,
    Frame,
    icmp,
    ip,
    ipv4,
    ipv6,
    pcap,
    tcp,
    udp,
)
from tests.builders.engine import decoded
from tests.builders.tunnels import in_fragments, over_udp
from tests.decode.test_tunnels import INNER, INNER6, QUESTION, opened, read, sealed

ENDS = ("10.9.0.1", "198.51.100.7")
ENDS_6 = ("2001:db8::9", "2001:db8::7")


def plain(datagram: bytes) -> bool:
    """A datagram that is nothing but one."""
    (packet,) = read(datagram).packets
    return not packet.carrier and not packet.sealed


def with_bytes(packet: bytes, at: int, *values: int) -> bytes:
    """The packet with other bytes somewhere."""
    return packet[:at] + bytes(values) + packet[at + len(values) :]


@pytest.mark.parametrize("inner", [INNER, INNER6])
@pytest.mark.parametrize("port", [5555, 53, 443, 3386, 3478, 37008])
def test_a_packet_behind_udp_is_opened_on_any_port(inner: bytes, port: int) -> None:
    assert opened(over_udp(port, inner)).payload == QUESTION
    assert opened(over_udp(7777, inner, sport=port)).payload == QUESTION


@pytest.mark.parametrize(
    "inner",
    [
        ip(*ENDS_6, tcp(1, 2, "S"), TCP),
        ip(*ENDS_6, icmp(128, 0, b"odd"), ICMPV6),
        ip(*ENDS, tcp(1, 2, "S"), TCP),
        ipv4(*ENDS, udp(1, 2), UDP, options=b"\1\1\1\1"),
    ],
    ids=["tcp 6", "icmp 6", "tcp 4", "options"],
)
def test_of_whatever_transport_and_length(inner: bytes) -> None:
    assert opened(over_udp(5555, inner)).depth == 1


@pytest.mark.parametrize(
    "payload",
    [
        with_bytes(INNER, 10, INNER[10] ^ 1),
        with_bytes(INNER, 8, INNER[8] ^ 1),
        with_bytes(INNER, 0, 0x44),
        INNER + b"x",
        INNER[:-1],
        INNER[:19],
        with_bytes(INNER6, 46, INNER6[46] ^ 1),
        with_bytes(INNER6, 6, 59),
        INNER6 + b"x",
        INNER6[:-1],
        INNER6[:39],
        b"\x45",
        b"\x60\0\0\0",
        b"\x45" + bytes(19),
        b"\x60" + bytes(39),
    ],
)
def test_what_only_resembles_a_packet_is_an_ordinary_datagram(payload: bytes) -> None:
    assert plain(over_udp(5555, payload))


def test_a_checksum_left_to_hardware_is_zero_in_a_header_of_the_plainest_form() -> None:
    blank = with_bytes(INNER, 10, 0, 0)
    assert opened(over_udp(5555, blank)).payload == QUESTION
    assert plain(over_udp(5555, with_bytes(blank, 6, 0x20, 0)))
    assert plain(over_udp(5555, with_bytes(blank, 9, 99)))


def test_behind_other_headers_of_ipv6_nothing_tells_a_packet() -> None:
    assert plain(over_udp(5555, ipv6(*ENDS_6, udp(1, 2), UDP, extensions=[(HOP_BY_HOP, b"")])))


def test_of_a_packet_that_the_snaplen_cut_the_header_is_enough() -> None:
    whole = over_udp(5555, INNER)
    packets = decoded(pcap([Frame(0, whole[:52], len(whole))], 101)).packets
    assert [packet.depth for packet in packets] == [0, 1]


def test_without_its_last_bytes_no_checksum_of_ipv6_can_be_right() -> None:
    whole = over_udp(5555, INNER6)
    (packet,) = decoded(pcap([Frame(0, whole[:-1], len(whole))], 101)).packets
    assert not packet.carrier


def test_packets_in_packets_are_opened_to_a_depth() -> None:
    packet = INNER
    for _ in range(20):
        packet = over_udp(5555, packet)
    assert read(packet).packets[-1].sealed == "nested too deeply"


def test_a_datagram_in_fragments_is_opened_once_it_is_whole() -> None:
    done = read(*in_fragments(over_udp(5555, INNER), 32))
    assert [packet.payload for packet in done.packets if packet.depth] == [QUESTION]


def test_a_port_that_is_known_says_more_than_a_form() -> None:
    assert sealed(over_udp(500, INNER)) == "IKE"
