"""A tap copies the wanted frames and changes nothing."""

import io

from egress_audit.capture.merged import MergedSource, Opener
from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.source import source_of
from egress_audit.capture.tap import Tap
from egress_audit.capture.tap import tapped as tapped_frames
from egress_audit.capture.window import Window
from egress_audit.columns import OpenedSource
from tests.builders.captures import START_NS, Frame, pcap


def tapped(wanted: list[int]) -> Tap:
    raw = pcap([Frame(START_NS + n * 1000, bytes([n]) * 20, wirelen=30) for n in range(5)])
    header = read_header(raw)
    assert header is not None
    return Tap(PcapSource("x", Window(io.BytesIO(raw), block=80), header), wanted)


def test_wanted_frames_are_kept_with_their_bytes_from_every_batch() -> None:
    tap = tapped([2, 5])
    assert sum(len(batch) for batch in tap) == 5
    assert {n: f.captured for n, f in tap.frames.items()} == {2: b"\x01" * 20, 5: b"\x04" * 20}
    assert (tap.frames[5].ts_ns, tap.frames[5].wirelen) == (START_NS + 4000, 30)


def test_frames_that_are_not_there_are_not_kept() -> None:
    tap = tapped([0, 6])
    assert sum(len(batch) for batch in tap) == 5
    assert tap.frames == {}


def test_the_facts_are_the_source_s() -> None:
    tap = tapped([])
    list(tap)
    assert tap.facts().frames == 5


def test_frames_are_tapped_one_at_a_time_and_ascending() -> None:
    raw = pcap([Frame(START_NS + n * 1000, bytes([n]) * 20) for n in range(9)])
    source = source_of("x", Window(io.BytesIO(raw), block=80))
    assert source is not None
    found = list(tapped_frames(source, {7, 2, 99}))
    assert [(frame.number, frame.captured[:1]) for frame in found] == [(2, b"\x01"), (7, b"\x06")]
    assert {frame.number_in_file for frame in found} == {0}


def test_a_frame_of_merged_captures_says_which_it_is_in_its_own() -> None:
    def opener(seconds: list[int]) -> Opener:
        raw = pcap([Frame(START_NS + s * 10**9, bytes(20)) for s in seconds])

        def opened() -> OpenedSource:
            source = source_of("x", Window(io.BytesIO(raw)))
            assert source is not None
            return source

        return opened

    source = MergedSource([opener([0, 2]), opener([1, 3])])
    found = list(tapped_frames(source, {2, 3, 4}))
    assert [(f.number, f.file, f.number_in_file) for f in found] == [
        (2, 1, 1),
        (3, 0, 2),
        (4, 1, 2),
    ]
    assert {frame.interface for frame in found} == {0}
