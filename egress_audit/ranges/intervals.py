"""Sorted ranges of the 128-bit address space, IPv4 in its lowest 32 bits as an MMDB tree has it.

A range is `(first, last, value)`, both ends inclusive. Published lists overlap; what comes out of
here does not, and is in ascending order.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from egress_audit.addresses import SPECIAL_PURPOSE, Scope, parse_prefix

Value = TypeVar("Value")
Range = tuple[int, int, Value]

IPV4_END = 1 << 32
"""First number that is no IPv4 address: `::/96` holds them."""
SPACE_END = 1 << 128
NOT_IN_A_LIST = (
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.52.193.0/24",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:20::/28",
    "2001:30::/28",
    "2002::/16",
)
"""What is globally reachable and has no place, so that lists have the seat of a registry for it:
servers and relays in any network (PCP, TURN and SRP, RFC 7723, 8155 and 9665; AMT, RFC 7450), and
identities (ORCHIDv2, RFC 7343; DRIP, RFC 9374). And 6to4, which answers for the IPv4 address it
carries (RFC 3056 §2), and has in published lists the AS of some relay."""


def flattened(rows: Iterable[Range[Value]]) -> list[Range[Value]]:
    """The ranges without overlap: where several hold an address, the one that begins last answers.

    That is the most specific one, and also right where a list has joined the last part of a block
    to its neighbour, so that it is longer than the block. Of several that begin together the
    shortest answers, of several equal ones the first. Neighbours of one value become one range.
    """
    ordered = sorted(
        ((first, last, -order, value) for order, (first, last, value) in enumerate(rows)),
        key=lambda row: (row[0], -row[1], row[2]),
    )
    out: list[Range[Value]] = []
    stack: list[tuple[int, Value]] = []
    at = 0
    for first, last, _, value in ordered:
        at = max(_written_until(first, at, stack, out), first)
        stack.append((last, value))
    _written_until(SPACE_END, at, stack, out)
    return out


def _written_until(
    end: int, at: int, stack: list[tuple[int, Value]], out: list[Range[Value]]
) -> int:
    """Writes what the open ranges say from `at` to before `end`; how far that went."""
    while stack and at < end:
        last, value = stack[-1]
        if last < at:
            stack.pop()
            continue
        upto = min(last, end - 1)
        _append(out, at, upto, value)
        at = upto + 1
    return at


def _append(out: list[Range[Value]], first: int, last: int, value: Value) -> None:
    """Appends a range, or lengthens the one before it if that says the same."""
    if out and out[-1][1] == first - 1 and out[-1][2] == value and first != IPV4_END:
        out[-1] = (out[-1][0], last, value)
    else:
        out.append((first, last, value))


def joined(
    layers: Sequence[Sequence[Range[Value]]],
) -> Iterator[tuple[int, int, tuple[Value | None, ...]]]:
    """Several flattened lists side by side: what each says of every stretch that any knows.

    None where a list says nothing. Each stretch is the longest on which no list changes.
    """
    edges = {edge for layer in layers for first, last, _ in layer for edge in (first, last + 1)}
    places = [0] * len(layers)
    ordered = sorted(edges)
    for first, after in pairwise(ordered):
        said: list[Value | None] = []
        for number, layer in enumerate(layers):
            place = places[number]
            while place < len(layer) and layer[place][1] < first:
                place += 1
            places[number] = place
            holds = place < len(layer) and layer[place][0] <= first
            said.append(layer[place][2] if holds else None)
        if any(value is not None for value in said):
            yield first, after - 1, tuple(said)


def without(rows: Iterable[Range[Value]], holes: Sequence[Range[object]]) -> list[Range[Value]]:
    """Flattened ranges less the parts that lie in `holes`, which are flattened too."""
    out: list[Range[Value]] = []
    place = 0
    for first, last, value in rows:
        while place < len(holes) and holes[place][1] < first:
            place += 1
        at, hole = first, place
        while hole < len(holes) and holes[hole][0] <= last:
            if at < holes[hole][0]:
                out.append((at, holes[hole][0] - 1, value))
            at = holes[hole][1] + 1
            hole += 1
        if at <= last:
            out.append((at, last, value))
    return out


def no_place() -> list[Range[object]]:
    """The special-purpose ranges, flattened: no list is asked there, so none has to know them.

    Source: egress_audit.addresses.SPECIAL_PURPOSE, which decides scopes before any look-up.
    """
    rows: list[Range[bool]] = []
    for prefix in NOT_IN_A_LIST:  # before the registries: of equal ranges the first answers
        network = parse_prefix(prefix)
        rows.append((int(network.network_address), int(network.broadcast_address), True))
    for prefix, scope, _ in SPECIAL_PURPOSE:
        network = parse_prefix(prefix)
        first, last = int(network.network_address), int(network.broadcast_address)
        if prefix == "::/0":
            first = IPV4_END  # below lies IPv4
        elif network.version == 6 and last < IPV4_END:
            continue  # loopback and unspecified: numbers of IPv4 here
        rows.append((first, last, scope is not Scope.GLOBAL))
    return [(first, last, None) for first, last, hidden in flattened(rows) if hidden]


def prefixes(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The fewest prefixes that make up a range, ascending: each its number and how many bits of the
    128 are free in it.
    """
    while first <= last:
        size = (first & -first).bit_length() - 1 if first else 127
        size = min(size, (last - first + 1).bit_length() - 1)
        yield first, size
        first += 1 << size
