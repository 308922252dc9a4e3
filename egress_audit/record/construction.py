"""How a sandbox is made: by a process that ends as its outermost one, and by init inside it.

Everything is made while it still may be; then init is confined and filtered like the program.
"""

import ctypes
import errno
import json
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record.filter import install
from egress_audit.record.init import LONGEST_MESSAGE, Init, become_init, confine
from egress_audit.record.netlink import Links
from egress_audit.record.offload import make_checksums
from egress_audit.record.packet_socket import PacketSocket, open_packet_socket
from egress_audit.record.privileges import die_with, map_self
from egress_audit.record.setup import (
    ADDRESS4,
    ADDRESS6,
    NoDevice,
    NoNamespaces,
    Setup,
    confess,
    leave,
)
from egress_audit.record.syscalls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_PRIVATE,
    MS_REC,
    PR_SET_PDEATHSIG,
    mount,
    prctl,
    setns,
    unshare,
)
from egress_audit.record.tun import open_tun
from egress_audit.record.wire import INSIDE_MAC, INTERFACE, OUTSIDE_MAC

NAMESPACES = (
    CLONE_NEWUSER
    | CLONE_NEWNET
    | CLONE_NEWNS
    | CLONE_NEWPID
    | CLONE_NEWIPC
    | CLONE_NEWUTS
    | CLONE_NEWCGROUP
)
FORBIDDEN = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EINVAL)
"""What hosts say that give a namespace and not what it is for: AppArmor, Docker, old kernels."""
QUEUE_LEN = 20_000
"""Packets that may wait in the device; what overflows it is counted by the kernel."""
OUTER = "eg1"
MOST_DESCRIPTORS = 253
"""SCM_MAX_FD: as many one message can carry (unix(7))."""
KEYCTL, JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}, 1


def build(setup: Setup, control: socket.socket, recorder: int) -> NoReturn:
    """Makes the sandbox, becomes its outermost process, and never returns."""
    status = 1
    try:
        die_with(recorder)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            # A request to end is the recorder's to answer: it ends us when it has seen all.
            signal.signal(number, signal.SIG_IGN)
        if setup.as_root is not None:
            setup.as_root()
            die_with(recorder)
        status = _inside(setup, control)
    except EgressAuditError as error:
        confess(control, error)
    except OSError as error:
        confess(control, error, NoNamespaces if error.errno in FORBIDDEN else EgressAuditError)
    finally:
        leave(status)


def _inside(setup: Setup, control: socket.socket) -> int:
    uid, gid = os.getuid(), os.getgid()
    recorder = os.getppid()
    _unshare()
    map_self(uid, gid)
    die_with(recorder)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    rung, device = _way_out(setup)
    _settle_network(gid)
    loopback = open_packet_socket("lo", cooked=True)
    device_number = device.fileno() if isinstance(device, PacketSocket) else device
    words = json.dumps({"rung": rung.value}).encode()
    socket.send_fds(control, [words], [device_number, loopback.fileno()])
    _close(device, loopback)
    mounted = setup.mounts()
    socket.send_fds(
        control,
        [json.dumps(dict(mounted.words)).encode()],
        list(mounted.descriptors),
    )
    for descriptor in mounted.descriptors:
        os.close(descriptor)
    init = os.fork()
    if init == 0:
        _initiate(setup, control)
    control.close()
    _, status = os.waitpid(init, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _close(device: "int | PacketSocket", loopback: PacketSocket) -> None:
    loopback.close()
    if isinstance(device, PacketSocket):
        device.close()
    else:
        os.close(device)


def _unshare() -> None:
    try:
        unshare(NAMESPACES)
    except OSError as error:
        raise NoNamespaces(
            f"user namespaces are not to be had: {error.strerror}",
            hint="`egress-audit doctor` says why, and what would help",
        ) from error


def _way_out(setup: Setup) -> "tuple[Rung, int | PacketSocket]":
    """The first device that can be had. Raises NoDevice if none can."""
    problems = []
    for rung in setup.rungs:
        try:
            if rung is Rung.TUN:
                return rung, _make_tun(setup)
            return rung, _make_veth(setup)
        except OSError as error:
            problems.append(f"{rung.value}: {error.strerror} ({error.filename})")
    raise NoDevice("; ".join(problems), hint="`egress-audit doctor` says what would help")


def _make_tun(setup: Setup) -> int:
    descriptor = open_tun(INTERFACE, setup.tun_node)
    with Links() as links:
        _configure(links, setup)
    return descriptor


def _make_veth(setup: Setup) -> PacketSocket:
    """A pair whose far end lies in the namespace made first; we move on into a second one."""
    outside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    unshare(CLONE_NEWNET)
    inside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with Links() as links:
        links.veth(INTERFACE, OUTER, outside, INSIDE_MAC, OUTSIDE_MAC)
        setns(outside)
        with Links() as outer:
            outer.no_link_local(OUTER)
            outer.up(OUTER, setup.mtu, noarp=True)
        packets = open_packet_socket(OUTER, cooked=False, ignore_outgoing=True)
        setns(inside)
        if setup.is_open:
            make_checksums(INTERFACE)
        _configure(links, setup)
    os.close(outside)
    os.close(inside)
    return packets


def _configure(links: Links, setup: Setup) -> None:
    """Addresses and routes; nothing that makes the kernel send a packet of its own."""
    links.up("lo")
    links.no_link_local(INTERFACE)
    _set_sysctl(f"net/ipv6/conf/{INTERFACE}/accept_ra", "0")
    _set_sysctl(f"net/ipv6/conf/{INTERFACE}/router_solicitations", "0")
    # Without ARP before it has an address: else the kernel joins a group for it and says so.
    links.up(INTERFACE, setup.mtu, QUEUE_LEN, noarp=True)
    links.address(INTERFACE, ADDRESS4, 32)
    if setup.ipv6:
        links.address(INTERFACE, ADDRESS6, 128)
    links.route("0.0.0.0/0", INTERFACE, source=ADDRESS4)
    if setup.ipv6:
        links.route("::/0", INTERFACE, source=ADDRESS6)


def _settle_network(gid: int) -> None:
    """Lets an ordinary user send ICMP echoes, as distributions do."""
    _set_sysctl("net/ipv4/ping_group_range", f"{gid} {gid}")


def _set_sysctl(name: str, value: str) -> None:
    with suppress(OSError):  # A kernel without IPv6 has none of them.
        Path("/proc/sys", name).write_text(value, encoding="utf-8")


def _initiate(setup: Setup, control: socket.socket) -> NoReturn:
    """Becomes pid 1: confined and filtered like the program, and waits for orders."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        become_init()
        _leave_keyring()
        init = Init(control.fileno(), setup.jobs, setup.keep)
        init.close_others()
        confine(setup.keep, guarded=True)
        listener = install()
    except OSError as error:
        confess(control, error, NoNamespaces)
        os._exit(1)
    os.write(control.fileno(), json.dumps({"listener": listener}).encode())
    os.read(control.fileno(), LONGEST_MESSAGE)
    os.close(listener)
    init.serve()


def _leave_keyring() -> None:
    """A session keyring of its own: the user's one leads to processes outside."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = KEYCTL.get(os.uname().machine)
    if number is not None and libc.syscall(number, JOIN_SESSION_KEYRING, None) < 0:
        code = ctypes.get_errno()
        if code not in (errno.ENOSYS, errno.EPERM):
            raise OSError(code, os.strerror(code), "keyctl")
