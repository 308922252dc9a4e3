"""What a person writes for one far side: HOST or ADDRESS, and perhaps a port and its protocol."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from egress_audit.classify.host_regexes import LONGEST_HOST
from egress_audit.values import dataclass

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\.?", re.IGNORECASE)
_PORT = re.compile(r":(?P<port>[0-9]{1,5})(?:/(?P<protocol>tcp|udp))?$")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A host by name, or an address, and what is known of the port."""

    host: str
    """Lower case, without a dot at its end; '' for an address."""
    address: IPv4Address | IPv6Address | None
    """None for a host."""
    port: int | None
    protocol: str | None
    """`tcp` or `udp`."""


def named_place(text: str) -> NamedPlace | None:
    """`ollama.com`, `8.8.8.8:53/udp`, `[2001:db8::1]:443`; None if the text is nothing of this."""
    address = _address(text)
    if address is not None:
        return NamedPlace("", address, None, None)
    match = _PORT.search(text)
    head = text[: match.start()] if match else text
    port = int(match["port"]) if match else None
    if port is not None and not 0 < port <= 65535:
        return None
    protocol = match["protocol"] if match else None
    if head.startswith("[") and head.endswith("]"):
        address = _address(head[1:-1])
        return NamedPlace("", address, port, protocol) if address else None
    address = _address(head)
    if isinstance(address, IPv4Address):
        return NamedPlace("", address, port, protocol)
    if len(head) > LONGEST_HOST + 1 or not _HOST.fullmatch(head) or _is_number(head):
        return None
    return NamedPlace(head.lower().removesuffix("."), None, port, protocol)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; one with a zone is none, since that is no part of it and can hold anything."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    """A last label of digits is that of a mistyped address: no top-level domain has one."""
    return text.removesuffix(".").rpartition(".")[2].isdigit()
