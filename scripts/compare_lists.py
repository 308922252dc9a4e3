"""Says where two address lists agree, field by field, on random addresses.

    scripts/compare_lists.py LIST OTHER [--addresses N]

Both are MMDB with the field names of GeoLite2. A third of the addresses is taken from all of IPv4,
the rest from the IPv6 networks of LIST: nearly all of the IPv6 space is nobody's. Of each way to
differ the number and an example are told. The same N gives the same addresses.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import maxminddb

from egress_audit.addresses import Scope, scope_of
from egress_audit.ranges.intervals import IPV4_END
from egress_audit.ranges.mmdb_tree import networks_of

FIELDS = (
    "country", "country_alt", "registered_country",
    "autonomous_system_number", "autonomous_system_organization",
)  # fmt: skip
Address = IPv4Address | IPv6Address


@dataclass
class Agreement:
    """What was found of one version of IP."""

    asked: int = 0
    equal: Counter[str] = field(default_factory=Counter)
    differ: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def share(self, name: str) -> float:
        """Addresses on which a field is the same, in percent."""
        return 100 * self.equal[name] / max(self.asked, 1)


def compared(one: Path, other: Path, count: int) -> dict[int, Agreement]:
    """By version of IP, how far two lists agree on `count` addresses."""
    found = {4: Agreement(), 6: Agreement()}
    with maxminddb.open_database(one) as first, maxminddb.open_database(other) as second:
        for address in addresses(first, one, count):
            agreement = found[address.version]
            agreement.asked += 1
            for name in FIELDS:
                left, right = _said(first.get(address), name), _said(second.get(address), name)
                if left == right:
                    agreement.equal[name] += 1
                    continue
                way = "only the other" if left is None else "only this" if right is None else "both"
                agreement.differ[name, way] += 1
                agreement.examples.setdefault((name, way), f"{address}: {left} / {right}")
    return found


def addresses(reader: maxminddb.reader.Reader, path: Path, count: int) -> Iterator[Address]:
    """Random addresses that a list may be asked for."""
    chance = random.Random(count)
    networks = [(a, b) for a, b, _ in networks_of(reader, path) if a >= IPV4_END]
    while count > 0:
        address: Address = IPv4Address(chance.getrandbits(32))
        if networks and chance.randrange(3):
            address = IPv6Address(chance.randint(*chance.choice(networks)))
        if scope_of(address) is Scope.GLOBAL:
            yield address
            count -= 1


def _said(record: object, name: str) -> object:
    value = record.get(name) if isinstance(record, Mapping) else None
    value = value.get("iso_code") if isinstance(value, Mapping) else value
    return value.strip() if isinstance(value, str) else value


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of addresses")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Prints the agreement of two lists."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--addresses", type=_count, default=1_000_000)
    asked = parser.parse_args(arguments)
    try:
        agreements = compared(asked.one, asked.other, asked.addresses)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        print(f"compare_lists: {error}", file=sys.stderr)
        return 2
    for version, found in agreements.items():
        print(f"IPv{version}: {found.asked:,} addresses")
        for name in FIELDS:
            print(f"  {name:<32}{found.share(name):8.3f} %")
        for (name, way), number in found.differ.most_common():
            print(f"    {number:>8,}  {name}, {way}: {found.examples[name, way]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
