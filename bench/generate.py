"""Writes large captures of invented traffic, the same bytes for the same seed, in bounded memory.

    python bench/generate.py FOLDER [big long small scan few] [--scale 1.0] [--formats pcap pcapng]

`big`: 62 % TLS flows with server names (a third of the ClientHellos in two segments), 10 % HTTP,
20 % QUIC v1 with Initials that can be decrypted, the rest DNS; 20 % IPv6, 10 % with a VLAN tag;
1.5 million packets in 28,000 flows, about 1.2 GB. What servers send is framed as it is on the wire
(TLS records of up to 16 KB, a Content-Length, QUIC's short headers), and noise inside. `long`: as
many flows, four times as long. `small`: the same mix in small packets, 5.3 million in 84,000 flows.
`scan`: 3 million flows of one SYN each. `few`: 100 packets.
Nothing of it was ever sent, and no address stands for anybody.
"""

import argparse
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from answers import Streams, write_http, write_quic, write_tls
from payloads import (
    HYBRID,
    X25519,
    client_hello,
    dns_answer,
    dns_query,
    http_request,
    quic_answer,
    quic_initial,
    tls_record,
)

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

BEGIN_NS = 1_700_000_000_000_000_000
WAVE = 1000
"""Flows that are under way at once; what is in memory is a wave."""
HOSTS, TEMPLATES, CLIENTS = 3000, 400, 250
SEGMENT = 1448
TLS, HTTP, QUIC, DNS = range(4)
SHARES = (0.62, 0.10, 0.20, 0.08)
SYN, ACK, FIN, PSH = 2, 16, 1, 8
FIRST_SEQ = 1000
"""Sequence number of each SYN."""
ETHERNET = 14


@dataclass(frozen=True)
class Shape:
    """What a capture is like."""

    flows: int
    packets: int
    payload: int
    """Bytes of most payloads from servers."""


SHAPES = {
    "big": Shape(28_000, 1_500_000, SEGMENT),
    "long": Shape(28_000, 6_000_000, SEGMENT),
    "small": Shape(84_000, 5_300_000, 60),
    "few": Shape(6, 100, SEGMENT),
}


@dataclass
class Packets:
    """Packets of a wave in the order in which they were sent; one array a field."""

    flow: I64
    outward: npt.NDArray[np.bool_]
    flags: I64
    size: I64
    seq: I64
    ack: I64
    ts_ns: I64
    first: list[tuple[int, bytes]]
    """Rows whose payload means something, and that payload; the rest is noise."""


@dataclass
class Ends:
    """Who talks in each flow of a wave."""

    kind: I64
    v6: npt.NDArray[np.bool_]
    vlan: npt.NDArray[np.bool_]
    client: I64
    server: I64
    cport: I64
    sport: I64


class Invention:
    """The world of one capture: hosts with addresses, templates, a source of chance."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self.chance = np.random.default_rng(seed)
        self.random = Random(seed)
        self.shape = shape
        self.hosts = [
            f"{self.random.randbytes(4).hex()}.host{n % 97}.example" for n in range(HOSTS)
        ]
        octets = self.chance.integers(1, 255, (HOSTS, 4))
        octets[:, 0] = self.chance.choice([5, 23, 34, 52, 104, 142, 151, 185], HOSTS)
        self.v4 = octets.astype(np.uint8)
        self.v6 = self.chance.integers(0, 256, (HOSTS, 16)).astype(np.uint8)
        self.v6[:, :2] = (0x2A, 0x03)
        self.noise = self.chance.integers(0, 256, 8 << 20).astype(np.uint8)
        popular = self.chance.zipf(1.2, TEMPLATES) % HOSTS
        self.initials = []
        for host in popular.tolist():
            dcid = self.random.randbytes(8)
            asked = quic_initial(self.hosts[host], dcid, self.random)
            self.initials.append((asked, quic_answer(dcid, self.random)))
        self.sent = 0

    def wave(self, flows: int, packets: int) -> tuple[Ends, Packets]:
        """`flows` flows of about `packets` packets together."""
        chance = self.chance
        kind = chance.choice(4, flows, p=SHARES)
        ends = Ends(
            kind=kind,
            v6=chance.random(flows) < 0.2,
            vlan=chance.random(flows) < 0.1,
            client=chance.integers(0, CLIENTS, flows),
            server=chance.zipf(1.2, flows) % HOSTS,
            cport=32768 + (self.sent + np.arange(flows)) % 28000,
            sport=np.array([443, 80, 443, 53])[kind],
        )
        self.sent += flows
        weight = chance.lognormal(0, 1.2, flows)
        weight[kind == DNS] = 0
        count = 8 + (weight / weight.sum() * max(packets - 8 * flows, 0)).astype(np.int64)
        count[kind == DNS] = 2
        return ends, self._spoken(ends, count)

    def _spoken(self, ends: Ends, count: I64) -> Packets:
        """What the flows say, with `count` packets each, laid beside each other in time."""
        chance, total = self.chance, int(count.sum())
        flow = np.repeat(np.arange(len(count)), count)
        starts = np.cumsum(count) - count
        rank = np.arange(total) - starts[flow]
        left = count[flow] - 1 - rank
        tcp = ends.sport[flow] == 80
        tcp |= ends.kind[flow] == TLS
        outward = chance.random(total) < 0.42
        size = np.where(outward, 0, self.shape.payload)
        size = np.where(~outward & (chance.random(total) < 0.12), size // 3 + 20, size)
        udp = ~tcp
        size = np.where(udp & outward, 40, np.where(udp, np.minimum(size, 1250), size))
        flags = np.where(size > 0, PSH | ACK, ACK)
        for place, says, sender in ((0, SYN, True), (1, SYN | ACK, False), (2, ACK, True)):
            rows = tcp & (rank == place)
            flags[rows], outward[rows], size[rows] = says, sender, 0
        for place, says, sender in ((0, ACK, True), (1, FIN | ACK, False), (2, FIN | ACK, True)):
            rows = tcp & (left == place)
            flags[rows], outward[rows], size[rows] = says, sender, 0
        outward[udp & (rank == 0)] = True
        outward[udp & (rank == 1)] = False
        first = self._first(ends, starts, outward, size)
        seq, ack = _numbered(flow, outward, size, flags)
        span = chance.integers(5 * 10**8, 20 * 10**9, len(count))
        begin = chance.integers(0, 10**10, len(count))
        steps = np.cumsum(chance.random(total))
        within = (steps - steps[starts][flow]) / np.maximum(count[flow], 1)
        ts_ns = begin[flow] + (within * span[flow]).astype(np.int64)
        order = np.argsort(ts_ns, kind="stable")
        place_of = np.empty(total, np.int64)
        place_of[order] = np.arange(total)
        meant = [(int(place_of[row]), data) for row, data in first]
        columns = (flow, outward, flags, size, seq, ack, ts_ns)
        return Packets(*(column[order] for column in columns), meant)

    def _first(
        self, ends: Ends, starts: I64, outward: npt.NDArray[np.bool_], size: I64
    ) -> list[tuple[int, bytes]]:
        """The payloads that mean something, and room for them in `outward` and `size`."""
        found: list[tuple[int, bytes]] = []
        for flow, (kind, start) in enumerate(zip(ends.kind.tolist(), starts.tolist(), strict=True)):
            host = int(ends.server[flow])
            name = self.hosts[host]
            if kind == TLS:
                share = HYBRID if flow % 3 == 0 else X25519
                hello = tls_record(client_hello(name, self.random, share=share))
                parts = [hello[at : at + SEGMENT] for at in range(0, len(hello), SEGMENT)]
                said = [(start + 3 + n, part) for n, part in enumerate(parts)]
            elif kind == HTTP:
                said = [(start + 3, http_request(name, self.random))]
            elif kind == QUIC:
                asked, answered = self.initials[self.random.randrange(TEMPLATES)]
                said = [(start, asked), (start + 1, answered)]
            else:
                v6 = bool(ends.v6[flow])
                address = (self.v6 if v6 else self.v4)[host].tobytes()
                said = [
                    (start, dns_query(name, flow, v6=v6)),
                    (start + 1, dns_answer(name, flow, address)),
                ]
            for row, data in said:
                outward[row] = kind in (TLS, HTTP) or row == start
                size[row] = len(data)
            found += said
        return found


def _numbered(flow: I64, outward: npt.NDArray[np.bool_], size: I64, flags: I64) -> tuple[I64, I64]:
    """Sequence and acknowledgement number of each packet, flows lying side by side."""
    taken = size + (flags & (SYN | FIN) != 0)
    sums = []
    for mine in (outward, ~outward):
        before = np.cumsum(np.where(mine, taken, 0)) - np.where(mine, taken, 0)
        first = np.flatnonzero(np.append(True, flow[1:] != flow[:-1]))
        sums.append(before - before[first][flow] + FIRST_SEQ)
    return np.where(outward, sums[0], sums[1]), np.where(outward, sums[1], sums[0])


def _columns(widths: list[tuple[int, I64 | int]], rows: int) -> U8:
    """(rows, bytes): fields of the given widths in network order, side by side."""
    parts = []
    for width, values in widths:
        column = np.broadcast_to(np.asarray(values, np.int64), (rows,))
        shifts = np.arange(8 * (width - 1), -1, -8)
        parts.append((column[:, None] >> shifts & 255).astype(np.uint8))
    return np.concatenate(parts, axis=1)


def _transport(ends: Ends, packets: Packets, rows: I64, *, tcp: bool) -> U8:
    flow, out = packets.flow[rows], packets.outward[rows]
    ports = [(2, np.where(out, ends.cport[flow], ends.sport[flow]))]
    ports.append((2, np.where(out, ends.sport[flow], ends.cport[flow])))
    if not tcp:
        return _columns([*ports, (2, packets.size[rows] + 8), (2, 0)], len(rows))
    numbers = [(4, packets.seq[rows]), (4, packets.ack[rows])]
    rest = [(1, 5 << 4), (1, packets.flags[rows]), (2, 64240), (4, 0)]
    return _columns([*ports, *numbers, *rest], len(rows))


def _network(world: Invention, ends: Ends, packets: Packets, rows: I64, size: I64, proto: int,
             *, v6: bool) -> U8:  # fmt: skip
    flow, out = packets.flow[rows], packets.outward[rows]
    far = (world.v6 if v6 else world.v4)[ends.server[flow]]
    near = np.zeros_like(far)
    near[:, 0] = 0xFD if v6 else 10
    near[:, -1] = ends.client[flow] + 1
    pair = (np.where(out[:, None], near, far), np.where(out[:, None], far, near))
    if v6:
        head = _columns([(4, 6 << 28), (2, size), (1, proto), (1, 64)], len(rows))
        return np.concatenate([head, *pair], axis=1)
    fields: list[tuple[int, I64 | int]] = [(2, 0x4500), (2, size + 20), (2, rows & 0xFFFF)]
    fields += [(2, 0x4000), (1, 64), (1, proto), (2, 0)]
    header = np.concatenate([_columns(fields, len(rows)), *pair], axis=1)
    total = header.view(">u2").astype(np.int64).sum(axis=1)
    total = (total & 0xFFFF) + (total >> 16)
    header[:, 10:12] = (
        (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).astype(">u2")[:, None].view(np.uint8)
    )
    return header


def _link(packets: Packets, rows: I64, *, v6: bool, vlan: bool) -> U8:
    macs = np.array([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], np.uint8)
    turned = np.roll(macs, 6)
    both = np.where(packets.outward[rows, None], macs, turned)
    tag: list[tuple[int, I64 | int]] = [(2, 0x8100), (2, 7)] if vlan else []
    return np.concatenate(
        [both, _columns([*tag, (2, 0x86DD if v6 else 0x0800)], len(rows))], axis=1
    )


def frames_of(world: Invention, ends: Ends, packets: Packets) -> tuple[U8, I64, I64]:
    """The bytes of all frames, and where each begins and how long it is."""
    flow = packets.flow
    tcp = (ends.kind[flow] == TLS) | (ends.kind[flow] == HTTP)
    v6, vlan = ends.v6[flow], ends.vlan[flow]
    heads = ETHERNET + 4 * vlan + np.where(v6, 40, 20) + np.where(tcp, 20, 8)
    length = heads + packets.size
    start = np.cumsum(length) - length
    total = int(length.sum())
    turn = int(world.chance.integers(0, len(world.noise)))
    data = np.resize(np.roll(world.noise, turn), total)
    for is_tcp in (False, True):
        for is_v6 in (False, True):
            for tagged in (False, True):
                rows = np.flatnonzero((tcp == is_tcp) & (v6 == is_v6) & (vlan == tagged))
                transport = _transport(ends, packets, rows, tcp=is_tcp)
                size = packets.size[rows] + transport.shape[1]
                proto = 6 if is_tcp else 17
                network = _network(world, ends, packets, rows, size, proto, v6=is_v6)
                link = _link(packets, rows, v6=is_v6, vlan=tagged)
                header = np.concatenate([link, network, transport], axis=1)
                data[start[rows, None] + np.arange(header.shape[1])] = header
    _framed(ends, packets, data, start + heads)
    for row, payload in packets.first:
        at = int(start[row] + heads[row])
        data[at : at + len(payload)] = np.frombuffer(payload, np.uint8)
    return data, start, length


def _framed(ends: Ends, packets: Packets, data: U8, at: I64) -> None:
    """Writes into the payloads, which begin at `at`, what frames the noise in them."""
    kind = ends.kind[packets.flow]
    for spoken, write_stream in ((TLS, write_tls), (HTTP, write_http)):
        rows = np.flatnonzero((kind == spoken) & ~packets.outward & (packets.size > 0))
        offset = packets.seq[rows] - FIRST_SEQ - 1
        write_stream(data, Streams(packets.flow[rows], offset, packets.size[rows], at[rows]))
    write_quic(data, at[kind == QUIC])


Written = Callable[[U8, I64, I64, I64], bytes]


def pcap(data: U8, start: I64, length: I64, ts_ns: I64) -> bytes:
    """The frames as records of pcap in nanoseconds."""
    head = np.empty((len(start), 4), "<u4")
    head[:, 0], head[:, 1] = ts_ns // 10**9, ts_ns % 10**9
    head[:, 2] = head[:, 3] = length
    return _interleaved(
        data, start, length, head.view(np.uint8), np.empty((len(start), 0), np.uint8)
    )


def pcapng(data: U8, start: I64, length: I64, ts_ns: I64) -> bytes:
    """The frames as enhanced packet blocks in nanoseconds."""
    padded = length + 3 & ~3
    head = np.zeros((len(start), 7), "<u4")
    head[:, 0], head[:, 1] = 6, padded + 32
    head[:, 3], head[:, 4] = ts_ns >> 32, ts_ns & 0xFFFFFFFF
    head[:, 5] = head[:, 6] = length
    tail = np.ascontiguousarray(head[:, 1:2])
    return _interleaved(data, start, length, head.view(np.uint8), tail.view(np.uint8))


def _interleaved(data: U8, start: I64, length: I64, head: U8, tail: U8) -> bytes:
    """Each frame with its head before it and, at the next multiple of four, its tail behind it."""
    rows, before, behind = len(start), head.shape[1], tail.shape[1]
    room = length + 3 & ~3 if behind else length
    whole = before + room + behind
    at = np.cumsum(whole) - whole
    out = np.zeros(int(whole.sum()), np.uint8)
    shift = np.repeat(at + before - start, length)
    out[np.arange(len(data)) + shift] = data
    out[at[:, None] + np.arange(before)] = head
    if behind:
        out[(at + whole - behind)[:, None] + np.arange(behind)] = tail
    assert rows == len(at)
    return out.tobytes()


PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
RESOLUTION = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
IDB = struct.pack("<HHI", 1, 0, 262144) + RESOLUTION
PCAPNG_HEADER = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
PCAPNG_HEADER += struct.pack("<II", 1, len(IDB) + 12) + IDB + struct.pack("<I", len(IDB) + 12)
FORMATS: dict[str, tuple[bytes, Written]] = {
    "pcap": (PCAP_HEADER, pcap),
    "pcapng": (PCAPNG_HEADER, pcapng),
}


def conversations(shape: Shape, seed: int, scale: float) -> Iterator[tuple[U8, I64, I64, I64]]:
    """Frames with their times, wave by wave."""
    world = Invention(seed, shape)
    left, packets = max(round(shape.flows * scale), 1), round(shape.packets * scale)
    waves = -(-left // WAVE)
    began = BEGIN_NS
    for _ in range(waves):
        flows = min(WAVE, left)
        ends, spoken = world.wave(flows, packets * flows // max(round(shape.flows * scale), 1))
        data, start, length = frames_of(world, ends, spoken)
        ts_ns = began + spoken.ts_ns
        yield data, start, length, ts_ns
        began, left = int(ts_ns[-1]) + 1000, left - flows


def scan(seed: int, scale: float) -> Iterator[tuple[U8, I64, I64, I64]]:
    """Three million SYNs from one host, each to another address and port."""
    chance = np.random.default_rng(seed)
    left, began = round(3_000_000 * scale), BEGIN_NS
    while left:
        rows = min(left, 100_000)
        frame = np.zeros((rows, 54), np.uint8)
        frame[:, :14] = np.frombuffer(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0", np.uint8)
        ip = [(2, 0x4500), (2, 40), (2, 0), (2, 0x4000), (1, 64), (1, 6), (2, 0), (4, 10 << 24 | 5)]
        far = chance.integers(0, 1 << 24, rows) | chance.integers(60, 100, rows) << 24
        ports = [(2, chance.integers(1024, 65536, rows)), (2, chance.integers(1, 65536, rows))]
        tcp = [(4, chance.integers(0, 1 << 32, rows)), (4, 0), (2, 0x5002), (2, 1024), (4, 0)]
        frame[:, 14:] = _columns([*ip, (4, far), *ports, *tcp], rows)
        at = np.arange(rows) * 54
        yield frame.reshape(-1), at, np.full(rows, 54), began + np.arange(rows) * 10_000
        began, left = began + rows * 10_000, left - rows


def write(kind: str, form: str, out: BinaryIO, *, seed: int, scale: float) -> None:
    """Writes one capture."""
    header, written = FORMATS[form]
    out.write(header)
    source = scan(seed, scale) if kind == "scan" else conversations(SHAPES[kind], seed, scale)
    for frames in source:
        out.write(written(*frames))


def main() -> None:
    """Reads the command line and writes what is not there yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", default=["big", "small", "scan", "few"])
    parser.add_argument("--scale", type=float, default=1.0, help="of packets and flows")
    parser.add_argument("--formats", nargs="*", default=["pcap"], choices=FORMATS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for kind in given.kinds:
        for form in given.formats:
            path = given.folder / f"{kind}-{given.scale:g}.{form}"
            if not path.exists():
                with path.with_suffix(".part").open("wb") as out:
                    write(kind, form, out, seed=given.seed, scale=given.scale)
                path.with_suffix(".part").replace(path)
            print(f"{path} {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
