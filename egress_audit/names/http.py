"""The host names in the heads of HTTP/1 requests, also as lenient proxies would read them.

Source: RFC 9112 §2.2 (line ends), §3 (request line), §3.2 (request target), §5.2 (obs-fold), §6
(bodies), §7.1 (chunks), §9.3 (persistence); RFC 9113 §3.4 (the preface of HTTP/2); RFC 7540 §3.2
(Upgrade: h2c, behind which the same preface follows).
"""

import re
from dataclasses import replace
from functools import partial

from egress_audit.model.flow import NameSource
from egress_audit.names.authority import hosts_of
from egress_audit.names.disguised_fields import has_disguised
from egress_audit.names.dns_over_http import DNS_MESSAGE, MAX_QUESTION, asked_by, asked_in
from egress_audit.names.http2 import PREFACE, read_preface
from egress_audit.names.reading import HUNGRY, NOTHING, Reader, Reading, Spoken, Unread, anew
from egress_audit.names.tls import read_client_hello
from egress_audit.names.tls_records import HANDSHAKE
from egress_audit.values import dataclass

MAX_HEAD = 16_384
"""Bytes of a head that are read; servers refuse longer ones at 8 to 16 KiB."""
MAX_LENGTH = 1 << 62
"""Bytes of a body that anybody could mean."""

_RESPONSE = b"HTTP/1."
_BLANKS = b"\r\n \t"
_METHODS = rb"(?:CONNECT|GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|TRACE)"
_COULD_BEGIN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?=[ \t\r\n]|\Z)")
"""What stands at the beginning of every request, and of hardly any stream of another kind."""
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?=[ \t]|\Z)")
_KNOWN_METHOD = re.compile(_METHODS + rb"[ \t]")
_LINE_END = re.compile(rb"(?<!\r)(?:\r*\n|\r+(?=[^\r\n]))")
_ODDLY_SPACED = re.compile(
    rb"[ \t\r\n]*(?:[\v\f]\s*" + _METHODS + rb"\s|" + _METHODS + rb"(?:[\v\f]|\r[^\r\n]))"
)
"""A request line with blanks that only lenient servers take for such (RFC 9112 §3)."""
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
_HOST_AND_PORT = re.compile(rb".+:[0-9]+")

_BLANK_LINE = re.compile(rb"\n\r*\n|\r\r(?=[^\r\n])")
_FOLD = re.compile(rb"(?<![\r\n])[\r\n]+[ \t]+")
_HOST = re.compile(rb"(?<=[\r\n])host[ \t]*:([^\r\n]*)(?=\n[^ \t\r]|\r+[^ \t\r\n])", re.IGNORECASE)
"""A Host field whose line has ended and is not folded into the next."""
_LENGTH = re.compile(rb"[\r\n]content-length[ \t]*:([^\r\n]*)", re.I)
_CODING = re.compile(rb"[\r\n]transfer-encoding[ \t]*:([^\r\n]*)", re.I)
_ASKS = re.compile(rb"[\r\n]content-type[ \t]*:[ \t]*" + DNS_MESSAGE, re.I)
_AWAITS = re.compile(rb"[\r\n]expect[ \t]*:", re.I)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?=[ \t;\r\n])[^\n]{0,1024}\n")
_CHUNK_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,8}(?:[ \t;\r][^\n]{0,1024})?)?")
CHUNKED = -1
HTTP = frozenset(("http",))


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
    (HTTP_HOST), without port. Marks `http`; a response is marked the same and done. What is neither
    is NOTHING; what begins with a method and is no request that we can read is MALFORMED.

    Hungry until the blank line; with MAX_HEAD bytes and no blank line TRUNCATED. `consumed` is
    where the body ends, and `then` reads what may follow there: another request, or behind CONNECT
    anything. Never raises.
    """
    if stream.startswith(_RESPONSE):
        return Reading(marks=frozenset(("http",)))
    if stream.startswith(PREFACE[: len(stream)]) and len(stream) > 2:
        return read_preface(stream)
    if _RESPONSE.startswith(stream):
        return HUNGRY
    return _read_request(stream)


def read_further(stream: bytes) -> Reading:
    """What stands behind a request and its body: another one, a ClientHello, or NOTHING that
    anybody knows.

    Blank lines between requests are passed over (RFC 9112 §2.2). Of bytes that may become a request
    and are none yet nothing is missed if they do not.
    """
    blank = len(stream) - len(stream.lstrip(_BLANKS))
    if not stream:
        return Reading(hungry=True, optional=True, then=read_further)
    if stream[0] == HANDSHAKE:
        return _read_tls(stream)
    if blank == len(stream):
        return Reading(marks=HTTP, consumed=blank, then=read_further)
    reading = read_request_head(stream)
    if reading.hungry and not _KNOWN_METHOD.match(stream, blank):
        return replace(reading, optional=True, then=read_further)
    return reading


def _read_tls(stream: bytes) -> Reading:
    """A ClientHello behind a request that asked for TLS (RFC 2817 §3), or for whatever hides it."""
    hello = read_client_hello(stream)
    if not hello.hungry:
        return hello
    return replace(hello, optional=hello.optional or not hello.marks, then=read_further)


def read_chunk(stream: bytes) -> Reading:
    """What stands where a chunk of a body begins: its size, and behind the last one requests.

    Source: RFC 9112 §7.1.
    """
    at = 0
    while chunk := _CHUNK.match(stream, at):
        if not int(chunk[1], 16):
            end = _BLANK_LINE.search(stream, chunk.end() - 1)
            if end:
                return Reading(marks=HTTP, consumed=end.end(), then=read_further)
            return Reading((), HTTP, hungry=True, consumed=at, then=read_chunk, optional=True)
        at = chunk.end() + int(chunk[1], 16)
        if at + 2 > len(stream):
            return Reading(marks=HTTP, consumed=at, then=_read_behind_chunk)
        at += 2 if stream[at : at + 2] == b"\r\n" else 1
    if _CHUNK_BEGUN.fullmatch(stream, at):
        return Reading((), HTTP, hungry=True, consumed=at, then=read_chunk, optional=True)
    return Reading(marks=HTTP, unread=Unread.MALFORMED)


def _read_behind_chunk(stream: bytes) -> Reading:
    """The line end behind the data of a chunk, and the next chunk."""
    if stream in (b"", b"\r"):
        return Reading((), HTTP, hungry=True, then=_read_behind_chunk, optional=True)
    return Reading(marks=HTTP, consumed=2 if stream[:2] == b"\r\n" else 1, then=read_chunk)


def _read_request(stream: bytes) -> Reading:
    """What one request says, and where its body ends."""
    full = len(stream) >= MAX_HEAD
    if _ODDLY_SPACED.match(stream):
        return Reading(marks=HTTP, unread=Unread.MALFORMED)
    text = stream[:MAX_HEAD].lstrip(_BLANKS)
    if text and not _COULD_BEGIN.match(text):
        return NOTHING  # before the end of the line is looked for
    line_end = _LINE_END.search(text)
    if line_end is None:
        return _unended_line(text, full)
    line = text[: line_end.start()]
    request = _request_line(line)
    if request is None:
        return Reading(unread=Unread.MALFORMED) if _KNOWN_METHOD.match(line) else NOTHING
    fields = text[line_end.start() :]
    end = _BLANK_LINE.search(fields)
    if end:
        fields = fields[: end.end()]
    start = min(len(stream), MAX_HEAD) - len(text) + line_end.start() + len(fields)
    disguised = has_disguised(fields)
    fields = _FOLD.sub(b" ", re.sub(rb"(?<!\r)\r*\n", b"\n", fields))
    spoken, marks, odd = _target(request)
    hosts, odd_hosts = hosts_of(_HOST.findall(fields), NameSource.HTTP_HOST)
    if end is None and not request.odd:
        unread = Unread.TRUNCATED if full else None
        return Reading(spoken + hosts, marks, unread, not full, then=read_further)
    size, then = _body(request, fields)
    bare = b"\r" in fields.rstrip(b"\r")
    lost = request.odd or bare or disguised or size is None
    unread = Unread.MALFORMED if odd or odd_hosts or lost else None
    if _ASKS.search(fields) and _is_past_question(request, fields):
        unread = unread or Unread.TRUNCATED
    consumed = 0 if lost else start + (size or 0)
    return Reading(spoken + hosts, marks, unread, consumed=consumed, then=then)


def _body(request: _Line, fields: bytes) -> tuple[int | None, Reader]:
    """Bytes of the body that are passed over, None if that is not clear; and what reads on."""
    if request.method == b"CONNECT":
        return 0, anew
    size = _body_size(fields)
    if size and 0 < size <= MAX_QUESTION and _ASKS.search(fields):
        return 0, partial(_read_question, size)
    if size and _AWAITS.search(fields):
        return 0, partial(_read_awaited, size)
    return (0, read_chunk) if size == CHUNKED else (size, read_further)


def _is_past_question(request: _Line, fields: bytes) -> bool:
    """True if a body is in chunks, or longer than what is read of a DNS message."""
    size = 0 if request.method == b"CONNECT" else _body_size(fields) or 0
    return size == CHUNKED or size > MAX_QUESTION


def _read_awaited(size: int, stream: bytes) -> Reading:
    """A body of `size` octets, or CHUNKED, or the request behind it if it is refused (`Expect`).

    Which of both does not show: what is a request is spoken, and counted. Source: RFC 9110 §10.1.1.
    """
    line_end = _LINE_END.search(stream, 0, MAX_HEAD)
    if line_end is None:
        if len(stream) < MAX_HEAD and (not stream or _METHOD.match(stream)):
            waiting = partial(_read_awaited, size)
            return Reading((), HTTP, hungry=True, optional=True, then=waiting)
        return _read_body(size, stream)
    request = _request_line(stream[: line_end.start()])
    next_begins = size > 0 and _KNOWN_METHOD.match(stream, size, line_end.start())
    if request is None or (next_begins and not _target(request)[0]):
        return _read_body(size, stream)  # The fields are those of the next request either way.
    return Reading(_read_request(stream).spoken, HTTP, Unread.MALFORMED)


def _read_body(size: int, stream: bytes) -> Reading:
    """A body that is no DNS message; requests follow."""
    if size == CHUNKED:
        return read_chunk(stream)
    return Reading(marks=HTTP, consumed=size, then=read_further)


def _read_question(size: int, stream: bytes) -> Reading:
    """A body of `size` octets that is a DNS message; requests follow."""
    if len(stream) < size:
        return Reading((), HTTP, hungry=True, then=partial(_read_question, size))
    spoken, unread = asked_by(stream[:size])
    return Reading(spoken, HTTP, unread, consumed=size, then=read_further)


def _unended_line(line: bytes, full: bool) -> Reading:
    """The reading of a first line that has not ended yet; it may be a request for all we know."""
    if line and not _METHOD.match(line):
        return NOTHING
    return Reading(unread=Unread.TRUNCATED) if full else HUNGRY


def _request_line(line: bytes) -> _Line | None:
    """Method and target of a line that begins like a request's, or None (RFC 9112 §3).

    The target is all between the first blank and the version: servers are as lenient.
    """
    method, _, rest = line.replace(b"\t", b" ").partition(b" ")
    target, _, version = rest.strip().rpartition(b" ")
    if target and _VERSION.fullmatch(version):
        return _Line(method.upper(), target.strip())
    if _VERSION.fullmatch(rest.strip()):
        return _Line(method.upper(), b"", odd=True)
    if _VERSIONLESS.fullmatch(method + b" " + rest.strip()):
        return _Line(method.upper(), rest.strip(), odd=not rest.strip().startswith(b"/"))
    return None


def _target(request: _Line) -> tuple[tuple[Spoken, ...], frozenset[str], bool]:
    """What the target of a request speaks, the marks of the request, and whether it is odd."""
    target, marks = request.target, HTTP
    if not target:
        return (), marks, True
    if request.method == b"CONNECT":
        spoken, odd = hosts_of([target], NameSource.HTTP_CONNECT)
        return spoken, marks, odd or not spoken
    authorities = _AUTHORITIES.findall(target)
    asked, odd = asked_in(target)
    if not authorities and (target.startswith(b"/") or target == b"*"):
        return asked, marks, odd
    odd |= not authorities or b" " in target
    if not authorities and _HOST_AND_PORT.fullmatch(target.partition(b"/")[0]):
        authorities = [target.partition(b"/")[0]]
    spoken, ambiguous = hosts_of(authorities, NameSource.HTTP_CONNECT)
    return spoken + asked, marks | {"absolute-form"}, odd or ambiguous or not spoken


def _body_size(fields: bytes) -> int | None:
    """Bytes of the body behind a head; CHUNKED if it is in chunks; None if fields disagree.

    Source: RFC 9112 §6.3.
    """
    lengths = {length.strip() for length in _LENGTH.findall(fields)}
    codings = _CODING.findall(fields)
    if codings:
        chunked = codings[-1].strip().lower().endswith(b"chunked")
        return CHUNKED if chunked and not lengths else None
    if not lengths:
        return 0
    (length, *others) = lengths
    if others or not length.isdigit() or len(length) > 20:
        return None
    return int(length) if int(length) < MAX_LENGTH else None
