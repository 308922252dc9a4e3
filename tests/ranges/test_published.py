"""Lists as they are published: every shape, and what is refused with its line."""

import gzip
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from egress_audit.errors import ListUnreadable
from egress_audit.ranges import published
from egress_audit.ranges.intervals import Range
from egress_audit.ranges.merging import Holder
from egress_audit.ranges.mmdb_writer import About, Record, mmdb_pieces
from egress_audit.ranges.published import networks, published_rows

NET = ip_network("192.0.2.0/24")
FIRST, LAST = int(NET[0]), int(NET[-1])


def file(folder: Path, text: str, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mmdb(folder: Path, record: Record, ranges: list[Range[str]] | None = None) -> Path:
    path = folder / "list.mmdb"
    pieces = mmdb_pieces(ranges or [(FIRST, LAST, "x")], lambda _: record, About("Example", "", 1))
    path.write_bytes(b"".join(pieces))
    return path


@pytest.mark.parametrize(
    "line",
    [
        "192.0.2.0,192.0.2.255,JP",
        f"{FIRST},{LAST},JP",
        "192.0.2.0/24,JP,JP-13,Tokyo,",
        "192.0.2.0/24,jp",
        "192.0.2.0,192.0.2.255,JP,Japan,AS,Asia,AS64500,Example,example.com",
        "# a comment\n192.0.2.0,192.0.2.255,JP",
        "start_ip,end_ip,country\n192.0.2.0,192.0.2.255,JP",
    ],
)
def test_a_country_is_read_by_range_and_by_prefix(tmp_path: Path, line: str) -> None:
    assert published_rows(file(tmp_path, f"{line}\n")) == ([(FIRST, LAST, "JP")], [])


@pytest.mark.parametrize(
    "line",
    [
        '192.0.2.0,192.0.2.255,64500,"Example, Inc."',
        '192.0.2.0/24,64500,"Example, Inc."',
        "192.0.2.0\t192.0.2.255\t64500\tJP\tExample, Inc.",
    ],
)
def test_a_holder_is_read_and_the_country_of_its_as_is_no_place(tmp_path: Path, line: str) -> None:
    holder = Holder(64500, "Example, Inc.")
    assert published_rows(file(tmp_path, f"{line}\n")) == ([], [(FIRST, LAST, holder)])


def test_a_country_whose_code_is_that_of_a_continent_stays_one(tmp_path: Path) -> None:
    text = "192.0.2.0/24,NA,KH,Windhoek,\n192.0.3.0,192.0.3.255,SA\n"
    countries, _ = published_rows(file(tmp_path, text))
    assert [country for _, _, country in countries] == ["NA", "SA"]


def test_ipv6_is_read_as_text_and_as_a_number(tmp_path: Path) -> None:
    number = int(ip_address("2001:500::"))
    text = f"2001:500::,2001:500::f,JP\n{number},{number + 15},US\n"
    countries, _ = published_rows(file(tmp_path, text))
    assert countries == [(number, number + 15, "JP"), (number, number + 15, "US")]


@pytest.mark.parametrize("cell", ["", "-", "ZZ", "None", "0", "EU", "AP"])
def test_a_row_that_says_nothing_is_left_out(tmp_path: Path, cell: str) -> None:
    text = f"192.0.2.0,192.0.2.0,{cell}\n192.0.2.1,192.0.2.1,JP\n"
    assert published_rows(file(tmp_path, text)) == ([(FIRST + 1, FIRST + 1, "JP")], [])


def test_gzip_is_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv.gz"
    path.write_bytes(gzip.compress(b"192.0.2.0\t192.0.2.255\t64500\tJP\tExample\n"))
    assert published_rows(path) == ([], [(FIRST, LAST, Holder(64500, "Example"))])


def test_an_mmdb_gives_countries_and_holders(tmp_path: Path) -> None:
    record = {"country_code": "JP", "asn": "AS64500", "as_name": "Example"}
    countries, holders = published_rows(mmdb(tmp_path, record))
    assert countries == [(FIRST, LAST, "JP")]
    assert holders == [(FIRST, LAST, Holder(64500, "Example"))]


def test_an_older_list_of_ipinfo_has_the_code_as_its_country(tmp_path: Path) -> None:
    countries, _ = published_rows(mmdb(tmp_path, {"country": "JP", "country_name": "Japan"}))
    assert countries == [(FIRST, LAST, "JP")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("192.0.2.0,192.0.2.255,JP\nhere,there,JP\n", 2),
        ("192.0.2.0,192.0.2.255,JP\n192.0.2.9,192.0.2.1,JP\n", 2),
        ("192.0.2.0,192.0.2.255,JP\n192.0.2.0,2001:500::,JP\n", 2),
        ("192.0.2.0,192.0.2.255,Japan\n", 1),
        ("network,geoname_id\n192.0.2.0/24,1861060,1861060,,0,0,\n", 2),
        ("192.0.2.0,192.0.2.255,3221225984,3221226239,JP,Japan\n", 1),
        ("192.0.2.0,192.0.2.255,AS,JP,Tokyo,Chiyoda,35.6,139.7\n", 1),
        ("192.0.2.0,192.0.2.255,4294967296\n", 1),
        ("192.0.2.0,192.0.2.255,JP\n192.0.2.5/24,JP\n", 2),
        ('192.0.2.0,192.0.2.255,JP\n192.0.2.0,"\n', 2),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ListUnreadable) as raised:
        published_rows(file(tmp_path, text))
    assert raised.value.where.endswith(f"list.csv:{line}")
    assert raised.value.hint


@pytest.mark.parametrize("content", [b"", b"name,age\n", b"\xff\xfe\x00", b"\x1f\x8b\x08\x00rest"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(ListUnreadable) as raised:
        published_rows(path)
    assert raised.value.hint


def test_a_gzip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"192.0.{n}.0,192.0.{n}.255,JP\n" for n in range(256)).encode()
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(rows)[:-20])
    with pytest.raises(ListUnreadable, match="truncated"):
        published_rows(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MOST_OCTETS", 10_000)
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"192.0.2.0,192.0.2.255,JP\n" * 1000))
    with pytest.raises(ListUnreadable, match="unpacks to more"):
        published_rows(path)


def test_a_tree_with_too_many_networks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "MOST_ROWS", 3)
    ranges = [(FIRST + 2 * n, FIRST + 2 * n, str(n)) for n in range(8)]
    with pytest.raises(ListUnreadable, match="more than 3"):
        list(networks(mmdb(tmp_path, {"country_code": "JP"}, ranges)))


def test_a_list_of_neither_countries_nor_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="neither"):
        published_rows(mmdb(tmp_path, {"is_anonymous": True}))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match=r"none\.csv"):
        published_rows(tmp_path / "none.csv")
