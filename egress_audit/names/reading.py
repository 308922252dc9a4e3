"""What a reader of this room hands back: the names it found, and what it could not read."""

import re
from collections.abc import Callable, Iterable
from dataclasses import field
from enum import StrEnum

from egress_audit.model.flow import NameSource
from egress_audit.values import dataclass

_UNPRINTABLE = re.compile(rb"[^!-\[\]-~]")
"""Everything but printable ASCII without space; the backslash too, because it starts an escape."""


class Unread(StrEnum):
    """Why something that should hold names could not be read to its end."""

    TRUNCATED = "truncated"
    """Bytes are missing: the capture cut them, or they lie beyond the bound up to which we read."""
    MALFORMED = "malformed"
    """The bytes are there and contradict the protocol."""


class Damage(Exception):
    """Reading cannot go on. Raised and caught inside this room only; callers see `Unread`."""

    def __init__(self, unread: Unread) -> None:
        super().__init__(unread)
        self.unread = unread


@dataclass(frozen=True, slots=True)
class Spoken:
    """One name that somebody said, without when and where: the caller knows flow and frame."""

    host: str
    """As `printable_host` writes it; '.' for the root of the DNS."""
    source: NameSource
    qtype: str | None = None
    """Of a DNS question or record: 'A', 'AAAA', 'HTTPS', … or 'TYPE65400' (RFC 3597 §5)."""
    address: str | None = None
    """Of a DNS answer only: the address, as text, that `host` leads to; None for a question."""
    question: tuple[str, str] | None = None
    """Of an address or an end of aliases only: host and type of the question in the same message
    that it answers."""
    leads_to: str | None = None
    """Of a DNS answer only: the host at the end of the aliases of `host`, of which the message
    gives no address."""
    owner: bool = False
    """Of a DNS response only: it is asked in none of its questions, and owns a record to which none
    leads. Resolvers add such records unasked; anyone else may have written a name there."""
    beside: bool = False
    """Of an `owner` only: all its records stand beside the answers (authority, additional)."""
    outer: bool = False
    """It stands in front of an Encrypted ClientHello, which may hold another (RFC 9849 §6.1)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What some bytes say. A reading that equals `NOTHING` is of bytes of another protocol."""

    spoken: tuple[Spoken, ...] = ()
    """In the order of the bytes; holds what was said before any damage, too."""
    marks: frozenset[str] = frozenset()
    """What the bytes are: the words below.

    `tls`, `no-sni` (a ClientHello without a host name), `ech` (the true name may be encrypted),
    `alpn:h2` and the like; `http`, `absolute-form` (a proxy was asked), `http2`, `http2-tunnel`
    (what it carries is not read); `socks` (the target could not be read); `proxy-protocol`;
    `starttls`; `dns`, `dns-response`; `quic`, `quic-version` (one that no reader opens), `dtls`;
    `names-read` (nothing is hidden, though its
    port may promise that: a whole message to neighbours, or a hello in a datagram).
    """
    unread: Unread | None = None
    """None when nothing was left out."""
    hungry: bool = False
    """More bytes of the stream would say more. No error by itself: it becomes one, TRUNCATED, for
    the caller who has no more bytes to give. `spoken` already holds what is certain."""
    consumed: int = field(default=0, compare=False)
    """Where in the stream the first message begins that is not whole yet, if there are several. The
    next reading may begin there; it may lie far behind the bytes that are there."""
    done: int = field(default=0, compare=False)
    """How many of `spoken` were said before `consumed`; a reading from there speaks the others
    again."""
    optional: bool = False
    """Of a hungry reading: if no more bytes come, nothing was left unread."""
    then: "Reader | None" = field(default=None, compare=False)
    """What reads the stream from `consumed` on; None where nothing of interest follows. With a
    `consumed` of 0 the place where it goes on is not known."""
    transaction: int | None = field(default=None, compare=False)
    """ID of the one DNS message that was read; None for streams, and for everything else."""


Reader = Callable[[bytes], Reading]
"""Contiguous bytes of one direction of a stream to what they say."""

READ = frozenset(("names-read",))
NOTHING = Reading()
HUNGRY = Reading(hungry=True)


def anew(_: bytes) -> Reading:
    """As `then`: any protocol may begin here, as at the beginning of a stream.

    Reads nothing itself; stream.py, which knows all readers, puts `read_opening` in its place.
    """
    return NOTHING


def first_said(readers: Iterable[Reader], stream: bytes) -> Reading:
    """The reading of the first of several readers that knows the bytes; NOTHING if none does."""
    for read in readers:
        found = read(stream)
        # Most readers hand back the very object; comparing it field by field costs more than they.
        if found is not NOTHING and found != NOTHING:
            return found
    return NOTHING


def printable(raw: bytes) -> str:
    r"""The bytes as printable ASCII; any other byte, white space and the backslash as \xNN."""
    if _UNPRINTABLE.search(raw) is None:
        return raw.decode("ascii")
    return _UNPRINTABLE.sub(lambda found: b"\\x%02x" % found[0][0], raw).decode("ascii")


def printable_host(raw: bytes) -> str:
    r"""A host name as `Name.host` has it: lower case, one trailing dot removed, odd bytes \xNN.

    The root, a lone dot, stays. No two different names become the same text, but for case.
    """
    bare = raw[:-1] if len(raw) > 1 and raw.endswith(b".") else raw
    return printable(bare).lower()
