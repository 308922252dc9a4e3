"""The model's values as plain data: what JSON can hold, the same in every run."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network

from egress_audit.addresses import address_text
from egress_audit.model.destination import Absent

Plain = str | int | bool | list["Plain"] | dict[str, "Plain"]


def plain(value: object) -> Plain:
    """`value` as objects, arrays, strings and integers.

    Absent becomes `{"absent": reason}`, so that no reason can be taken for a value. Fields of a
    dataclass keep the order of their declaration; keys of a mapping and members of a set, which
    have none, are sorted. Raises TypeError for what the document may not hold, floats included:
    their text depends on who writes it.
    """
    if isinstance(value, Absent):
        return {"absent": value.value}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, IPv4Network | IPv6Network):
        return network_text(value)
    return _plain_container(value)


def _plain_container(value: object) -> Plain:
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value)}
    if isinstance(value, frozenset):
        return [plain(member) for member in sorted(value)]
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    raise TypeError(f"{type(value).__name__} has no place in a document")


def network_text(network: IPv4Network | IPv6Network) -> str:
    """`192.0.2.0/24`, `2001:db8::/32`; in the one notation that no interpreter changes."""
    number = int(network.network_address)
    address = address_text(network.version, number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF)
    return f"{address}/{network.prefixlen}"
