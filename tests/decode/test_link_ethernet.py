"""Ethernet, and what stands between its addresses and its packet."""

import pytest

from tests.builders.captures import ethernet
from tests.builders.links import MAC, snap
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

IP = b"\x08\0" + TO_V4
FRAME = ethernet(TO_V6)


@pytest.mark.parametrize(
    ("ethertype", "rest"),
    [
        (0x8100, b"\0\5" + IP),
        (0x88A8, b"\0\5\x81\0\0\6" + IP),
        (0x8926, bytes(4) + IP),
        (0x892F, bytes(4) + IP),
        (0x893F, bytes(6) + IP),
        (0x8909, b"\1\1\0\1\0\5" + IP),
        (0x88E7, bytes(4) + FRAME),
        (0x8903, bytes(2) + FRAME),
        (0x22F3, b"\0\x06\0\1\0\2" + FRAME),
        (0x22F3, b"\0\x46\0\1\0\2" + bytes(4) + FRAME),
    ],
)
def test_tags_and_wrapped_frames_lead_to_the_packet(ethertype: int, rest: bytes) -> None:
    assert fate(ethernet(rest, ethertype)) == PACKET


def test_a_length_behind_a_tag_leads_to_802_2() -> None:
    body = snap(TO_V4)
    assert fate(ethernet(b"\0\5" + len(body).to_bytes(2, "big") + body, 0x8100)) == PACKET


@pytest.mark.parametrize("group", [b"\1\0\x0c\0\0", b"\x0c\0\x0c\0\0"])
def test_isl_wraps_a_whole_frame(group: bytes) -> None:
    header = group + b"\0" + MAC + b"\0\x60\xaa\xaa\3\0\0\x0c\0\2\0\0\0\0"
    assert fate(header + FRAME) == PACKET


def test_the_same_group_without_the_header_of_isl_is_plain_802_2() -> None:
    body = snap(TO_V4)
    assert fate(b"\1\0\x0c\0\0\0" + MAC + len(body).to_bytes(2, "big") + body) != PACKET
    assert fate(b"\1\0\x0c\0\1\0" + MAC + len(body).to_bytes(2, "big") + body) == PACKET


def macsec(control: int, body: bytes = IP) -> bytes:
    """A security tag with the identifier of its channel if control says so."""
    return ethernet(bytes([control]) + bytes(13 if control & 0x20 else 5) + body, 0x88E5)


@pytest.mark.parametrize("control", [0, 0x20])
def test_macsec_that_only_protects_is_read(control: int) -> None:
    assert fate(macsec(control)) == PACKET


@pytest.mark.parametrize("control", [0x08, 0x0C, 0x2C, 0x04])
def test_macsec_that_hides_is_counted_as_encrypted(control: int) -> None:
    assert fate(macsec(control)) == "encrypted MACsec"


@pytest.mark.parametrize(("linktype", "tag"), [(281, 4), (284, 4), (285, 8)])
def test_the_tags_of_switch_chips_are_skipped(linktype: int, tag: int) -> None:
    assert fate(MAC * 2 + bytes(tag) + IP, linktype) == PACKET


def test_a_docsis_frame_leads_to_ethernet() -> None:
    assert fate(bytes(6) + FRAME, 143) == PACKET
    assert fate(b"\1\2" + bytes(6) + FRAME, 143) == PACKET


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\xc2" + bytes(5), "DOCSIS frame control"),
        (b"\xc4" + bytes(5), "DOCSIS frame control"),
        (b"\xc6" + bytes(5), "DOCSIS frame control"),
        (b"\xf8" + bytes(5), "DOCSIS frame control"),
        (b"\xc3\xff" + bytes(4), "link-malformed"),
        (b"\x40" + bytes(5), "DOCSIS frame control"),
        (b"\1\5\0\0\x34\0\x80\0\0\0\0", "encrypted DOCSIS"),
    ],
)
def test_other_docsis_frames_are_counted(header: bytes, kind: str) -> None:
    assert fate(header + FRAME, 143) == kind


@pytest.mark.parametrize("crc", [b"", bytes(4)])
@pytest.mark.parametrize("head", [b"\xc0" + bytes(5), b"\xc2" + bytes(5), b"\xc3\2" + bytes(6)])
def test_management_of_docsis_has_no_destination(head: bytes, crc: bytes) -> None:
    message = MAC * 2 + b"\0\x08" + b"\0\0\3" + bytes(5)
    assert fate(head + message + crc, 143) == "DOCSIS management"
    assert fate(head + message + FRAME, 143) == "DOCSIS frame control"


def test_a_request_of_docsis_has_no_destination() -> None:
    assert fate(b"\xc4" + bytes(5), 143) == "DOCSIS management"


@pytest.mark.parametrize(("linktype", "prefix"), [(240, 4), (241, 12), (282, 4)])
def test_what_stands_before_a_frame_is_skipped(linktype: int, prefix: int) -> None:
    assert fate(bytes(prefix) + FRAME, linktype) == PACKET
