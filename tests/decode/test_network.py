"""IPv4 and IPv6 headers: lengths that lie, fragments, and headers that are cut."""

from collections import Counter

import pytest

from tests.builders.captures import (
    HOP_BY_HOP,
    TCP,
    UDP,
    Frame,
    ethernet,
    extension_body,
    ipv4,
    ipv6,
    pcap,
    tcp,
    udp,
)
from tests.builders.engine import Run, run

RAW, ETHERNET = 101, 1


def alone(data: bytes, wirelen: int | None = None, linktype: int = RAW) -> Run:
    """What the engine makes of one frame."""
    return run(pcap([Frame(0, data, wirelen)], linktype))


def undecoded(data: bytes, wirelen: int | None = None, linktype: int = RAW) -> Counter[str]:
    """Why one frame became no packet."""
    return alone(data, wirelen, linktype).ledger.undecoded


def datagram(**changes: int) -> bytes:
    """An IPv4 packet with the given lies."""
    return ipv4("10.0.0.2", "1.2.3.4", udp(1, 2, b"hello"), UDP, **changes)  # type: ignore[arg-type]


def test_a_total_length_of_zero_is_what_offload_leaves_so_the_wire_decides() -> None:
    (packet,) = alone(datagram(total_length=0)).packets
    assert (packet.ip_len, packet.payload_len) == (33, 5)


def test_a_payload_length_of_zero_is_a_jumbogram_so_the_wire_decides() -> None:
    data = ipv6("::1", "::2", udp(1, 2, b"hello"), UDP, payload_length=0)
    assert alone(data).packets[0].ip_len == 53


def test_an_ipv6_header_with_nothing_behind_it_is_a_packet_of_forty_bytes() -> None:
    (packet,) = alone(ipv6("::1", "::2", b"", 59)).packets
    assert (packet.ip_len, packet.proto) == (40, 59)


@pytest.mark.parametrize("length", [1, 19])
def test_a_total_length_below_its_header_is_malformed(length: int) -> None:
    assert undecoded(datagram(total_length=length)) == {"ip-malformed": 1}


def test_a_header_length_below_twenty_is_malformed() -> None:
    data = bytearray(datagram())
    data[0] = 0x44
    assert undecoded(bytes(data)) == {"ip-malformed": 1}


@pytest.mark.parametrize("kept", [1, 19])
def test_a_header_that_the_snaplen_cut_is_truncated(kept: int) -> None:
    assert undecoded(datagram()[:kept], 33) == {"truncated": 1}


def test_a_header_that_was_never_whole_is_malformed() -> None:
    assert undecoded(datagram()[:19]) == {"ip-malformed": 1}


def test_options_that_are_cut_are_truncated() -> None:
    data = ipv4("10.0.0.2", "1.2.3.4", b"", TCP, bytes(8))
    assert undecoded(data[:24], 28) == {"truncated": 1}


def test_options_are_stepped_over() -> None:
    data = ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2, payload=b"hello"), TCP, bytes(8))
    (packet,) = alone(data).packets
    assert (packet.sport, packet.payload_len) == (1, 5)


def test_a_frame_that_says_ipv4_and_holds_ipv6_is_malformed() -> None:
    frame = ethernet(ipv6("::1", "::2", b"", UDP), 0x0800)
    assert undecoded(frame, linktype=ETHERNET) == {"ip-malformed": 1}


def test_a_version_that_is_neither_is_malformed_even_if_the_rest_is_cut() -> None:
    assert undecoded(b"\x75", 40) == {"ip-malformed": 1}


def test_a_first_fragment_has_ports_and_no_payload() -> None:
    done = alone(datagram(more_fragments=True))
    (packet,) = done.packets
    assert (packet.sport, packet.payload_len, packet.fragment) == (1, 0, True)
    assert done.ledger.partial == {"fragment": 1}


def test_a_later_fragment_has_no_ports() -> None:
    (packet,) = alone(datagram(fragment_offset=8)).packets
    assert (packet.sport, packet.dport, packet.fragment) == (0, 0, True)


def test_addresses_of_both_versions_are_read_whole() -> None:
    assert alone(datagram()).packets[0].dst == 0x01020304
    six = alone(ipv6("2001:db8::1", "ff02::fb", b"", 59)).packets[0]
    assert (six.src, six.dst) == (0x20010DB8 << 96 | 1, 0xFF02 << 112 | 0xFB)


def test_padding_beyond_the_total_length_belongs_to_no_header() -> None:
    short = ipv4("10.0.0.2", "1.2.3.4", tcp(1, 2), TCP, total_length=22)
    (packet,) = alone(short).packets
    assert (packet.sport, packet.tcp_flags) == (0, 0)


def test_an_extension_header_beyond_the_stated_length_is_malformed() -> None:
    chain = [(HOP_BY_HOP, extension_body(bytes(30)))]
    done = alone(ipv6("::1", "::2", udp(1, 2), UDP, chain, payload_length=8))
    assert done.ledger.partial == {"header-malformed": 1}
