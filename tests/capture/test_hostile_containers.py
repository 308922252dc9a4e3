"""Containers made to cost time or memory: each read to its end or damage, within a stated bound."""

import gzip
import io
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from egress_audit.capture.pcapng_drops import MAX_FRAME_OPTIONS
from egress_audit.capture.pcapng_times import LIMIT_NS
from egress_audit.capture.source import source_of
from egress_audit.capture.timeline import Timeline
from egress_audit.capture.window import BLOCK, Window
from egress_audit.columns import FrameSource
from tests.builders.captures import Block, Frame, Interface, Section, block, pcap, pcapng

MEMORY = 5 * BLOCK
"""Bytes that reading may take: the window, and columns of what it holds."""
CENTURY_NS = 100 * 365 * 86_400 * 1_000_000_000
FOUR_GB = 0xFFFFFFFF


class Counted(io.BytesIO):
    """An input that counts the reads."""

    reads = 0

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        self.reads += 1
        return super().readinto(buffer)  # type: ignore[arg-type]


@contextmanager
def little_memory() -> Iterator[None]:
    """Fails if more than MEMORY is taken inside."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY


def opened(data: bytes) -> FrameSource:
    """A source for a capture in memory."""
    source = source_of("a", Window(io.BytesIO(data)))
    assert source is not None
    return source


def frames_of(source: FrameSource) -> int:
    """Frames of a source, which is read to its end."""
    return sum(len(batch) for batch in source)


def epb(caplen: int, wirelen: int) -> bytes:
    """An Enhanced Packet Block that claims these lengths of a frame of four bytes."""
    return block(6, struct.pack("<IIIII", 0, 0, 0, caplen, wirelen) + b"abcd")


LIES = {
    "pcap, captured": pcap([]) + struct.pack("<IIII", 0, 0, FOUR_GB, FOUR_GB) + bytes(64),
    "pcap, old order": pcap([]).replace(b"\2\0\4\0", b"\2\0\0\0", 1)
    + struct.pack("<IIII", 0, 0, 60, FOUR_GB)
    + bytes(64),
    "block": pcapng([Section([])]) + struct.pack("<II", 6, FOUR_GB & ~3) + bytes(64),
    "frame": pcapng([Section([])]) + epb(FOUR_GB, FOUR_GB),
    "section": pcapng([Section([])]) + struct.pack("<III", 0x0A0D0D0A, FOUR_GB & ~3, 0x1A2B3C4D),
}


@pytest.mark.parametrize("data", LIES.values(), ids=LIES)
def test_a_length_of_four_gigabytes_is_damage_and_no_memory(data: bytes) -> None:
    with little_memory():
        source = opened(data)
        assert frames_of(source) == 0
    assert len(source.facts().damage) == 1


def test_a_wire_length_of_four_gigabytes_is_a_cut_frame() -> None:
    source = opened(pcapng([Section([])]) + epb(4, FOUR_GB))
    (batch,) = source
    assert (batch.caplen.tolist(), batch.wirelen.tolist()) == ([4], [FOUR_GB])


@pytest.mark.parametrize(
    "data",
    [pcap([Frame(0, b"")] * 100_000), pcapng([Section([Frame(0, b"")] * 100_000)])],
    ids=["pcap", "pcapng"],
)
def test_a_hundred_thousand_empty_records_are_read_once(data: bytes) -> None:
    stream = Counted(data)
    source = source_of("a", Window(stream))
    assert source is not None
    assert frames_of(source) == 100_000
    assert stream.reads <= len(data) // BLOCK + 4


def test_fifty_thousand_interfaces_cost_no_batch_each() -> None:
    number = 50_000
    items = [Frame(0, b"abc", interface=index) for index in range(0, number, 50)]
    data = pcapng([Section(items, [Interface(1 + index % 2) for index in range(number)])])
    source = opened(data)
    assert len(list(source)) == 1
    facts = source.facts()
    assert (len(facts.interfaces), facts.frames) == (number, len(items))


def test_ten_thousand_sections_cost_no_batch_each() -> None:
    sections = [Section([Frame(n, b"abc")], big_endian=bool(n % 2)) for n in range(10_000)]
    assert len(list(opened(pcapng(sections)))) == 1


def test_an_option_list_without_end_is_walked_no_further_than_its_bound() -> None:
    endless = [(2, b"")] * (MAX_FRAME_OPTIONS + 50)
    with little_memory():
        source = opened(pcapng([Section([Frame(0, b"abc", options=endless), Frame(0, b"x")])]))
        assert frames_of(source) == 2
    assert [damage.what for damage in source.facts().damage] == ["options that do not end"]


def test_comments_without_number_stay_columns() -> None:
    many = [(1, b"a")] * 4_000
    with little_memory():
        source = opened(pcapng([Section([Frame(0, b"abc", options=many)] * 20)]))
        (batch,) = source
        assert batch.annotations is not None
        assert len(batch.annotations) == 80_000


def test_an_option_list_of_a_block_without_end_is_left_quietly() -> None:
    endless = struct.pack("<HH", 1, 0) * 100_000
    idb = struct.pack("<HHI", 1, 0, 0) + endless
    with little_memory():
        source = opened(pcapng([Section([Block(1, idb), Frame(0, b"x")])]))
        assert frames_of(source) == 1


@pytest.mark.parametrize("jump_ns", [CENTURY_NS, -CENTURY_NS // 4])
def test_times_that_jump_a_century_are_kept_and_counted(jump_ns: int) -> None:
    start = 1_700_000_000_000_000_000
    times = [start, start + jump_ns, start]
    timeline = Timeline()
    for batch in opened(pcapng([Section([Frame(ts_ns, b"a") for ts_ns in times])])):
        timeline.take(batch)
    assert timeline.reversals == 1
    assert (timeline.first_ts_ns, timeline.last_ts_ns) == (
        min(times),
        min(max(times), LIMIT_NS - 1),
    )


@pytest.mark.parametrize("resolution", [0, 9, 10, 28, 29, 0x7F, 0x80, 0xC0, 0xFF])
@pytest.mark.parametrize("offset", [-(1 << 63), (1 << 63) - 1])
def test_no_resolution_or_offset_leaves_the_range_of_times(resolution: int, offset: int) -> None:
    idb = struct.pack("<HHI", 1, 0, 0)
    idb += struct.pack("<HHB3x", 9, 1, resolution) + struct.pack("<HHq", 14, 8, offset)
    late = block(6, struct.pack("<IIIII", 0, FOUR_GB, FOUR_GB, 4, 4) + b"abcd")
    (batch,) = opened(pcapng([Section([Block(1, idb)], [])]) + late)
    assert -LIMIT_NS <= int(batch.ts_ns[0]) < LIMIT_NS


def test_a_bomb_in_a_bomb_is_not_opened() -> None:
    inner = gzip.compress(bytes(32 << 20))
    assert source_of("a", Window(io.BytesIO(gzip.compress(inner)))) is None
