"""Packets go on to the real network one by one, but those of our probes, which stay."""

import select
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from egress_audit.model.run import Network
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.record.passthrough import (
    BUFFER_LEN,
    SWALLOWED,
    FramedStream,
    OpenNetwork,
    OpenWire,
    host_resolvers,
)
from egress_audit.record.probe import SENTINEL4, SENTINEL6
from egress_audit.record.wire import TunWire

pytestmark = pytest.mark.opens_sockets

OURS4, OURS6 = "10.87.0.2", "fd00:e6e4::2"


def datagram(target: str, payload: bytes = b"x", source: str = "") -> bytes:
    """A UDP datagram to port 9, without a checksum in IPv4's header."""
    udp = struct.pack("!4H", 40_000, 9, 8 + len(payload), 0) + payload
    if ":" in target:
        ends = [socket.inet_pton(socket.AF_INET6, text) for text in (source or OURS6, target)]
        return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + b"".join(ends) + udp
    ends = [socket.inet_aton(text) for text in (source or OURS4, target)]
    head = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0)
    return head + b"".join(ends) + udp


class Far:
    """A way on whose other end the test holds."""

    def __init__(self, versions: frozenset[int] = frozenset({4, 6})) -> None:
        near, self.end = socket.socketpair()
        self.stream = FramedStream(near)
        sealed = Internet(InternetSettings(mode=Network.SEALED), Random(1))
        self.network = OpenNetwork(self.stream, sealed, versions)

    def frames(self) -> bytes:
        return self.end.recv(1 << 20, socket.MSG_DONTWAIT)

    def brings(self, packet: bytes, kind: bytes = b"\x08\x00") -> bytes:
        frame = bytes(12) + kind + packet
        return struct.pack("!I", len(frame)) + frame

    def close(self) -> None:
        self.end.close()
        self.stream.close()


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.close()


def test_a_packet_goes_on_in_a_frame_of_its_length(far: Far) -> None:
    packet = datagram("203.0.113.5")
    assert far.network.answer(packet, 0) == []
    sent = far.frames()
    assert struct.unpack("!I", sent[:4]) == (len(packet) + 14,)
    assert sent[16:18] == b"\x08\x00"
    assert sent[18:] == packet


@pytest.mark.parametrize("target", [SENTINEL4, SENTINEL6])
def test_a_probe_never_goes_on(far: Far, target: str) -> None:
    assert far.network.answer(datagram(target), 0) == []
    with pytest.raises(BlockingIOError):
        far.frames()


def test_what_comes_from_a_sentinel_is_no_probe(far: Far) -> None:
    far.network.answer(datagram("203.0.113.5", source=SENTINEL4), 0)
    assert far.frames()


def test_the_swallowed_addresses_are_four() -> None:
    assert len(SWALLOWED) == 4


def test_a_version_that_has_no_way_on_is_refused_and_stays() -> None:
    far = Far(frozenset({4}))
    (answer,) = far.network.answer(datagram("2001:db8:5::5"), 0)
    assert answer[6] == 58
    with pytest.raises(BlockingIOError):
        far.frames()
    far.close()


def test_frames_that_come_in_pieces_are_put_together(far: Far) -> None:
    packets = [datagram(OURS4, bytes([n % 256]) * n, "203.0.113.5") for n in (1, 1400, 60_000)]
    told = b"".join(far.brings(packet) for packet in packets)
    arrived: list[bytes] = []
    for place in range(0, len(told), 7001):
        far.end.sendall(told[place : place + 7001])
        arrived += far.network.arrived()
    assert arrived == packets


def test_frames_that_hold_no_ip_are_left_out(far: Far) -> None:
    far.end.sendall(far.brings(bytes(28), b"\x08\x06") + far.brings(datagram(OURS4)))
    assert far.network.arrived() == [datagram(OURS4)]


def test_a_way_that_ends_is_refusal_from_then_on(far: Far) -> None:
    far.end.close()
    assert far.network.arrived() == []
    assert far.network.ended in far.network.limits()[0]
    (answer,) = far.network.answer(datagram("203.0.113.5"), 0)
    assert answer[9] == 1


def test_a_way_that_goes_on_has_no_limit(far: Far) -> None:
    far.network.answer(datagram("203.0.113.5"), 0)
    assert far.network.limits() == []


def test_a_length_beyond_all_frames_ends_the_way(far: Far) -> None:
    far.end.sendall(struct.pack("!I", BUFFER_LEN * 2) + bytes(100))
    far.network.arrived()
    assert far.network.ended


def test_two_sides_that_both_send_do_not_wait_for_each_other(far: Far) -> None:
    count, packet = 200, datagram("203.0.113.5", bytes(60_000))

    def echo() -> None:
        while part := far.end.recv(1 << 16):
            far.end.sendall(part)

    threading.Thread(target=echo, daemon=True).start()
    back: list[bytes] = []
    for _ in range(count):
        far.network.answer(packet, 0)
        back += far.network.arrived()
    while len(back) < count and select.select([far.stream], [], [], 5)[0]:
        back += far.network.arrived()
    assert back == [packet] * count


def test_the_wire_wakes_for_what_comes_back_and_sleeps_once_the_way_has_ended(far: Far) -> None:
    device, other = socket.socketpair(type=socket.SOCK_DGRAM)
    wire = OpenWire(TunWire(device.detach()), far.network)
    assert not select.select([wire], [], [], 0)[0]
    far.end.sendall(far.brings(datagram(OURS4)))
    assert select.select([wire], [], [], 1)[0]
    far.network.arrived()
    far.end.close()
    far.network.arrived()
    assert list(wire.frames()) == []
    assert not select.select([wire], [], [], 0)[0]
    wire.close()
    other.close()


def resolvers(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "resolv.conf"
    path.write_text(text)
    return host_resolvers(path)


def test_resolvers_of_the_network_are_asked_directly(tmp_path: Path) -> None:
    text = "search x\nnameserver 192.168.1.1\nnameserver\nnameserver 2001:db8::1\nnameserver ::1\n"
    assert resolvers(tmp_path, text) == ("192.168.1.1", "2001:db8::1")


@pytest.mark.parametrize("first", ["127.0.0.53", "::1", "fe80::1%eth0", "0.0.0.0"])
def test_a_first_resolver_that_only_the_host_can_ask_leaves_none(
    tmp_path: Path, first: str
) -> None:
    assert resolvers(tmp_path, f"nameserver {first}\nnameserver 192.168.1.1\n") == ()


def test_a_host_without_a_resolv_conf_names_none(tmp_path: Path) -> None:
    assert host_resolvers(tmp_path / "none") == ()
