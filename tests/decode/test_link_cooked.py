"""Headers that capturing systems write: cooked, NFLOG, PKTAP, PPI."""

import pytest

from tests.builders.captures import ethernet, null, sll
from tests.builders.links import (
    MAC,
    attribute,
    frame_relay,
    nflog,
    pktap,
    ppi,
    prism,
    radiotap,
    snap,
    wlan,
)
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

SLL, USER2, PPI, NFLOG, PKTAP, SLL2 = 113, 149, 192, 239, 258, 276


def test_a_cooked_802_2_frame_leads_on_through_snap() -> None:
    assert fate(sll(snap(TO_V4), 4), SLL) == PACKET


def test_a_cooked_802_2_frame_may_be_spanning_tree() -> None:
    assert fate(sll(b"\x42\x42\x03", 4), SLL) == "STP"


def test_a_cooked_frame_may_have_tags() -> None:
    assert fate(sll(b"\0\x05\x08\0" + TO_V4, 0x8100), SLL) == PACKET


@pytest.mark.parametrize(
    ("device", "frame"),
    [
        (770, frame_relay(TO_V4)),
        (801, wlan(snap(TO_V4))),
        (802, prism(wlan(snap(TO_V4)))),
        (803, radiotap(wlan(snap(TO_V4)))),
    ],
)
def test_some_devices_hand_over_their_own_frames(device: int, frame: bytes) -> None:
    kind = device.to_bytes(2, "big")
    assert fate(b"\0\4" + kind + b"\0\6" + MAC + bytes(2) + b"\0\4" + frame, SLL) == PACKET
    assert fate(b"\0\4" + bytes(6) + kind + b"\0\6" + MAC + bytes(2) + frame, SLL2) == PACKET


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_nflog_is_read_in_the_order_of_its_writer(packet: bytes, order: str) -> None:
    assert fate(nflog(packet, order), NFLOG) == PACKET


def test_an_nflog_attribute_behind_the_packet_is_malformed() -> None:
    assert fate(nflog(TO_V4) + attribute(9, TO_V4), NFLOG) == "link-malformed"
    assert fate(nflog(TO_V4) + b"\0\0\0", NFLOG) == PACKET


def test_an_nflog_family_that_is_not_ip_is_counted() -> None:
    assert fate(b"\7" + nflog(TO_V4)[1:], NFLOG) == "address family 7"


def test_an_nflog_attribute_shorter_than_its_header_is_malformed() -> None:
    assert fate(b"\2\0\0\0\3\0\1\0" + TO_V4, NFLOG) == "link-malformed"


def test_nflog_attributes_without_a_packet_are_malformed() -> None:
    assert fate(b"\2\0\0\0" + attribute(1, bytes(4)), NFLOG) == "link-malformed"


def test_nflog_attributes_without_end_are_not_followed() -> None:
    endless = attribute(1, b"") * 1000 + attribute(9, TO_V4)
    assert fate(b"\2\0\0\0" + endless, NFLOG) == "link headers nested too deep"


@pytest.mark.parametrize(
    ("linktype", "frame"), [(0, null(TO_V4)), (1, ethernet(TO_V6)), (12, TO_V4), (12, TO_V6)]
)
def test_pktap_and_ppi_lead_to_any_link_type(linktype: int, frame: bytes) -> None:
    assert fate(pktap(frame, linktype), PKTAP) == PACKET
    assert fate(ppi(frame, linktype), PPI) == PACKET


@pytest.mark.parametrize("linktype", [147, 1 << 31, (1 << 32) - 1])
def test_a_link_type_inside_that_nobody_knows_is_counted_by_number(linktype: int) -> None:
    assert fate(pktap(TO_V4, linktype), PKTAP) == f"link type {linktype}"
    assert fate(ppi(TO_V4, linktype), PPI) == f"link type {linktype}"


def test_a_pktap_record_that_is_no_packet_is_counted_by_its_sort() -> None:
    assert fate(pktap(ethernet(TO_V4), record=2), PKTAP) == "PKTAP record 2"


@pytest.mark.parametrize("length", [12, 107])
def test_a_pktap_header_that_is_too_short_is_malformed(length: int) -> None:
    assert fate(pktap(ethernet(TO_V4), length=length), PKTAP) == "link-malformed"


def test_a_ppi_header_that_is_too_short_is_malformed() -> None:
    assert fate(b"\0\0\7\0" + bytes(4) + TO_V4, PPI) == "link-malformed"


def test_pktap_in_pktap_comes_to_an_end() -> None:
    frame = ethernet(TO_V4)
    for depth in range(40):
        frame = pktap(frame, 258 if depth else 1)
    assert fate(frame, PKTAP) == "link headers nested too deep"


def test_user2_is_pktap_if_it_looks_like_it() -> None:
    assert fate(pktap(ethernet(TO_V4)), USER2) == PACKET
    assert fate(ethernet(TO_V4), USER2) == "link type 149"
