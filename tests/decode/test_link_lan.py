"""Rings, ATM and the networks that borrowed 802.2 from Ethernet."""

import pytest

from tests.builders.captures import arp, ethernet
from tests.builders.links import MAC, snap, snap_bridged
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

TOKEN_RING, FDDI, ATM, CLIP, FIBRE_CHANNEL, SUNATM, ARCNET, INFINIBAND = (
    *(6, 10, 100, 106, 122, 123, 129, 242),
)
BODY = snap(TO_V4)
VECTOR = b"\0\6\0\7\2\1"
"""Of a MAC frame of a token ring: length, classes, command, and a subvector."""


def test_a_token_ring_frame_without_a_route_has_802_2_at_once() -> None:
    assert fate(b"\x10\x40" + MAC * 2 + BODY, TOKEN_RING) == PACKET


@pytest.mark.parametrize("hops", [0, 2, 7])
def test_a_route_is_skipped(hops: int) -> None:
    route = bytes([2 + 2 * hops, 0]) + bytes(2 * hops)
    assert fate(b"\x10\x40" + MAC + b"\x82\0\0\0\0\1" + route + BODY, TOKEN_RING) == PACKET


def test_frames_that_keep_a_ring_going_are_no_packets() -> None:
    assert fate(b"\x10\0" + MAC * 2 + VECTOR, TOKEN_RING) == "token ring MAC"
    assert fate(b"\x10\0" + MAC * 2 + VECTOR + bytes(4), TOKEN_RING) == "token ring MAC"
    assert fate(b"\x41" + MAC * 2 + bytes(19) + b"\4node", FDDI) == "FDDI MAC and SMT"
    assert fate(b"\xc3" + MAC * 2 + bytes(4), FDDI) == "FDDI MAC and SMT"


@pytest.mark.parametrize("control", [0, 0x3F])
@pytest.mark.parametrize("body", [BODY, VECTOR + TO_V4, TO_V4, b"\0\3" + bytes(2)])
def test_what_is_no_vector_of_a_ring_may_be_a_packet(control: int, body: bytes) -> None:
    assert fate(bytes([16, control]) + MAC * 2 + body, TOKEN_RING) == "more than link upkeep"


@pytest.mark.parametrize("control", [0x00, 0x10, 0x40, 0x41, 0x60, 0x80, 0xC2, 0xE0])
def test_what_fddi_does_not_need_to_keep_going_may_be_a_packet(control: int) -> None:
    assert fate(bytes([control]) + MAC * 2 + TO_V4, FDDI) == "more than link upkeep"


@pytest.mark.parametrize("linktype", [TOKEN_RING, FDDI])
def test_upkeep_that_ends_before_it_says_how_long_it_is_is_malformed(linktype: int) -> None:
    head = b"\x10\0" if linktype == TOKEN_RING else b"\x41"
    assert fate(head + MAC * 2 + b"\0", linktype) == "link-malformed"


@pytest.mark.parametrize("control", [0x50, 0x57, 0xD0])
def test_logical_link_frames_of_fddi_are_read(control: int) -> None:
    assert fate(bytes([control]) + MAC * 2 + BODY, FDDI) == PACKET


@pytest.mark.parametrize("body", [BODY, snap_bridged(TO_V6), b"\xfe\xfe\3\xcc" + TO_V4])
def test_atm_carries_802_2_routed_or_bridged(body: bytes) -> None:
    assert fate(body, ATM) == PACKET
    assert fate(b"\2\0\0\x20" + body, SUNATM) == PACKET


def test_classical_ip_may_have_no_header() -> None:
    assert fate(TO_V4, CLIP) == PACKET
    assert fate(BODY, CLIP) == PACKET


def test_lan_emulation_has_two_bytes_before_its_frame() -> None:
    assert fate(b"\1\0\0\x20\0\0" + ethernet(TO_V4), SUNATM) == PACKET


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\6\0\0\5", "ATM signalling"),
        (b"\5\0\0\x10", "ILMI"),
        (b"\2\1\0\5", "802.2 LLC"),
        (b"\4\0\0\x20", "ATM traffic type"),
    ],
)
def test_atm_circuits_of_other_purposes_are_counted(header: bytes, kind: str) -> None:
    assert fate(header + bytes(40), SUNATM) == kind


def test_fibre_channel_has_802_2_behind_its_addresses() -> None:
    assert fate(bytes(16) + BODY, FIBRE_CHANNEL) == PACKET


def test_infiniband_and_firewire_have_an_ethertype() -> None:
    assert fate(bytes(40) + b"\x08\0\0\0" + TO_V4, INFINIBAND) == PACKET
    assert fate(bytes(40) + b"\x08\6\0\0" + arp(hlen=20), INFINIBAND) == "ARP"
    assert fate(bytes(16) + b"\x86\xdd" + TO_V6, 138) == PACKET


@pytest.mark.parametrize(
    "frame",
    [
        b"\1\2\0\0\xf0" + TO_V4,
        b"\1\2\0\0\xd4\0\0\1" + TO_V4,
        b"\1\2\0\0\xd4\xff\0\0\xff\0\0\1" + TO_V4,
        b"\1\2\0\0\xc4\0\0\1" + TO_V6,
    ],
    ids=["rfc1051", "rfc1201", "exception", "v6"],
)
def test_arcnet_leads_to_the_packet(frame: bytes) -> None:
    assert fate(frame, ARCNET) == PACKET


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\1\2\0\0\xd4\1\0\1", "ARCNET fragment"),
        (b"\1\2\0\0\xcd\0\0\1", "ARCNET protocol"),
    ],
)
def test_other_frames_of_arcnet_are_counted(header: bytes, kind: str) -> None:
    assert fate(header + TO_V4, ARCNET) == kind


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\1\2\0\0\xf1", "ARP"),
        (b"\1\2\0\0\xd5\0\0\1", "ARP"),
        (b"\1\2\0\0\xd6\0\0\1", "RARP"),
    ],
)
def test_arcnet_resolves_its_addresses_of_one_byte(header: bytes, kind: str) -> None:
    assert fate(header + arp(hlen=1), ARCNET) == kind
    assert fate(header + TO_V4, ARCNET) == "ARP of another form"
