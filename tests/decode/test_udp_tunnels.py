"""Tunnels over UDP: the packet begins where their headers say, and control is none."""

import struct

import pytest

from tests.builders.captures import ethernet
from tests.builders.tunnels import geneve, gtp, l2tp, over_udp, ppp, vxlan
from tests.decode.test_tunnels import INNER, INNER6, QUESTION, opened, sealed

FRAME = ethernet(INNER)


@pytest.mark.parametrize("port", [4789, 8472])
def test_vxlan_is_opened(port: int) -> None:
    assert opened(over_udp(port, vxlan(FRAME))).payload == QUESTION
    assert opened(over_udp(port, vxlan(ethernet(INNER6, vlans=(7, 8))))).payload == QUESTION


def test_vxlan_without_its_flag_is_not_opened() -> None:
    assert sealed(over_udp(4789, bytes(8) + FRAME)) == "VXLAN"


@pytest.mark.parametrize(
    ("said", "payload"), [(1, INNER), (2, INNER6), (3, FRAME), (5, b"\0\1\1\x40" + INNER)]
)
def test_vxlan_gpe_says_what_is_inside(said: int, payload: bytes) -> None:
    head = bytes([0x0C, 0, 0, said, 0, 0, 5, 0])
    assert opened(over_udp(4790, head + payload)).payload == QUESTION


@pytest.mark.parametrize("options", [b"", bytes(8), bytes(124)])
@pytest.mark.parametrize(("kind", "payload"), [(0x6558, FRAME), (0x0800, INNER), (0x86DD, INNER6)])
def test_geneve_is_opened_behind_its_options(kind: int, payload: bytes, options: bytes) -> None:
    assert opened(over_udp(6081, geneve(payload, kind, options))).payload == QUESTION


@pytest.mark.parametrize("extensions", [[], [b"\0\0"], [b"\0\0", bytes(6)]])
def test_gtp_is_opened_behind_its_extension_headers(extensions: list[bytes]) -> None:
    assert opened(over_udp(2152, gtp(INNER6, extensions=extensions))).payload == QUESTION


def test_an_echo_of_gtp_holds_nothing() -> None:
    assert sealed(over_udp(2152, gtp(b"", kind=1))) == ""


def test_a_message_of_gtp_that_is_not_known_is_sealed() -> None:
    assert sealed(over_udp(2152, gtp(INNER, kind=77))) == "GTP-U"


def gtp_0(packet: bytes, kind: int = 255, flags: int = 0x1E, length: int | None = None) -> bytes:
    """Version 0: 20 bytes, of which the last eight name the subscriber."""
    stated = len(packet) if length is None else length
    return struct.pack(">BBHHH", flags, kind, stated, 1, 1) + b"\xff" * 4 + bytes(8) + packet


@pytest.mark.parametrize("inner", [INNER, INNER6])
@pytest.mark.parametrize("flags", [0x1E, 0x1F])
def test_gtp_of_version_0_is_opened(inner: bytes, flags: int) -> None:
    assert opened(over_udp(3386, gtp_0(inner, flags=flags))).payload == QUESTION


@pytest.mark.parametrize("kind", [1, 2, 7, 16, 27, 48])
def test_its_signals_hold_nothing(kind: int) -> None:
    assert sealed(over_udp(3386, gtp_0(b"", kind))) == ""


@pytest.mark.parametrize(
    "payload",
    [
        gtp_0(INNER, length=len(INNER) + 1),
        gtp_0(INNER, length=0xFFFF),
        gtp_0(INNER, kind=77),
        gtp_0(INNER, flags=0x3E),
        gtp_0(b"\xff\x03\0\x21" + INNER),
        gtp_0(INNER)[:19],
    ],
    ids=["longer", "longest", "kind", "version 1", "PPP", "short"],
)
def test_what_is_not_of_its_form_is_sealed(payload: bytes) -> None:
    assert sealed(over_udp(3386, payload)) == "GTP version 0"


def test_what_is_written_for_a_bill_is_no_tunnel() -> None:
    assert sealed(over_udp(3386, gtp_0(b"", 240, 0x0E))) == ""


def test_a_packet_among_what_is_written_for_a_bill_is_sealed() -> None:
    assert sealed(over_udp(3386, gtp_0(INNER, flags=0x0E))) == "GTP version 0"


def test_a_packet_at_the_port_of_gtp_control_is_opened() -> None:
    assert opened(over_udp(2123, gtp(INNER))).payload == QUESTION
    assert sealed(over_udp(2123, gtp(INNER[:9]))) == "GTP-U"


@pytest.mark.parametrize(
    "message",
    [gtp(b"", kind=32), b"\x48\x20\0\x08" + bytes(8), b"\x12\x34", b"\x4a\xff" + bytes(30)],
)
def test_control_of_gtp_is_no_tunnel(message: bytes) -> None:
    assert sealed(over_udp(2123, message)) == ""


@pytest.mark.parametrize(
    ("head", "inner"), [(b"\6\0", INNER), (b"\5" + bytes(11), INNER), (b"\4" + bytes(11), INNER6)]
)
def test_amt_is_opened(head: bytes, inner: bytes) -> None:
    assert opened(over_udp(2268, head + inner)).payload == QUESTION


def test_amt_without_a_packet_is_no_tunnel() -> None:
    assert sealed(over_udp(2268, b"\1" + bytes(7))) == ""
    assert sealed(over_udp(2268, b"\6\0\1\0" + bytes(20))) == ""


@pytest.mark.parametrize(
    "head",
    [b"", bytes(8), b"\0\1\2\3" + bytes(2 + 3 + 9), b"\0\1\0\0" + bytes(9) + bytes(8)],
    ids=["plain", "origin", "authentication", "both"],
)
def test_teredo_is_opened(head: bytes) -> None:
    assert opened(over_udp(3544, head + INNER6)).payload == QUESTION


def stun(kind: int, attributes: bytes = b"") -> bytes:
    """A message of STUN."""
    head = struct.pack(">HHI", kind, len(attributes), 0x2112A442)
    return head + b"transaction!" + attributes


@pytest.mark.parametrize("kind", [0x0003, 0x0103, 0x0113, 0x0004, 0x0008, 0x0009, 0x0016, 0x0017])
def test_what_a_relay_of_turn_is_told_is_sealed(kind: int) -> None:
    assert sealed(over_udp(3478, stun(kind))) == "TURN"


@pytest.mark.parametrize("padding", [0, 3])
def test_what_a_relay_of_turn_passes_on_is_sealed(padding: int) -> None:
    data = b"\x40\x01\x00\x05hello" + bytes(padding)
    assert sealed(over_udp(3478, data)) == "TURN"


@pytest.mark.parametrize(
    "payload", [stun(1), stun(0x0101), b"\x40\x01\x00\x09hello", b"\x50\0\0\0", b"hello", b"\0\3"]
)
def test_stun_alone_and_anything_else_at_its_port_is_no_relay(payload: bytes) -> None:
    assert sealed(over_udp(3478, payload)) == ""


def test_l2tp_is_opened() -> None:
    assert opened(over_udp(1701, l2tp(ppp(INNER)))).payload == QUESTION
    shifted = b"\x02\x02\0\1\0\2\0\4" + bytes(4) + ppp(INNER)
    assert opened(over_udp(1701, shifted)).payload == QUESTION


def test_its_third_version_is() -> None:
    assert opened(over_udp(1701, b"\0\3\0\0\0\0\0\x09" + FRAME)).payload == QUESTION


@pytest.mark.parametrize("flags", [b"\xc8\x02", b"\xc8\x03"])
def test_control_of_l2tp_holds_nothing(flags: bytes) -> None:
    assert sealed(over_udp(1701, flags + b"\0\x0c" + bytes(8))) == ""


def test_esp_and_its_keys_are_told_apart() -> None:
    assert sealed(over_udp(4500, b"\1\2\3\4" + bytes(20))) == "ESP in UDP"
    assert sealed(over_udp(4500, bytes(4) + bytes(20))) == "IKE"
    assert sealed(over_udp(4500, b"\xff")) == ""


@pytest.mark.parametrize(
    ("port", "payload"),
    [
        (4341, bytes(8) + INNER),
        (6080, b"\0\x04\0\0" + INNER),
        (6080, b"\1\x29\0\0\0\0\0\0" + INNER6),
        (6080, INNER),
        (6635, b"\0\1\1\x40" + INNER),
        (4754, b"\0\0\x08\0" + INNER),
        (5072, b"\x41\x52\x11\x29" + bytes(4 + 16 + 20) + INNER6),
    ],
    ids=["LISP", "GUE", "GUE IPv6", "GUE bare", "MPLS", "GRE", "AYIYA"],
)
def test_the_rarer_ones_are_opened_too(port: int, payload: bytes) -> None:
    assert opened(over_udp(port, payload)).payload == QUESTION


@pytest.mark.parametrize("port", [2152, 3544, 4341, 4790, 5072, 6080, 6081, 6635])
def test_something_else_at_their_ports_is_sealed(port: int) -> None:
    assert sealed(over_udp(port, b"\x99" * 60))


def test_a_message_of_lisp_control_in_a_packet_is_opened() -> None:
    assert opened(over_udp(4342, bytes([0x80, 0, 0, 0]) + INNER)).payload == QUESTION
    assert opened(over_udp(4342, bytes([0x84, 0, 0, 0]) + INNER6)).payload == QUESTION


def test_one_that_is_signed_or_of_an_unknown_kind_is_sealed() -> None:
    for first in (0x88, 0x90, 0xF0, 0x00):
        assert sealed(over_udp(4342, bytes([first, 0, 0, 0]) + INNER)) == "LISP"


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 7])
def test_another_message_of_lisp_control_holds_nothing(kind: int) -> None:
    assert sealed(over_udp(4342, bytes([kind << 4]) + bytes(23))) == ""


def test_what_goes_through_the_gateway_of_batman_is_opened() -> None:
    assert opened(over_udp(4306, b"\1" + INNER)).payload == QUESTION


@pytest.mark.parametrize(
    ("kind", "named"), [(2, ""), (4, ""), (0, "B.A.T.M.A.N."), (5, "B.A.T.M.A.N.")]
)
def test_what_its_gateway_says_besides_holds_nothing(kind: int, named: str) -> None:
    assert sealed(over_udp(4306, bytes([kind]) + bytes(8))) == named


def test_a_packet_of_another_version_of_gtp_at_the_port_of_its_control_is_sealed() -> None:
    assert sealed(over_udp(2123, bytes([0x06, 255]) + bytes(10) + INNER)) == "GTP-U"
    assert sealed(over_udp(2123, bytes([0x48, 255]) + bytes(10) + INNER)) == ""


def test_amt_of_another_version_is_sealed() -> None:
    assert sealed(over_udp(2268, b"\x16\0" + INNER)) == "AMT"


@pytest.mark.parametrize(("port", "named"), [(6343, "sFlow"), (12222, "LWAPP")])
def test_packets_that_others_saw_are_sealed(port: int, named: str) -> None:
    assert sealed(over_udp(port, bytes(28) + FRAME)) == named
