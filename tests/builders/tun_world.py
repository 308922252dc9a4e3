"""Real programs that meet the simulated internet: a network namespace whose only way out is us.

`told_inside(settings, client)` runs `client` in a forked child that has made itself such a
namespace, and hands back what it returned. No packet leaves the machine.
"""

import os
import pickle
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from egress_audit.record import syscalls
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.record.netlink import Links
from egress_audit.record.tun import open_tun

Told = TypeVar("Told")

RESOLVER, RESOLVER_6 = "10.87.0.1", "fd00:e6e4::1"
ADDRESS, ADDRESS_6 = "10.87.0.2", "fd00:e6e4::2"
TIME_LIMIT_S = 90
_QUEUE = 20_000


class World:
    """What a client inside may look at: the internet that answers it, behind its device."""

    def __init__(self, settings: InternetSettings, loses: Callable[[int], bool]) -> None:
        self.internet = Internet(settings, Random(7))
        self._loses = loses
        self._count = 0
        self._tun = open_tun("eg0")
        with Links() as links:
            links.up("lo")
            links.no_link_local("eg0")
            links.address("eg0", ADDRESS, 32)
            links.address("eg0", ADDRESS_6, 128)
            links.up("eg0", txqlen=_QUEUE)
            links.route("0.0.0.0/0", "eg0")
            links.route("::/0", "eg0")

    def pump(self) -> None:
        """Carries packets between the device and the internet, for as long as the process lives."""
        while True:
            due = self.internet.next_due_ns
            now = time.monotonic_ns()
            wait = 1.0 if due is None else min(1.0, max(0.0, (due - now) / 1e9))
            if select.select([self._tun], [], [], wait)[0]:
                self._read_all()
            self._write(self.internet.due(time.monotonic_ns()))

    def _read_all(self) -> None:
        for _ in range(256):
            try:
                packet = os.read(self._tun, 65_535)
            except BlockingIOError:
                return
            if not self._is_lost():
                self._write(self.internet.answer(packet, time.monotonic_ns()))

    def _write(self, packets: list[bytes]) -> None:
        for packet in packets:
            if not self._is_lost():
                os.write(self._tun, packet)

    def _is_lost(self) -> bool:
        self._count += 1
        return self._loses(self._count)


def nothing_is_lost(number: int) -> bool:
    """The ordinary device: every packet arrives. `number` counts them, of both directions."""
    return False


def told_inside(
    settings: InternetSettings,
    client: Callable[[World], Told],
    loses: Callable[[int], bool] = nothing_is_lost,
) -> Told:
    """What `client` returns from inside; an AssertionError with its traceback if it raised."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        _live_inside(settings, client, loses, writer)
    os.close(writer)
    try:
        told = _received(reader, pid)
    finally:
        os.close(reader)
        os.waitpid(pid, 0)
    succeeded, value = pickle.loads(told)
    assert succeeded, value
    answer: Told = value
    return answer


def _received(reader: int, pid: int) -> bytes:
    pieces = []
    deadline = time.monotonic() + TIME_LIMIT_S
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            os.kill(pid, 9)
            raise AssertionError(f"nothing was told within {TIME_LIMIT_S} s")
        piece = os.read(reader, 65_536)
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces) or pickle.dumps((False, "the child died"))


def _live_inside(
    settings: InternetSettings,
    client: Callable[[World], Told],
    loses: Callable[[int], bool],
    writer: int,
) -> None:
    """The life of the child: it never comes back to pytest."""
    outcome: tuple[bool, object] = (False, "left before it was done")
    try:
        _enter()
        world = World(settings, loses)
        threading.Thread(target=world.pump, daemon=True).start()
        outcome = (True, client(world))
    finally:
        error = sys.exc_info()[1]
        if error is not None:
            outcome = (False, "".join(traceback.format_exception(error)))
        os.write(writer, pickle.dumps(outcome))
        os._exit(0)


def _enter() -> None:
    """New namespaces of network and mounts, with a resolv.conf that names our resolver.

    An ordinary user becomes root of a user namespace first. Raises OSError.
    """
    user, group = os.geteuid(), os.getegid()
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, 9)
    if user:
        syscalls.unshare(syscalls.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS)
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("none", "/mnt", "tmpfs")
    for name, text in (
        ("resolv.conf", f"nameserver {RESOLVER}\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ):
        inside = Path("/mnt", name)
        inside.write_text(text)
        if Path("/etc", name).exists():
            syscalls.mount(str(inside), f"/etc/{name}", None, syscalls.MS_BIND)


def _can_be_made() -> bool:
    """Whether such a world can be made here: tried once, in a child of its own."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    status = 1
    try:
        _enter()
        os.close(open_tun("eg0"))
        status = 0
    except OSError:
        status = 2
    finally:
        os._exit(status)


needs_tun = pytest.mark.skipif(
    not _can_be_made(),
    reason="needs a network namespace of its own and a /dev/net/tun that may be opened",
)
