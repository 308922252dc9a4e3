"""Segments are what scapy would make of them, and their numbers go round in a circle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.inet import TCP as SCAPY_TCP

from egress_audit.record.internet.segments import (
    ACK,
    DEFAULT_MSS,
    RST,
    SMALLEST_MSS,
    SYN,
    Ends,
    Segment,
    ahead,
    announced_mss,
    read_segment,
    refusal,
    segment_packet,
)
from tests.builders.packets import packed, tcp
from tests.builders.tcp_client import heard

ENDS = Ends(packed("93.184.216.34"), packed("10.87.0.2"), 80, 40_000)
LAST = 0xFFFF_FFFF


def read(body: bytes) -> Segment:
    """The segment, which must be readable."""
    segment = read_segment(body)
    assert segment is not None
    return segment


def test_a_segment_has_its_numbers_flags_and_bytes() -> None:
    segment = read(tcp(1, 2, "PA", 7, 8, b"hello", options=b"\1\1\1\1"))
    assert segment == Segment(7, 8, 24, 65535, b"hello", b"\1\1\1\1")


@pytest.mark.parametrize(
    "body", [b"", tcp(1, 2)[:19], tcp(1, 2, data_offset=4), tcp(1, 2, data_offset=6)]
)
def test_a_header_that_is_not_all_there_is_no_segment(body: bytes) -> None:
    assert read_segment(body) is None


@given(st.binary(max_size=99), st.integers(0, LAST), st.integers(0, LAST))
def test_our_segments_are_those_of_scapy(data: bytes, seq: int, ack: int) -> None:
    ours = segment_packet(ENDS, seq, ack, SYN | ACK, 65535, data, mss=1460)
    layer = SCAPY_TCP(
        sport=80, dport=40_000, seq=seq, ack=ack, flags="SA", window=65535, options=[("MSS", 1460)]
    )
    assert ours == bytes(IP(src="93.184.216.34", dst="10.87.0.2", flags="DF", id=0) / layer / data)


@pytest.mark.parametrize(
    ("options", "mss"),
    [
        (b"\x02\x04\x05\xb4", 1460),
        (b"\1\1\4\2\x02\x04\x05\x00", 1280),
        (b"\x02\x04\0\1", SMALLEST_MSS),
        (b"", DEFAULT_MSS[4]),
        (b"\0\x02\x04\x05\xb4", DEFAULT_MSS[4]),
        (b"\x02\x04\x05", DEFAULT_MSS[4]),
        (b"\x08\0\x02\x04\x05\xb4", 1460),
    ],
)
def test_the_client_says_how_long_segments_may_be(options: bytes, mss: int) -> None:
    assert announced_mss(Segment(0, 0, SYN, 0, b"", options), 4) == mss


@pytest.mark.parametrize(
    ("number", "of", "distance"),
    [(5, 3, 2), (3, 5, -2), (0, LAST, 1), (LAST, 0, -1), (7, 7, 0), (1 << 31, 0, -(1 << 31))],
)
def test_sequence_numbers_go_round(number: int, of: int, distance: int) -> None:
    assert ahead(number, of) == distance


def test_a_syn_is_refused_with_its_own_number_acknowledged() -> None:
    packet = refusal(ENDS, Segment(LAST, 0, SYN, 0, b"", b""))
    assert packet is not None
    assert heard(packet)[:3] == ("RA", 0, 0)


def test_an_acknowledgement_of_nothing_is_refused_where_it_stands() -> None:
    packet = refusal(ENDS, Segment(5, 99, ACK, 0, b"x", b""))
    assert packet is not None
    assert heard(packet)[:3] == ("R", 99, 0)


def test_a_reset_is_never_answered() -> None:
    assert refusal(ENDS, Segment(5, 99, RST | ACK, 0, b"", b"")) is None
