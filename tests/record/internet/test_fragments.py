"""Datagrams in pieces are put together, in any order, within bounds."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.fragments import (
    MAX_AGE_NS,
    MAX_DATAGRAMS,
    MAX_PIECES,
    Fragments,
    Incomplete,
)
from egress_audit.record.internet.packets import Packet, read_packet
from tests.builders.packets import (
    DESTINATION_OPTIONS,
    FRAGMENT,
    UDP,
    extension_body,
    fragment,
    internet_checksum,
    ipv4,
    ipv6,
    udp,
)

A, B = "10.87.0.2", "93.184.216.34"
A6, B6 = "fd00:e6e4::2", "2606:2800::1"
WHOLE = udp(1, 2, b"0123456789abcdefghij")
"""28 bytes: three pieces of eight, and one of four."""


def piece4(at: int, size: int = 8, *, ident: int = 1, content: bytes = WHOLE) -> bytes:
    """An IPv4 fragment of a datagram."""
    part = content[at : at + size]
    more = at + size < len(content)
    return ipv4(A, B, part, UDP, fragment_offset=at, more_fragments=more, identification=ident)


def piece6(at: int, size: int = 8) -> bytes:
    """An IPv6 fragment of a datagram, behind another extension header."""
    part, more = WHOLE[at : at + size], at + size < len(WHOLE)
    chain = [
        (DESTINATION_OPTIONS, extension_body()),
        (FRAGMENT, fragment(at, more=more)),
    ]
    return ipv6(A6, B6, part, UDP, chain)


def put(fragments: Fragments, raw: bytes, now_ns: int = 0) -> bytes | Incomplete:
    """What one fragment completes."""
    packet = read_packet(raw)
    assert isinstance(packet, Packet)
    assert packet.fragment_at
    return fragments.packet_of(raw, packet, now_ns)


def body(completed: bytes | Incomplete) -> bytes:
    """The transport message of a packet that must be complete, and no fragment."""
    assert isinstance(completed, bytes)
    packet = read_packet(completed)
    assert isinstance(packet, Packet)
    assert not packet.fragment_at
    assert packet.proto == UDP
    return packet.body


@pytest.mark.parametrize("order", list(permutations(range(0, 28, 8))))
def test_the_last_piece_completes_a_packet_in_any_order(order: tuple[int, ...]) -> None:
    for piece in (piece4, piece6):
        fragments = Fragments()
        results = [put(fragments, piece(at)) for at in order]
        assert results[:-1] == [Incomplete.WAITING] * 3
        assert body(results[-1]) == WHOLE


def test_the_completed_ipv4_packet_has_a_right_checksum() -> None:
    fragments = Fragments()
    completed = [put(fragments, piece4(at)) for at in range(0, 28, 8)][-1]
    assert isinstance(completed, bytes)
    assert internet_checksum(completed[:20]) == 0


def test_a_piece_that_comes_twice_changes_nothing() -> None:
    fragments = Fragments()
    results = [put(fragments, piece4(at)) for at in (0, 0, 8, 8, 16, 24)]
    assert body(results[-1]) == WHOLE


def test_a_lone_fragment_is_a_packet() -> None:
    whole = ipv6(A6, B6, WHOLE, UDP, [(FRAGMENT, fragment(0, more=False))])
    assert body(put(Fragments(), whole)) == WHOLE


def test_pieces_that_overlap_spoil_their_datagram() -> None:
    fragments = Fragments()
    put(fragments, piece4(0))
    other = piece4(0, content=bytes(28))
    assert put(fragments, other) is Incomplete.OVERLAPPING
    assert [put(fragments, piece4(at)) for at in (0, 8, 16, 24)] == [Incomplete.OVERLAPPING] * 4


def test_a_piece_beyond_the_end_spoils_its_datagram_whichever_comes_first() -> None:
    beyond = piece4(64, content=bytes(100))
    for first, second in ((piece4(24), beyond), (beyond, piece4(24))):
        fragments = Fragments()
        put(fragments, first)
        assert put(fragments, second) is Incomplete.OVERLAPPING


def test_two_datagrams_are_kept_apart_by_their_identification() -> None:
    fragments = Fragments()
    for at in (0, 8, 16):
        put(fragments, piece4(at, ident=1))
        put(fragments, piece4(at, ident=2, content=WHOLE[::-1]))
    assert body(put(fragments, piece4(24, ident=1))) == WHOLE
    assert body(put(fragments, piece4(24, ident=2, content=WHOLE[::-1]))) == WHOLE[::-1]


def test_a_piece_that_comes_too_late_begins_anew() -> None:
    fragments = Fragments()
    for at in (0, 8, 16):
        put(fragments, piece4(at))
    assert put(fragments, piece4(24), MAX_AGE_NS + 1) is Incomplete.WAITING


def test_the_oldest_datagram_gives_way() -> None:
    fragments = Fragments()
    for ident in range(MAX_DATAGRAMS + 1):
        for at in (0, 8, 16):
            put(fragments, piece4(at, ident=ident))
    assert put(fragments, piece4(24, ident=0)) is Incomplete.WAITING
    assert body(put(fragments, piece4(24, ident=2))) == WHOLE


def test_a_datagram_has_no_more_pieces_than_the_bound() -> None:
    fragments, long = Fragments(), bytes(8 * (MAX_PIECES + 2))
    results = [put(fragments, piece4(8 * n, content=long)) for n in range(MAX_PIECES + 1)]
    assert results[-1] is Incomplete.TOO_MANY


@pytest.mark.parametrize(
    "raw",
    [
        ipv4(A, B, b"seven b", UDP, more_fragments=True),
        ipv4(A, B, b"", UDP, more_fragments=True),
        ipv4(A, B, bytes(16), UDP, fragment_offset=65528),
    ],
)
def test_a_piece_that_cannot_be_is_malformed(raw: bytes) -> None:
    assert put(Fragments(), raw) is Incomplete.MALFORMED


def test_a_packet_longer_than_any_is_not_made() -> None:
    fragments, long = Fragments(), bytes(65_530)
    results = [put(fragments, piece4(at, 1480, content=long)) for at in range(0, 65_530, 1480)]
    assert results[-1] is Incomplete.MALFORMED


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 24), st.booleans()), max_size=20))
def test_any_pieces_have_a_result(pieces: list[tuple[int, int, bool]]) -> None:
    fragments = Fragments()
    for at, size, more in pieces:
        raw = ipv4(A, B, bytes(size), UDP, fragment_offset=8 * at, more_fragments=more)
        if more or at:
            assert isinstance(put(fragments, raw), bytes | Incomplete)
