"""Packets are found in their datagrams and frames in their payloads, or the damage is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.quic_packets import (
    Initial,
    crypto_frames,
    initials,
    lone_hello,
    lone_initial,
    varint,
)
from egress_audit.names.quic_protection import Q050, V1
from egress_audit.names.reading import Damage, Unread
from tests.builders.quic import DCID, V2, crypto, initial, integer

PACKET = initial(crypto(b"hello"), sender=b"me", token=b"tok")
HANDSHAKE = b"\xe3\0\0\0\1\x01a\x01b" + integer(9) + bytes(9)
ZERO_RTT = b"\xd3\0\0\0\1\x01a\x01b" + integer(5) + bytes(5)
HELLO = b"\1\0\0\x42" + bytes(range(66))
RETRY = b"\xf0\0\0\0\1\x01a\x01b" + bytes(40)


def alone(datagram: bytes) -> list[Initial]:
    """The Initial that is found at once, in the words of the walk."""
    lone = lone_initial(datagram)
    if lone is None:
        return []
    version, to, sender, number_at = lone
    return [Initial(version, to, sender, datagram, number_at)]


def found(datagram: bytes) -> list[tuple[bytes, bytes]]:
    return [(one.to, one.packet) for one in initials(datagram, Unread.TRUNCATED)]


def test_an_initial_is_found_with_its_ids() -> None:
    (one,) = initials(PACKET, Unread.MALFORMED)
    assert (one.version, one.to, one.sender, one.packet) == (V1, DCID, b"me", PACKET)
    assert one.number_at == len(PACKET) - 4 - 1162 - 16


def test_packets_behind_each_other_are_all_found() -> None:
    datagram = ZERO_RTT + PACKET + HANDSHAKE + PACKET
    assert found(datagram) == [(DCID, PACKET)] * 2


def test_version_2_has_other_types() -> None:
    second = initial(b"\1", version=V2)
    assert found(second) == [(DCID, second)]
    assert found(bytes((PACKET[0],)) + second[1:]) == []


@pytest.mark.parametrize(
    "tail", [b"", bytes(50), b"\x40 short header", RETRY, b"\xc0\x1a\x2a\x3a\x4a"]
)
def test_what_is_no_initial_ends_the_walk(tail: bytes) -> None:
    assert found(PACKET + tail) == [(DCID, PACKET)]


def test_a_version_that_forces_a_negotiation_stands_in_all_packets_of_a_datagram() -> None:
    forcing = PACKET[:1] + b"\x1a\x2a\x3a\x4a" + PACKET[5:]
    assert found(forcing + forcing) == [(DCID, forcing)] * 2
    for behind in (PACKET + forcing, forcing + PACKET[:1] + b"\x2a\x2a\x3a\x4a" + PACKET[5:]):
        with pytest.raises(Damage) as caught:
            found(behind)
        assert caught.value.unread is Unread.MALFORMED


def test_a_version_negotiation_has_no_initial() -> None:
    assert found(b"\xc0\0\0\0\0\x08" + DCID + b"\0" + bytes(8)) == []


@pytest.mark.parametrize("size", range(6, len(PACKET), 7))
def test_a_datagram_that_ends_in_a_packet_is_damage(size: int) -> None:
    with pytest.raises(Damage):
        found(PACKET[:size])


def test_a_connection_id_of_21_octets_is_damage() -> None:
    with pytest.raises(Damage):
        found(b"\xc0\0\0\0\1\x15" + bytes(100))


ACK = b"\x02" + integer(9) + integer(1) + integer(1) + integer(2) + integer(3) + integer(4)
ACK_ECN = b"\x03" + ACK[1:] + integer(1) + integer(70) + integer(900)
CLOSE = b"\x1c" + integer(10) + integer(6) + integer(3) + b"bye"


def test_frames_without_handshake_are_passed_over() -> None:
    payload = b"\0\0\1" + ACK + crypto(b"b", 7) + ACK_ECN + CLOSE + b"\0" + crypto(b"a") + b"\0"
    assert list(crypto_frames(payload, V1)) == [(7, b"b"), (0, b"a")]


@pytest.mark.parametrize(
    "payload", [b"\x08\0\0", b"\x1d\0\0", b"\x06\0\x05abc", b"\x02\0", b"\x1c\0\0\x09a", b"\x06"]
)
def test_a_frame_that_may_not_be_there_is_damage(payload: bytes) -> None:
    with pytest.raises(Damage):
        list(crypto_frames(payload, V1))


def test_an_ack_of_endless_ranges_ends_with_its_bytes() -> None:
    with pytest.raises(Damage):
        list(crypto_frames(b"\x02\0\0" + integer((1 << 62) - 1) + bytes(1000), V1))


def test_google_has_another_type_and_other_frames_behind() -> None:
    payload = b"\x08" + crypto(b"a", 3)[1:] + b"\x40\x01\x02"
    assert list(crypto_frames(payload, Q050)) == [(3, b"a")]


@pytest.mark.parametrize("value", [0, 63, 64, 16383, 16384, (1 << 30) - 1, 1 << 30, (1 << 62) - 1])
def test_integers_are_read_back(value: int) -> None:
    raw = integer(value)
    assert varint(b"x" + raw, 1) == (value, 1 + len(raw))


@given(st.binary(max_size=200))
def test_random_frames_are_read_or_damage(payload: bytes) -> None:
    try:
        pieces = list(crypto_frames(payload, V1))
    except Damage:
        return
    assert sum(len(piece) for _, piece in pieces) <= len(payload)


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize("token", [b"", b"tok", bytes(63)])
def test_the_only_initial_of_a_datagram_is_found_at_once(version: int, token: bytes) -> None:
    datagram = initial(b"\1", version=version, sender=b"me", token=token)
    assert alone(datagram) == list(initials(datagram, Unread.MALFORMED))


@pytest.mark.parametrize(
    "datagram",
    [PACKET + b"\0", PACKET[:-1], PACKET * 2, HANDSHAKE.ljust(200), ZERO_RTT + PACKET, PACKET[:40]],
)
def test_a_datagram_of_more_or_less_than_one_initial_is_left_to_the_walk(datagram: bytes) -> None:
    assert lone_initial(datagram) is None


@given(st.integers(0, 60), st.integers(0, 255), st.integers(100, 1300))
def test_what_is_found_at_once_is_what_the_walk_finds(at: int, octet: int, size: int) -> None:
    datagram = (PACKET[:at] + bytes((octet,)) + PACKET[at + 1 :])[:size]
    found_at_once = alone(datagram)
    if found_at_once:
        assert found_at_once == list(initials(datagram, Unread.MALFORMED))


@pytest.mark.parametrize(("bits", "alone"), [(0x4000, True), (0x8000, False), (0xC000, False)])
def test_a_length_of_more_than_two_octets_is_left_to_the_walk(bits: int, alone: bool) -> None:
    head, size = b"\xc0\0\0\0\1\x01a\x01b\0", bits - 0x4000 if bits > 0x4000 else 1000
    datagram = head + (bits + 1000 if alone else bits).to_bytes(2, "big") + bytes(size)
    assert (lone_initial(datagram) is not None) == alone


@pytest.mark.parametrize("behind", [0, 1, 900])
def test_a_hello_alone_is_found_in_its_frame(behind: int) -> None:
    payload = crypto(HELLO) + bytes(behind)
    at, end = lone_hello(payload, V1) or (0, 0)
    assert payload[at:end] == HELLO


@pytest.mark.parametrize(
    "payload",
    [
        *(crypto(HELLO) + b"\1", b"\1" + crypto(HELLO), crypto(HELLO, 1)),
        *(crypto(HELLO)[:-1], b"", b"\6", b"\6\0\xff", crypto(bytes(0x4000))),
        *(crypto(HELLO[:-1]), crypto(HELLO + b"a"), crypto(b"\2" + HELLO[1:]), crypto(bytes(70))),
    ],
)
def test_a_hello_that_is_not_alone_or_not_whole_is_left_to_the_walk(payload: bytes) -> None:
    assert lone_hello(payload, V1) is None


@pytest.mark.parametrize("size", [1 << 14, (1 << 14) + 1, 1 << 15])
def test_a_hello_with_a_longer_size_is_left_to_the_walk(size: int) -> None:
    hello = b"\1" + (size - 4).to_bytes(3, "big") + bytes(size - 4)
    assert lone_hello(crypto(hello), V1) is None


def test_in_googles_versions_no_hello_is_alone() -> None:
    assert lone_hello(crypto(HELLO), Q050) is None
