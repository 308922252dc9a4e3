"""Of a stream without its beginning nobody knows whom it was for; a silence is no beginning."""

from dataclasses import replace

import numpy as np

from egress_audit.attribute.midway import seen_from_middle
from tests.builders.captures import TCP, UDP, Frame, ip, pcap, tcp, udp
from tests.builders.engine import decoded

MINUTE = 60_000_000_000


def segment(minute: int, flags: str, data: bytes = b"", *, port: int = 4000) -> Frame:
    wire = tcp(port, 80, flags, 1, 1, data)
    return Frame(minute * MINUTE, ip("10.0.0.2", "192.0.2.1", wire, TCP))


def answer(minute: int, flags: str, data: bytes = b"") -> Frame:
    wire = tcp(80, 4000, flags, 1, 1, data)
    return Frame(minute * MINUTE, ip("192.0.2.1", "10.0.0.2", wire, TCP))


def midway(*frames: Frame, unread_alone: tuple[int, ...] = ()) -> list[int]:
    flows = decoded(pcap(frames, 101, nanoseconds=True)).flows
    return np.flatnonzero(seen_from_middle(flows, unread_alone)).tolist()


def test_a_stream_without_its_beginning_is_seen_from_its_middle() -> None:
    assert midway(segment(0, "PA", b"x")) == midway(answer(0, "PA", b"x")) == [0]


def test_one_side_of_the_beginning_is_enough() -> None:
    assert midway(segment(0, "S"), segment(0, "PA", b"x")) == []
    assert midway(answer(0, "SA"), segment(0, "PA", b"x")) == []


def test_what_comes_with_the_end_is_of_its_middle_too() -> None:
    assert midway(segment(0, "FA", b"x"), answer(0, "A")) == [0]
    assert midway(segment(0, "A"), answer(0, "FA", b"x")) == [0]
    assert midway(segment(0, "S"), segment(0, "FA", b"x")) == []
    assert midway(segment(0, "RA", b"x")) == []


def test_what_carries_nothing_said_nothing() -> None:
    assert midway(segment(0, "A"), answer(0, "FA"), segment(0, "R")) == []
    datagram = Frame(0, ip("10.0.0.2", "192.0.2.1", udp(4000, 80, b"x"), UDP))
    assert midway(datagram) == []


def test_what_goes_on_after_a_silence_was_seen_from_its_beginning() -> None:
    assert midway(segment(0, "S"), segment(0, "PA", b"x"), answer(9, "PA", b"y")) == []


def test_if_it_cannot_be_read_alone_it_was_not() -> None:
    frames = (
        segment(0, "S"),
        segment(0, "PA", b"x"),
        answer(9, "PA", b"y"),
        answer(18, "PA", b"z"),
    )
    assert midway(*frames, unread_alone=(0,)) == [1, 2]


def test_another_port_or_another_tunnel_is_another_stream() -> None:
    other = segment(9, "PA", b"y", port=4001)
    assert midway(segment(0, "S"), segment(0, "PA", b"x"), segment(9, "S"), other) == [2]
    later = segment(9, "PA", b"y")
    inside = replace(later, data=ip("10.0.0.9", "192.0.2.9", later.data, 4))
    flows = [segment(0, "S"), segment(0, "PA", b"x"), segment(9, "S"), inside]
    assert midway(*flows[:2], later) == []
    assert len(midway(*flows)) == 1


def test_the_rest_of_a_stream_without_beginning_is_no_second_one() -> None:
    assert midway(segment(0, "PA", b"x"), segment(9, "PA", b"y")) == [0]
