"""Addresses that our own side invented or answers at: they have no place in the world."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from egress_audit.addresses import Scope
from egress_audit.classify.destination import without_place
from egress_audit.model.destination import Absent, Destination

RESOLVER = "resolver"
"""Role of an address at which our side answers DNS."""


def simulated_too(
    destination_of: Callable[[str], Destination],
    invented: Iterable[str],
    resolvers: Iterable[str],
) -> Callable[[str], Destination]:
    """`destination_of`, but for addresses that our DNS invented, and for our own resolvers.

    They are SIMULATED, and nothing else can be said of them: whoever has that address in the world
    has nothing to do with it. Text that is no address is passed over.
    """
    nowhere = without_place(Scope.SIMULATED, Absent.SYNTHETIC)
    ours: dict[IPv4Address | IPv6Address, Destination] = {}
    for texts, there in (
        (invented, nowhere),
        (resolvers, replace(nowhere, role=RESOLVER)),
    ):
        ours |= {address: there for text in texts if (address := _parsed(text)) is not None}

    def destination(address: str) -> Destination:
        return ours.get(ip_address(address)) or destination_of(address)

    return destination


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
