"""Frames that were recorded twice are told from messages that were sent twice."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.window import Window
from egress_audit.decode.duplicates import Duplicates
from tests.builders.captures import START_NS, UDP, Frame, ethernet, ipv4, pcap, tcp, udp
from tests.builders.engine import SMALLEST_BLOCK
from tests.builders.packets import ipv6


def repeated(*frames: bytes, wirelens: tuple[int, ...] = (), block: int = 1 << 16) -> list[bool]:
    lens = wirelens or tuple(len(frame) for frame in frames)
    raw = pcap(
        [Frame(START_NS + n, f, wirelen=lens[n]) for n, f in enumerate(frames)], nanoseconds=True
    )
    header = read_header(raw)
    assert header is not None
    source, found = PcapSource("x", Window(io.BytesIO(raw), block=block), header), Duplicates()
    return [bool(one) for batch in source for one in found.take(batch)]


def datagram(payload: bytes, identification: int = 1) -> bytes:
    packet = bytearray(ipv4("10.0.0.2", "192.0.2.7", udp(4, 5, payload), UDP))
    packet[4:6] = identification.to_bytes(2, "big")
    return ethernet(bytes(packet))


def test_the_same_frame_twice_is_a_duplicate() -> None:
    assert repeated(datagram(b"x"), datagram(b"x")) == [False, True]


def test_the_same_message_in_a_new_packet_is_no_duplicate() -> None:
    assert repeated(datagram(b"x", 1), datagram(b"x", 2)) == [False, False]


def acknowledgement(ack: int) -> bytes:
    """An empty segment over IPv6, behind a VLAN's tag."""
    segment = tcp(4, 443, "A", 1, ack)
    return ethernet(ipv6("2001:db8::1", "2001:db8::2", segment, 6), vlans=(5,))


def test_acknowledgements_over_ipv6_that_differ_in_their_last_octet_are_none() -> None:
    assert repeated(*map(acknowledgement, (1, 2, 3, 3))) == [False, False, False, True]


def test_a_duplicate_may_come_four_frames_later_and_not_five() -> None:
    others = [datagram(b"y", n) for n in range(10, 14)]
    assert repeated(datagram(b"x"), *others[:3], datagram(b"x"))[-1]
    assert not repeated(datagram(b"x"), *others, datagram(b"x"))[-1]


def test_frames_that_begin_alike_and_differ_in_length_are_none() -> None:
    assert repeated(b"a" * 200, b"a" * 201) == [False, False]


def test_frames_that_differ_only_on_the_wire_are_none() -> None:
    assert repeated(b"a" * 60, b"a" * 60, wirelens=(60, 90)) == [False, False]


def test_bytes_behind_a_short_frame_do_not_count() -> None:
    assert repeated(b"a" * 20, b"a" * 20, b"b" * 20) == [False, True, False]


def test_one_frame_and_no_frame_have_no_duplicate() -> None:
    assert repeated(b"a" * 20) == [False]
    assert repeated() == []


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4), max_size=40))
def test_where_a_batch_ends_makes_no_difference(kinds: list[int]) -> None:
    frames = [datagram(b"x" * kind, kind) for kind in kinds]
    alike = [kind in kinds[max(n - 4, 0) : n] for n, kind in enumerate(kinds)]
    assert repeated(*frames) == alike
    assert repeated(*frames, block=SMALLEST_BLOCK) == alike
