"""The host names in the heads of HTTP/1 requests, also as lenient proxies would read them.

Source: RFC 9112 §2.2 (line ends), §3 (request line), §3.2 (request target), §5.2 (obs-fold), §6
(bodies); RFC 9113 §3.4 (the preface of HTTP/2); RFC 7540 §3.2 (Upgrade: h2c); the specification of
the PROXY protocol, §2.1.
"""

import re
from dataclasses import dataclass, replace

from egress_audit.model.flow import NameSource
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Spoken, Unread, printable_host

MAX_HEAD = 16_384
"""Bytes of a head that are read; servers refuse longer ones at 8 to 16 KiB."""
MAX_REQUESTS = 64
"""Requests read that stand behind each other in the bytes we have."""

_RESPONSE = b"HTTP/1."
_HTTP2_PREFACE = b"PRI * HTTP/2.0"
_PROXY_LINE = b"PROXY "
_BLANKS = b"\r\n \t"
_METHODS = rb"(?:CONNECT|GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|TRACE)"
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?=[ \t]|\Z)")
_KNOWN_METHOD = re.compile(_METHODS + rb"[ \t]")
_LINE_END = re.compile(rb"(?<!\r)(?:\r*\n|\r+(?=[^\r\n]))")
_VERSION = re.compile(rb"HTTP/[0-9]+(?:\.[0-9]+)?", re.I)
_VERSIONLESS = re.compile(
    rb"CONNECT [^ ]+:[0-9]+|" + _METHODS + rb" https?:[^ ]*|(?-i:GET|HEAD) /[^ ]*", re.I
)
"""A request without version that somebody might answer: to a proxy, or as in HTTP/0.9."""

_AUTHORITIES = re.compile(
    rb"(?:\A|[ \t])(?:[A-Za-z][A-Za-z0-9+\-.]*:[/\\]+|https?:(?![/\\]))"
    rb"((?:(?![ \t]https?:)[^/?#])*)",
    re.I,
)
_HOST_PORT = re.compile(rb"\[[^\[\]]*\](?::[0-9]*)?|[^:\[\]]+(?::[0-9]*)?|[0-9A-Fa-f:.]+")
_HOST_AND_PORT = re.compile(rb".+:[0-9]+")
_LITERAL_V6 = re.compile(rb"[0-9A-Fa-f:.]+")
_SEPARATORS = re.compile(rb"[@\\/,\s\0]+|(?<=\])(?=[^:])")
_OWN = re.compile(r"(?:.*\.)?localhost|127\.[0-9.]+|::1")

_BLANK_LINE = re.compile(rb"\n\r*\n|\r\r(?=[^\r\n])")
_FOLD = re.compile(rb"(?<![\r\n])[\r\n]+[ \t]+")
_HOST = re.compile(rb"(?<=[\r\n])host[ \t]*:([^\r\n]*)(?=\n[^ \t\r]|\r+[^ \t\r\n])", re.IGNORECASE)
"""A Host field whose line has ended and is not folded into the next."""
_LENGTH = re.compile(rb"[\r\n]content-length[ \t]*:([^\r\n]*)", re.I)
_CODING = re.compile(rb"[\r\n]transfer-encoding[ \t]*:", re.I)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")
_TO_HTTP2 = re.compile(rb"[\r\n]upgrade[ \t]*:[^\r\n]*\bh2c\b", re.I)


@dataclass(frozen=True, slots=True)
class _Line:
    """A request line that could be read."""

    method: bytes
    target: bytes
    odd: bool = False
    """Only lenient servers accept it."""


def read_request_head(stream: bytes) -> Reading:
    """What the heads of the requests of a TCP stream say about where they should go.

    `stream`: contiguous payload of one direction from its first byte on. Speaks what a proxy is
    asked for, the target of CONNECT and the authority of an absolute-form target (HTTP_CONNECT; the
    latter with mark `absolute-form`, though an origin may get one too), and every Host field
    (HTTP_HOST), without port. Marks `http`; a response is marked the same and done; the preface of
    HTTP/2 and an upgrade to it are marked `http2`, whose names are not read. What is neither is
    NOTHING; what begins with a method and is no request that we can read is MALFORMED.

    Hungry until the blank line; with MAX_HEAD bytes and no blank line TRUNCATED. Requests behind
    the first are read as far as they are there. Never raises.
    """
    if stream.startswith(_RESPONSE):
        return Reading(marks=frozenset(("http",)))
    if stream.startswith(_HTTP2_PREFACE):
        return Reading(marks=frozenset(("http2",)))
    if _RESPONSE.startswith(stream):
        return HUNGRY
    found, at = _read_request(stream)
    for _ in range(MAX_REQUESTS):
        if not at or found.unread:
            return found
        more, size = _read_request(stream[at:])
        unsure = more == HUNGRY and not _KNOWN_METHOD.match(stream[at:].lstrip(_BLANKS))
        if more == NOTHING or unsure:
            return found
        at = at + size if size else 0
        found = Reading(
            found.spoken + more.spoken, found.marks | more.marks, more.unread, more.hungry
        )
    return replace(found, unread=found.unread or Unread.TRUNCATED)


def _read_request(stream: bytes) -> tuple[Reading, int]:
    """What one request says, and its size with its body; 0 if the next cannot be found."""
    full = len(stream) >= MAX_HEAD
    text = stream[:MAX_HEAD].lstrip(_BLANKS)
    line_end = _LINE_END.search(text)
    if line_end and text.startswith(_PROXY_LINE):
        text = text[line_end.end() :].lstrip(_BLANKS)
        line_end = _LINE_END.search(text)
    if line_end is None:
        return _unended_line(text, full), 0
    line = text[: line_end.start()]
    request = _request_line(line)
    if request is None:
        known = _KNOWN_METHOD.match(line)
        return (Reading(unread=Unread.MALFORMED) if known else NOTHING), 0
    fields = text[line_end.start() :]
    end = _BLANK_LINE.search(fields)
    body = fields[end.end() :] if end else b""
    fields = fields[: len(fields) - len(body)]
    fields = _FOLD.sub(b" ", re.sub(rb"(?<!\r)\r*\n", b"\n", fields))
    spoken, marks, odd = _target(request)
    hosts, odd_hosts = _hosts(_HOST.findall(fields), NameSource.HTTP_HOST)
    if _TO_HTTP2.search(fields):
        marks |= {"http2"}
    if end is None and not request.odd:
        return Reading(spoken + hosts, marks, Unread.TRUNCATED if full else None, not full), 0
    bare = b"\r" in fields.rstrip(b"\r")
    size = _body_size(fields, stream[min(len(stream), MAX_HEAD) - len(body) :])
    if odd or odd_hosts or request.odd or bare or size is None:
        return Reading(spoken + hosts, marks, Unread.MALFORMED), 0
    length = min(len(stream), MAX_HEAD) - len(body) + size
    return Reading(spoken + hosts, marks), length if size >= 0 and length < len(stream) else 0


def _unended_line(line: bytes, full: bool) -> Reading:
    """The reading of a first line that has not ended yet; it may be a request for all we know."""
    if line and not _METHOD.match(line):
        return NOTHING
    return Reading(unread=Unread.TRUNCATED) if full else HUNGRY


def _request_line(line: bytes) -> _Line | None:
    """Method and target of a request line, or None if it is none (RFC 9112 §3).

    The target is all between the first blank and the version: servers are as lenient.
    """
    if not _METHOD.match(line):
        return None
    method, _, rest = line.replace(b"\t", b" ").partition(b" ")
    target, _, version = rest.strip().rpartition(b" ")
    if target and _VERSION.fullmatch(version):
        return _Line(method.upper(), target.strip())
    if _VERSIONLESS.fullmatch(method + b" " + rest.strip()):
        return _Line(method.upper(), rest.strip(), odd=not rest.strip().startswith(b"/"))
    return None


def _target(request: _Line) -> tuple[tuple[Spoken, ...], frozenset[str], bool]:
    """What the target of a request speaks, the marks of the request, and whether it is odd."""
    target, marks = request.target, frozenset(("http",))
    if request.method == b"CONNECT":
        spoken, odd = _hosts([target], NameSource.HTTP_CONNECT)
        own = any(_OWN.fullmatch(word.host) for word in spoken)
        return spoken, marks | {"connect-own"} if own else marks, odd or not spoken
    authorities = _AUTHORITIES.findall(target)
    if not authorities and (target.startswith(b"/") or target == b"*"):
        return (), marks, False
    odd = not authorities or b" " in target
    if not authorities and _HOST_AND_PORT.fullmatch(target.partition(b"/")[0]):
        authorities = [target.partition(b"/")[0]]
    spoken, ambiguous = _hosts(authorities, NameSource.HTTP_CONNECT)
    return spoken, marks | {"absolute-form"}, odd or ambiguous or not spoken


def _hosts(authorities: list[bytes], source: NameSource) -> tuple[tuple[Spoken, ...], bool]:
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


def _body_size(fields: bytes, body: bytes) -> int | None:
    """Bytes of the body behind a head; -1 if its end is not there; None if fields disagree.

    Source: RFC 9112 §6.3.
    """
    lengths = {length.strip() for length in _LENGTH.findall(fields)}
    if _CODING.search(fields):
        return None if lengths else _chunked_size(body)
    if not lengths:
        return 0
    (length, *others) = lengths
    return int(length) if not others and length.isdigit() and len(length) < 19 else None


def _chunked_size(body: bytes) -> int:
    """Bytes up to the end of the last chunk and its trailer; -1 if that is not there (§7.1)."""
    at = 0
    while chunk := _CHUNK.match(body, at):
        if not int(chunk[1], 16):
            end = _BLANK_LINE.search(body, chunk.end() - 1)
            return end.end() if end else -1
        at = chunk.end() + int(chunk[1], 16)
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    return -1
