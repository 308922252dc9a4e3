"""Special-purpose ranges and scopes of IP addresses, and their one canonical text.

An address list may not be asked before the scope is known: published lists place RFC 1918 in
Australia and 2001:db8::/32 in Japan. What a scope is follows from the registries alone.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), as updated
2025-10-09. Each row of `SPECIAL_PURPOSE` names the RFC that asked for it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from struct import Struct
from typing import Generic, TypeVar

from egress_audit.errors import WrongUsage

Value = TypeVar("Value")

KEPT = 1 << 14
"""Addresses that are kept read, and written: more than the rows of a report have."""


class Scope(StrEnum):
    """What kind of place an address, or a name, is; decided in code before any list is asked."""

    LOOPBACK = "loopback"
    LAN = "lan"
    """RFC 1918, unique local IPv6, and what `--local` prefixes cover without being the machine."""
    LINK_LOCAL = "link-local"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    CGNAT = "cgnat"
    """100.64.0.0/10: a provider's network, never LAN."""
    BENCHMARK = "benchmark"
    DOCUMENTATION = "documentation"
    METADATA_SERVICE = "metadata-service"
    RESERVED = "reserved"
    UNSPECIFIED = "unspecified"
    SIMULATED = "simulated"
    """Given out by our own DNS."""
    GLOBAL = "global"
    NAME = "name"
    """A destination known by name only."""

    # Enum's own is a function of Python, and part of every look-up of a destination.
    __hash__ = str.__hash__


SPECIAL_PURPOSE: tuple[tuple[str, Scope, str], ...] = (
    # The longest prefix wins; rows stand in the order of the address space.
    ("0.0.0.0/32", Scope.UNSPECIFIED, "RFC 1122 §3.2.1.3"),
    ("0.0.0.0/8", Scope.RESERVED, "RFC 791 §3.2, this network"),
    ("10.0.0.0/8", Scope.LAN, "RFC 1918"),
    ("100.64.0.0/10", Scope.CGNAT, "RFC 6598"),
    ("100.100.100.200/32", Scope.METADATA_SERVICE, "Alibaba Cloud ECS instance metadata"),
    ("127.0.0.0/8", Scope.LOOPBACK, "RFC 1122 §3.2.1.3"),
    ("168.63.129.16/32", Scope.METADATA_SERVICE, "Azure WireServer"),
    ("169.254.0.0/16", Scope.LINK_LOCAL, "RFC 3927"),
    ("169.254.169.254/32", Scope.METADATA_SERVICE, "EC2, GCP, Azure instance metadata"),
    ("172.16.0.0/12", Scope.LAN, "RFC 1918"),
    ("192.0.0.0/24", Scope.RESERVED, "RFC 6890 §2.1, protocol assignments"),
    ("192.0.0.9/32", Scope.GLOBAL, "RFC 7723, PCP anycast, globally reachable"),
    ("192.0.0.10/32", Scope.GLOBAL, "RFC 8155, TURN anycast, globally reachable"),
    ("192.0.2.0/24", Scope.DOCUMENTATION, "RFC 5737"),
    ("192.88.99.0/24", Scope.RESERVED, "RFC 7526, 6to4 relay anycast, deprecated"),
    ("192.168.0.0/16", Scope.LAN, "RFC 1918"),
    ("198.18.0.0/15", Scope.BENCHMARK, "RFC 2544"),
    ("198.51.100.0/24", Scope.DOCUMENTATION, "RFC 5737"),
    ("203.0.113.0/24", Scope.DOCUMENTATION, "RFC 5737"),
    ("224.0.0.0/4", Scope.MULTICAST, "RFC 1112 §4"),
    ("240.0.0.0/4", Scope.RESERVED, "RFC 1112 §4"),
    ("255.255.255.255/32", Scope.BROADCAST, "RFC 919 §7, RFC 8190"),
    ("::/0", Scope.RESERVED, "RFC 4291 §2.4: only 2000::/3 is given out as global unicast"),
    ("::/128", Scope.UNSPECIFIED, "RFC 4291 §2.5.2"),
    ("::1/128", Scope.LOOPBACK, "RFC 4291 §2.5.3"),
    # Behind a local-use translator lies an IPv4 address that cannot be read without its prefix
    # length, and it may be anywhere: so not LAN, although the prefix is not routed.
    ("64:ff9b:1::/48", Scope.RESERVED, "RFC 8215, local-use NAT64"),
    ("100::/64", Scope.RESERVED, "RFC 6666, discard only"),
    ("100:0:0:1::/64", Scope.RESERVED, "RFC 9780, dummy prefix"),
    ("2000::/3", Scope.GLOBAL, "RFC 4291 §2.4, IANA global unicast assignments"),
    ("2001::/23", Scope.RESERVED, "RFC 2928, protocol assignments"),
    ("2001:1::1/128", Scope.GLOBAL, "RFC 7723, PCP anycast, globally reachable"),
    ("2001:1::2/128", Scope.GLOBAL, "RFC 8155, TURN anycast, globally reachable"),
    ("2001:1::3/128", Scope.GLOBAL, "RFC 9665, DNS-SD SRP anycast, globally reachable"),
    ("2001:2::/48", Scope.BENCHMARK, "RFC 5180"),
    ("2001:3::/32", Scope.GLOBAL, "RFC 7450, AMT, globally reachable"),
    ("2001:4:112::/48", Scope.GLOBAL, "RFC 7535, AS112, globally reachable"),
    ("2001:10::/28", Scope.RESERVED, "RFC 4843, ORCHID, deprecated"),
    ("2001:20::/28", Scope.GLOBAL, "RFC 7343, ORCHIDv2, globally reachable"),
    ("2001:30::/28", Scope.GLOBAL, "RFC 9374, drone remote id, globally reachable"),
    ("2001:db8::/32", Scope.DOCUMENTATION, "RFC 3849"),
    ("3fff::/20", Scope.DOCUMENTATION, "RFC 9637"),
    ("5f00::/16", Scope.RESERVED, "RFC 9602, SRv6 segment identifiers"),
    ("fc00::/7", Scope.LAN, "RFC 4193"),
    ("fd00:ec2::254/128", Scope.METADATA_SERVICE, "EC2 instance metadata over IPv6"),
    ("fe80::/10", Scope.LINK_LOCAL, "RFC 4291 §2.5.6"),
    ("fec0::/10", Scope.LAN, "RFC 3879, site-local, deprecated"),
    ("ff00::/8", Scope.MULTICAST, "RFC 4291 §2.7"),
)
"""Prefix, scope, source. IPv4 outside every row is GLOBAL; IPv6 has `::/0` and `2000::/3`."""

NEAR = frozenset(
    {
        Scope.LOOPBACK,
        Scope.LAN,
        Scope.LINK_LOCAL,
        Scope.MULTICAST,
        Scope.BROADCAST,
        Scope.UNSPECIFIED,
    }
)
"""Scopes that mean something only on the machine or the network that uses the address."""


class PrefixMap(Generic[Value]):
    """Values by network; the longest network that holds an address answers for it."""

    def __init__(self, rows: Iterable[tuple[IPv4Network | IPv6Network, Value]]) -> None:
        self._rows: dict[int, dict[tuple[int, int], Value]] = {4: {}, 6: {}}
        """By IP version; by first number, and last one negative: the outer ones sort first."""
        for network, value in rows:
            ends = int(network.network_address), -int(network.broadcast_address)
            self._rows[network.version][ends] = value
        self._pieces: dict[int, tuple[list[int], list[tuple[Value, ...]]]] = {}

    def get(self, address: IPv4Address | IPv6Address) -> Value | None:
        """The value of the longest matching prefix; None if no prefix matches."""
        found = self.every(address)
        return found[0] if found else None

    def every(self, address: IPv4Address | IPv6Address) -> tuple[Value, ...]:
        """The values of all prefixes that match, that of the longest first."""
        version = address.version
        if version not in self._pieces:
            self._pieces[version] = _cut(self._rows[version])
        starts, values = self._pieces[version]
        return values[bisect_right(starts, int(address)) - 1]


def _cut(rows: Mapping[tuple[int, int], Value]) -> tuple[list[int], list[tuple[Value, ...]]]:
    """Where another set of networks begins to hold, from 0 on, and their values, the longest
    first: thousands of addresses are looked up, for which it pays to lay networks out once."""
    starts: list[int] = [0]
    values: list[tuple[Value, ...]] = [()]
    around: list[tuple[int, tuple[Value, ...]]] = [(-1, ())]
    """Networks that are open, each with the number behind it and the values outside."""

    def begin(start: int, inside: tuple[Value, ...]) -> None:
        if starts[-1] == start:
            values[-1] = inside
        else:
            starts.append(start)
            values.append(inside)

    for first, last in sorted(rows):
        while 0 < around[-1][0] <= first:
            begin(*around.pop())
        around.append((1 - last, values[-1]))
        begin(first, (rows[first, last], *values[-1]))
    while len(around) > 1:
        begin(*around.pop())
    return starts, values


_GROUPS = Struct(">8H")
_WHOLE = "{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}"
_READ: dict[str, IPv4Address | IPv6Address] = {}
"""Addresses by their text, since every room asks for the same thousands; at most KEPT."""


def address_of(text: str) -> IPv4Address | IPv6Address:
    """The address that a text is. Raises ValueError for any other text."""
    known = _READ.get(text)
    return _kept_read(text, _read(text)) if known is None else known


def _read(text: str) -> IPv4Address | IPv6Address:
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return ip_address(text)  # which says best what is wrong


def _kept_read(text: str, address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if len(_READ) >= KEPT:
        _READ.clear()
    _READ[text] = address
    return address


_SCOPES = PrefixMap((ip_network(prefix), scope) for prefix, scope, _ in SPECIAL_PURPOSE)


def scope_of(address: str | IPv4Address | IPv6Address) -> Scope:
    """The scope of an address, from the registries; an embedded IPv4 address is judged as such.

    An IPv4-mapped address *is* the IPv4 one to a socket. In a translated or tunnelled one (NAT64,
    6to4, Teredo, IPv4-compatible) a loopback or private address is one of the translator's
    network, never ours, and may not be carried at all (RFC 6052 §3.1, RFC 3056 §2): RESERVED.
    Raises ValueError if `address` is text and not an address.
    """
    if isinstance(address, str):
        address = address_of(address)
    if isinstance(address, IPv6Address):
        inner = embedded_ipv4(address)
        if inner is not None:
            scope = scope_of(inner)
            translated = address.ipv4_mapped is None
            return Scope.RESERVED if translated and scope in NEAR else scope
    return _SCOPES.get(address) or Scope.GLOBAL


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which an IPv6 address leads, or None if it has none of its own.

    Source: RFC 4291 §2.5.5.2 (mapped) and §2.5.5.1 (compatible, deprecated), RFC 6052 §2.1
    (64:ff9b::/96), RFC 3056 §2 (6to4), RFC 4380 §4 (Teredo: the client's address, inverted).
    """
    number = int(address)
    top = number >> 96
    if top >> 16 == 0x2002:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if top not in (0, 0x0064_FF9B, 0x2001_0000):
        return None
    low = number & 0xFFFF_FFFF
    if top == 0x2001_0000:
        return IPv4Address(low ^ 0xFFFF_FFFF)
    if number >> 32 in (0xFFFF, 0x0064_FF9B << 64) or 1 < number == low:
        return IPv4Address(low)
    return None


def embedded_in(text: str) -> str:
    """The IPv4 address to which the IPv6 address `text` leads; '' for any other. Raises ValueError
    if `text` is no address."""
    address = address_of(text)
    inner = embedded_ipv4(address) if isinstance(address, IPv6Address) else None
    return "" if inner is None else str(inner)


def parse_prefix(text: str, where: str = "") -> IPv4Network | IPv6Network:
    """The network that a person wrote: `10.0.0.0/8`, `fd00::/8`, or a bare address.

    `where`: the option that it stands behind, for the error. Raises WrongUsage for anything else,
    host bits included: `10.0.0.5/8` could mean two things.
    """
    remedy = "write it as 192.0.2.0/24, 2001:db8::/32 or one address"
    if "%" in text:  # ipaddress would take the zone along, and no packet carries one
        what = f"{text!r} names an interface beside the address"
        raise WrongUsage(what, where=where, hint=remedy)
    try:
        return ip_network(text)
    except ValueError as error:
        with suppress(ValueError):
            remedy = f"write {ip_interface(text).network}, or the address alone"
        what = f"{text!r} is not an address prefix"
        raise WrongUsage(what, where=where, hint=remedy) from error


def address_text(version: int, hi: int, lo: int) -> str:
    """The canonical text of an address in columns: `version` 4 or 6, `hi` and `lo` 64 bits each.

    IPv4 stands in `lo`. IPv6 as RFC 5952 §4; IPv4-mapped in mixed notation (§5), spelt out here
    because `ipaddress` changed it in 3.13 and a document must not depend on the interpreter.
    """
    if version == 6 and (hi or lo >> 32 != 0xFFFF):
        return _text_of_ipv6(int(hi) << 64 | int(lo))
    dotted = f"{lo >> 24 & 255}.{lo >> 16 & 255}.{lo >> 8 & 255}.{lo & 255}"
    return dotted if version == 4 else f"::ffff:{dotted}"


def text_to_be_read(version: int, hi: int, lo: int) -> str:
    """The same of an address that others are about to ask for by its text: it is kept read, which
    costs a quarter of reading it."""
    text = address_text(version, hi, lo)
    if text not in _READ:
        _kept_read(text, IPv4Address(lo) if version == 4 else IPv6Address(hi << 64 | lo))
    return text


@lru_cache(maxsize=KEPT)
def _text_of_ipv6(number: int) -> str:
    """The text of an address; kept, as writing it costs ten times what it costs to look it up."""
    text = _WHOLE.format(*_GROUPS.unpack(number.to_bytes(16)))
    # Only zeros in a row are written otherwise, and `ipaddress` takes long to find none.
    return str(IPv6Address(number)) if "0:0" in text else text
