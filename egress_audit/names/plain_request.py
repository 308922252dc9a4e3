"""The head of a request of HTTP/1 as nearly every client sends it; all others are http.py's.

Source: as of http.py, which says the same of every request that this file knows, only slower.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from egress_audit.names.dns_over_http import may_ask
from egress_audit.names.reading import printable_host

MAX_HEAD = 8192
"""Octets of head and body that are read here."""
MAX_REMEMBERED = 4096
"""Hosts that are remembered as text: most are asked again and again."""

_HEAD = re.compile(
    rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH) /[!-~]* HTTP/1\.[01]\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+\r\n"
)
_FIELDS = re.compile(rb"\n(?:(host)|(content-length)|transfer-encoding|expect):([^\r\n]*)\r", re.I)
"""The fields that say where a request goes, where it ends, and if its body comes. Blanks at the
ends of a value are no part of it; taking them away here would take twice as long."""
_BLANKS = b" \t"
_HOST = re.compile(rb"[0-9A-Za-z._\-]{1,255}(?=(?::[0-9]{1,5})?\Z)")
_LENGTH = re.compile(rb"[0-9]{1,9}")

_host_text = lru_cache(MAX_REMEMBERED)(printable_host)


class PlainRequest(NamedTuple):
    """What a plain request says."""

    host: str
    """As `printable_host` writes it, without port."""
    end: int
    """Where in the stream it ends, body included: where the next one may begin."""


def plain_request(stream: bytes) -> PlainRequest | None:
    """What a stream says that holds one plain request and nothing behind it; else None.

    Plain: printable, every line ended by CR LF, the target a path, one field with the host and at
    most one with the length of the body, not all of which need be there, and no question to the DNS
    in it. Of these `read_request_head` says the same.
    """
    head = _HEAD.match(stream) if len(stream) <= MAX_HEAD else None
    if head is None or may_ask(head[0]):
        return None
    hosts: list[bytes] = []
    sizes: list[int] = []
    for host, length, given in _FIELDS.findall(head[0]):
        value = given.strip(_BLANKS)
        if host:
            hosts.append(value)
        elif length and not sizes and _LENGTH.fullmatch(value):
            sizes.append(int(value))
        else:
            return None
    end = head.end() + sum(sizes)
    named = _HOST.match(hosts[0]) if len(hosts) == 1 else None
    return PlainRequest(_host_text(named[0]), end) if named and len(stream) <= end else None
