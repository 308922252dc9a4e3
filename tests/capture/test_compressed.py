"""Packed captures: read like those that are not, and cut, damaged or endless without harm."""

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from egress_audit.capture import compressed
from egress_audit.capture.compressed import Origin, Unpacked, UnpackedWindow
from egress_audit.capture.packings import packing_of
from egress_audit.capture.source import open_capture
from egress_audit.columns import FrameSource
from egress_audit.errors import InputUnreadable
from tests.builders.captures import Frame, Section, pcap, pcapng

FRAMES = [
    Frame(n * 1_000_000_000, struct.pack(">I", n * 2654435761 % 2**32) * 20) for n in range(99)
]
PCAP, PCAPNG = pcap(FRAMES), pcapng([Section(FRAMES)])

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def opened(folder: Path, data: bytes, name: str = "a.pcap.gz") -> FrameSource:
    """A source for a file with these bytes."""
    (folder / name).write_bytes(data)
    return open_capture(str(folder / name))


def frames_of(source: FrameSource) -> int:
    """Frames of a source, which is read to its end."""
    return sum(len(batch) for batch in source)


def unpacked(packed: bytes) -> Unpacked:
    """A stream over packed bytes."""
    packing = packing_of(packed[:6])
    assert packing is not None
    return Unpacked(Origin(b"", io.BytesIO(packed)), packing)


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("capture", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_a_packed_capture_is_read_like_one_that_is_not(
    tmp_path: Path, name: str, capture: bytes
) -> None:
    source = opened(tmp_path, PACK[name](capture))
    assert frames_of(source) == len(FRAMES)
    assert source.facts().damage == ()
    assert source.facts().format_detail.endswith(f", in {name}")


@pytest.mark.parametrize("name", PACK)
def test_hash_and_size_are_those_of_the_file_as_it_lies_there(tmp_path: Path, name: str) -> None:
    packed = PACK[name](PCAP)
    source = opened(tmp_path, packed)
    frames_of(source)
    facts = source.facts()
    assert (facts.sha256, facts.size) == (hashlib.sha256(packed).hexdigest(), len(packed))


@pytest.mark.parametrize("name", PACK)
def test_members_that_follow_each_other_are_one_capture(tmp_path: Path, name: str) -> None:
    pack = PACK[name]
    cut = len(PCAP) // 2
    source = opened(tmp_path, pack(PCAP[:cut]) + pack(b"") + pack(PCAP[cut:]))
    assert frames_of(source) == len(FRAMES)
    assert source.facts().damage == ()


@pytest.mark.parametrize("name", PACK)
def test_zeros_behind_the_last_member_are_padding(tmp_path: Path, name: str) -> None:
    source = opened(tmp_path, PACK[name](PCAP) + bytes(512))
    assert frames_of(source) == len(FRAMES)
    assert source.facts().damage == ()


@pytest.mark.parametrize("name", PACK)
def test_anything_else_behind_it_is_damage(tmp_path: Path, name: str) -> None:
    source = opened(tmp_path, PACK[name](PCAP) + b"something else")
    assert frames_of(source) == len(FRAMES)
    (damage,) = source.facts().damage
    assert damage.offset == len(PCAP)
    assert f"the {name} data are followed by something else" in damage.what


@pytest.mark.parametrize("name", PACK)
def test_a_packed_capture_that_is_cut_at_its_end_is_damaged(tmp_path: Path, name: str) -> None:
    several_blocks = pcap(FRAMES * 30)
    source = opened(tmp_path, PACK[name](several_blocks)[:-1])
    assert frames_of(source) > 0
    assert any("end before they are complete" in each.what for each in source.facts().damage)


def test_what_lies_before_the_cut_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(PCAP)
    source = opened(tmp_path, packed[: len(packed) // 2])
    assert 20 < frames_of(source) < len(FRAMES)


def test_what_lies_before_a_damaged_byte_is_read(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(PCAP))
    packed[-6] ^= 0xFF
    source = opened(tmp_path, bytes(packed))
    assert frames_of(source) == len(FRAMES)
    assert any("the gzip data are damaged" in each.what for each in source.facts().damage)


def test_a_cut_that_meets_the_end_of_a_record_is_seen_all_the_same(tmp_path: Path) -> None:
    maker = zlib.compressobj(wbits=31)
    packed = maker.compress(PCAP) + maker.flush(zlib.Z_SYNC_FLUSH)
    source = opened(tmp_path, packed)
    assert frames_of(source) == len(FRAMES)
    assert len(source.facts().damage) == 1


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_packed_twice_is_refused_with_the_command_that_helps(
    tmp_path: Path, outer: str, inner: str
) -> None:
    with pytest.raises(InputUnreadable) as caught:
        opened(tmp_path, PACK[outer](PACK[inner](PCAP)))
    assert caught.value.what == f"is {inner} data in {outer} data"
    assert "egress-audit replay -" in caught.value.hint


def test_what_is_packed_and_no_capture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match=r"gzip data, and inside a snoop capture"):
        opened(tmp_path, gzip.compress(b"snoop\0\0\0" + bytes(99)))


@pytest.mark.parametrize(
    "packed", [gzip.compress(b""), gzip.compress(PCAP)[:9]], ids=["nothing", "cut header"]
)
def test_packed_data_that_hold_nothing_are_no_capture(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(InputUnreadable, match=r"cannot be unpacked"):
        opened(tmp_path, packed)


def dictionary_of(packed: bytes, size: int) -> bytes:
    """An .xz file that asks for another dictionary (.xz format §3.1, §5.3.1)."""
    header = bytearray(packed[12 : 12 + (packed[12] + 1) * 4 - 4])
    assert (header[2], header[3]) == (0x21, 1)
    header[4] = size
    check = zlib.crc32(header).to_bytes(4, "little")
    return packed[:12] + bytes(header) + check + packed[12 + len(header) + 4 :]


HUGE = {
    "xz": (dictionary_of(lzma.compress(PCAP), 37), "xzcat"),
    "zstd": (b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\0\0", "zstd -dc --long=31"),
}


@pytest.mark.parametrize(("packed", "command"), HUGE.values(), ids=HUGE)
def test_what_needs_more_memory_than_is_given_is_not_called_damaged(
    tmp_path: Path, packed: bytes, command: str
) -> None:
    with pytest.raises(InputUnreadable, match=r"need more memory .* than the 128 MiB") as caught:
        opened(tmp_path, packed)
    assert command in (caught.value.hint or "")


def test_a_dictionary_within_bounds_is_given(tmp_path: Path) -> None:
    packed = dictionary_of(lzma.compress(PCAP), 24)
    assert frames_of(opened(tmp_path, packed)) > 0


def test_a_later_member_that_needs_more_is_told_as_such(tmp_path: Path) -> None:
    source = opened(tmp_path, lzma.compress(PCAP) + HUGE["xz"][0])
    assert frames_of(source) > 0
    assert any("need more memory" in damage.what for damage in source.facts().damage)


def test_a_bomb_of_garbage_is_not_unpacked_past_its_first_bad_record(tmp_path: Path) -> None:
    head = PCAP[:24] + b"\xff" * 16
    packed = gzip.compress(head + bytes(100 << 20))
    stream = unpacked(packed)
    window = UnpackedWindow(stream)
    window.drain()
    assert stream.produced < 16 << 20
    assert (window.size, window.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())


def test_a_bomb_takes_no_more_memory_than_the_windows(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(gzip.compress(PCAP[:24] + b"\xff" * 16 + bytes(100 << 20)))
    tracemalloc.start()
    try:
        source = open_capture(str(tmp_path / "bomb"))
        assert frames_of(source) == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20


def test_endless_empty_records_end_where_no_capture_packs_so_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compressed, "RATIO_APPLIES", 1 << 20)
    stream = unpacked(gzip.compress(PCAP[:24] + bytes(64 << 20)))
    while stream.read(1 << 20):
        pass
    assert stream.produced <= (64 << 20) * compressed.MAX_RATIO // 1000
    assert "times their size" in stream.problem


def test_a_million_empty_members_cost_no_more_than_their_bytes() -> None:
    member = gzip.compress(b"")
    reads = Counting(member * 50_000)
    packing = packing_of(member)
    assert packing is not None
    stream = Unpacked(Origin(b"", reads), packing)
    assert stream.read(10) == b""
    assert stream.problem == ""
    assert reads.calls <= len(member) * 50_000 // compressed.INPUT + 3


class Counting(io.BytesIO):
    """An input that counts how often it was asked."""

    calls = 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        self.calls += 1
        return super().read(size)
