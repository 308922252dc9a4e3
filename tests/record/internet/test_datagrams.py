"""Clocks and public addresses are told; other datagrams are taken in silence."""

import struct

import pytest

from egress_audit.record.internet.datagrams import NTP_PORT, Datagrams
from egress_audit.record.internet.settings import InternetSettings

NOW_NS = 1_700_000_000_500_000_000
CLIENT_NTP = b"\x23" + bytes(39) + b"transmit"
BINDING = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(range(12))


def answer(data: bytes, dport: int, *, sport: int = 40_000, size: int = 4) -> bytes | None:
    """What an ordinary internet says to one datagram."""
    return Datagrams(InternetSettings()).answer(data, sport, dport, size, NOW_NS)


def test_a_clock_tells_the_given_time() -> None:
    told = answer(CLIENT_NTP, NTP_PORT)
    assert told is not None
    assert len(told) == 48
    assert told[0] == 0x24, "version 4, server"
    assert told[24:32] == b"transmit", "the client's own time stands as origin"
    seconds, fraction = struct.unpack_from(">II", told, 40)
    assert seconds - 2_208_988_800 == 1_700_000_000
    assert fraction == 1 << 31


def test_a_clock_is_told_to_clients_only() -> None:
    assert answer(b"\x24" + bytes(47), NTP_PORT) is None
    assert answer(CLIENT_NTP[:47], NTP_PORT) is None
    assert answer(CLIENT_NTP, 124) is None


def test_stun_tells_an_invented_public_address() -> None:
    told = answer(BINDING, 3478, sport=40_000)
    assert told is not None
    assert told[:2] == b"\1\1"
    assert told[4:20] == BINDING[4:20], "cookie and transaction come back"
    kind, length, family, port = struct.unpack_from(">HHHH", told, 20)
    assert (kind, length, family) == (0x20, 8, 1)
    assert port ^ 0x2112 == 40_000
    assert bytes(a ^ b for a, b in zip(told[28:32], told[4:8], strict=True)) == bytes(
        (203, 0, 113, 77)
    )


def test_stun_over_ipv6_masks_with_the_transaction_too() -> None:
    told = answer(BINDING, 19302, size=16)
    assert told is not None
    assert struct.unpack_from(">HHH", told, 20) == (0x20, 20, 2)
    address = bytes(a ^ b for a, b in zip(told[28:44], told[4:20], strict=True))
    assert address == bytes.fromhex("20010db8" + "00" * 11 + "77")


@pytest.mark.parametrize("data", [b"", b"x", bytes(1200), b"\xc0\0\0\0\1" + bytes(1195)])
@pytest.mark.parametrize("port", [443, 5353, 1900, 8125])
def test_everything_else_is_taken_in_silence(data: bytes, port: int) -> None:
    assert answer(data, port) is None
