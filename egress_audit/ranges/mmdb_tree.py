"""An MMDB of anybody's, opened and walked so that damage in it ends nothing but the reading.

The fast reader, written in C, ends the process on some damaged files: it is for the lists that come
with the program. The other one, in Python, has bounds for what a record may hold.

Source: MaxMind DB File Format Specification 2.0, "Binary Search Tree Section".
"""

import mmap
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from egress_audit.ranges.intervals import IPV4_END, Range

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from maxminddb.reader import Reader

    Octets = npt.NDArray[np.int64]

SEPARATOR_OCTETS = 16
MOST_VISITS = 1 << 26
"""Nodes that are visited: a tree in which several nodes have the same child has no other end."""
CHECKED_AT_ONCE = 1 << 18
"""Nodes that are checked at once: some 20 MB of memory."""
IPV4_DEPTH = 96
"""Depth at which the IPv4 addresses of a tree for both begin."""


def opened(path: Path, *, ours: bool = False) -> "Reader":
    """A reader of the file; the fast one if it is `ours`.

    Raises InvalidDatabaseError or OSError.
    """
    import maxminddb

    if ours:
        return maxminddb.open_database(path)
    try:
        return maxminddb.open_database(path, maxminddb.MODE_MMAP)
    except (TypeError, ValueError) as error:  # fields of the metadata that lack or make no sense
        raise maxminddb.InvalidDatabaseError("the metadata is damaged") from error


def refuse_broken_tree(reader: "Reader", path: Path) -> None:
    """Raises InvalidDatabaseError if a node leads to no node and no data, or back to the root.

    Looks at each node by itself, so that it costs a fraction of a walk: what is read address by
    address is damaged for some of them alone, and would otherwise be silent about the others.
    Raises OSError.
    """
    import numpy as np
    from maxminddb import InvalidDatabaseError

    about = reader.metadata()
    count, bits = about.node_count, about.record_size
    octets = bits // 4
    with path.open("rb") as stream:
        data_end = stream.seek(0, 2) - count * octets
        stream.seek(0)
        if bits not in (24, 28, 32) or data_end < SEPARATOR_OCTETS:
            raise InvalidDatabaseError("the tree is longer than the file")
        for first in range(0, count, CHECKED_AT_ONCE):
            read = stream.read(min(CHECKED_AT_ONCE, count - first) * octets)
            nodes = np.frombuffer(read, np.uint8).reshape(-1, octets).astype(np.int64)
            for child in children_of(nodes, bits):
                into_data = child - count
                is_node = (child > 0) & (into_data <= 0)
                is_data = (into_data >= SEPARATOR_OCTETS) & (into_data < data_end)
                if not (is_node | is_data).all():
                    raise InvalidDatabaseError("a node of the tree makes no sense")


def children_of(nodes: "Octets", bits: int) -> Iterator["Octets"]:
    """(nodes,) The left records, then the right ones. nodes: (nodes, octets of each)."""
    if bits == 28:
        middle = nodes[:, 3]
        yield (middle >> 4) << 24 | nodes[:, 0] << 16 | nodes[:, 1] << 8 | nodes[:, 2]
        yield (middle & 15) << 24 | nodes[:, 4] << 16 | nodes[:, 5] << 8 | nodes[:, 6]
        return
    octets = bits // 8
    for start in (0, octets):
        value = nodes[:, start]
        for each in range(start + 1, start + octets):
            value = value << 8 | nodes[:, each]
        yield value


def record_of(reader: "Reader", address: IPv4Address | IPv6Address) -> object:
    """The record of an address, None if there is none.

    Raises InvalidDatabaseError or ValueError.
    """
    from maxminddb import InvalidDatabaseError

    try:
        return reader.get(address)
    except TypeError as error:  # a map that has a map for a key
        raise InvalidDatabaseError("a record makes no sense") from error


def holder_name(record: Mapping[str, object]) -> object:
    """Who holds the AS of a record, by GeoLite2, IPinfo, or IPinfo's list of ASes alone; the value
    as it stands there, None if it does not."""
    named = record.get("autonomous_system_organization") or record.get("as_name")
    return named or (record.get("name") if "asn" in record else None)


def networks_of(reader: "Reader", path: Path) -> Iterator[Range[object]]:
    """First and last number of each network, ascending, with its record; equal records are one.

    Parts of the tree that stand for IPv4 a second time (::ffff:0:0/96, 6to4 …) are left out. Raises
    InvalidDatabaseError, ValueError or OSError for a damaged file, at the place of the damage.
    """
    records: dict[int, object] = {}
    width = 128 if reader.metadata().ip_version == 6 else 32
    for number, free, pointer in _leaves(reader, path, width):
        if pointer not in records:
            is_ipv4 = width == 32 or number < IPV4_END
            address = IPv4Address(number) if is_ipv4 else IPv6Address(number)
            records[pointer] = record_of(reader, address)
        yield number, number + (1 << free) - 1, records[pointer]


def _leaves(reader: "Reader", path: Path, width: int) -> Iterator[tuple[int, int, int]]:
    """Number, free bits and data pointer of each leaf of the tree, ascending."""
    from maxminddb import InvalidDatabaseError

    about = reader.metadata()
    count, bits = about.node_count, about.record_size
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as tree:
        size = count * bits // 4
        if bits not in (24, 28, 32) or size + SEPARATOR_OCTETS > len(tree):
            raise InvalidDatabaseError("the tree is longer than the file")
        child_of = _reader_of(tree, bits)
        alias = _ipv4_start(child_of, count) if width == 128 else count
        todo, visits = [(0, 0, width)], 0
        while todo:
            node, number, free = todo.pop()
            if node > count:
                if node - count < SEPARATOR_OCTETS or size + node - count >= len(tree):
                    raise InvalidDatabaseError("a pointer leads out of the data")
                yield number, free, node
                continue
            visits += 1
            if node == count or (node == alias and number):
                continue
            if not free or visits > MOST_VISITS:
                raise InvalidDatabaseError("the tree is deeper than an address, or has no end")
            todo.append((child_of(node, 1), number | 1 << (free - 1), free - 1))
            todo.append((child_of(node, 0), number, free - 1))


def _reader_of(tree: mmap.mmap, bits: int) -> Callable[[int, int], int]:
    """What reads the left (0) or right (1) record of a node."""
    if bits == 28:

        def middle(node: int, side: int) -> int:
            at = node * 7
            if side:
                return (tree[at + 3] & 15) << 24 | int.from_bytes(tree[at + 4 : at + 7])
            return (tree[at + 3] >> 4) << 24 | int.from_bytes(tree[at : at + 3])

        return middle
    octets = bits // 8

    def even(node: int, side: int) -> int:
        at = (2 * node + side) * octets
        return int.from_bytes(tree[at : at + octets])

    return even


def _ipv4_start(child_of: Callable[[int, int], int], count: int) -> int:
    """The node below which IPv4 lies; `count`, which is no node, if the tree ends before."""
    node = 0
    for _ in range(IPV4_DEPTH):
        if node >= count:
            return count
        node = child_of(node, 0)
    return node if node < count else count
