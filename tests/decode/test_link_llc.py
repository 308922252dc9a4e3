"""802.2 leads on, ends at the link, or is counted."""

import pytest

from tests.builders.captures import ethernet
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate


def with_802_2(body: bytes) -> bytes:
    """An Ethernet frame with a length."""
    return ethernet(body, len(body))


SNAP = b"\xaa\xaa\3"


@pytest.mark.parametrize(
    "body",
    [
        SNAP + b"\0\0\0\x08\0" + TO_V4,
        SNAP + b"\0\0\xf8\x86\xdd" + TO_V6,
        SNAP + b"\0\0\0\x81\0\0\5\x08\0" + TO_V4,
        SNAP + b"\0\x80\xc2\0\7" + ethernet(TO_V4),
        b"\6\6\3" + TO_V4,
        b"\6\6\3" + TO_V6,
        b"\xfe\xfe\3\xcc" + TO_V4,
        b"\xfe\xfe\3\x8e" + TO_V6,
        b"\xfe\xfe\3\x80\0\0\0\x08\0" + TO_V4,
    ],
)
def test_802_2_leads_to_a_packet(body: bytes) -> None:
    assert fate(with_802_2(body)) == PACKET


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\x42\x42\3", "STP"),
        (SNAP + b"\0\0\x0c\1\x0b", "STP"),
        (SNAP + b"\0\x80\xc2\0\x0e", "STP"),
        (SNAP + b"\0\0\x0c\x20\0", "CDP"),
        (SNAP + b"\0\0\x0c\x20\3", "VTP"),
        (SNAP + b"\0\0\x0c\x20\4", "DTP"),
        (SNAP + b"\0\0\x0c\1\x11", "UDLD"),
        (SNAP + b"\0\0\x0c\1\4", "PAgP"),
        (b"\xf0\xf0\3", "NetBEUI"),
        (b"\xf0\xf1\x7f", "NetBEUI"),
        (b"\0\1\xaf", "LLC XID and TEST"),
        (b"\0\1\xf3", "LLC XID and TEST"),
        (b"\xfe\xfe\3\x83", "IS-IS"),
        (b"\xfe\xfe\3\x82", "ES-IS"),
    ],
)
def test_what_neighbours_tell_each_other_has_no_destination(body: bytes, kind: str) -> None:
    assert fate(with_802_2(body + bytes(20))) == kind


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xe0\xe0\3", "802.2 LLC"),
        (b"\xaa\xaa\x13\0\0\0\x08\0" + TO_V4, "802.2 LLC"),
        (SNAP + b"\0\0\1\x08\0", "802.2 LLC"),
        (SNAP + b"\0\0\x0c\x20\5", "802.2 LLC"),
        (SNAP + b"\0\0\0\x80\x9b", "ethertype 0x809b"),
        (b"\xfe\xfe\3\x81", "NLPID 0x81"),
    ],
)
def test_what_may_be_routed_is_undecoded(body: bytes, reason: str) -> None:
    assert fate(with_802_2(body + bytes(20))) == reason
