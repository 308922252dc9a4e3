"""IPv6 extension headers are followed to the transport header, and no further than they go."""

import numpy as np
import pytest

from egress_audit.columns import PADDING
from egress_audit.decode.exact import EXTENSIONS, MAX_HEADERS, source_routed
from tests.builders.captures import (
    AUTHENTICATION,
    DESTINATION_OPTIONS,
    FRAGMENT,
    HOP_BY_HOP,
    UDP,
    Frame,
    extension_body,
    fragment,
    ipv4,
    ipv6,
    pcap,
    udp,
)
from tests.builders.engine import Run, run

DATAGRAM = udp(1, 2, b"x" * 16)
Chain = list[tuple[int, bytes]]


def behind(chain: Chain, *, kept: int | None = None) -> Run:
    """What the engine makes of a datagram behind extension headers."""
    data = ipv6("::1", "::2", DATAGRAM, UDP, chain)
    return run(pcap([Frame(0, data[:kept], len(data))], 101))


@pytest.mark.parametrize("number", EXTENSIONS)
def test_every_extension_header_is_stepped_over(number: int) -> None:
    body = extension_body(bytes(14))
    if number == AUTHENTICATION:
        body = bytes([2]) + body[1:]
    (packet,) = behind([(number, body)]).packets
    assert (packet.proto, packet.sport, packet.payload_len) == (UDP, 1, 16)


def test_sixteen_headers_are_followed() -> None:
    chain = [(DESTINATION_OPTIONS, extension_body())] * MAX_HEADERS
    assert behind(chain).packets[0].sport == 1


def test_seventeen_are_one_too_many() -> None:
    done = behind([(DESTINATION_OPTIONS, extension_body())] * (MAX_HEADERS + 1))
    assert (done.packets[0].proto, done.packets[0].sport) == (DESTINATION_OPTIONS, 0)
    assert done.ledger.partial == {"header-malformed": 1}


def test_a_chain_that_the_snaplen_cut_is_cut() -> None:
    done = behind([(HOP_BY_HOP, extension_body(bytes(30)))], kept=50)
    assert done.ledger.partial == {"header-cut": 1}
    assert done.packets[0].payload_len == 0


def test_a_header_that_names_its_successor_before_it_is_cut_has_said_the_protocol() -> None:
    done = behind([(HOP_BY_HOP, extension_body(bytes(30)))], kept=50)
    assert (done.packets[0].proto, done.packets[0].sport) == (UDP, 0)


def test_a_first_fragment_shows_its_ports() -> None:
    (packet,) = behind([(FRAGMENT, fragment(0, more=True))]).packets
    assert (packet.sport, packet.fragment, packet.payload_len) == (1, True, 0)


def test_a_later_fragment_shows_none() -> None:
    (packet,) = behind([(FRAGMENT, fragment(24, more=False))]).packets
    assert (packet.proto, packet.sport, packet.fragment) == (UDP, 0, True)


def test_an_atomic_fragment_is_a_whole_datagram() -> None:
    (packet,) = behind([(FRAGMENT, fragment(0, more=False))]).packets
    assert (packet.sport, packet.fragment, packet.payload_len) == (1, False, 16)


def test_behind_a_later_fragment_nothing_is_taken_for_a_header() -> None:
    chain = [(FRAGMENT, fragment(8, more=True)), (HOP_BY_HOP, extension_body())]
    assert behind(chain).packets[0].proto == HOP_BY_HOP


def test_an_authentication_header_counts_in_words_of_four_bytes() -> None:
    (packet,) = behind([(AUTHENTICATION, b"\x04" + bytes(22))]).packets
    assert (packet.proto, packet.sport, packet.payload_len) == (UDP, 1, 16)


def test_it_is_stepped_over_in_ipv4_too() -> None:
    data = ipv4("10.0.0.1", "10.0.0.2", bytes([UDP, 4]) + bytes(22) + DATAGRAM, AUTHENTICATION)
    (packet,) = run(pcap([Frame(0, data)], 101)).packets
    assert (packet.proto, packet.sport, packet.payload_len) == (UDP, 1, 16)


def test_one_that_leaves_the_packet_is_malformed() -> None:
    data = ipv4("10.0.0.1", "10.0.0.2", bytes([UDP, 99]) + bytes(22), AUTHENTICATION)
    assert run(pcap([Frame(0, data)], 101)).ledger.partial == {"header-malformed": 1}


def options_routed(options: bytes) -> bool:
    buffer = np.frombuffer(options + bytes(PADDING), np.uint8)
    begin, end = np.array([0], np.int64), np.array([len(options)], np.int64)
    return bool(source_routed(buffer, begin, end)[0])


def test_a_loose_and_a_strict_route_with_stations_left_are_source_routes() -> None:
    assert options_routed(bytes([131, 7, 4, 8, 8, 8, 8, 0]))
    assert options_routed(bytes([1, 1, 137, 7, 4, 8, 8, 8, 8, 0, 0, 0]))


def test_a_route_that_is_used_up_is_none() -> None:
    assert not options_routed(bytes([131, 7, 8, 8, 8, 8, 8, 0]))


def test_a_recorded_route_is_none() -> None:
    assert not options_routed(bytes([7, 7, 4, 8, 8, 8, 8, 0]))


def test_what_stands_behind_the_end_of_the_options_is_none() -> None:
    assert not options_routed(bytes([0, 131, 7, 4, 8, 8, 8, 8]))


def test_an_option_that_claims_no_length_does_not_hold_the_walk() -> None:
    assert not options_routed(bytes([7, 0] * 20))
