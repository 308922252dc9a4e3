"""Datagrams are told apart in C as numpy tells them apart."""

from dataclasses import replace

import numpy as np
import pytest

from egress_audit.columns import I64, PADDING, PacketBatch
from egress_audit.compiled import datagrams
from egress_audit.decode import tunnels
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.datagrams import BEFORE_DTLS, BY_PORT, Datagrams
from egress_audit.names.gquic import PLAIN_VERSIONS
from egress_audit.names.quic_protection import SALTS
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import TCP, UDP, Frame, ethernet, ip, pcap, tcp, udp
from tests.builders.engine import opened, packets_of

pytestmark = needs_library

VERSIONS = [number.to_bytes(4, "big") for number in (*SALTS, *PLAIN_VERSIONS, 0, 7)]
RECORDS = [
    number.to_bytes(2, "big") for number in (0xFEFF, 0xFEFD, 0xFE30, 0xFE01, BEFORE_DTLS, 0x0303)
]
BEGINNINGS = [
    b"",
    *(first + version for first in (b"\xc3", b"\x83", b"\x43") for version in VERSIONS),
    *(first + b"\x1a\x2a\x3a\x4a" for first in (b"\xbf", b"\xc0", b"\xff")),
    *(first + bytes(8) + b"Q046" for first in (b"\x09", b"\x0d", b"\x89")),
    b"\x09" + bytes(8) + b"Q0x1",
    *(b"\x16" + version + bytes(10) + kind for version in RECORDS for kind in (b"\1", b"\2")),
    *(bytes((kind, 0xFE, 0xFD)) + bytes(10) for kind in range(19, 28)),
    *(b"\x16\xfe\xfd" + bytes(8) + bytes((0, size, 2)) + bytes(11) for size in (12, 13)),
    *(
        bytes((7, 7, flags, 0, 0, 1, 0, answers, 0, 0, 0, few))
        for flags in (0, 1, 0x80, 0x78, 0x40)
        for answers in (0, 1)
        for few in (2, 3)
    ),
    *(
        bytes((kind, *version, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, first))
        for kind in (22, 23, 25)
        for version in RECORDS
        for first in (1, 2)
    ),
    *(bytes((kind, 0, 0, 0)) for kind in range(6)),
]
INSIDE = [
    ip("10.9.0.1", "198.51.100.7", udp(1, 2, b"in"), UDP),
    ip("2001:db8::9", "2001:db8::7", tcp(1, 2, "S"), TCP),
    b"\x45\0\0\x15" + bytes(17),
    b"\x41\0\0\x14" + bytes(16),
    b"\x60\0\0\0\0\x04" + bytes(38),
]
LENGTHS = (0, 1, 3, 4, 5, 12, 13, 14, 32, 48, 50, 64, 92, 148)
NO_SHAPES = datagrams.Shapes(1, 2, np.zeros(1 << 8, np.uint8))
PORTS = (*BY_PORT, *tunnels.PORTS, 443, 4433, 40000)


def packet(random: np.random.Generator, payload: bytes) -> bytes:
    """One of UDP mostly, to and from ports that mean something."""
    sport, dport = (PORTS[one] for one in random.integers(0, len(PORTS), 2).tolist())
    kind = int(random.integers(8))
    if kind == 0:
        return ip("10.0.0.1", "10.0.0.2", tcp(sport, dport, "PA", 1, 1, payload), TCP)
    if kind == 1:
        protocol = [*tunnels.PROTOCOLS, 1, 132][int(random.integers(10))]
        return ip("10.0.0.1", "10.0.0.2", payload, protocol)
    return ip("10.0.0.1", "10.0.0.2", udp(sport, dport, payload), UDP)


def batch(seed: int) -> PacketBatch:
    """Packets that begin as datagrams do which somebody reads, or nearly so; some are cut."""
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(200):
        beginning = BEGINNINGS[int(random.integers(len(BEGINNINGS)))]
        length = LENGTHS[int(random.integers(len(LENGTHS)))]
        payload = (beginning + bytes(150))[: max(length, int(random.integers(len(beginning) + 2)))]
        if random.integers(4) == 0:
            inside = bytearray(INSIDE[int(random.integers(len(INSIDE)))])
            inside[int(random.integers(len(inside)))] ^= int(random.integers(2))
            payload = bytes(inside)
        frame = ethernet(packet(random, payload))
        kept = len(frame) - int(random.integers(20)) * (random.integers(5) == 0)
        frames.append(Frame(0, frame[:kept], len(frame)))
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


def some_flows(seed: int, count: int) -> I64:
    return np.random.default_rng(seed).integers(-1, 9, count)


@pytest.mark.parametrize("seed", range(30))
def test_tunnels_are_those_of_numpy(seed: int) -> None:
    packets = batch(seed)
    found = compiled(lambda: tunnels.readers_of(packets))
    expected = in_numpy(lambda: tunnels.readers_of(packets))
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]
    assert len(found[0])
    assert [column.dtype for column in found] == [column.dtype for column in expected]


@pytest.mark.parametrize("seed", range(30))
def test_kinds_are_those_of_numpy(seed: int) -> None:
    packets, wanted = batch(seed), Datagrams(SALTS, PLAIN_VERSIONS)
    flow = some_flows(seed, len(packets))
    found = compiled(lambda: wanted._chosen(packets, flow))
    expected = in_numpy(lambda: wanted._chosen(packets, flow))
    assert [column.tolist() for column in found] == [column.tolist() for column in expected]
    assert len(found[0])
    assert [column.dtype for column in found] == [column.dtype for column in expected]


def test_all_kinds_are_among_those_that_were_compared() -> None:
    wanted, found = Datagrams(SALTS, PLAIN_VERSIONS), set[int]()
    for seed in range(30):
        packets = batch(seed)
        found |= {*wanted._chosen(packets, some_flows(seed, len(packets)))[1].tolist()}
    assert found == {*range(10)}


@pytest.mark.parametrize("place", [-1, 1 << 40, -(1 << 63)])
def test_a_payload_that_does_not_lie_in_the_buffer_is_not_read(place: int) -> None:
    packets = batch(0)
    outside = replace(packets, payload=np.full(len(packets), place))
    ports = np.full(1 << 16, -1, np.int8)
    none = np.zeros(0, np.uint32)
    rows, _ = datagrams.kinds(outside, np.zeros(len(packets), np.int64), ports, none, none)
    assert not len(rows)
    nothing, shapes = np.zeros(1 << 16, np.uint8), datagrams.Shapes(1, 2, np.ones(1 << 8, np.uint8))
    assert not len(datagrams.tunnels(outside, nothing[:256], nothing, shapes)[0])


def test_tables_that_are_too_short_are_refused() -> None:
    packets, ports = batch(0), np.zeros(1 << 16, np.uint8)
    with pytest.raises(ValueError, match="no column"):
        datagrams.tunnels(packets, ports[:255], ports, NO_SHAPES)
    with pytest.raises(ValueError, match="no column"):
        datagrams.tunnels(packets, ports[:256], ports[:-1], NO_SHAPES)
    with pytest.raises(ValueError, match="no column"):
        short = NO_SHAPES._replace(passes_over=ports[:255])
        datagrams.tunnels(packets, ports[:256], ports, short)
    flow, kinds = np.zeros(len(packets), np.int64), np.zeros(1 << 16, np.int8)
    words = np.zeros(1, np.uint32)
    with pytest.raises(ValueError, match="no column"):
        datagrams.kinds(packets, flow[:-1], kinds, words, words)
    with pytest.raises(ValueError, match="no column"):
        datagrams.kinds(packets, flow, kinds[:-1], words, words)


def test_of_no_packets_none_are_chosen() -> None:
    none = packets_of(next(iter(opened(pcap([Frame(0, bytes(60))])))), Ledger())
    assert len(none) == 0 and len(none.buffer) > PADDING
    assert compiled(lambda: len(tunnels.readers_of(none)[0])) == 0
