"""A host and an internet of its own: two network namespaces and the veth pair that joins them.

`on_a_host(function)` runs `function` in a forked child that is on such a host. Its uplink leads to
one server, which answers every question of DNS with its own addresses, serves bytes over HTTP, and
has nothing on any other port. No packet leaves the machine.
"""

import os
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from egress_audit.record import syscalls
from egress_audit.record.netlink import Links
from egress_audit.record.packet_socket import PacketSocket, open_packet_socket
from tests.builders.namespaces import in_child

HOST4, HOST6 = "203.0.113.1", "2001:db8:5::1"
SERVER4, SERVER6 = "203.0.113.5", "2001:db8:5::5"
WEB, REFUSED = 8000, 81
STUB, STUB_WEB = "127.0.0.53", 9999
"""On the host's own loopback: a resolver, and with it a server that is nobody's business."""
UPLINK = "e0"
LINK_LOCAL = {UPLINK: "fe80::1", "s0": "fe80::5"}
"""passt has no IPv6 on a host without one."""
TTL_S = 60

Result = TypeVar("Result")


class Host:
    """The host that `function` is on."""

    def __init__(self, uplink: PacketSocket) -> None:
        self._uplink = uplink

    def uplink_frames(self) -> list[bytes]:
        """Every frame that passed the uplink since the last call."""
        frames: list[bytes] = []
        while batch := self._uplink.read():
            frames += [frame.data for frame in batch]
        return frames


def on_a_host(
    function: Callable[[Host], Result], *, resolver: str = SERVER4, ipv6: bool = True
) -> Result:
    """What `function` returns on a host of its own; resolver: what its resolv.conf names."""

    def there() -> Result:
        server, end = _make_world(ipv6)
        _name(resolver)
        if resolver == STUB:
            _stub(resolver)
        try:
            return function(Host(open_packet_socket(UPLINK, cooked=False, ignore_outgoing=False)))
        finally:
            os.close(end)
            os.waitpid(server, 0)

    return in_child(there, namespaces=syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS)


def _make_world(ipv6: bool) -> tuple[int, int]:
    """Links this host to a new server; its pid, and a descriptor with which it ends."""
    told, tell = os.pipe()
    linked, link = os.pipe()
    server = os.fork()
    if server == 0:
        syscalls.unshare(syscalls.CLONE_NEWNET)
        os.write(tell, b"x")
        os.read(linked, 1)
        os.close(link)
        threading.Thread(target=_end_with, args=(linked,), daemon=True).start()
        _serve(tell)
    os.close(linked)
    os.read(told, 1)
    far = os.open(f"/proc/{server}/ns/net", os.O_RDONLY)
    with Links() as links:
        links.veth(UPLINK, "s0", far)
        links.up("lo")
        _join(links, UPLINK, HOST4, HOST6 if ipv6 else "")
        links.route("0.0.0.0/0", UPLINK, gateway=SERVER4)
        if ipv6:
            links.route("::/0", UPLINK, gateway=SERVER6)
    os.close(far)
    os.write(link, b"x")
    os.read(told, 1)
    return server, link


def _join(links: Links, name: str, four: str, six: str) -> None:
    links.no_link_local(name)
    links.up(name)
    links.address(name, four, 24)
    if six:
        links.address(name, LINK_LOCAL[name], 64)
        links.address(name, six, 64)


def _serve(ready: int) -> NoReturn:
    with Links() as links:
        links.up("lo")
        _join(links, "s0", SERVER4, SERVER6)
    web = socket.create_server(("::", WEB), family=socket.AF_INET6, dualstack_ipv6=True)
    names = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    names.bind(("::", 53))
    threading.Thread(target=answer_names, args=(names,), daemon=True).start()
    os.write(ready, b"x")
    while True:
        peer, _ = web.accept()
        threading.Thread(target=_answer_web, args=(peer,), daemon=True).start()


def _end_with(pipe: int) -> None:
    """Ends this process with the host; a signal would not be allowed once that is nobody's."""
    os.read(pipe, 1)
    os._exit(0)


def _answer_web(peer: socket.socket) -> None:
    """GET /N gives N bytes."""
    with peer:
        length = int(peer.recv(4096).split()[1][1:] or b"5")
        peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
        part = bytes(min(length, 1 << 20))
        while length:
            length -= peer.send(part[: min(length, len(part))])


def answer_names(names: socket.socket) -> None:
    """Answers A and AAAA of every name with the server's addresses."""
    while True:
        question, asker = names.recvfrom(2000)
        end = question.index(b"\0", 12) + 5
        kind = struct.unpack_from("!H", question, end - 4)[0]
        packed = {
            1: socket.inet_pton(socket.AF_INET, SERVER4),
            28: socket.inet_pton(socket.AF_INET6, SERVER6),
        }.get(kind, b"")
        head = question[:2] + struct.pack("!5H", 0x8180, 1, int(bool(packed)), 0, 0)
        row = struct.pack("!HHHIH", 0xC00C, kind, 1, TTL_S, len(packed)) + packed
        names.sendto(head + question[12:end] + (row if packed else b""), asker)


def _name(resolver: str) -> None:
    """Puts a resolv.conf over the host's."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as made:
        made.write(f"nameserver {resolver}\n")
    Path(made.name).chmod(0o644)
    syscalls.mount(made.name, os.path.realpath("/etc/resolv.conf"), None, syscalls.MS_BIND)


def _stub(address: str) -> None:
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((address, 53))
    threading.Thread(target=answer_names, args=(names,), daemon=True).start()
    server = socket.create_server(("127.0.0.1", STUB_WEB))
    threading.Thread(target=_accept, args=(server,), daemon=True).start()


def _accept(server: socket.socket) -> None:
    while True:
        server.accept()[0].close()
