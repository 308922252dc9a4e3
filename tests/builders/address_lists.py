"""Small address lists in MMDB, for whatever keeps, imports or updates them."""

from ipaddress import ip_network
from pathlib import Path

from egress_audit.classify.address_lists import MERGED
from egress_audit.ranges.mmdb_writer import About, Record, mmdb_pieces

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z
JAPAN: Record = {"country": {"iso_code": "JP"}, "registered_country": {"iso_code": "JP"}}


def mmdb_bytes(
    record: Record = JAPAN, *, kind: str = "GeoLite2-Country", prefix: str = "9.0.0.0/8"
) -> bytes:
    """An MMDB of one network."""
    network = ip_network(prefix)
    ranges = [(int(network[0]), int(network[-1]), "only")]
    return b"".join(mmdb_pieces(ranges, lambda _: record, About(kind, "made for a test", EPOCH)))


def mmdb_file(folder: Path, record: Record = JAPAN, *, name: str = "list.mmdb") -> Path:
    """The same as a file."""
    path = folder / name
    path.write_bytes(mmdb_bytes(record))
    return path


def merged_bytes(country: str) -> bytes:
    """A list as the program brings one along, with one network."""
    return mmdb_bytes({"country": {"iso_code": country}}, kind=MERGED)
