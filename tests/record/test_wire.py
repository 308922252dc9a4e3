"""The way out, as a TUN device or as a veth pair: what leaves, what goes in, what was lost."""

import fcntl
import os
import select
import socket
import struct
from collections.abc import Callable
from typing import TypeVar

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.packet_socket import open_packet_socket
from egress_audit.record.syscalls import CLONE_NEWNET
from egress_audit.record.tun import TUN_NODE, open_tun
from egress_audit.record.wire import (
    INSIDE_MAC,
    INTERFACE,
    MOST_READS,
    OUTSIDE_MAC,
    TunWire,
    VethWire,
)
from tests.builders import packets as p
from tests.builders.namespaces import in_child

pytestmark = pytest.mark.opens_sockets
needs_tun = pytest.mark.skipif(
    not os.access(TUN_NODE, os.R_OK | os.W_OK), reason=f"{TUN_NODE} may not be opened"
)

OUR, FAR = "10.87.0.2", "203.0.113.9"
Result = TypeVar("Result")


def with_tun(function: Callable[[TunWire], Result]) -> Result:
    """What the function returns of a TUN device in a namespace of its own."""

    def inside() -> Result:
        wire = TunWire(open_tun(INTERFACE))
        with Links() as links:
            links.no_link_local(INTERFACE)
            links.address(INTERFACE, OUR, 32)
            links.up(INTERFACE, txqlen=300)
            links.route("0.0.0.0/0", INTERFACE)
        return function(wire)

    return in_child(inside, namespaces=CLONE_NEWNET)


def send(count: int = 1, payload: bytes = b"out") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        for _ in range(count):
            made.sendto(payload, (FAR, 9))


@needs_tun
def test_what_leaves_by_the_device_is_a_packet() -> None:
    def left(wire: TunWire) -> list[bytes]:
        send()
        return [wire.packet_in(frame) for frame, _ in wire.frames()]

    (packet,) = with_tun(left)
    assert (packet[0], packet[-3:]) == (0x45, b"out")
    assert TunWire.linktype == 101


@needs_tun
def test_reading_an_idle_device_does_not_wait() -> None:
    assert with_tun(lambda wire: list(wire.frames())) == []


@needs_tun
def test_one_reading_takes_no_more_than_its_turn() -> None:
    def left(wire: TunWire) -> list[int]:
        send(MOST_READS + 10)
        return [len(list(wire.frames())) for _ in range(3)]

    assert with_tun(left) == [MOST_READS, 10, 0]


@needs_tun
def test_what_is_written_arrives_inside() -> None:
    def arrived(wire: TunWire) -> tuple[bool, bytes]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.bind((OUR, 0))
            made.settimeout(5)
            packet = p.ipv4(FAR, OUR, p.udp(9, made.getsockname()[1], b"in"), p.UDP)
            return wire.write(wire.frame_for(packet)), made.recv(100)

    assert with_tun(arrived) == (True, b"in")


@needs_tun
def test_what_is_no_packet_is_not_taken() -> None:
    assert with_tun(lambda wire: wire.write(b"\xff" * 40)) is False


@needs_tun
def test_what_the_device_dropped_is_counted_exactly() -> None:
    def counts(wire: TunWire) -> tuple[int, int]:
        send(1000)
        read = 0
        while part := len(list(wire.frames())):
            read += part
        return read, wire.dropped(os.getpid())

    read, dropped = with_tun(counts)
    assert read + dropped == 1000
    assert dropped >= 600


@needs_tun
def test_a_device_can_be_waited_for() -> None:
    def waited(wire: TunWire) -> bool:
        before = select.select([wire], [], [], 0)[0]
        send()
        return not before and select.select([wire], [], [], 5)[0] == [wire]

    assert with_tun(waited)


@needs_tun
def test_a_closed_device_is_gone() -> None:
    def links() -> bool:
        return INTERFACE in [name for _, name in socket.if_nameindex()]

    def names(wire: TunWire) -> tuple[bool, bool]:
        before = links()
        wire.close()
        return before, links()

    assert with_tun(names) == (True, False)


def with_veth(function: Callable[[VethWire], Result]) -> Result:
    """What the function returns of a veth pair; its far end has no address, so nobody answers."""

    def inside() -> Result:
        with Links() as links:
            links.veth(INTERFACE, "far")
            for name, address in ((INTERFACE, INSIDE_MAC), ("far", OUTSIDE_MAC)):
                links.no_link_local(name)
                set_hardware_address(name, address)
            links.address(INTERFACE, OUR, 32)
            links.up("far")
            links.up(INTERFACE)
            links.route("0.0.0.0/0", INTERFACE)
        packets = open_packet_socket("far", cooked=False)
        return function(VethWire(packets, INSIDE_MAC, OUTSIDE_MAC))

    return in_child(inside, namespaces=CLONE_NEWNET)


def set_hardware_address(name: str, address: bytes) -> None:
    """SIOCSIFHWADDR (netdevice(7))."""
    request = struct.pack("16sH14s", name.encode(), 1, address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        fcntl.ioctl(made, 0x8924, request)


def test_a_frame_of_the_pair_holds_the_packet_behind_its_header() -> None:
    def left(wire: VethWire) -> list[bytes]:
        packet = p.ipv4(OUR, FAR, p.udp(1, 9, b"out"), p.UDP)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as made:
            made.bind((INTERFACE, 0))
            made.send(OUTSIDE_MAC + INSIDE_MAC + b"\x08\x00" + packet)
        frames = [frame for frame, wire_len in wire.frames() if wire_len == len(frame)]
        return [wire.packet_in(frame) for frame in frames if frame[12:14] == b"\x08\x00"]

    assert with_veth(left) == [p.ipv4(OUR, FAR, p.udp(1, 9, b"out"), p.UDP)]
    assert VethWire.linktype == 1


def test_what_is_written_to_the_far_end_arrives_inside_and_is_not_heard_again() -> None:
    def arrived(wire: VethWire) -> tuple[bool, bytes, list[bytes]]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.bind((OUR, 0))
            made.settimeout(5)
            packet = p.ipv4(FAR, OUR, p.udp(9, made.getsockname()[1], b"in"), p.UDP)
            taken = wire.write(wire.frame_for(packet))
            said = made.recv(100)
        return taken, said, [frame for frame, _ in wire.frames() if frame.endswith(b"in")]

    assert with_veth(arrived) == (True, b"in", [])


@pytest.fixture
def veth() -> VethWire:
    """One whose frames are never read: its methods on bytes alone."""
    return VethWire(None, b"inside", b"outside"[:6])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ethertype", "holds"), [(0x0800, True), (0x86DD, True), (0x0806, False), (0x88CC, False)]
)
def test_only_ip_frames_hold_a_packet(veth: VethWire, ethertype: int, holds: bool) -> None:
    assert veth.packet_in(p.ethernet(b"packet", ethertype)) == (b"packet" if holds else b"")


@pytest.mark.parametrize(("first", "ethertype"), [(b"\x45", b"\x08\x00"), (b"\x60", b"\x86\xdd")])
def test_a_packet_gets_the_header_of_its_version(
    veth: VethWire, first: bytes, ethertype: bytes
) -> None:
    assert veth.frame_for(first) == b"inside" + b"outsid" + ethertype + first
