"""Headers that say the address family, and packets without any header."""

import struct

import pytest

from tests.builders.captures import null
from tests.builders.links import enc, ipnet, pflog, slip
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

NULL, SLIP, LOOP, ENC, PFLOG, IPNET = 0, 8, 108, 109, 117, 226


@pytest.mark.parametrize("family", [10, 23, 24, 28, 30])
def test_every_systems_number_for_ipv6_is_known(family: int) -> None:
    assert fate(null(TO_V6, family), NULL) == PACKET


def test_loop_is_in_network_order_only() -> None:
    assert fate(null(TO_V4), LOOP) == f"address family {2 << 24}"


def test_enc_is_read_in_either_order() -> None:
    assert fate(struct.pack(">III", 2, 7, 0) + TO_V4, ENC) == PACKET
    assert fate(enc(TO_V4), ENC) == PACKET


@pytest.mark.parametrize("length", [45, 61, 64, 97, 100])
def test_a_pflog_header_is_padded_to_four_bytes(length: int) -> None:
    padding = bytes(-length % 4)
    assert fate(bytes([length, 2]) + bytes(length - 2) + padding + TO_V4, PFLOG) == PACKET


def test_a_pflog_header_that_is_too_short_to_be_one_is_malformed() -> None:
    assert fate(bytes([44, 2]) + bytes(46) + TO_V4, PFLOG) == "link-malformed"


def test_pflog_of_another_family_is_counted_by_it() -> None:
    assert fate(bytes([61, 7]) + bytes(62) + TO_V4, PFLOG) == "address family 7"


def test_solaris_has_its_own_number_for_ipv6() -> None:
    assert fate(ipnet(TO_V6), IPNET) == PACKET
    assert fate(b"\1\2" + bytes(22) + TO_V4, IPNET) == PACKET
    assert fate(b"\1\x1b" + bytes(22) + TO_V6, IPNET) == "address family 27"


@pytest.mark.parametrize("first", [0x70, 0x7F, 0x80, 0xC5])
def test_a_slip_packet_with_compressed_headers_is_counted_as_such(first: int) -> None:
    assert fate(bytes([1, first]) + bytes(14) + TO_V4, SLIP) == "compressed SLIP"


@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_a_slip_packet_with_plain_headers_is_read(packet: bytes) -> None:
    assert fate(slip(packet), SLIP) == PACKET


def test_a_pflog_header_may_name_ipv6() -> None:
    assert fate(pflog(TO_V6), PFLOG) == PACKET
