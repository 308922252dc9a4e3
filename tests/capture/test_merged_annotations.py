"""What stands beside a frame stays beside it when captures are merged."""

import io
from collections.abc import Sequence

import pytest

from egress_audit.capture.merged import SECTIONS_OF_FILE, MergedSource, Opener
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.columns import OpenedSource
from tests.builders.captures import START_NS, Frame, Section, pcapng

COMMENT = 1


def opener(frames: Sequence[tuple[int, bytes]], block: int) -> Opener:
    """A capture of frames at so many seconds, each with a comment if it is not empty."""
    items = [
        Frame(START_NS + second * 10**9, text.ljust(30, b"."), options=_comment(text))
        for second, text in frames
    ]

    def opened() -> OpenedSource:
        source = source_of("x", Window(io.BytesIO(pcapng([Section(items)])), block=block))
        assert source is not None
        return source

    return opened


def _comment(text: bytes) -> list[tuple[int, bytes]]:
    return [(COMMENT, text)] if text else []


def told(files: Sequence[Sequence[tuple[int, bytes]]], block: int) -> dict[int, tuple[bytes, int]]:
    """Of each merged frame with a comment: the comment, and the file that its section is of."""
    source = MergedSource([opener(frames, block) for frames in files])
    found = {}
    for batch in source:
        beside = batch.annotations
        for row in range(0 if beside is None else len(beside)):
            assert beside is not None
            start, size = int(beside.offset[row]), int(beside.length[row])
            text = batch.buffer[start : start + size].tobytes()
            found[int(beside.frame[row])] = text, int(beside.section[row]) // SECTIONS_OF_FILE
    return found


@pytest.mark.parametrize("block", [300, 8 << 20], ids=["many batches", "one batch"])
def test_comments_follow_their_frames_into_the_order_of_all(block: int) -> None:
    first = [(0, b"a0"), (2, b""), (4, b"a4"), (6, b"a6")]
    second = [(1, b"b1"), (3, b"b3"), (5, b"")]
    assert told([first, second], block) == {
        1: (b"a0", 0),
        2: (b"b1", 1),
        4: (b"b3", 1),
        5: (b"a4", 0),
        7: (b"a6", 0),
    }


def test_files_that_follow_each_other_keep_theirs(block: int = 300) -> None:
    later, earlier = [(10, b"l"), (11, b"")], [(0, b""), (1, b"e")]
    assert told([later, earlier], block) == {2: (b"e", 1), 3: (b"l", 0)}


def test_without_comments_there_is_nothing_beside_any_frame() -> None:
    assert told([[(0, b"")], [(0, b"")]], 300) == {}
