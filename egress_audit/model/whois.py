"""What all the lists know of one host, address or autonomous system."""

from enum import StrEnum

from egress_audit.model.audit import ListUsed
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent, Destination
from egress_audit.values import dataclass


class Kind(StrEnum):
    """What was asked about."""

    HOST = "host"
    ADDRESS = "address"
    AS = "as"


@dataclass(frozen=True, slots=True)
class AutonomousSystem:
    """An AS of the operator table."""

    asn: int
    organisation: str | Absent
    """Holder, as the registries spell it."""
    operator: str
    jurisdiction: str | Absent
    """Of the operator's parent."""
    category: str
    registered: str | Absent
    """Country of the registration."""
    note: str


@dataclass(frozen=True, slots=True)
class WhoIs:
    """The answer of the lists, from which nothing was asked of any network."""

    asked: str
    """In its canonical form: `ollama.com`, `2001:db8::1`, `AS15169`."""
    kind: Kind
    port: int | Absent
    protocol: str | Absent
    """`tcp` or `udp`."""
    endpoints: tuple[Entry, ...]
    """Entries of the catalogue that fit, the closest fit first: it is one of them, or another."""
    above: str | Absent
    """The nearest name above a host that the catalogue knows, where it does not know whose the host
    is."""
    resolver: str | Absent
    """How a resolver there is asked; NOT_FOUND if none is known."""
    embeds: str | Absent
    """The IPv4 address to which an IPv6 address leads, and of which the answer is."""
    destination: Destination | Absent
    """NOT_APPLICABLE for what is no address."""
    autonomous_system: AutonomousSystem | Absent
    """NOT_APPLICABLE for what is no AS."""
    lists: tuple[ListUsed, ...]
    """What the answer is from."""
