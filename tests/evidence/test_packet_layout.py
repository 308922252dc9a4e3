"""Tests of egress_audit/evidence/packet_layout.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.evidence.packet_layout import (
    ARP,
    ETHERNET,
    NOT_IP,
    RAW,
    UNKNOWN,
    kept_length,
    layout_of,
)
from tests.builders.captures import (
    DESTINATION_OPTIONS,
    FRAGMENT,
    HOP_BY_HOP,
    ICMP,
    TCP,
    UDP,
    client_hello,
    dns_query,
    ethernet,
    extension_body,
    fragment,
    icmp,
    ipv4,
    ipv6,
    sll,
    tcp,
    udp,
)

A, B = "10.87.0.2", "203.0.113.7"
A6, B6 = "fd00:e6e4::2", "2001:db8::7"
SECRET = b"Authorization: Bearer hunter2"


def kept(frame: bytes, linktype: int = RAW) -> bytes:
    return frame[: kept_length(frame, linktype)]


def test_the_payload_begins_behind_the_options_of_tcp() -> None:
    frame = ipv4(A, B, tcp(1, 80, "PA", payload=SECRET, options=b"\1" * 12), TCP)
    assert frame[layout_of(frame, RAW).payload :] == SECRET


def test_the_payload_begins_behind_the_options_of_ipv4() -> None:
    frame = ipv4(A, B, udp(1, 80, SECRET), UDP, options=b"\1" * 8)
    assert frame[layout_of(frame, RAW).payload :] == SECRET


def test_the_payload_begins_behind_extension_headers() -> None:
    chain = [(HOP_BY_HOP, extension_body()), (DESTINATION_OPTIONS, extension_body(bytes(20)))]
    frame = ipv6(A6, B6, udp(1, 80, SECRET), UDP, chain)
    assert frame[layout_of(frame, RAW).payload :] == SECRET


def test_the_payload_begins_behind_ethernet_and_vlan_tags() -> None:
    frame = ethernet(ipv6(A6, B6, udp(1, 80, SECRET), UDP), vlans=(1, 2))
    assert frame[layout_of(frame, ETHERNET).payload :] == SECRET


def test_a_later_fragment_has_no_transport_header() -> None:
    four = ipv4(A, B, SECRET, UDP, fragment_offset=8)
    six = ipv6(A6, B6, SECRET, UDP, [(FRAGMENT, fragment(8, more=False))])
    assert [layout_of(frame, RAW).payload for frame in (four, six)] == [UNKNOWN, UNKNOWN]
    assert SECRET not in kept(four) + kept(six)


@pytest.mark.parametrize("size", [0, 5, 19, 20, 30])
def test_a_packet_that_is_cut_in_its_headers_has_no_payload(size: int) -> None:
    frame = ipv4(A, B, tcp(1, 80, "PA", payload=SECRET), TCP)[:size]
    assert layout_of(frame, RAW).payload == UNKNOWN


def test_what_is_no_ip_has_no_layout() -> None:
    packet = ipv4(A, B, udp(1, 2), UDP)
    assert layout_of(b"\x00" * 60, RAW) == NOT_IP
    assert layout_of(ethernet(b"x" * 46, ARP), ETHERNET) == NOT_IP
    assert layout_of(sll(packet), 113) == NOT_IP


def test_a_recording_of_headers_keeps_no_payload() -> None:
    for frame in (
        ipv4(A, B, tcp(1, 80, "PA", payload=SECRET), TCP),
        ipv6(A6, B6, udp(1, 80, SECRET), UDP),
        ipv4(A, B, icmp(8, payload=SECRET), ICMP),
        ipv4(A, B, SECRET, 47),
    ):
        assert SECRET not in kept(frame)
        assert kept(frame) == frame[: len(frame) - len(SECRET)]


def test_a_recording_of_headers_keeps_what_carries_a_name() -> None:
    quic = b"\xc3\0\0\0\1" + bytes(1195)
    for frame in (
        ipv4(A, B, udp(1234, 53, dns_query("example.com")), UDP),
        ipv4(A, B, udp(53, 1234, dns_query("example.com")), UDP),
        ipv6(A6, B6, tcp(1, 443, "PA", payload=client_hello("example.com")), TCP),
        ipv4(A, B, udp(1234, 443, quic), UDP),
        ipv4(A, B, udp(1234, 443, b"\xd3\x6b\x33\x43\xcf" + bytes(1195)), UDP),
        ipv4(A, B, udp(1234, 137, dns_query("example")), UDP),
        ipv4(A, B, udp(1234, 1900, b"M-SEARCH * HTTP/1.1"), UDP),
        ipv4(A, B, udp(1234, 4433, b"\x16\xfe\xfd" + bytes(10) + b"\1" + bytes(50)), UDP),
    ):
        assert kept(frame) == frame


def test_it_keeps_nothing_else_that_looks_like_it() -> None:
    for frame in (
        ipv4(A, B, tcp(1234, 1900, "PA", payload=SECRET), TCP),
        ipv4(A, B, udp(1234, 443, b"\xd3\0\0\0\1" + bytes(1195)), UDP),
        ipv4(A, B, udp(1234, 4433, b"\x16\xfe\xfd" + bytes(10) + b"\2" + bytes(50)), UDP),
        ipv4(A, B, udp(1234, 4433, b"\x17\xfe\xfd" + bytes(10) + b"\1" + bytes(50)), UDP),
    ):
        assert len(kept(frame)) == layout_of(frame, RAW).payload


def test_an_icmp_error_keeps_the_headers_that_it_quotes() -> None:
    quoted = ipv4(A, B, udp(1, 80, SECRET), UDP)
    frame = ipv4(B, A, icmp(3, 3, quoted), ICMP)
    assert kept(frame) == frame[: len(frame) - len(SECRET)]


def test_arp_is_kept_whole_and_other_ethernet_is_cut() -> None:
    arp, other = ethernet(b"x" * 46, ARP), ethernet(SECRET, 0x88CC)
    assert kept(arp, ETHERNET) == arp
    assert kept(other, ETHERNET) == other[:14]
    assert len(kept(b"\x00" * 60, RAW)) == 1


@given(st.binary(max_size=120), st.sampled_from([RAW, ETHERNET, 113]))
def test_no_bytes_lead_out_of_the_frame(frame: bytes, linktype: int) -> None:
    layout = layout_of(frame, linktype)
    assert all(UNKNOWN <= place <= len(frame) for place in (layout.transport, layout.payload))
    assert 0 <= kept_length(frame, linktype) <= len(frame)


@given(st.binary(max_size=80))
def test_headers_of_any_content_stay_within_the_frame(rest: bytes) -> None:
    for start in (b"\x45", b"\x4f", b"\x60"):
        frame = start + rest
        assert 0 <= kept_length(frame, RAW) <= len(frame)
        assert layout_of(frame, RAW).payload <= len(frame)
