"""A tap copies the wanted frames and changes nothing."""

import io

from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.tap import Tap
from egress_audit.capture.window import Window
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
