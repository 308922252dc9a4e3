"""GRE and its kin: the packet begins where their headers say."""

import struct

import pytest

from tests.builders.captures import ethernet, ip, udp
from tests.builders.tunnels import ETHERIP, GRE, gre, over_ip, ppp, pptp
from tests.decode.test_tunnels import INNER, INNER6, QUESTION, opened, sealed

FRAME = ethernet(INNER)


@pytest.mark.parametrize(
    ("flags", "options"),
    [(0, b""), (0x8000, bytes(4)), (0x2000, bytes(4)), (0x1000, bytes(4)), (0xB000, bytes(12))],
)
def test_the_flags_of_gre_say_how_long_its_header_is(flags: int, options: bytes) -> None:
    packet = over_ip(GRE, gre(INNER, 0x0800, flags=flags, options=options))
    assert opened(packet).payload == QUESTION


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (0x86DD, INNER6),
        (0x6558, FRAME),
        (0x880B, ppp(INNER)),
        (0x8847, struct.pack(">II", 16 << 12, 17 << 12 | 0x100) + INNER),
        (0x883E, INNER),
        (0x883E, bytes(4) + INNER),
    ],
    ids=["ipv6", "ethernet", "ppp", "mpls", "wccp", "wccp 2"],
)
def test_gre_carries_many_kinds(kind: int, payload: bytes) -> None:
    assert opened(over_ip(GRE, gre(payload, kind))).payload == QUESTION


@pytest.mark.parametrize(
    ("kind", "flags", "options"),
    [
        (0x88BE, 0, b""),
        (0x88BE, 0x1000, bytes(12)),
        (0x22EB, 0x1000, bytes(16)),
        (0x22EB, 0x1000, bytes(15) + b"\x01" + bytes(8)),
    ],
    ids=["I", "II", "III", "III with a subheader"],
)
def test_mirrored_frames_are_opened(kind: int, flags: int, options: bytes) -> None:
    packet = over_ip(GRE, gre(FRAME, kind, flags=flags, options=options))
    assert opened(packet).payload == QUESTION


@pytest.mark.parametrize("acknowledged", [False, True])
def test_pptp_is_opened(acknowledged: bool) -> None:
    packet = over_ip(GRE, pptp(ppp(INNER), acknowledged=acknowledged))
    assert opened(packet).payload == QUESTION


@pytest.mark.parametrize(
    "head",
    [struct.pack(">HHHH", 0x2001, 0x880B, 80, 7), struct.pack(">HHHHI", 0x3001, 0x880B, 0, 7, 1)],
    ids=["without a number", "with a length of 0"],
)
def test_pptp_is_opened_whatever_its_header_says_of_the_payload(head: bytes) -> None:
    assert opened(over_ip(GRE, head + ppp(INNER))).payload == QUESTION


def test_its_bare_acknowledgement_holds_nothing() -> None:
    assert sealed(over_ip(GRE, struct.pack(">HHHHI", 0x2081, 0x880B, 0, 7, 1))) == ""


@pytest.mark.parametrize(
    "payload",
    [gre(INNER, 0x1234), gre(INNER, 0x0800, flags=0x4000), gre(INNER, 0x0800, flags=2)],
    ids=["kind", "routing", "version"],
)
def test_gre_that_is_not_understood_is_sealed(payload: bytes) -> None:
    assert sealed(over_ip(GRE, payload)) == "GRE"


def test_a_keep_alive_holds_nothing() -> None:
    assert sealed(over_ip(GRE, gre(b"", 0))) == ""


def test_etherip_is_a_frame_behind_two_bytes() -> None:
    assert opened(over_ip(ETHERIP, b"\x30\0" + FRAME)).payload == QUESTION
    assert sealed(over_ip(ETHERIP, b"\x40\0" + FRAME)) == "EtherIP"


def test_mpls_in_ip_is_opened() -> None:
    assert opened(over_ip(137, bytes([0, 1, 1, 64]) + INNER)).payload == QUESTION


@pytest.mark.parametrize("cookie", [0, 4, 8, 12])
def test_the_frame_of_an_l2tpv3_session_is_found_behind_any_cookie(cookie: int) -> None:
    packet = over_ip(115, b"\0\0\0\x09" + b"\xee" * cookie + FRAME)
    assert opened(packet).payload == QUESTION


def test_its_control_holds_nothing() -> None:
    assert sealed(over_ip(115, bytes(4) + b"\xc8\x03" + bytes(10))) == ""


def test_an_l2tpv3_session_of_something_else_is_sealed() -> None:
    noise = ip("10.0.0.1", "10.0.0.2", udp(1, 2), 17)[9:]
    assert sealed(over_ip(115, b"\0\0\0\x09" + noise)) == "L2TPv3"
