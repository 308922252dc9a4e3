"""The hosts that an authority names, as HTTP writes them: `user@host:port` and what passes for it.

Source: RFC 3986 §3.2 (authority), RFC 9110 §7.2 (Host and :authority).
"""

import re
from collections.abc import Iterable

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import Spoken, printable_host

_HOST_PORT = re.compile(rb"\[[^\[\]]*\](?::[0-9]*)?|[^:\[\]]+(?::[0-9]*)?|[0-9A-Fa-f:.]+")
_LITERAL_V6 = re.compile(rb"[0-9A-Fa-f:.]+")
_ODD = re.compile(rb"[^!$&'()*+;=0-9A-Za-z._~:\[\]-]")
"""What may be decoded into other letters, or ends a name: percent-encoding and what is no ASCII
(RFC 3986 §3.2.2), `#`, controls."""
_LITERAL = re.compile(rb"\[(?:[0-9A-Fa-f:.]+(?:%[^\[\]]*)?|[vV][^%\x80-\xff]*)\].*")
"""An address in brackets, maybe with its zone, which leads nowhere else (RFC 6874 §2)."""
_SEPARATORS = re.compile(rb"[@\\/,\s\0]+|(?<=\])(?=[^:])")


def hosts_of(authorities: Iterable[bytes], source: NameSource) -> tuple[tuple[Spoken, ...], bool]:
    """The hosts of some authorities, spoken, and whether one of them can be read in several ways.

    Without port, and without the brackets of an IPv6 literal (RFC 3986 §3.2). Of an authority in
    several parts each is spoken that could be a host: proxies differ in which they take. An empty
    one speaks nothing, which HTTP permits for Host.
    """
    spoken: list[Spoken] = []
    odd = False
    for authority in authorities:
        parts = [part for part in _SEPARATORS.split(authority.strip()) if part]
        odd |= _SEPARATORS.search(authority.strip()) is not None
        odd |= any(_HOST_PORT.fullmatch(part) is None for part in parts)
        odd |= any(_ODD.search(part) and _LITERAL.fullmatch(part) is None for part in parts)
        likely = [part for part in parts if b"." in part or b"[" in part or part == parts[-1]]
        for part in likely:
            host = _without_port(part)
            if host:
                spoken.append(Spoken(printable_host(host), source))
    return tuple(dict.fromkeys(spoken)), odd


def _without_port(authority: bytes) -> bytes:
    if authority.startswith(b"["):
        return authority[1:].partition(b"]")[0]
    host, _, port = authority.partition(b":")
    bare_v6 = b":" in port and _LITERAL_V6.fullmatch(authority)
    return authority if bare_v6 else host
