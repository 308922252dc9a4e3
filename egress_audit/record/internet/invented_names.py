"""Addresses that our DNS invents: one of each family for a name, in order of first question."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from egress_audit.names.dns_cursor import address_text

MAX_NAMES = 131_072
"""Names of one run; a program that asks for more gets SERVFAIL."""


class InventedNames:
    """Which name has which address. Nothing is forgotten: an address has one meaning for a run."""

    def __init__(self, range4: str, range6: str, taken: Iterable[str] = ()) -> None:
        """`taken`: addresses that mean something else, and are never given to a name.

        Raises ValueError for a range that is none of its family.
        """
        skipped = {ip_address(text).packed for text in taken}
        self._free = {
            4: _addresses(IPv4Network(range4, strict=False), skipped),
            16: _addresses(IPv6Network(range6, strict=False), skipped),
        }
        self._given: dict[tuple[str, int], bytes] = {}
        self._fresh: list[tuple[str, str]] = []
        self._hosts: dict[bytes, str] = {}
        self.names: dict[str, str] = {}
        """Host by address text, in the order they were given."""
        self.refused = 0
        """Questions that got no address because none was left."""

    def address_of(self, host: str, size: int) -> bytes | None:
        """The address of `size` bytes that `host` has from now on; None when there is none left."""
        known = self._given.get((host, size))
        if known is not None:
            return known
        address = next(self._free[size], None)
        if address is None:
            self.refused += 1
            return None
        self._given[host, size] = address
        self._hosts[address] = host
        text = address_text(address)
        self.names[text] = host
        self._fresh.append((host, text))
        return address

    def host_of(self, address: bytes) -> str | None:
        """The name that an address was given to."""
        return self._hosts.get(address)

    def fresh(self) -> list[tuple[str, str]]:
        """Host and address text of each given since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh


def _addresses(network: IPv4Network | IPv6Network, skipped: set[bytes]) -> Iterator[bytes]:
    """Up to `MAX_NAMES` addresses of hosts; the first and the last of a network are none."""
    ends = 1 if network.num_addresses > 2 else 0
    first = int(network.network_address) + ends
    last = int(network.broadcast_address) - ends
    make = IPv4Address if network.version == 4 else IPv6Address
    for number in range(first, min(last, first + MAX_NAMES - 1) + 1):
        packed = make(number).packed
        if packed not in skipped:
            yield packed
