"""A scene: a tiny capture that is made to show one thing, and what an audit of it must conclude."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from egress_audit.judge.assertions import WORDS

from .captures import (
    Frame,
    Interface,
    Item,
    Section,
    TcpScript,
    dns_query,
    pcap,
    pcapng,
    tcp_session,
    udp_exchange,
)

RAW_IP = 101
"""LINKTYPE_RAW: the frame is the packet."""
START_NS = int(datetime(2026, 8, 25, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
"""Between the dates of the embedded lists, so that none of them is old."""
SECOND_NS = 1_000_000_000

OURS, STRANGER = "10.0.0.2", "203.0.113.9"
HERE = ("127.0.0.1", 40000)
US, OUTSIDE = (OURS, 40000), (STRANGER, 443)
LOCAL_SERVER, LOCAL_PROXY, LOCAL_RESOLVER = (
    ("127.0.0.1", 8080),
    ("127.0.0.1", 7890),
    ("127.0.0.53", 53),
)
ALL = tuple(WORDS)


@dataclass(frozen=True, slots=True)
class Scene:
    """One golden capture that a script makes, and its description."""

    name: str
    shows: str
    data: bytes
    verdict: str
    profile: str = "offline"
    """A packaged profile, or a file below captures/."""
    assertions: tuple[str, ...] = ALL
    local: tuple[str, ...] = (OURS,)
    rules: tuple[str, ...] = ()
    """Exactly the rules that fire."""
    spots: tuple[str, ...] = ()
    """Exactly the blind spots that are material; or, if the verdict is HOLDS, one that is there."""
    suffix: str = "pcap"
    bounds: Mapping[str, int] = field(default_factory=dict)
    """Fields of `Bounds` that are lowered, so that a small capture goes beyond them."""
    lists: bool = True
    """False: audited as if there were no address list."""
    catalogue: str = ""
    """A file below captures/ in place of the packaged catalogue of endpoints; empty for that."""


def raw(packet: bytes) -> bytes:
    """The packet as a frame of LINKTYPE_RAW."""
    return packet


def written(frames: Iterable[Frame]) -> bytes:
    """A pcap of raw IP packets."""
    return pcap(list(frames), RAW_IP)


def sections(*items: Item, interface: Interface = Interface(RAW_IP)) -> bytes:  # noqa: B008 - frozen
    """A pcapng file of one section with one interface of raw IP packets."""
    return pcapng([Section(items, (interface,))])


def one(packet: bytes, *, at_ns: int = START_NS, wirelen: int | None = None) -> Frame:
    """The packet as a frame by itself."""
    return Frame(at_ns, packet, wirelen)


def session(
    near: tuple[str, int],
    far: tuple[str, int],
    request: bytes = b"",
    response: bytes = b"",
    *,
    at_ns: int = START_NS,
) -> list[Frame]:
    """A whole TCP connection of raw IP packets."""
    return tcp_session(near, far, request, response, start_ns=at_ns, link=raw)


def script(near: tuple[str, int], far: tuple[str, int]) -> TcpScript:
    """A TCP connection of raw IP packets, to be written line by line."""
    return TcpScript(near, far, START_NS, link=raw)


def exchange(
    near: tuple[str, int],
    far: tuple[str, int],
    request: bytes,
    response: bytes | None = None,
    *,
    at_ns: int = START_NS,
) -> list[Frame]:
    """A datagram, and the one that answers it."""
    return udp_exchange(near, far, request, response, start_ns=at_ns, link=raw)


def quiet(at_ns: int = START_NS) -> list[Frame]:
    """A conversation that stays on the machine and holds no name."""
    return session(HERE, LOCAL_SERVER, b"\x00ping", b"\x00pong", at_ns=at_ns)


def asked(*hosts: str, resolver: tuple[str, int] = LOCAL_RESOLVER) -> list[Frame]:
    """A question for each host, a millisecond apart, in one flow."""
    near = HERE if resolver == LOCAL_RESOLVER else US
    frames = [frame for host in hosts for frame in exchange(near, resolver, dns_query(host))]
    return later(frames)


def later(frames: Sequence[Frame], step_ns: int = 1_000_000) -> list[Frame]:
    """The frames one after the other."""
    return [replace(frame, ts_ns=START_NS + i * step_ns) for i, frame in enumerate(frames)]


def without(*words: str) -> tuple[str, ...]:
    """All assertions but these."""
    return tuple(word for word in ALL if word not in words)
