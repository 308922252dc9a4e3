"""The catalogue of endpoints: from a host or an address to the entries that fit it.

A look-up walks the labels of a name from the longest suffix to the shortest and asks a table for
each, so it costs the same however many entries there are. Regular expressions are filed under the
fixed labels at their end, and tried on names below those alone. Entries that fit are told with the
closest fit first: the whole name, an expression, a suffix. Which of them it was, a host alone
cannot say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import TYPE_CHECKING

from egress_audit.addresses import PrefixMap, address_of, embedded_ipv4
from egress_audit.classify.catalogue_rows import Row, entry_of, row_of
from egress_audit.classify.host_regexes import (
    LONGEST_HOST,
    LONGEST_LABEL,
    HostRegex,
    host_regex,
)
from egress_audit.model.audit import ListUsed
from egress_audit.model.catalogue import Entry

if TYPE_CHECKING:
    from egress_audit.classify.places import NamedPlace


class Catalogue:
    """Entries, by the hosts and prefixes that they match."""

    def __init__(
        self,
        rows: Sequence[Row],
        used: tuple[ListUsed, ...] = (),
        otherwise: Callable[[str], Entry | None] = lambda host: None,
    ) -> None:
        """rows: as `catalogue_rows` has them, each id once; used: the files that they are from;
        otherwise: what another table knows of a host that none of them fits."""
        self._rows = rows
        self._otherwise = otherwise
        self.used = used
        """The files behind the entries, as the audit document names them."""
        self._built: dict[int, Entry] = {}
        self._hosts: dict[str, list[int]] = {}
        self._suffixes: dict[str, list[int]] = {}
        self._regexes: dict[str, list[tuple[HostRegex, int]]] = {}
        for number, row in enumerate(rows):
            for pattern in row.get("hosts", ()):
                self._file(pattern, number)

    @classmethod
    def of(cls, entries: Iterable[Entry], used: tuple[ListUsed, ...] = ()) -> "Catalogue":
        """The catalogue of entries, each id of which stands once."""
        return cls([row_of(entry) for entry in entries], used)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry; all of them are built for it."""
        return (self._entry(number) for number in range(len(self._rows)))

    def of_host(
        self, host: str, port: int | None = None, protocol: str | None = None
    ) -> tuple[Entry, ...]:
        """The entries that a host fits, the closest fit first.

        host: of any case, with or without a dot at its end, in A-labels. port, protocol (`tcp`,
        `udp`): None if not known, which fits any.
        """
        name = host.lower().removesuffix(".")
        if len(name) > LONGEST_HOST:
            return ()
        filed: list[tuple[HostRegex, int]] = []
        below: list[int] = []
        for suffix in _suffixes(name):
            filed += self._regexes.get(suffix, ())
            below += self._suffixes.get(suffix, ())
        numbers = (*self._hosts.get(name, ()), *_matching(name, filed), *below)
        if numbers:
            return self._entries(dict.fromkeys(numbers), port, protocol)
        known = self._otherwise(name)
        return () if known is None else (known,)

    def of_address(
        self,
        address: str | IPv4Address | IPv6Address,
        port: int | None = None,
        protocol: str | None = None,
    ) -> tuple[Entry, ...]:
        """The entries that an address fits, those of the longest prefix first.

        An IPv6 address that leads to an IPv4 one fits what that fits, too. Raises ValueError for
        text that is no address.
        """
        parsed = address_of(address) if isinstance(address, str) else address
        inner = embedded_ipv4(parsed) if isinstance(parsed, IPv6Address) else None
        numbers: dict[int, None] = {}
        for asked in (parsed,) if inner is None else (parsed, inner):
            for found in self._prefixes.every(asked):
                numbers |= dict.fromkeys(found)
        return self._entries(numbers, port, protocol) if numbers else ()

    def at(self, place: "NamedPlace") -> tuple[Entry, ...]:
        """The entries that a place fits, named or by address."""
        if place.address is not None:
            return self.of_address(place.address, place.port, place.protocol)
        return self.of_host(place.host, place.port, place.protocol)

    def entry(self, id_: str) -> Entry | None:
        """The entry of that id; None if there is none."""
        number = self._numbers.get(id_)
        return None if number is None else self._entry(number)

    def _file(self, pattern: str, number: int) -> None:
        """Puts the number of an entry under one of its patterns."""
        if pattern.startswith("/"):
            regex = host_regex(pattern[1:-1])
            for tail in regex.tails:
                self._regexes.setdefault(tail, []).append((regex, number))
        elif pattern.startswith("*."):
            self._suffixes.setdefault(pattern[2:], []).append(number)
        else:
            self._hosts.setdefault(pattern, []).append(number)

    @cached_property
    def _prefixes(self) -> PrefixMap[list[int]]:
        """Numbers of entries by prefix; made when the first address is asked for."""
        found: dict[IPv4Network | IPv6Network, list[int]] = {}
        for number, row in enumerate(self._rows):
            for prefix in row.get("prefixes", ()):
                found.setdefault(ip_network(prefix), []).append(number)
        return PrefixMap(found.items())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {row["id"]: number for number, row in enumerate(self._rows)}

    def _entries(
        self, numbers: Iterable[int], port: int | None, protocol: str | None
    ) -> tuple[Entry, ...]:
        """The entries of these numbers that a port fits."""
        return tuple(
            self._entry(number)
            for number in numbers
            if _port_fits(self._rows[number].get("ports", ()), port, protocol)
        )

    def _entry(self, number: int) -> Entry:
        if number not in self._built:
            self._built[number] = entry_of(self._rows[number])
        return self._built[number]


def _matching(name: str, filed: Sequence[tuple[HostRegex, int]]) -> list[int]:
    """The numbers of the entries of which a regular expression matches the whole name.

    None is tried on what has a longer label than names have: the cost grows with its length.
    """
    if not filed or max(map(len, name.split("."))) > LONGEST_LABEL:
        return []
    return [number for regex, number in filed if regex.compiled.fullmatch(name)]


def _suffixes(name: str) -> Iterator[str]:
    """The name itself, then what is left of it without its first label, and so on."""
    while name:
        yield name
        name = name.partition(".")[2]


def _port_fits(ports: Sequence[str], port: int | None, protocol: str | None) -> bool:
    """Whether a port is one of `ports`, each as `443/tcp`; none of them, or no port, fits any."""
    if not ports or port is None:
        return True
    if protocol is None:
        return any(text.partition("/")[0] == str(port) for text in ports)
    return f"{port}/{protocol}" in ports
