"""PPP in every framing leads to the packet; what sets the line up is no packet."""

import pytest

from tests.builders.captures import ethernet
from tests.builders.links import c_hdlc, mpls, ppp_field, pppoe
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

PPP, PPP_HDLC, PPP_ETHER, C_HDLC, PPP_PPPD, PPP_WITH_DIR = 9, 50, 51, 104, 166, 204


@pytest.mark.parametrize("linktype", [PPP, PPP_HDLC, PPP_PPPD])
@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\3" + ppp_field(TO_V4),
        ppp_field(TO_V6),
        b"\x21" + TO_V4,
        b"\xff\3\x57" + TO_V6,
        b"\xff\3\2\x81" + mpls(TO_V4),
        b"\xff\3\2\x83" + mpls(TO_V6),
        b"\xff\3\0\x31\0\1" + ethernet(TO_V4),
        b"\xff\3\0\x31\x40\1" + bytes(4) + ethernet(TO_V4),
        c_hdlc(TO_V4),
        b"\x8f" + c_hdlc(TO_V6)[1:],
    ],
)
def test_every_framing_leads_to_the_packet(frame: bytes, linktype: int) -> None:
    assert fate(frame, linktype) == PACKET


@pytest.mark.parametrize("direction", [b"\0", b"\1"])
def test_a_direction_stands_before_the_frame_or_in_place_of_its_address(direction: bytes) -> None:
    assert fate(direction + b"\xff\3" + ppp_field(TO_V4), PPP_WITH_DIR) == PACKET
    assert fate(direction + ppp_field(TO_V4), PPP_WITH_DIR) == PACKET
    assert fate(direction + b"\3" + ppp_field(TO_V4), PPP_PPPD) == PACKET


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        (0xC021, "LCP"),
        (0xC023, "PAP"),
        (0xC223, "CHAP"),
        (0x8021, "IPCP"),
        (0x8057, "IPV6CP"),
        (0x80FD, "CCP"),
    ],
)
def test_what_sets_a_line_up_has_no_destination(protocol: int, kind: str) -> None:
    head = b"\xff\3" + protocol.to_bytes(2, "big")
    assert fate(head + b"\1\1\0\x0a\1\4\5\xdc\5\6", PPP) == kind
    assert fate(head + b"\5\2\0\4" + bytes(20), PPP) == kind
    assert fate(head + b"\1\1\0\x40\1\4", PPP, wirelen=68) == kind


@pytest.mark.parametrize("protocol", [0xC021, 0xC023, 0x8021, 0x8057])
@pytest.mark.parametrize("body", [TO_V4, TO_V6, b"\1\1\0\x40\1\4", b"\1\1\0\3"])
def test_what_sets_no_line_up_is_undecoded(protocol: int, body: bytes) -> None:
    frame = b"\xff\3" + protocol.to_bytes(2, "big") + body
    assert fate(frame, PPP) == "more than link upkeep"


def test_control_that_ends_inside_its_header_is_malformed() -> None:
    assert fate(b"\xff\3\xc0\x21\1\1\0", PPP) == "link-malformed"
    assert fate(b"\xff\3\xc0\x21\1\1\0", PPP, wirelen=14) == "truncated"


@pytest.mark.parametrize("protocol", [0x002D, 0x002F, 0x003D, 0x0053, 0x00FD])
def test_what_may_hide_a_packet_is_undecoded(protocol: int) -> None:
    frame = b"\xff\3" + protocol.to_bytes(2, "big") + TO_V4
    assert fate(frame, PPP) == f"PPP protocol 0x{protocol:04x}"


def test_a_bridged_frame_may_be_spanning_tree_or_of_another_network() -> None:
    assert fate(b"\xff\3\0\x31\0\0" + bytes(40), PPP) == "STP"
    assert fate(b"\xff\3\0\x31\0\4" + bytes(40), PPP) == "PPP protocol 0x0031"
    assert fate(b"\xff\3\0\x31" + TO_V4, PPP) == "PPP protocol 0x0031"
    assert fate(b"\xff\3\0\x31\0\0\0\0", PPP) == "link-malformed"


@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_a_pppoe_session_leads_to_the_packet(packet: bytes) -> None:
    assert fate(ethernet(pppoe(packet), 0x8864, vlans=[7])) == PACKET
    assert fate(pppoe(packet), PPP_ETHER) == PACKET


@pytest.mark.parametrize("code", [0x01, 0x09, 0xA7])
def test_a_pppoe_session_is_one_whatever_its_code(code: int) -> None:
    assert fate(ethernet(pppoe(TO_V4, code), 0x8864)) == PACKET
    assert fate(pppoe(TO_V4, code), PPP_ETHER) == PACKET


def test_pppoe_discovery_has_no_destination() -> None:
    assert fate(ethernet(pppoe(TO_V4, 0x09), 0x8863)) == "PPPoE discovery"


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        (b"\x80\x35" + bytes(14), "SLARP"),
        (b"\x20\0" + bytes(14), "CDP"),
        (b"\0\xfe\0\x83" + bytes(14), "IS-IS"),
        (b"\0\xfe\x83" + bytes(14), "IS-IS"),
        (b"\0\xfe\x81" + bytes(14), "NLPID 0x81"),
        (b"\x80\x9b" + bytes(14), "ethertype 0x809b"),
        (b"\x08\0" + TO_V4, PACKET),
    ],
)
def test_ciscos_hdlc_names_what_follows(rest: bytes, kind: str) -> None:
    assert fate(b"\x0f\0" + rest, C_HDLC) == kind
