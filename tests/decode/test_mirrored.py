"""TZSP and PIM Register: the copy of a packet inside is opened, and what holds none is none."""

import struct
from collections.abc import Callable

import pytest

from tests.builders.captures import Frame, arp, ethernet, pcap
from tests.builders.engine import decoded
from tests.builders.links import avs, prism, snap, wlan
from tests.builders.tunnels import over_ip, over_udp
from tests.decode.test_tunnels import INNER, INNER6, QUESTION, opened, read, sealed

PORT, PIM = 37008, 103
ETHERNET, WLAN, PRISM, AVS = 1, 18, 119, 127
END = b"\1"
HEADER = b"\x21\0\0\0" + bytes(4)
NULL = b"\x21\0\0\0\x40\0\0\0"


def tzsp(frame: bytes, kind: int = ETHERNET, tags: bytes = END, *, sort: int = 0) -> bytes:
    """A packet of the sniffer."""
    return over_udp(PORT, struct.pack(">BBH", 1, sort, kind) + tags + frame)


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        (ETHERNET, ethernet(INNER)),
        (ETHERNET, ethernet(INNER6, vlans=(7,))),
        (WLAN, wlan(snap(INNER))),
        (PRISM, prism(wlan(snap(INNER)))),
        (AVS, avs(wlan(snap(INNER6), 0x88, 1))),
    ],
    ids=["ethernet", "vlan", "802.11", "prism", "avs"],
)
@pytest.mark.parametrize("sort", [0, 1])
def test_the_frame_is_opened(kind: int, frame: bytes, sort: int) -> None:
    assert opened(tzsp(frame, kind, sort=sort)).payload == QUESTION


@pytest.mark.parametrize("tags", [END, b"\0\0" + END, b"\x0a\1\x80" + b"\x29\2\0\1" + END])
def test_tags_are_stepped_over(tags: bytes) -> None:
    assert opened(tzsp(ethernet(INNER), tags=tags)).payload == QUESTION


@pytest.mark.parametrize(
    "tags",
    [b"", b"\0" * 60, b"\x0a\xff" + END, b"\0" * 31 + b"\x0a"],
    ids=["none", "without end", "a length that lies", "the end inside"],
)
def test_tags_without_an_end_open_nothing(tags: bytes) -> None:
    assert sealed(over_udp(PORT, b"\1\0\0\1" + tags)) == "TZSP"


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 7, 255])
def test_a_frame_of_another_kind_is_sealed(kind: int) -> None:
    assert sealed(tzsp(ethernet(INNER), kind)) == "TZSP"


def test_an_encrypted_frame_is_sealed_and_a_beacon_nothing() -> None:
    assert sealed(tzsp(wlan(snap(INNER), 0x88, 0x41), WLAN)) == "TZSP"
    assert sealed(tzsp(wlan(bytes(40), 0x80), WLAN)) == ""
    assert sealed(tzsp(ethernet(arp(), 0x0806))) == ""


@pytest.mark.parametrize("sort", [4, 5])
def test_a_sign_of_life_holds_nothing_and_one_with_more_is_sealed(sort: int) -> None:
    assert sealed(tzsp(b"", sort=sort)) == ""
    assert sealed(tzsp(ethernet(INNER), sort=sort)) == "TZSP"


def test_configuration_is_sealed() -> None:
    assert sealed(tzsp(ethernet(INNER), sort=3)) == "TZSP"


@pytest.mark.parametrize(
    "payload", [b"\1", b"\1\0", QUESTION, b"\2\0\0\1\1", b"\1\6\0\1\1", b"\1\0\x81\x80" + bytes(40)]
)
def test_a_question_that_has_this_port_by_chance_is_no_tunnel(payload: bytes) -> None:
    assert sealed(over_udp(53, payload, sport=PORT)) == ""
    assert sealed(over_udp(PORT, payload)) == ""


@pytest.mark.parametrize("inner", [INNER, INNER6])
def test_a_register_is_opened(inner: bytes) -> None:
    assert opened(over_ip(PIM, HEADER + inner)).payload == QUESTION


@pytest.mark.parametrize("first", [0x20, 0x22, 0x23, 0x24, 0x25, 0x28])
def test_what_pim_says_to_its_neighbours_holds_nothing(first: int) -> None:
    assert sealed(over_ip(PIM, bytes([first]) + HEADER[1:] + INNER)) == ""


@pytest.mark.parametrize("inner", [b"", INNER[:19], b"\x44" + INNER[1:], INNER[:2] + b"\xff\xff"])
def test_a_register_whose_packet_is_none_is_sealed(inner: bytes) -> None:
    assert sealed(over_ip(PIM, HEADER + inner)) == "PIM Register"


def test_a_null_register_holds_headers_only() -> None:
    assert sealed(over_ip(PIM, NULL + INNER[:20])) == ""
    assert sealed(over_ip(PIM, NULL + INNER6[:40] + bytes(8))) == ""


def test_a_null_register_with_a_packet_is_opened_all_the_same() -> None:
    assert opened(over_ip(PIM, NULL + INNER)).payload == QUESTION
    assert opened(over_ip(PIM, NULL + INNER6)).payload == QUESTION


def test_one_that_the_snaplen_cut_is_not_believed_to_be_null() -> None:
    whole = over_ip(PIM, NULL + INNER)
    (packet,) = decoded(pcap([Frame(0, whole[:48], len(whole))], 101)).packets[:1]
    assert packet.carrier or packet.sealed == "PIM Register"


@pytest.mark.parametrize("wrap", [tzsp, lambda frame: over_ip(PIM, HEADER + frame[14:])])
def test_mirrors_in_mirrors_are_opened_to_a_depth(wrap: Callable[[bytes], bytes]) -> None:
    packet = INNER
    for _ in range(20):
        packet = wrap(ethernet(packet))
    assert read(packet).packets[-1].sealed == "nested too deeply"


@pytest.mark.parametrize("inner", [INNER, INNER6])
def test_the_packet_of_a_juniper_mirror_is_opened(inner: bytes) -> None:
    assert opened(over_udp(30030, bytes(8) + inner)).payload == QUESTION


def test_without_a_packet_it_is_sealed() -> None:
    assert sealed(over_udp(30030, bytes(8))) == "Jmirror"
