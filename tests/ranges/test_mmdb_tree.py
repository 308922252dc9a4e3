"""The walk through an MMDB: every network once, and an end to whatever has none."""

from ipaddress import ip_address, ip_network
from itertools import islice
from pathlib import Path

import maxminddb
import numpy as np
import pytest

from egress_audit.ranges import mmdb_tree
from egress_audit.ranges.intervals import Range
from egress_audit.ranges.mmdb_tree import networks_of, opened, record_of, refuse_broken_tree
from egress_audit.ranges.mmdb_writer import About, mmdb_pieces

NETWORKS = ("1.0.0.0/24", "9.0.0.0/8", "2001:500::/32", "2a00::/128")


def written(folder: Path, names: tuple[str, ...] = NETWORKS) -> Path:
    ranges = [(int(ip_network(n)[0]), int(ip_network(n)[-1]), n) for n in names]
    path = folder / "list.mmdb"
    path.write_bytes(b"".join(mmdb_pieces(ranges, lambda n: {"n": n}, About("Example", "", 1))))
    return path


def walked(path: Path) -> list[Range[object]]:
    return list(networks_of(maxminddb.open_database(path), path))


def test_every_network_comes_once_in_order(tmp_path: Path) -> None:
    found = walked(written(tmp_path))
    assert [record for _, _, record in found] == [{"n": name} for name in NETWORKS]
    assert [first for first, _, _ in found] == [int(ip_network(name)[0]) for name in NETWORKS]


def test_the_walk_is_that_of_the_reader(tmp_path: Path) -> None:
    names = tuple(f"{a}.{b}.0.0/16" for a in range(1, 9) for b in range(0, 256, 3))
    path = written(tmp_path, names)
    theirs = list(maxminddb.open_database(path))
    assert walked(path) == [(int(net[0]), int(net[-1]), record) for net, record in theirs]


def test_equal_records_are_one_object(tmp_path: Path) -> None:
    ranges = [(1 << 24, (1 << 24) + 9, "x")]
    path = tmp_path / "list.mmdb"
    path.write_bytes(b"".join(mmdb_pieces(ranges, lambda n: {"n": n}, About("Example", "", 1))))
    (_, _, one), (_, _, other) = walked(path)
    assert one is other


def loop(path: Path, back_to: int) -> None:
    """Makes the right of node 0 lead to a node."""
    content = path.read_bytes()
    path.write_bytes(content[:3] + back_to.to_bytes(3) + content[6:])


def test_a_tree_that_leads_back_into_itself_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path)
    loop(path, 0)
    with pytest.raises(maxminddb.InvalidDatabaseError):
        walked(path)


def test_a_walk_without_networks_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mmdb_tree, "MOST_VISITS", 1000)
    path = written(tmp_path, ("9.0.0.0/8",))
    content = bytearray(path.read_bytes())
    for node in range(100):  # both sides of each lead to the next: 2**100 ways
        content[6 * node : 6 * node + 6] = ((node + 1).to_bytes(3)) * 2
    path.write_bytes(content)
    with pytest.raises(maxminddb.InvalidDatabaseError):
        walked(path)


def test_a_pointer_out_of_the_data_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path)
    loop(path, 0xFFFFFF)
    with pytest.raises(maxminddb.InvalidDatabaseError):
        walked(path)


def test_the_first_networks_cost_no_walk_through_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path)
    loop(path, 0xFFFFFF)  # damage at the end of the address space
    reader = maxminddb.open_database(path)
    assert [record for _, _, record in islice(networks_of(reader, path), 2)] == [
        {"n": "1.0.0.0/24"},
        {"n": "9.0.0.0/8"},
    ]


def test_the_lists_of_others_are_not_read_in_c(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert isinstance(opened(path), maxminddb.reader.Reader)
    assert not isinstance(opened(path, ours=True), maxminddb.reader.Reader)


def test_metadata_without_a_field_are_damaged(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"node_count", b"mode_count"))
    with pytest.raises(maxminddb.InvalidDatabaseError):
        opened(path)


def test_a_map_with_a_map_for_a_key_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path, ("9.0.0.0/8",))
    path.write_bytes(path.read_bytes().replace(b"\xe1An", b"\xe1\xe0n"))
    with pytest.raises(maxminddb.InvalidDatabaseError):
        record_of(opened(path), ip_address("9.0.0.1"))


# Each node by itself


def checked(path: Path) -> None:
    refuse_broken_tree(opened(path), path)


def test_a_sound_tree_passes_however_many_nodes_are_checked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    checked(path)
    monkeypatch.setattr(mmdb_tree, "CHECKED_AT_ONCE", 7)
    checked(path)


def test_a_stretch_of_zeros_in_the_tree_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path, tuple(f"{a}.{b}.0.0/16" for a in range(1, 9) for b in range(256)))
    content = path.read_bytes()
    path.write_bytes(content[:600] + bytes(60) + content[660:])
    with pytest.raises(maxminddb.InvalidDatabaseError, match="makes no sense"):
        checked(path)


@pytest.mark.parametrize("child", [0, 0xFFFFFF])
def test_a_node_that_leads_to_the_root_or_out_of_the_data_is_damage(
    tmp_path: Path, child: int
) -> None:
    path = written(tmp_path)
    loop(path, child)
    with pytest.raises(maxminddb.InvalidDatabaseError):
        checked(path)


def test_a_tree_that_is_longer_than_its_file_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path)
    reader = opened(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(maxminddb.InvalidDatabaseError):
        refuse_broken_tree(reader, path)


@pytest.mark.parametrize(
    ("bits", "node", "left", "right"),
    [
        (24, "010203 040506", 0x010203, 0x040506),
        (28, "010203 ab 040506", 0xA010203, 0xB040506),
        (32, "01020304 05060708", 0x01020304, 0x05060708),
    ],
)
def test_the_records_of_a_node_are_read_in_all_three_sizes(
    bits: int, node: str, left: int, right: int
) -> None:
    octets = np.frombuffer(bytes.fromhex(node), np.uint8).reshape(1, -1).astype(np.int64)
    assert [int(child[0]) for child in mmdb_tree.children_of(octets, bits)] == [left, right]
