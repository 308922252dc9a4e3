"""Packed members: what is in them, where they end, and how much memory they may take."""

import bz2
import gzip
import lzma
import tracemalloc
import zlib

import pytest
import zstandard

from egress_audit.capture.packings import (
    MAX_WINDOW,
    PACKINGS,
    SKIPPABLE,
    ZSTD_SLICE,
    Decoder,
    GzipDecoder,
    ZstdDecoder,
    packing_of,
    unpacking_errors,
)

DATA = bytes(range(256)) * 300
PACKED = {
    "gzip": gzip.compress(DATA),
    "zstd": zstandard.compress(DATA),
    "xz": lzma.compress(DATA),
    "bzip2": bz2.compress(DATA),
}


def decoded(decoder: Decoder, packed: bytes, step: int = 64) -> bytes:
    """What comes of the packed bytes, `step` bytes of input and 1000 of output at a time."""
    parts, at = [], 0
    while not decoder.eof:
        given = packed[at : at + step] if decoder.needs_input else b""
        at += len(given)
        if decoder.needs_input and not given:
            break
        parts.append(decoder.decompress(given, 1000))
    return b"".join(parts)


@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
@pytest.mark.parametrize("step", [1, 64, 1 << 20])
def test_what_was_packed_comes_out_whatever_the_pieces(packing: object, step: int) -> None:
    known = next(each for each in PACKINGS if each is packing)
    assert decoded(known.decoder(), PACKED[known.name], step) == DATA


@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
def test_what_follows_a_member_is_handed_back(packing: object) -> None:
    known = next(each for each in PACKINGS if each is packing)
    decoder = known.decoder()
    decoded(decoder, PACKED[known.name] + b"behind", 1 << 20)
    assert decoder.unused_data == b"behind"


@pytest.mark.parametrize(("name", "packed"), PACKED.items())
def test_a_packing_is_known_by_its_first_bytes(name: str, packed: bytes) -> None:
    packing = packing_of(packed[:6])
    assert packing is not None
    assert packing.name == name


@pytest.mark.parametrize("head", [b"", b"\x1f\x8b", b"\xd4\xc3\xb2\xa1\x02\x00", b"BZ"])
def test_other_bytes_are_no_packing(head: bytes) -> None:
    assert packing_of(head) is None


def test_a_frame_that_is_to_be_skipped_is_zstd_too() -> None:
    packing = packing_of(SKIPPABLE[3])
    assert packing is not None
    assert packing.name == "zstd"


def test_a_frame_that_is_to_be_skipped_holds_nothing() -> None:
    decoder = ZstdDecoder()
    assert decoded(decoder, SKIPPABLE[0] + (5).to_bytes(4, "little") + b"hello") == b""
    assert decoder.eof


def test_everything_before_a_damaged_byte_comes_out_of_gzip() -> None:
    inside = b"".join(zlib.crc32(bytes([n])).to_bytes(4, "big") for n in range(256)) * 9
    packed = bytearray(gzip.compress(inside))
    packed[-7] ^= 1  # of the checksum
    decoder = GzipDecoder()
    got = decoder.decompress(bytes(packed), 1 << 20)
    assert got == inside
    with pytest.raises(zlib.error):
        decoder.decompress(b"", 1 << 20)


def test_zstd_that_asks_for_more_memory_than_allowed_is_an_error() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, write_content_size=False)
    maker = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = maker.compress(b"a" * 100) + maker.flush()
    with pytest.raises(unpacking_errors()):
        decoded(ZstdDecoder(), packed)
    assert MAX_WINDOW < 1 << 28


def test_xz_that_asks_for_more_memory_than_allowed_is_an_error() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": MAX_WINDOW * 2, "preset": 0}]
    packed = lzma.compress(b"a" * 100, filters=filters)
    xz = next(packing for packing in PACKINGS if packing.name == "xz")
    with pytest.raises(unpacking_errors()):
        decoded(xz.decoder(), packed)


@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
def test_a_bomb_takes_no_more_memory_than_its_bound(packing: object) -> None:
    known = next(each for each in PACKINGS if each is packing)
    zeros = bytes(64 << 20)
    packed = {
        "gzip": lambda: gzip.compress(zeros),
        "zstd": lambda: zstandard.compress(zeros),
        "xz": lambda: lzma.compress(zeros, preset=0),
        "bzip2": lambda: bz2.compress(zeros),
    }[known.name]()
    decoder, total = known.decoder(), 0
    tracemalloc.start()
    try:
        at = 0
        while not decoder.eof:
            given = packed[at : at + 16384] if decoder.needs_input else b""
            at += len(given)
            total += len(decoder.decompress(given, 1 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == len(zeros)
    assert peak < (ZSTD_SLICE // 4 * (128 << 10)) * 2 + (4 << 20)
