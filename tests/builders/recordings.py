"""Whole bundles with their positive control: what the program sent between the probes.

bundle(folder, [*sent_by(TARGET, session(...))], attempt())
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import bundles
from .bundles import (
    RESOLVERS,
    SANDBOX,
    SECOND_NS,
    START_NS,
    TARGET,
    Line,
    Packet,
    line,
    owner,
    probe,
    process,
    whole_run,
    write_bundle,
)
from .captures import UDP, Frame, dns_answer, dns_query, ip, tcp_session, udp, udp_exchange
from .scenes import raw

EXERCISER, PROBER = 3, 4
"""`Process.id` of our exerciser, and of who sends the probes."""
HELPERS = (
    process(EXERCISER, role="exerciser", exe="/usr/bin/curl", cmdline="curl http://127.0.0.1:8080"),
    process(PROBER, role="probe", exe="/usr/bin/python3", cmdline="probe"),
)
HOME = SANDBOX[0]
SENTINELS = ("192.0.2.254", "2001:db8::fe")
INVENTED = "198.18.0.7"
HUB = "hub.example"
PROBES = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet of a run, and who sent it; None for what came from outside, 0 for nobody."""

    packet: Packet
    process: int | None
    how: str = "seccomp"


def sent_by(
    who: int, frames: Iterable[Frame], *, ours: str = HOME, interface: int = 0, at_s: int = 5
) -> list[Sent]:
    """A conversation that `who` began, from second `at_s` of the run; its answers are nobody's."""
    found = []
    for number, frame in enumerate(frames):
        outbound = _source(frame.data) == _source(ip(ours, ours, b"", UDP))
        at_ns = START_NS + at_s * SECOND_NS + number * 1000
        packet = Packet(frame.data, outbound, interface, at_ns)
        found.append(Sent(packet, who if outbound else None))
    return found


def _source(packet: bytes) -> bytes:
    return packet[12:16] if packet[0] >> 4 == 4 else packet[8:24]


def asked(host: str = HUB, answer: str = INVENTED, who: int = TARGET) -> list[Sent]:
    """A question to our resolver, with its answer."""
    exchange = udp_exchange(
        (HOME, 40001), (RESOLVERS[0], 53), dns_query(host), dns_answer(host, [answer]), link=raw
    )
    return sent_by(who, exchange)


def connected(
    address: str = INVENTED,
    port: int = 443,
    who: int = TARGET,
    near_port: int = 40002,
    at_s: int = 6,
) -> list[Sent]:
    """A connection from the sandbox to an address."""
    return sent_by(
        who,
        tcp_session((HOME, near_port), (address, port), b"\x00hi", b"\x00ho", link=raw),
        at_s=at_s,
    )


def local(who: int = TARGET, port: int = 8080) -> list[Sent]:
    """A connection over loopback."""
    frames = tcp_session(("127.0.0.1", 40003), ("127.0.0.1", port), b"\x00hi", b"\x00ho", link=raw)
    return sent_by(who, frames, ours="127.0.0.1", interface=1)


def bundle(folder: Path, sent: Sequence[Sent] = (), *lines: Line, **changes: Any) -> Path:
    """A bundle of a good run with all its probes, in which this was sent and noted.

    changes: `processes` beside those of HELPERS, and what `whole_run` and `write_bundle` take.
    """
    before, after = _control("before", START_NS), _control("after", START_NS + 200 * SECOND_NS)
    everything = [*before, *sent, *after]
    named = [_named(number, made) for number, made in enumerate(everything, 1)]
    probes = changes.pop("probes", None) or [
        *_probes("before", 1),
        *_probes("after", len(before) + len(sent) + 1),
    ]
    writing = {key: changes.pop(key) for key in ("closed", "names") if key in changes}
    told = whole_run(
        *HELPERS,
        *changes.pop("processes", ()),
        *filter(None, named),
        *lines,
        probes=probes,
        **changes,
    )
    return write_bundle(folder, [made.packet for made in everything], told, **writing)


def _named(number: int, made: Sent) -> Line | None:
    """Who sent a frame; None for what came from outside."""
    if made.process is None:
        return None
    if made.process:
        return owner(number, made.process, made.how)
    return line("unattributed", frame=number)


def nonce(when: str, by: str, version: int) -> str:
    """What a probe carries."""
    return str(bundles.probe(when, by, version, 1).fields["nonce"])


def _control(when: str, at_ns: int) -> list[Sent]:
    return [
        Sent(Packet(_probe_packet(nonce(when, by, version), by, version), ts_ns=at_ns), PROBER)
        for by in ("address", "name")
        for version in (4, 6)
    ]


def _probe_packet(word: str, by: str, version: int) -> bytes:
    six = version == 6
    port, payload, ends = 9, word.encode(), SENTINELS
    if by == "name":
        port, payload, ends = 53, dns_query(f"{word}.invalid"), RESOLVERS
    return ip(SANDBOX[six], ends[six], udp(50_000 + version, port, payload), UDP)


def _probes(when: str, first: int) -> list[Line]:
    kinds = [(by, version) for by in ("address", "name") for version in (4, 6)]
    return [probe(when, by, version, first + n) for n, (by, version) in enumerate(kinds)]


def with_how(sent: Sequence[Sent], how: str) -> list[Sent]:
    """The same packets, whose senders are known in another way."""
    return [replace(made, how=how) for made in sent]
