"""The host names in the head of an HTTP/1 request.

Source: RFC 9112 §2.2 (line ends), §3 (request line), §3.2 (request target), §5.2 (obs-fold);
RFC 9113 §3.4 (the preface of HTTP/2).
"""

import re

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Spoken, Unread, printable_host

MAX_HEAD = 16_384
"""Bytes of a head that are read; servers refuse longer ones at 8 to 16 KiB."""

_RESPONSE = b"HTTP/1."
_HTTP2_PREFACE = b"PRI * HTTP/2.0"
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?= |\Z)")
_VERSION = re.compile(rb"HTTP/1\.[0-9]")
_AUTHORITY = re.compile(rb"[A-Za-z][A-Za-z0-9+\-.]*://([^/?#]*)")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_HOST = re.compile(rb"\nhost[ \t]*:([^\n]*)(?=\n[^ \t])", re.IGNORECASE)
"""A Host field whose line has ended and is not folded into the next."""


def read_request_head(stream: bytes) -> Reading:
    """What the head of the first request of a TCP stream says about where it should go.

    `stream`: contiguous payload of one direction from its first byte on. Speaks the target of
    CONNECT (HTTP_CONNECT), the authority of an absolute-form target (HTTP_HOST, mark
    `absolute-form`: a proxy is asked) and every Host field (HTTP_HOST), without port. Marks
    `http`; a response is marked the same and done; the preface of HTTP/2 is marked `http2`,
    whose names are not read. What is neither is NOTHING.

    Hungry until the blank line; with MAX_HEAD bytes and no blank line TRUNCATED. Bare LF, folded
    fields and empty lines in front are tolerated. Never raises.
    """
    if stream.startswith(_RESPONSE):
        return Reading(marks=frozenset(("http",)))
    if stream.startswith(_HTTP2_PREFACE):
        return Reading(marks=frozenset(("http2",)))
    if _RESPONSE.startswith(stream):
        return HUNGRY
    full = len(stream) >= MAX_HEAD
    line, line_end, fields = stream[:MAX_HEAD].lstrip(b"\r\n").partition(b"\n")
    if not line_end:
        return _unended_line(line, full)
    request = _request_line(line)
    if request is None:
        return NOTHING
    spoken, marks = _target(*request)
    fields = b"\n" + fields
    end = _BLANK_LINE.search(fields)
    spoken += _host_fields(fields[: end.end()] if end else fields)
    if end:
        return Reading(spoken, marks)
    return Reading(spoken, marks, Unread.TRUNCATED if full else None, hungry=not full)


def _unended_line(line: bytes, full: bool) -> Reading:
    """The reading of a first line that has not ended yet; it may be a request for all we know."""
    if line and not _METHOD.match(line):
        return NOTHING
    return Reading(unread=Unread.TRUNCATED) if full else HUNGRY


def _request_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Method and target of a request line, or None if it is none (RFC 9112 §3).

    The target is all between the first and the last space: servers are as lenient.
    """
    method, _, rest = line.partition(b" ")
    target, _, version = rest.strip().rpartition(b" ")
    target = target.strip()
    if not (target and _METHOD.fullmatch(method) and _VERSION.fullmatch(version)):
        return None
    return method, target


def _target(method: bytes, target: bytes) -> tuple[tuple[Spoken, ...], frozenset[str]]:
    """What the target of a request speaks, and the marks of the request (RFC 9112 §3.2)."""
    if method == b"CONNECT":
        return _spoken(target, NameSource.HTTP_CONNECT), frozenset(("http",))
    absolute = _AUTHORITY.match(target)
    if absolute is None:
        return (), frozenset(("http",))
    return _spoken(absolute[1], NameSource.HTTP_HOST), frozenset(("http", "absolute-form"))


def _host_fields(fields: bytes) -> tuple[Spoken, ...]:
    """What each ended Host field speaks; `fields` begins with the line end before the first."""
    values = _HOST.findall(_FOLD.sub(b" ", fields))
    return tuple(word for value in values for word in _spoken(value, NameSource.HTTP_HOST))


def _spoken(authority: bytes, source: NameSource) -> tuple[Spoken, ...]:
    """The host of an authority, spoken; nothing if it is empty, which HTTP permits.

    Without user information, port, and the brackets of an IPv6 literal (RFC 3986 §3.2).
    """
    authority = authority.strip().rpartition(b"@")[2]
    if authority.startswith(b"["):
        host = authority[1:].partition(b"]")[0]
    else:
        host, _, port = authority.partition(b":")
        if b":" in port:  # an IPv6 literal that lacks its brackets
            host = authority
    return (Spoken(printable_host(host), source),) if host else ()
