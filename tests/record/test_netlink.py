"""Links, addresses and routes are made in our own network namespace, and nowhere else."""

import fcntl
import os
import socket
import struct
import time
from pathlib import Path

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.syscalls import CLONE_NEWNET, unshare
from tests.builders.namespaces import in_child, links_of_the_host

pytestmark = pytest.mark.opens_sockets

MAC = bytes.fromhex("02e6e4000001")


def inet6_addresses(name: str) -> list[str]:
    lines = Path("/proc/self/net/if_inet6").read_text(encoding="ascii").splitlines()
    return [line.split()[0] for line in lines if line.split()[-1] == name]


def hardware_address(name: str) -> bytes:
    """By SIOCGIFHWADDR, which tells its family before it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        told = fcntl.ioctl(any_socket, 0x8927, struct.pack("16s24x", name.encode()))
    return told[18:24]


def with_pair(links: Links, *, link_local: bool = False) -> None:
    links.veth("eg0", "eg1", mac=MAC)
    for name in ("eg0", "eg1"):
        if not link_local:
            links.no_link_local(name)
        links.up(name)


def test_an_address_can_be_bound_once_it_was_added() -> None:
    def bound() -> tuple[str, str]:
        with Links() as links:
            links.up("lo")
            with_pair(links)
            links.address("eg0", "10.87.0.2", 32)
            links.address("eg0", "fd00:e6e4::2", 128)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
        ):
            four.bind(("10.87.0.2", 0))
            six.bind(("fd00:e6e4::2", 0))
            return four.getsockname()[0], six.getsockname()[0]

    assert in_child(bound, namespaces=CLONE_NEWNET) == ("10.87.0.2", "fd00:e6e4::2")


def test_a_link_without_link_local_addresses_has_none_when_it_is_up() -> None:
    def addresses() -> list[str]:
        with Links() as links:
            with_pair(links)
        return inet6_addresses("eg0")

    assert in_child(addresses, namespaces=CLONE_NEWNET) == []


def test_a_link_left_alone_gets_a_link_local_address() -> None:
    def addresses() -> list[str]:
        with Links() as links:
            with_pair(links, link_local=True)
        deadline = time.monotonic() + 10
        while not inet6_addresses("eg0") and time.monotonic() < deadline:
            time.sleep(0.01)
        return inet6_addresses("eg0")

    assert [text[:4] for text in in_child(addresses, namespaces=CLONE_NEWNET)] == ["fe80"]


def test_a_default_route_chooses_the_source_address() -> None:
    def source() -> tuple[str, str]:
        with Links() as links:
            with_pair(links)
            links.address("eg0", "10.87.0.2", 32)
            links.address("eg0", "fd00:e6e4::2", 128)
            links.route("0.0.0.0/0", "eg0", source="10.87.0.2")
            links.route("::/0", "eg0", source="fd00:e6e4::2")
        return source_towards("203.0.113.1"), source_towards("2001:db8::1")

    assert in_child(source, namespaces=CLONE_NEWNET) == ("10.87.0.2", "fd00:e6e4::2")


def source_towards(address: str) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((address, 9))
        return str(probe.getsockname()[0])


def test_a_pair_has_the_addresses_it_was_given_and_ends_together() -> None:
    def facts() -> tuple[bytes, list[str]]:
        with Links() as links:
            links.veth("eg0", "eg1", mac=MAC)
            mac = hardware_address("eg0")
            links.delete("eg1")
        return mac, links_of_the_host()

    mac, left = in_child(facts, namespaces=CLONE_NEWNET)
    assert mac == MAC
    assert not {"eg0", "eg1"} & set(left)


def test_the_far_end_of_a_pair_can_lie_in_another_namespace() -> None:
    def seen() -> tuple[bool, bool]:
        outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        with Links() as links:
            far = Links()
            unshare(CLONE_NEWNET)
            with Links() as inside:
                inside.veth("eg0", "eg1", peer_namespace_fd=outside)
                with far:
                    return bool(inside.index("eg0")), bool(far.index("eg1")) and bool(links)

    assert in_child(seen, namespaces=CLONE_NEWNET) == (True, True)


def test_the_length_of_queue_and_packets_is_as_asked() -> None:
    def lengths() -> str:
        with Links() as links:
            links.veth("eg0", "eg1")
            links.up("eg0", mtu=1400, txqlen=20_000, noarp=True)
            links.up("eg1")
        mtu = Path("/proc/sys/net/ipv6/conf/eg0/mtu").read_text(encoding="ascii")
        return mtu.strip()

    assert in_child(lengths, namespaces=CLONE_NEWNET) == "1400"


def test_what_fails_is_named() -> None:
    def twice() -> None:
        with Links() as links:
            with_pair(links)
            links.address("eg0", "10.87.0.2", 32)
            links.address("eg0", "10.87.0.2", 32)

    with pytest.raises(FileExistsError, match=r"add address 10\.87\.0\.2 to eg0"):
        in_child(twice, namespaces=CLONE_NEWNET)


def test_a_link_that_is_not_there_is_named() -> None:
    def absent() -> None:
        with Links() as links:
            links.up("eg9")

    with pytest.raises(OSError, match="find link eg9"):
        in_child(absent, namespaces=CLONE_NEWNET)


def test_requests_go_on_after_one_has_failed() -> None:
    def index_after_error() -> bool:
        with Links() as links:
            for _ in range(3):
                with pytest.raises(OSError, match="eg9"):
                    links.delete("eg9")
            return links.index("lo") == 1

    assert in_child(index_after_error, namespaces=CLONE_NEWNET)


def test_the_links_of_the_host_stay_as_they_were() -> None:
    def busy() -> None:
        with Links() as links:
            with_pair(links)

    before = links_of_the_host()
    in_child(busy, namespaces=CLONE_NEWNET)
    assert links_of_the_host() == before
