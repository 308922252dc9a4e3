"""Live captures: what has been written is read at once, and its user may end it."""

import os
from collections.abc import Iterator

import pytest

from egress_audit.capture import live_stream
from egress_audit.capture.amended import AmendedSource
from egress_audit.capture.live_stream import Ending, LiveStream
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from tests.builders.captures import Frame, Section, pcap, pcapng

FRAMES = [Frame(n * 1_000_000_000, bytes([n]) * 60) for n in range(3)]
CAPTURES = {"pcap": pcap(FRAMES), "pcapng": pcapng([Section(FRAMES)])}


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe."""
    receiver, sender = os.pipe()
    yield receiver, sender
    for descriptor in (receiver, sender):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def ending() -> Iterator[Ending]:
    """An ending that was not told yet."""
    ending = Ending()
    yield ending
    ending.close()


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES)
def test_frames_are_yielded_before_the_stream_has_ended(
    pipe: tuple[int, int], capture: bytes
) -> None:
    receiver, sender = pipe
    stream = LiveStream(receiver)
    os.write(sender, capture)
    source = source_of("-", Window(stream, stalled=stream.stalled))
    assert source is not None
    assert len(next(iter(source))) == len(FRAMES)


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES)
def test_a_stream_that_comes_byte_by_byte_is_read_whole(
    pipe: tuple[int, int], capture: bytes
) -> None:
    receiver, sender = pipe
    stream = OneByOne(receiver)
    os.write(sender, capture)
    os.close(sender)
    window = Window(stream, stalled=lambda: True)
    while window.end < 28:
        window.slide(0)
    source = source_of("-", window)
    assert source is not None
    assert sum(len(batch) for batch in source) == len(FRAMES)
    assert source.facts().damage == ()


class OneByOne(LiveStream):
    """A stream of which no more than a byte is ever there."""

    def readinto(self, room: object) -> int:
        """One byte."""
        return super().readinto(memoryview(room)[:1])  # type: ignore[arg-type]


def test_a_stream_that_ends_by_itself_was_not_ended_by_its_user(
    pipe: tuple[int, int], ending: Ending
) -> None:
    receiver, sender = pipe
    stream = LiveStream(receiver, ending)
    os.write(sender, b"abc")
    os.close(sender)
    assert stream.read(9) == b"abc"
    assert stream.read(9) == b""
    assert not stream.ended_by_user


def test_what_was_written_before_the_user_ended_it_is_read(
    pipe: tuple[int, int], ending: Ending
) -> None:
    receiver, sender = pipe
    stream = LiveStream(receiver, ending)
    os.write(sender, b"abc")
    ending.tell()
    os.close(sender)
    assert stream.read(9) == b"abc"
    assert stream.read(9) == b""
    assert stream.ended_by_user


def test_a_silent_stream_ends_when_its_user_says_so(
    pipe: tuple[int, int], ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "GRACE_S", 0.0)
    stream = LiveStream(pipe[0], ending)
    ending.tell()
    assert stream.read(9) == b""


def test_a_stream_that_never_pauses_ends_too(
    pipe: tuple[int, int], ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "MAX_AFTER_END", 100)
    receiver, sender = pipe
    stream = LiveStream(receiver, ending)
    ending.tell()
    read = 0
    os.write(sender, bytes(400))
    while got := stream.read(50):
        read += len(got)
    assert read == 100


@pytest.mark.parametrize("told", [False, True])
def test_the_facts_say_who_ended_the_stream(
    pipe: tuple[int, int], ending: Ending, told: bool
) -> None:
    receiver, sender = pipe
    os.write(sender, CAPTURES["pcap"])
    os.close(sender)
    if told:
        ending.tell()
    stream = LiveStream(receiver, ending)
    inner = source_of("-", Window(stream, stalled=stream.stalled))
    assert inner is not None
    source = AmendedSource(inner, stream.amended)
    assert sum(len(batch) for batch in source) == len(FRAMES)
    assert source.facts().ended_by_user is told
