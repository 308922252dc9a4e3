"""The MMDB writer, held to the reader that everybody uses."""

import random
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import maxminddb
import pytest

from egress_audit.ranges.intervals import IPV4_END, Range, flattened
from egress_audit.ranges.mmdb_writer import About, Record, mmdb_pieces

ABOUT = About("Example-Country", "made for a test", 1_767_225_600)


def record_of(value: str) -> Record:
    return {"country": {"iso_code": value}, "name": value * 3, "number": len(value), "is": True}


def written(folder: Path, ranges: list[Range[str]]) -> maxminddb.reader.Reader:
    path = folder / "list.mmdb"
    path.write_bytes(b"".join(mmdb_pieces(ranges, record_of, ABOUT)))
    return maxminddb.open_database(path)


def some_ranges(count: int) -> list[Range[str]]:
    chance = random.Random(7)
    rows = []
    for _ in range(count):
        first = chance.choice((chance.getrandbits(32), (1 << 125) + chance.getrandbits(124)))
        size = chance.getrandbits(chance.randrange(1, 24 if first < IPV4_END else 100))
        last = first + size
        if not (first < IPV4_END <= last):
            rows.append((first, last, f"v{chance.randrange(300)}"))
    return flattened(rows)


def address_of(number: int) -> IPv4Address | IPv6Address:
    return IPv4Address(number) if number < IPV4_END else IPv6Address(number)


def test_the_reader_finds_what_was_written(tmp_path: Path) -> None:
    ranges = some_ranges(500)
    reader = written(tmp_path, ranges)
    for first, last, value in ranges:
        for number in (first, (first + last) // 2, last):
            assert reader.get(address_of(number)) == record_of(value)


def test_the_reader_finds_nothing_beside_what_was_written(tmp_path: Path) -> None:
    ranges = some_ranges(500)
    reader = written(tmp_path, ranges)
    edges = {first - 1 for first, _, _ in ranges} - {last for _, last, _ in ranges}
    for number in edges - {-1, IPV4_END - 1}:
        assert reader.get(address_of(number)) is None


def test_the_same_ranges_give_the_same_bytes() -> None:
    ranges = some_ranges(50)
    once = b"".join(mmdb_pieces(ranges, record_of, ABOUT))
    assert once == b"".join(mmdb_pieces(iter(ranges), record_of, ABOUT))


def test_the_metadata_says_what_the_file_is(tmp_path: Path) -> None:
    metadata = written(tmp_path, some_ranges(10)).metadata()
    assert metadata.database_type == "Example-Country"
    assert metadata.build_epoch == ABOUT.epoch
    assert metadata.description == {"en": "made for a test"}
    assert (metadata.ip_version, metadata.record_size) == (6, 24)


def test_no_ranges_make_a_file_that_knows_nothing(tmp_path: Path) -> None:
    assert written(tmp_path, []).get("192.0.2.1") is None


@pytest.mark.parametrize("length", [0, 28, 29, 284, 285, 5000])
def test_a_name_of_any_length_comes_back(tmp_path: Path, length: int) -> None:
    value = "x" * length
    reader = written(tmp_path, [(1 << 24, (1 << 24) + 255, value)])
    found = reader.get("1.0.0.1")
    assert isinstance(found, dict)
    assert found["name"] == value * 3


@pytest.mark.parametrize(("distinct", "bits"), [(10, 24), (60_000, 28)])
def test_records_grow_with_the_file(tmp_path: Path, distinct: int, bits: int) -> None:
    def long_record(value: str) -> Record:
        return {"name": value + "x" * 300}

    ranges = [(number << 8, (number << 8) + 255, str(number)) for number in range(1, distinct)]
    path = tmp_path / "list.mmdb"
    path.write_bytes(b"".join(mmdb_pieces(ranges, long_record, ABOUT)))
    reader = maxminddb.open_database(path)
    assert reader.metadata().record_size == bits
    for number in (1, distinct // 2, distinct - 1):
        assert reader.get(IPv4Address(number << 8)) == long_record(str(number))
