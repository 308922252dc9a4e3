"""A TUN device: what leaves can be read, what was dropped is counted."""

import errno
import os
import select
import socket
import stat
from pathlib import Path

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.syscalls import CLONE_NEWNET, CLONE_NEWNS
from egress_audit.record.tun import TUN_NODE, make_node, open_tun, transmit_drops
from tests.builders.namespaces import become_nobody, in_child, mounts_of_the_host

pytestmark = pytest.mark.opens_sockets

needs_tun = pytest.mark.skipif(
    not os.access(TUN_NODE, os.R_OK | os.W_OK), reason=f"{TUN_NODE} may not be opened"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make device nodes")


def ready_tun(txqlen: int = 20_000) -> int:
    tun = open_tun("eg0")
    with Links() as links:
        links.no_link_local("eg0")
        links.up("eg0", txqlen=txqlen)
        links.address("eg0", "10.87.0.2", 32)
        links.route("0.0.0.0/0", "eg0", source="10.87.0.2")
    return tun


def send(count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(number.to_bytes(4), ("203.0.113.1", 9))


def read_empty(tun: int) -> int:
    count = 0
    while select.select([tun], [], [], 0)[0]:
        os.read(tun, 65_536)
        count += 1
    return count


@needs_tun
def test_a_packet_that_leaves_is_read_whole_from_its_ip_header() -> None:
    def packet() -> bytes:
        tun = ready_tun()
        send(1)
        return os.read(tun, 65_536)

    sent = in_child(packet, namespaces=CLONE_NEWNET)
    assert sent[0] == 0x45
    assert sent[16:20] == bytes([203, 0, 113, 1])
    assert sent[-4:] == bytes(4)


@needs_tun
def test_an_idle_device_sends_nothing() -> None:
    def silent() -> int | None:
        tun = ready_tun()
        try:
            os.read(tun, 65_536)
        except BlockingIOError as nothing:
            return nothing.errno
        return None

    assert in_child(silent, namespaces=CLONE_NEWNET) == errno.EAGAIN


@needs_tun
def test_packets_read_and_packets_dropped_sum_to_what_was_sent() -> None:
    def counts() -> tuple[int, int]:
        tun = ready_tun(txqlen=100)
        send(1_000)
        return read_empty(tun), transmit_drops("self", "eg0")

    read, dropped = in_child(counts, namespaces=CLONE_NEWNET)
    assert read + dropped == 1_000
    assert dropped


@needs_tun
def test_a_long_queue_drops_nothing() -> None:
    def counts() -> tuple[int, int]:
        tun = ready_tun()
        send(1_000)
        return read_empty(tun), transmit_drops(os.getpid(), "eg0")

    assert in_child(counts, namespaces=CLONE_NEWNET) == (1_000, 0)


def test_the_counters_of_a_link_that_is_not_there_are_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no link eg9"):
        transmit_drops("self", "eg9")


def test_a_node_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_tun("eg0", str(tmp_path / "tun"))


def test_a_node_that_is_no_device_is_an_error_that_names_it(tmp_path: Path) -> None:
    node = tmp_path / "tun"
    node.touch()
    with pytest.raises(OSError, match=f"make device eg0 with {node}"):
        open_tun("eg0", str(node))


@needs_root
def test_an_ordinary_user_can_open_the_node_that_root_made(tmp_path: Path) -> None:
    def opened() -> tuple[int, int]:
        node = make_node(str(tmp_path))
        mode = stat.S_IMODE(os.stat(node).st_mode)  # noqa: PTH116 (one call for a device node)
        become_nobody()
        return mode, os.open(node, os.O_RDWR)

    before = mounts_of_the_host()
    mode, descriptor = in_child(opened, namespaces=CLONE_NEWNS)
    assert mode == 0o666
    assert descriptor > 2
    assert mounts_of_the_host() == before


@needs_root
def test_a_user_who_opened_the_node_of_root_makes_a_device_in_a_namespace_of_its_own(
    tmp_path: Path,
) -> None:
    def device() -> bytes:
        node = make_node(str(tmp_path))

        def sent() -> bytes:
            tun = ready_tun()
            send(1)
            return os.read(tun, 65_536)

        assert node == TUN_NODE
        return in_child(sent, as_nobody=True, namespaces=CLONE_NEWNET)

    assert in_child(device, namespaces=CLONE_NEWNS)[0] == 0x45
