"""Captures made to exhaust whoever reads them; the large ones as columns."""

import gzip
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .files import Frame, Interface, Section, pcap, pcapng
from .packets import TCP, UDP, ethernet, ipv4, tcp, udp
from .payloads import client_hello, dns_query

START_S = 1_700_000_000
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
MILLION = 1_000_000
IP_ID, IP_DST, UDP_SPORT = 34, 46, 50
"""Offsets into a record whose frame is Ethernet, IPv4 without options, UDP."""

Records = npt.NDArray[np.uint8]


def repeated(frame: bytes, count: int) -> Records:
    """(count, 16 + frame) records of a pcap, a millisecond apart."""
    record = struct.pack("<IIII", START_S, 0, len(frame), len(frame)) + frame
    records = np.tile(np.frombuffer(record, np.uint8), (count, 1))
    number = np.arange(count)
    _write(records, 0, "<u4", START_S + number // 1000)
    _write(records, 4, "<u4", number % 1000 * 1000)
    return records


def _write(records: Records, at: int, kind: str, values: npt.NDArray[np.int64]) -> None:
    """Puts one number into each record, at an offset."""
    fields = values.astype(kind).view(np.uint8).reshape(len(records), -1)
    records[:, at : at + fields.shape[1]] = fields


def half_open_flows() -> bytes:
    """A SYN from us to each of a million addresses."""
    records = repeated(ethernet(ipv4("10.0.0.2", "11.0.0.0", tcp(40000, 443), TCP)), MILLION)
    records[:, 46:50] = (
        (0x0B000000 + np.arange(MILLION)).astype(">u4").view(np.uint8).reshape(-1, 4)
    )
    return HEADER + records.tobytes()


def fragments() -> bytes:
    """A million first fragments, of as many datagrams whose rest never comes."""
    wire = udp(40000, 443, bytes(24), length=3000)
    frame = ethernet(ipv4("10.0.0.2", "11.0.0.1", wire, UDP, more_fragments=True))
    records = repeated(frame, MILLION)
    number = np.arange(MILLION)
    _write(records, IP_ID, ">u2", number % 65536)
    _write(records, IP_DST + 2, ">u2", number // 65536)
    return HEADER + records.tobytes()


def empty_records() -> bytes:
    """Records without a byte of a frame."""
    return HEADER + repeated(b"", 100_000).tobytes()


def interfaces() -> bytes:
    """50 000 interfaces, and one frame of the last."""
    number = 50_000
    frame = Frame(START_S * 10**9, ethernet(b"\x45" * 20), interface=number - 1)
    return pcapng([Section([frame], [Interface()] * number)])


def lengths_of_4_gb() -> bytes:
    """A record that claims to be as long as a file can say."""
    return HEADER + struct.pack("<IIII", START_S, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(64)


def gzip_bomb() -> bytes:
    """2 GiB of zeros behind a header, in 2 MB."""
    packed = gzip.compress(bytes(64 << 20), 9)
    return gzip.compress(HEADER) + packed * 32


def records_in_gzip() -> bytes:
    """A million records that can be read, in a small file: they are read and counted."""
    frame = ethernet(ipv4("10.0.0.2", "127.0.0.1", tcp(1, 2), TCP))
    return gzip.compress(HEADER + repeated(frame, MILLION).tobytes(), 1)


def compression_loops() -> bytes:
    """Questions whose names point at themselves."""
    loop = dns_query("a.example")[:12] + b"\xc0\x0c\0\1\0\1"
    chain = dns_query("a.example")[:12] + b"".join(
        struct.pack(">H", 0xC00E + 2 * n) for n in range(200)
    )
    frames = [
        Frame(START_S * 10**9 + n, ethernet(ipv4("10.0.0.2", "10.0.0.1", udp(4000, 53, said), UDP)))
        for n, said in enumerate([loop, chain] * 2000)
    ]
    return pcap(frames)


def nested_tunnels() -> bytes:
    """Packets in packets in packets, 100 deep."""
    packet = ipv4("10.0.0.2", "11.0.0.1", tcp(40000, 443), TCP)
    for depth in range(100):
        packet = ipv4("10.0.0.2", f"11.0.1.{depth}", packet, 4)
    return pcap([Frame(START_S * 10**9 + n, ethernet(packet)) for n in range(500)])


def jumping_times() -> bytes:
    """A clock that goes forth and back by a century."""
    frame = ethernet(ipv4("10.0.0.2", "11.0.0.1", udp(40000, 443, b"x"), UDP))
    times = [(START_S + n % 2 * 3_155_760_000) % (1 << 32) for n in range(2000)]
    return pcap([Frame(time * 10**9, frame) for time in times])


def names_of_every_byte() -> bytes:
    """Hellos to hosts whose names hold each of the 256 bytes."""
    frames = []
    for byte in range(256):
        said = client_hello("#.example").replace(b"#", bytes([byte]))
        wire = tcp(40000 + byte, 443, "PA", 1, 1, said)
        packet = ipv4("10.0.0.2", "11.0.0.1", wire, TCP)
        frames.append(Frame(START_S * 10**9 + byte, ethernet(packet)))
    return pcap(frames)


def alike_keys() -> bytes:
    """300 000 flows whose keys differ in their upper bits alone."""
    count = 300_000
    records = repeated(ethernet(ipv4("10.0.0.2", "11.0.0.1", udp(40000, 443, b"x"), UDP)), count)
    number = np.arange(count)
    _write(records, IP_DST, ">u4", number << 12 & 0xFFFFFFFF | 1)
    _write(records, UDP_SPORT, ">u2", number >> 4 & 0xFFF0)
    return HEADER + records.tobytes()


CAPTURES: dict[str, Callable[[], bytes]] = {
    made.__name__: made
    for made in (
        *(half_open_flows, fragments, empty_records, interfaces, lengths_of_4_gb, gzip_bomb),
        *(records_in_gzip, compression_loops, nested_tunnels, jumping_times),
        *(names_of_every_byte, alike_keys),
    )
}
