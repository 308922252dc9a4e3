"""Server names in hellos that are no host: which one is meant depends on who reads them.

A reader may stop at a zero, fold letters of other scripts into ours, or take a port off: to him
`a.example\\0.b.example` is a host that nobody else reads there.

Source: RFC 6066 §3 (a host name is ASCII, without a trailing dot), RFC 1123 §2.1, RFC 5890 §2.3.1.
"""

import re

from egress_audit.addresses import address_of
from egress_audit.model.flow import NameSource
from egress_audit.names.mentions import Mentions

ODD_NAME = "TLS with a server name that is no host"
"""What hides the name, in the words of the report."""
IN_HELLOS = frozenset((NameSource.TLS_SNI, NameSource.DTLS_SNI, NameSource.QUIC_SNI))
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
"""As names are written here: in lower case, without a trailing dot; other bytes are escaped."""


def is_host(name: str) -> bool:
    """True for a name that everybody reads alike, underscores included, and for an address."""
    return _HOST.fullmatch(name) is not None or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        return ":" in name and bool(address_of(name))
    except ValueError:
        return False


def rows_of_odd_names(mentions: Mentions) -> list[int]:
    """Rows of the flows in whose hellos stands a server name that is no host."""
    odd = [host for host in mentions.hosts if not is_host(host)]
    return [row for row, name in mentions.saying(odd) if name.source in IN_HELLOS] if odd else []
