"""ARP ends at the link as long as it is no more than it states."""

import struct

import pytest

from tests.builders.captures import arp, ethernet
from tests.builders.one_frame import TO_V4, fate
from tests.builders.tunnels import over_udp, vxlan
from tests.decode.test_tunnels import sealed

ARP, RARP = 0x0806, 0x8035
MORE, STRANGE = "more than ARP", "ARP of another form"


@pytest.mark.parametrize(("ethertype", "kind"), [(ARP, "ARP"), (RARP, "RARP")])
def test_a_question_has_no_destination(ethertype: int, kind: str) -> None:
    assert fate(ethernet(arp(), ethertype)) == kind


def test_who_has_an_address_of_the_internet_is_asked_of_the_link_alone() -> None:
    assert fate(ethernet(arp("93.184.216.34"), ARP)) == "ARP"


@pytest.mark.parametrize("size", [1, 18, 22])
def test_what_fills_up_the_shortest_frame_is_padding_whatever_it_holds(size: int) -> None:
    assert fate(ethernet(arp() + b"\xff" * size, ARP)) == "ARP"


@pytest.mark.parametrize("size", [23, 150, 1400])
def test_more_bytes_than_that_are_more_than_arp(size: int) -> None:
    assert fate(ethernet(arp() + b"exfil" * size, ARP)) == MORE
    assert fate(ethernet(arp() + bytes(size - 1) + b"\1", ARP)) == MORE


@pytest.mark.parametrize("size", [23, 150, 1400])
def test_zeros_are_padding_however_many(size: int) -> None:
    assert fate(ethernet(arp() + bytes(size), ARP)) == "ARP"


def test_the_padding_of_one_frame_says_nothing_of_the_next() -> None:
    long, short = ethernet(arp() + bytes(80), ARP), ethernet(arp() + b"x" * 80, ARP)
    assert (fate(long), fate(short)) == ("ARP", MORE)


@pytest.mark.parametrize(
    "body",
    [
        bytes(28),
        arp(operation=0),
        arp(operation=26),
        arp(hlen=21),
        struct.pack(">HHBBH", 1, 0x86DD, 6, 16, 1) + bytes(44),
        struct.pack(">HHBBH", 1, 0x0800, 6, 255, 1) + bytes(600),
        TO_V4,
    ],
    ids=["zeros", "op 0", "op 26", "long hardware", "IPv6", "long protocol", "a packet"],
)
def test_what_is_not_of_its_form_is_said(body: bytes) -> None:
    assert fate(ethernet(body, ARP)) == STRANGE


@pytest.mark.parametrize("operation", [1, 2, 8, 9, 25])
def test_every_assigned_operation_is_known(operation: int) -> None:
    assert fate(ethernet(arp(operation=operation), ARP)) == "ARP"


@pytest.mark.parametrize("size", [0, 7, 8, 27])
def test_a_frame_that_ends_inside_is_malformed_or_was_cut(size: int) -> None:
    frame = ethernet(arp()[:size], ARP)
    assert fate(frame) == "link-malformed"
    assert fate(frame, wirelen=60) == "truncated"


def test_ieee_1394_has_a_layout_of_its_own() -> None:
    body = struct.pack(">HHBBH", 24, 0x0800, 16, 4, 1) + bytes(24)
    frame = bytes(16) + b"\x08\x06"
    assert fate(frame + body, 138) == "ARP"
    assert fate(frame + body[:-1], 138) == "link-malformed"
    assert fate(frame + body + b"x" * 23, 138) == MORE


def test_atm_has_one_too() -> None:
    fixed = struct.pack(">HHBBHBBBB", 19, 0x0800, 20, 0, 8, 4, 20, 0, 4)
    snap = b"\xaa\xaa\x03\0\0\0\x08\x06"
    assert fate(snap + fixed + bytes(48), 100) == "ARP"
    assert fate(snap + fixed + bytes(47), 100) == "link-malformed"
    assert fate(snap + fixed + bytes(48) + b"x" * 23, 100) == MORE


def test_in_a_tunnel_it_is_held_to_the_same() -> None:
    assert sealed(over_udp(4789, vxlan(ethernet(arp(), ARP)))) == ""
    assert sealed(over_udp(4789, vxlan(ethernet(arp() + b"x" * 99, ARP)))) == "VXLAN"
