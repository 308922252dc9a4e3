"""Every packet of an interface is heard once, with its length, or counted as dropped."""

import os
import select
import socket
from collections.abc import Callable
from typing import TypeVar

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.packet_socket import Frame, PacketSocket, open_packet_socket
from egress_audit.record.syscalls import CLONE_NEWNET
from tests.builders.namespaces import in_child

pytestmark = pytest.mark.opens_sockets

IPV4, IPV6 = 0x0800, 0x86DD


Result = TypeVar("Result")


def with_loopback(function: Callable[[], Result]) -> Result:
    def inside() -> Result:
        with Links() as links:
            links.up("lo")
        return function()

    return in_child(inside, namespaces=CLONE_NEWNET)


def send(payload: bytes, address: str = "127.0.0.1", count: int = 1) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(family, socket.SOCK_DGRAM) as client,
    ):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind((address, 0))
        for _ in range(count):
            client.sendto(payload, server.getsockname())


def everything(heard: PacketSocket) -> list[Frame]:
    frames = []
    while batch := heard.read():
        frames += batch
    return frames


def test_a_packet_on_the_loopback_is_heard_once_from_its_ip_header() -> None:
    def heard() -> list[Frame]:
        listener = open_packet_socket("lo", cooked=True)
        send(b"once")
        return listener.read()

    (frame,) = with_loopback(heard)
    assert frame.data[0] == 0x45
    assert frame.data[-4:] == b"once"
    assert frame.wire_len == len(frame.data) == 32
    assert not frame.outgoing
    assert frame.protocol == IPV4


def test_the_protocol_tells_the_ip_version() -> None:
    def heard() -> list[int]:
        listener = open_packet_socket("lo", cooked=True)
        send(b"six", "::1")
        return [frame.protocol for frame in listener.read()]

    assert with_loopback(heard) == [IPV6]


def test_with_what_is_sent_a_packet_on_the_loopback_is_heard_twice() -> None:
    def heard() -> list[bool]:
        listener = open_packet_socket("lo", cooked=True, ignore_outgoing=False)
        send(b"twice")
        return [frame.outgoing for frame in listener.read()]

    assert with_loopback(heard) == [True, False]


def test_a_raw_socket_hears_the_link_layer_too() -> None:
    def heard() -> list[Frame]:
        listener = open_packet_socket("lo", cooked=False)
        send(b"raw")
        return listener.read()

    (frame,) = with_loopback(heard)
    assert frame.data[12:14] == IPV4.to_bytes(2)
    assert frame.wire_len == 14 + 28 + 3


def test_the_greatest_datagram_is_heard_whole() -> None:
    def heard() -> list[tuple[int, int]]:
        listener = open_packet_socket("lo", cooked=True)
        send(bytes(65_507))
        return [(len(frame.data), frame.wire_len) for frame in everything(listener)]

    assert with_loopback(heard) == [(65_535, 65_535)]


def test_the_greatest_datagram_of_ipv6_is_heard_whole() -> None:
    def heard() -> list[tuple[int, int]]:
        with Links() as links:
            links.up("lo", mtu=70_000)
        listener = open_packet_socket("lo", cooked=True)
        send(bytes(65_527), "::1")
        return [(len(frame.data), frame.wire_len) for frame in everything(listener)]

    assert with_loopback(heard) == [(65_575, 65_575)]


def test_a_frame_longer_than_any_packet_is_cut_and_says_how_long_it_was() -> None:
    def heard() -> list[tuple[int, int]]:
        with Links() as links:
            links.up("lo", mtu=100_000)
        listener = open_packet_socket("lo", cooked=True)
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            sender.sendto(bytes(90_000), ("lo", IPV6, 0, 0, b""))
        return [(len(frame.data), frame.wire_len) for frame in everything(listener)]

    assert with_loopback(heard) == [(65_593, 90_000)]


def test_received_and_dropped_sum_to_what_passed_however_often_asked() -> None:
    def counts() -> tuple[int, int, int]:
        listener = open_packet_socket("lo", cooked=True)
        with socket.socket(fileno=os.dup(listener.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
        send(b"burst", count=500)
        listener.statistics()
        read = len(everything(listener))
        send(b"burst", count=500)
        read += len(everything(listener))
        received, dropped = listener.statistics()
        return read, received, dropped

    read, received, dropped = with_loopback(counts)
    assert read == received
    assert received + dropped == 1_000
    assert dropped


def test_a_large_buffer_drops_nothing() -> None:
    def counts() -> tuple[int, int]:
        listener = open_packet_socket("lo", cooked=True)
        send(b"burst", count=100)
        return listener.statistics()

    assert with_loopback(counts) == (100, 0)


def test_reading_never_waits() -> None:
    assert with_loopback(lambda: open_packet_socket("lo", cooked=True).read()) == []


def test_a_socket_handed_to_another_object_goes_on() -> None:
    def heard() -> bool:
        opened = PacketSocket(open_packet_socket("lo", cooked=True).detach())
        send(b"handed")
        readable, _, _ = select.select([opened], [], [], 5)
        return readable == [opened] and len(opened.read()) == 1

    assert with_loopback(heard) is True


def test_nothing_of_another_interface_is_heard() -> None:
    def heard() -> list[Frame]:
        with Links() as links:
            links.veth("eg0", "eg1")
            links.up("eg0")
        listener = open_packet_socket("eg0", cooked=False)
        send(b"elsewhere")
        return [frame for frame in everything(listener) if frame.data.endswith(b"elsewhere")]

    assert with_loopback(heard) == []


def test_an_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(OSError, match="hear interface eg9"):
        with_loopback(lambda: open_packet_socket("eg9", cooked=True))
