"""Old and patched pcap files: other headers, the same frames."""

import io
import struct
from collections.abc import Sequence

import pytest

from egress_audit.capture.pcap_variants import AIX_LINKTYPES, VariantSource
from egress_audit.capture.source import source_of
from egress_audit.capture.walk import MAX_EMPTY
from egress_audit.capture.window import Window
from egress_audit.columns import FrameSource
from tests.builders.captures import Frame, pcap

SECOND = 1_000_000_000
FRAMES = [
    Frame(1_700_000_005 * SECOND + 1_000, b"a" * 60, wirelen=90),
    Frame(1_700_000_006 * SECOND + 2_000, b"b" * 61, wirelen=91),
]
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def variant(
    frames: Sequence[Frame],
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    linktype: int = 1,
    swapped: bool = False,
    extra: int = 0,
    unit_ns: int = 1_000,
) -> bytes:
    """A pcap file with other headers than usual."""
    parts = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, 65_535, linktype)]
    for frame in frames:
        seconds, rest_ns = divmod(frame.ts_ns, 1_000_000_000)
        wirelen = len(frame.data) if frame.wirelen is None else frame.wirelen
        lengths = (wirelen, len(frame.data)) if swapped else (len(frame.data), wirelen)
        parts.append(struct.pack(order + "IIII", seconds, rest_ns // unit_ns, *lengths))
        parts += [struct.pack(order + "IHB", 2, 0x800, 0).ljust(extra, b"\0")[:extra], frame.data]
    return b"".join(parts)


def opened(data: bytes, block: int = 8 << 20) -> FrameSource:
    """A source for a file with these bytes."""
    source = source_of("a", Window(io.BytesIO(data), block=block))
    assert source is not None
    return source


def rows(source: FrameSource) -> list[tuple[int, bytes, int]]:
    """Time, bytes and wire length of each frame."""
    found = []
    for batch in source:
        fields = (batch.ts_ns, batch.offset, batch.caplen, batch.wirelen)
        for ts_ns, start, size, wirelen in zip(*(f.tolist() for f in fields), strict=True):
            found.append((ts_ns, batch.buffer[start : start + size].tobytes(), wirelen))
    return found


EXPECTED = [(frame.ts_ns, frame.data, frame.wirelen) for frame in FRAMES]


@ORDERS
@pytest.mark.parametrize(("extra", "word"), [(8, "24 bytes"), (12, "SuSE 6.3")])
@pytest.mark.parametrize("block", [64, 200, 8 << 20])
def test_modified_record_headers_are_read_in_either_size(
    order: str, extra: int, word: str, block: int
) -> None:
    data = variant(FRAMES, order=order, magic=0xA1B2CD34, extra=extra)
    source = opened(data) if block > 1000 else opened(data, max(block, len(data)))
    assert rows(source) == EXPECTED
    assert word in source.facts().format_detail
    assert source.facts().damage == ()


@ORDERS
@pytest.mark.parametrize(("extra", "word"), [(8, "as Red Hat 6.1"), (4, "as Nokia's firewalls")])
@pytest.mark.parametrize("count", [1, 30])
def test_two_patches_left_the_magic_as_it_was_and_are_read_all_the_same(
    order: str, extra: int, word: str, count: int
) -> None:
    source = opened(variant(FRAMES * count, order=order, extra=extra))
    assert rows(source) == EXPECTED * count
    assert word in source.facts().format_detail
    assert source.facts().damage == ()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(variant(FRAMES[:1], extra=8), id="one record could be any damage"),
        pytest.param(variant(FRAMES, extra=8, magic=0xA1B23C4D), id="they know no nanoseconds"),
        pytest.param(variant(FRAMES, extra=8) + b"\xff" * 99, id="the third makes no sense"),
        pytest.param(variant(FRAMES) + b"\xff" * 99, id="the standard, damaged"),
        pytest.param(variant(FRAMES[:1]) + b"\xff" * 8 + bytes(99), id="zeros are no records"),
    ],
)
def test_what_makes_no_sense_in_any_layout_is_damage(data: bytes) -> None:
    source = opened(data)
    assert not isinstance(source, VariantSource)
    assert rows(source)
    assert source.facts().damage


def test_records_longer_than_the_window_are_read() -> None:
    data = variant(FRAMES * 9, magic=0xA1B2CD34, extra=8)
    assert rows(opened(data, 120)) == EXPECTED * 9


@ORDERS
@pytest.mark.parametrize("version", [(2, 0), (2, 1), (2, 2), (543, 0)])
def test_before_version_2_3_the_wire_length_comes_first(
    order: str, version: tuple[int, int]
) -> None:
    source = opened(variant(FRAMES, order=order, version=version, swapped=True))
    assert rows(source) == EXPECTED
    assert "old order" in source.facts().format_detail


@pytest.mark.parametrize("swapped", [False, True])
def test_in_version_2_3_the_smaller_length_is_the_captured_one(swapped: bool) -> None:
    assert rows(opened(variant(FRAMES, version=(2, 3), swapped=swapped))) == EXPECTED


def test_from_version_2_4_on_a_larger_captured_length_is_believed() -> None:
    source = opened(pcap([Frame(0, b"a" * 60, wirelen=4)]))
    assert not isinstance(source, VariantSource)
    assert rows(source) == [(0, b"a" * 60, 60)]


@pytest.mark.parametrize(("told", "meant"), AIX_LINKTYPES.items())
def test_aix_writes_interface_types_and_nanoseconds(told: int, meant: int) -> None:
    frames = [Frame(5_000_000_123, b"a" * 60, wirelen=90)]
    data = variant(frames, version=(2, 2), linktype=told, swapped=True, unit_ns=1)
    source = opened(data)
    assert rows(source) == [(5_000_000_123, b"a" * 60, 90)]
    assert source.facts().interfaces[0].linktype == meant
    assert "AIX" in source.facts().format_detail


def test_version_2_2_with_another_link_type_is_no_aix() -> None:
    source = opened(variant(FRAMES, version=(2, 2), linktype=1, swapped=True))
    assert rows(source) == EXPECTED
    assert "AIX" not in source.facts().format_detail


def test_a_length_that_cannot_be_true_is_damage() -> None:
    data = variant(FRAMES, magic=0xA1B2CD34, extra=8)
    source = opened(data + struct.pack("<IIII", 7, 0, 0xFFFFFFFF, 60) + bytes(99))
    assert rows(source) == EXPECTED
    (damage,) = source.facts().damage
    assert (damage.offset, "4294967295 bytes" in damage.what) == (len(data), True)


@pytest.mark.parametrize("kept", [5, 20, 30])
def test_a_cut_record_is_damage(kept: int) -> None:
    data = variant(FRAMES, version=(2, 1), swapped=True)
    behind = variant(FRAMES, version=(2, 1), swapped=True)[24 : 24 + kept]
    source = opened(data + behind)
    assert rows(source) == EXPECTED
    assert [damage.offset for damage in source.facts().damage] == [len(data)]


@pytest.mark.parametrize("records", [[], FRAMES[:1]])
def test_a_modified_file_of_few_records_is_one_all_the_same(records: list[Frame]) -> None:
    source = opened(variant(records, magic=0xA1B2CD34, extra=8))
    assert len(rows(source)) == len(records)
    assert source.facts().damage == ()


def test_hash_and_size_are_of_the_whole_file() -> None:
    data = variant(FRAMES, version=(2, 0), swapped=True)
    source = opened(data)
    rows(source)
    assert source.facts().size == len(data)


@pytest.mark.parametrize("block", [100_000, 1 << 20])
def test_zeros_without_end_are_damage_where_no_recorder_would_write_them(block: int) -> None:
    data = variant(FRAMES, magic=0xA1B2CD34, extra=8)
    source = opened(data + bytes(24 * (MAX_EMPTY + 1000)), block)
    assert sum(len(batch) for batch in source) == 2 + MAX_EMPTY
    (damage,) = source.facts().damage
    assert damage.offset == len(data) + 24 * MAX_EMPTY
    assert "hold nothing" in damage.what
