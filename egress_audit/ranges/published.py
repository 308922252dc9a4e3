"""Readers of lists as they are published: CSV by range or prefix, iptoasn's TSV, MMDB.

    1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."      ip-location-db; addresses or their numbers
    1.0.0.0,1.0.0.255,AU
    192.0.2.0/24,US,US-CA,,                         geofeed, RFC 8805 §2.1
    1.0.0.0<tab>1.0.0.255<tab>13335<tab>US<tab>CLOUDFLARENET    iptoasn; its country is the AS's

Each may be packed with gzip. A row that says nothing (AS 0, no country, or a code such as `EU` and
`AP`, which is that of no country) is left out.
"""

import csv
import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import BinaryIO, TextIO

from egress_audit.country_codes import COUNTRY_CODES
from egress_audit.errors import ListUnreadable
from egress_audit.ranges.intervals import SPACE_END, Range
from egress_audit.ranges.merging import Holder
from egress_audit.ranges.mmdb_tree import holder_name, networks_of, opened
from egress_audit.ranges.unfit_files import AGAIN, GZIP

MOST_OCTETS = 1 << 30
"""Octets of text that are unpacked: the largest published list has 40 MB, a bomb has no end."""
MOST_ROWS = 1 << 24
"""Rows or networks that are read: 15 times those of the merged list. An MMDB of a few octets can
have 2**128 networks, since several nodes may have the same children."""
SILENT = frozenset({"", "-", "None", "Unknown", "NONE"})
"""Cells in place of a country where a list knows none."""
MOST_BESIDE_AN_AS = 2
"""Columns beside an AS number: iptoasn has a country and a name."""
CONTINENTS = frozenset({"AF", "AN", "AS", "EU", "NA", "OC", "SA"})
MMDB_MARK = b"\xab\xcd\xefMaxMind.com"
MARK_WITHIN = 128 * 1024
"""Octets at the end of an MMDB in which its mark stands (specification, "Metadata Section")."""
BY_HAND = "give a CSV or TSV by range or prefix, or an MMDB, of countries or AS numbers"

Rows = tuple[list[Range[str]], list[Range[Holder]]]
"""Countries and holders; a list may have either or both."""


def is_mmdb(path: Path) -> bool:
    """Whether a file has the mark of an MMDB. Raises ListUnreadable if it cannot be read."""
    with _opened(path) as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - MARK_WITHIN))
        return MMDB_MARK in stream.read()


def published_rows(path: Path) -> Rows:
    """All rows of a published list. Raises ListUnreadable, with the line, if one cannot be read."""
    if is_mmdb(path):
        return _of_mmdb(path)
    with _text(path) as stream:
        return _of_text(path, stream)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file, opened. What reading it raises becomes ListUnreadable."""
    try:
        with path.open("rb") as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise refused(path, "is truncated or damaged: gzip ends too early", AGAIN) from error
    except OSError as error:
        raise refused(path, error.strerror or "cannot be read", "check the path") from error
    except UnicodeDecodeError as error:
        raise refused(path, "is no text in UTF-8, and no MMDB", BY_HAND) from error


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    """A text file, unpacked if it is packed."""
    with _opened(path) as stream:
        packed = stream.read(2) == GZIP
        stream.seek(0)
        source = gzip.GzipFile(fileobj=stream) if packed else stream
        yield TextIOWrapper(source, encoding="utf-8-sig", newline="")


def _of_text(path: Path, stream: TextIO) -> Rows:
    """The rows of a CSV or TSV file; a header is allowed, and so are comments (RFC 8805 §2.1)."""
    countries: list[Range[str]] = []
    holders: list[Range[Holder]] = []
    known: dict[Holder, Holder] = {}
    for number, cells in _cells(path, stream):
        try:
            first, last, said = _range(cells)
        except ValueError as error:
            if number == 1:
                continue  # a header
            raise bad_line(path, number, "has no address range or prefix") from error
        _refuse_other_columns(path, number, said, by_range="/" not in cells[0])
        asn, country = _said(path, number, said)
        if asn is not None and asn.asn:
            holders.append((first, last, known.setdefault(asn, asn)))
        if country:
            countries.append((first, last, sys.intern(country)))
        if len(countries) + len(holders) > MOST_ROWS:
            raise refused(path, f"has more than {MOST_ROWS:,} rows", BY_HAND)
    if not countries and not holders:
        raise refused(path, "holds neither countries nor AS numbers", BY_HAND)
    return countries, holders


def _cells(path: Path, stream: TextIO) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and cells of each row that is no comment."""
    start = stream.readline(4096)
    delimiter = "\t" if "\t" in start else ","
    counted = _bounded(path, start, stream)
    reader = csv.reader(counted, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells and not cells[0].startswith("#"):
                yield reader.line_num, cells
    except csv.Error as error:
        raise bad_line(path, reader.line_num, f"is no CSV: {error}") from error


def _bounded(path: Path, start: str, stream: Iterable[str]) -> Iterator[str]:
    """The lines, as long as they are not more than MOST_OCTETS."""
    left = MOST_OCTETS
    head = start if start.endswith("\n") else start + next(iter(stream), "")
    for lines in ((head,), stream):
        for line in lines:
            left -= len(line)
            if left < 0:
                raise refused(path, f"unpacks to more than {MOST_OCTETS:,} octets", BY_HAND)
            yield line


def _range(cells: Sequence[str]) -> tuple[int, int, Sequence[str]]:
    """First and last address, and the other cells. Raises ValueError if there is no range."""
    if "/" in cells[0]:
        network = ip_network(cells[0].strip())
        return int(network.network_address), int(network.broadcast_address), cells[1:]
    first, last = _number(cells[0]), _number(cells[1] if len(cells) > 1 else "")
    if first > last or (":" in cells[0]) != (":" in cells[1]):  # from IPv4 to IPv6 lies all else
        raise ValueError(cells[0])
    return first, last, cells[2:]


def _number(text: str) -> int:
    """An address, or its number, as a number."""
    if text.isascii() and text.isdigit() and len(text) < 40:
        if (number := int(text)) < SPACE_END:
            return number
        raise ValueError(text)
    return int(ip_address(text.strip()))


def _refuse_other_columns(path: Path, number: int, cells: Sequence[str], by_range: bool) -> None:
    """Raises ListUnreadable for rows that would pass for what they are not: GeoLite2's CSV has ids
    of places where an AS would stand, DB-IP's cities have a continent before the country, whose
    codes (AS, AF, NA, SA) are those of countries too."""
    first, *rest = (cell.strip() for cell in cells) if cells else ("",)
    if first.removeprefix("AS").isdigit() and len(rest) > MOST_BESIDE_AN_AS:
        raise bad_line(path, number, "has more columns than an AS number, a country and a name")
    if by_range and first in CONTINENTS and rest and rest[0] in COUNTRY_CODES:
        raise bad_line(path, number, f"has {first} before the country, as lists of cities have")


def _said(path: Path, number: int, cells: Sequence[str]) -> tuple[Holder | None, str]:
    """AS and country that the cells after the range name."""
    first = cells[0].strip() if cells else ""
    digits = first.removeprefix("AS")
    if digits.isascii() and digits.isdigit():
        asn = int(digits)
        if asn >= 1 << 32:
            raise bad_line(path, number, f"{first} is no AS number")
        return Holder(asn, cells[-1].strip() if len(cells) > 1 else ""), ""
    if first in SILENT:
        return None, ""
    if len(first) == 2 and first.isascii() and first.isalpha():
        return None, first.upper() if first.upper() in COUNTRY_CODES else ""
    raise bad_line(path, number, f"{first[:20]!r} is neither a country nor an AS number")


def _of_mmdb(path: Path) -> Rows:
    """The rows of an MMDB, whatever of the known fields its records have."""
    countries: list[Range[str]] = []
    holders: list[Range[Holder]] = []
    for first, last, record in networks(path):
        country, asn = _country_of(record), _asn_of(record)
        if country:
            countries.append((first, last, sys.intern(country)))
        if asn:
            name = holder_name(record)
            holders.append((first, last, Holder(asn, name if isinstance(name, str) else "")))
    if not countries and not holders:
        raise refused(path, "holds neither countries nor AS numbers", BY_HAND)
    return countries, holders


def networks(path: Path) -> Iterator[Range[Mapping[str, object]]]:
    """Every network of an MMDB with its record, all of it read: damage anywhere is found.

    Raises ListUnreadable for a file that is missing, damaged, or has more than MOST_ROWS networks.
    """
    import maxminddb

    try:
        with opened(path) as reader:
            for count, (first, last, record) in enumerate(networks_of(reader, path)):
                if count >= MOST_ROWS:
                    raise refused(path, f"has more than {MOST_ROWS:,} networks", AGAIN)
                if isinstance(record, Mapping):
                    yield first, last, record
    except OSError as error:
        raise refused(path, error.strerror or "cannot be opened", "check the path") from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise refused(path, "is damaged, or no MMDB file", AGAIN) from error


def _country_of(record: Mapping[str, object]) -> str:
    named = record.get("country")
    flat = (record.get("country_code"), named)
    codes = (named.get("iso_code"),) if isinstance(named, Mapping) else flat
    return next((code for code in codes if isinstance(code, str) and code in COUNTRY_CODES), "")


def _asn_of(record: Mapping[str, object]) -> int:
    number = record.get("autonomous_system_number")
    if number is None and isinstance(text := record.get("asn"), str):
        digits = text.removeprefix("AS")
        number = int(digits) if digits.isascii() and digits.isdigit() else 0
    return number if isinstance(number, int) and 0 < number < 1 << 32 else 0


def refused(path: Path, what: str, hint: str) -> ListUnreadable:
    """The error for a list that is not taken."""
    return ListUnreadable(f"address list {what}", where=str(path), hint=hint)


def bad_line(path: Path, number: int, what: str) -> ListUnreadable:
    """The error for one line of a list."""
    return ListUnreadable(what, where=f"{path}:{number}", hint=BY_HAND)
