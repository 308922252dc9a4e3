"""MPLS: no label says what it leads to, so the first bits behind the stack must."""

import pytest

from egress_audit.decode.link_mpls import MAX_LABELS
from tests.builders.captures import arp, ethernet
from tests.builders.links import label, mpls
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate


def labelled(body: bytes, depth: int = 1, ethertype: int = 0x8847) -> bytes:
    """An Ethernet frame with a stack of labels."""
    return ethernet(mpls(body, depth), ethertype)


@pytest.mark.parametrize("depth", [1, 2, MAX_LABELS])
@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_a_stack_leads_to_the_packet_at_its_bottom(packet: bytes, depth: int) -> None:
    assert fate(labelled(packet, depth)) == PACKET


def test_multicast_labels_are_labels() -> None:
    assert fate(labelled(TO_V4, ethertype=0x8848)) == PACKET


def test_a_stack_without_a_bottom_comes_to_an_end() -> None:
    assert fate(labelled(TO_V4, MAX_LABELS + 1)) == "link headers nested too deep"


@pytest.mark.parametrize("word", [b"", bytes(4), b"\0\0\0\x07"])
@pytest.mark.parametrize("inner", [ethernet(TO_V4), ethernet(TO_V6, vlans=[5])])
def test_a_pseudowire_carries_frames_with_or_without_control_word(
    inner: bytes, word: bytes
) -> None:
    assert fate(labelled(word + inner)) == PACKET


def test_a_frame_whose_address_begins_with_any_nibble_is_found() -> None:
    assert fate(labelled(ethernet(TO_V4, dst=b"\xac\1\2\3\4\5"))) == PACKET


@pytest.mark.parametrize("number", [0x21, 0x57])
def test_an_associated_channel_may_hold_a_packet(number: int) -> None:
    packet = TO_V4 if number == 0x21 else TO_V6
    assert fate(labelled(b"\x10\0" + number.to_bytes(2, "big") + packet)) == PACKET


def test_another_associated_channel_is_counted() -> None:
    assert fate(labelled(b"\x10\0\0\7" + bytes(40))) == "MPLS associated channel"


def test_what_looks_like_nothing_known_is_counted() -> None:
    assert fate(labelled(b"\xff" * 40)) == "MPLS payload"


def test_arp_in_a_pseudowire_has_no_destination() -> None:
    assert fate(labelled(bytes(4) + ethernet(arp(), 0x0806))) == "ARP"


def test_a_stack_with_nothing_behind_it_is_malformed() -> None:
    assert fate(ethernet(label(16, bottom=True), 0x8847)) == "link-malformed"
