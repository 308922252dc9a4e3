"""What a waiting call's arguments lead to, against the kernel's own bytes; and its answers."""

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from egress_audit.record import syscalls
from egress_audit.record.filter import install
from egress_audit.record.notifications import (
    FOREIGN_ABI,
    LONGEST_PATH,
    MOST_MESSAGES,
    NOTIFICATION,
    Listener,
    Notification,
    SocketAddress,
    addresses_of,
    error_name,
    family_name,
    parse_address,
    read_address,
    read_text,
    type_name,
)
from egress_audit.record.syscalls import AUDIT_ARCH, CLONE_NEWNET
from tests.builders.memory import before_the_end, placed
from tests.builders.namespaces import SECONDS, in_child

Result = TypeVar("Result")

INET, INET6, UNIX = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
LOOPBACK4 = struct.pack("=H", INET) + bytes([0x1F, 0x90, 127, 0, 0, 1]) + bytes(8)
"""127.0.0.1 port 8080."""


def own_name(made: socket.socket) -> bytes:
    """The bytes that getsockname(2) gives."""
    buffer, length = ctypes.create_string_buffer(128), ctypes.c_uint32(128)
    done = syscalls.libc().getsockname(made.fileno(), buffer, ctypes.byref(length))
    syscalls.checked(done, "getsockname")
    return buffer.raw[: length.value]


def bound(family: int, address: str | bytes | tuple[str, int]) -> bytes:
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind(address)
        return own_name(made)


def note(name: str, *arguments: int, tid: int = 0) -> Notification:
    one, two, three, four, five, six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    return Notification(1, tid or os.getpid(), name, (one, two, three, four, five, six))


def addresses(made: Notification) -> list[SocketAddress | None]:
    return list(addresses_of(made))


# Addresses as the kernel writes them


@pytest.mark.opens_sockets
def test_an_ipv4_address_of_the_kernel_is_read_back() -> None:
    with socket.socket(INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        expected = SocketAddress(INET, "127.0.0.1", made.getsockname()[1])
        assert parse_address(own_name(made)) == expected


@pytest.mark.opens_sockets
def test_an_ipv6_address_of_the_kernel_is_read_back() -> None:
    def read() -> tuple[SocketAddress, int]:
        with socket.socket(INET6, socket.SOCK_DGRAM) as made:
            made.bind(("::", 0))
            return parse_address(own_name(made)), made.getsockname()[1]

    address, port = in_child(read, namespaces=CLONE_NEWNET)
    assert address == SocketAddress(INET6, "::", port)


@pytest.mark.opens_sockets
def test_a_mapped_address_of_the_kernel_is_read_in_mixed_notation() -> None:
    address = parse_address(bound(INET6, ("::ffff:127.0.0.1", 0)))
    assert address.address == "::ffff:127.0.0.1"


@pytest.mark.opens_sockets
def test_a_unix_path_of_the_kernel_is_read_back(tmp_path: Path) -> None:
    path = str(tmp_path / "socket of ours")
    assert parse_address(bound(UNIX, path)) == SocketAddress(UNIX, path, None)


@pytest.mark.opens_sockets
def test_an_abstract_name_of_the_kernel_has_an_at_in_front() -> None:
    name = f"\0egress-audit-{os.getpid()}"
    assert parse_address(bound(UNIX, name)) == SocketAddress(UNIX, "@" + name[1:], None)


@pytest.mark.opens_sockets
def test_an_unnamed_unix_socket_has_no_address() -> None:
    with socket.socket(UNIX) as made:
        assert parse_address(own_name(made)) == SocketAddress(UNIX, "", None)


@pytest.mark.opens_sockets
def test_an_address_of_another_family_is_its_bytes() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as made:
        raw = own_name(made)
        assert parse_address(raw) == SocketAddress(socket.AF_NETLINK, raw[2:].hex(), None)


# Addresses as a program may write them


def test_a_path_that_begins_with_an_at_is_not_taken_for_an_abstract_name() -> None:
    raw = struct.pack("=H", UNIX) + b"@/../run/docker.sock\0"
    assert parse_address(raw).address == "./@/../run/docker.sock"


def test_a_path_ends_at_its_nul() -> None:
    assert parse_address(struct.pack("=H", UNIX) + b"/run/one\0/two").address == "/run/one"


def test_a_path_may_fill_its_field() -> None:
    assert parse_address(struct.pack("=H", UNIX) + b"/" * 108).address == "/" * 108


def test_an_abstract_name_keeps_its_nuls() -> None:
    assert parse_address(struct.pack("=H", UNIX) + b"\0a\0b").address == "@a\0b"


@pytest.mark.parametrize("length", [8, 12, 16, 28])
def test_an_ipv4_address_is_read_whatever_follows_it(length: int) -> None:
    raw = LOOPBACK4.ljust(length, b"x")[:length]
    assert parse_address(raw) == SocketAddress(INET, "127.0.0.1", 8080)


@pytest.mark.parametrize("length", [24, 28])
def test_an_ipv6_address_needs_no_scope(length: int) -> None:
    raw = struct.pack("=HHI", INET6, 0x901F, 0) + bytes(15) + b"\1" + bytes(4)
    assert parse_address(raw[:length]) == SocketAddress(INET6, "::1", 8080)


@pytest.mark.parametrize("raw", [LOOPBACK4[:7], struct.pack("=H", INET6) + bytes(21)])
def test_an_address_that_is_too_short_is_its_bytes(raw: bytes) -> None:
    address = parse_address(raw)
    assert (address.address, address.port) == (raw[2:].hex(), None)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\1")
@example(b"\1\0\0")
def test_no_bytes_are_too_strange_for_an_address(raw: bytes) -> None:
    address = parse_address(raw)
    assert address.family == int.from_bytes(raw[:2], "little")
    address.address.encode("utf-8", "surrogateescape")


# AF_UNSPEC: no family at all


UNSPEC4 = struct.pack("=H", socket.AF_UNSPEC) + LOOPBACK4[2:]


def test_a_send_to_no_family_means_ipv4_and_a_connect_to_it_does_not() -> None:
    assert parse_address(UNSPEC4, sends=True) == SocketAddress(INET, "127.0.0.1", 8080)
    assert parse_address(UNSPEC4) == SocketAddress(socket.AF_UNSPEC, UNSPEC4[2:].hex(), None)


@pytest.mark.parametrize(
    ("name", "family"), [("sendto", INET), ("connect", socket.AF_UNSPEC), ("bind", 0)]
)
def test_what_no_family_means_depends_on_the_call(name: str, family: int) -> None:
    at = placed(UNSPEC4)
    words = (3, 0, 0, 0, at, 16) if name == "sendto" else (3, at, 16)
    (address,) = addresses(note(name, *words))
    assert address is not None
    assert address.family == family


@pytest.mark.parametrize("name", ["sendmsg", "sendmmsg"])
def test_a_message_to_no_family_goes_over_ipv4(name: str) -> None:
    message = struct.pack("=QI44x", placed(UNSPEC4), 16).ljust(64, b"\0")
    assert addresses(note(name, 3, placed(message), 1)) == [SocketAddress(INET, "127.0.0.1", 8080)]


def unspecified(server: socket.socket) -> bytes:
    """The address of a socket of IPv4, its family left out."""
    return bytes(2) + own_name(server)[2:]


@pytest.mark.opens_sockets
def test_the_kernel_sends_over_ipv4_where_no_family_is_given() -> None:
    with (
        socket.socket(INET, socket.SOCK_DGRAM) as server,
        socket.socket(INET, socket.SOCK_DGRAM) as sender,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        to = unspecified(server)
        assert syscalls.libc().sendto(sender.fileno(), b"x", 1, 0, to, len(to)) == 1
        assert server.recv(10) == b"x"
        expected = SocketAddress(INET, *server.getsockname())
        assert parse_address(to, sends=True) == expected


@pytest.mark.opens_sockets
def test_the_kernel_connects_nothing_where_no_family_is_given() -> None:
    with (
        socket.socket(INET, socket.SOCK_DGRAM) as server,
        socket.socket(INET, socket.SOCK_DGRAM) as sender,
    ):
        server.bind(("127.0.0.1", 0))
        sender.connect(server.getsockname())
        to = unspecified(server)
        assert syscalls.libc().connect(sender.fileno(), to, len(to)) == 0
        with pytest.raises(OSError, match="not connected"):
            sender.getpeername()


# The memory of a process


def test_an_address_is_read_where_its_pointer_says() -> None:
    pointer = placed(LOOPBACK4)
    assert read_address(os.getpid(), pointer, 16) == SocketAddress(INET, "127.0.0.1", 8080)


@pytest.mark.parametrize(("pointer", "length"), [(0, 16), (1, 0), (1, 1), (1, 1 << 32)])
def test_no_pointer_or_no_length_is_no_address(pointer: int, length: int) -> None:
    assert read_address(os.getpid(), pointer, length) is None


def test_the_upper_half_of_a_length_is_not_looked_at() -> None:
    pointer = before_the_end(LOOPBACK4)
    read = read_address(os.getpid(), pointer, 0xFFFF_FFFF << 32 | 16)
    assert read == SocketAddress(INET, "127.0.0.1", 8080)


def test_an_address_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(OSError, match="process_vm_readv"):
        read_address(os.getpid(), 8, 16)


def test_a_text_that_ends_at_the_end_of_the_mapping_is_read() -> None:
    pointer = before_the_end(b"/etc/passwd\0")
    assert in_child(lambda: read_text(os.getpid(), pointer)) == "/etc/passwd"


def test_a_text_over_a_page_border_is_read_from_another_process() -> None:
    pointer = before_the_end(b"/usr/bin/p", b"rogram\0rest")
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        assert read_text(child, pointer) == "/usr/bin/program"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_text_without_an_end_in_readable_memory_is_an_error() -> None:
    with pytest.raises(OSError, match="process_vm_readv"):
        read_text(os.getpid(), before_the_end(b"/endless"))


def test_a_text_that_is_too_long_for_a_path_is_an_error() -> None:
    pointer = placed(b"a" * (3 * LONGEST_PATH) + b"\0")
    with pytest.raises(OSError, match="path") as raised:
        read_text(os.getpid(), pointer)
    assert raised.value.errno == errno.ENAMETOOLONG


def test_the_longest_path_is_read_whole() -> None:
    path = b"/" * (LONGEST_PATH - 1)
    assert read_text(os.getpid(), placed(path + b"\0")) == path.decode()


def test_a_path_that_is_no_text_is_kept() -> None:
    assert os.fsencode(read_text(os.getpid(), placed(b"/\xff\xfe\0"))) == b"/\xff\xfe"


# Where a call wants to


@pytest.mark.parametrize("name", ["connect", "bind"])
def test_a_connect_or_bind_has_the_address_of_its_second_argument(name: str) -> None:
    (address,) = addresses(note(name, 3, placed(LOOPBACK4), 16))
    assert address == SocketAddress(INET, "127.0.0.1", 8080)


def test_a_sendto_has_the_address_of_its_fifth_argument() -> None:
    (address,) = addresses(note("sendto", 3, 0, 0, 0, placed(LOOPBACK4), 16))
    assert address == SocketAddress(INET, "127.0.0.1", 8080)


def header(port: int | None) -> bytes:
    """struct msghdr with an address of that port, or with none."""
    if port is None:
        return bytes(56)
    named = LOOPBACK4[:2] + port.to_bytes(2, "big") + LOOPBACK4[4:]
    return struct.pack("=QI44x", placed(named), 16)


def ports(made: Notification) -> list[int | None]:
    return [address.port if address else None for address in addresses_of(made)]


def test_a_message_names_where_it_goes() -> None:
    assert ports(note("sendmsg", 3, placed(header(53)))) == [53]


def test_a_message_on_a_connected_socket_names_nothing() -> None:
    assert addresses(note("sendmsg", 3, placed(header(None)))) == [None]


def test_every_message_of_many_has_an_address_of_its_own() -> None:
    many = b"".join(header(port) + bytes(8) for port in (53, None, 443))
    assert ports(note("sendmmsg", 3, placed(many), 3)) == [53, None, 443]


def test_messages_that_the_kernel_will_send_are_named_though_the_next_cannot_be_read() -> None:
    many = header(53) + bytes(8) + header(443) + bytes(8)
    assert ports(note("sendmmsg", 3, before_the_end(many), 9)) == [53, 443]


def test_messages_of_which_none_can_be_read_are_an_error() -> None:
    with pytest.raises(OSError, match="process_vm_readv"):
        addresses(note("sendmmsg", 3, 8, 2))


def test_no_more_messages_are_read_than_the_kernel_sends() -> None:
    many = (header(None) + bytes(8)) * (MOST_MESSAGES + 1)
    assert len(ports(note("sendmmsg", 3, placed(many), 0xFFFF_FFFF))) == MOST_MESSAGES


def test_a_message_whose_header_is_cut_by_the_end_of_memory_is_an_error_of_its_program() -> None:
    with pytest.raises(OSError, match="message header") as raised:
        addresses(note("sendmsg", 3, before_the_end(header(53)[:8])))
    assert raised.value.errno == errno.EFAULT


def test_a_listen_wants_nowhere() -> None:
    assert addresses(note("listen", 3, 128)) == []


# Words


def test_an_error_has_its_symbol() -> None:
    assert (error_name(111), error_name(99_999)) == ("ECONNREFUSED", "99999")


@pytest.mark.parametrize(
    "name",
    [
        *("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"),
        *("AF_VSOCK", "AF_BLUETOOTH", "AF_ALG", "AF_TIPC", "AF_CAN"),
    ],
)
def test_families_have_the_names_of_the_headers(name: str) -> None:
    if not hasattr(socket, name):
        pytest.skip("this Python was built without the family's header")
    assert family_name(getattr(socket, name)) == name


def test_an_unknown_family_is_its_number() -> None:
    assert family_name(77) == "AF_77"


def test_the_flags_of_a_type_are_left_out() -> None:
    kinds = (socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    assert [type_name(kind) for kind in kinds] == ["stream", "dgram"]


def test_an_unknown_type_is_its_number() -> None:
    assert type_name(9) == "9"


# Answers


def with_waiting_child(
    called: Callable[[], int], answers: Callable[[Listener, Notification], Result]
) -> tuple[Result, int]:
    """What `answers` returns for the first call of a filtered child, and the child's status."""

    def parent() -> tuple[Result, int]:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            signal.alarm(SECONDS)
            number = install(files=False)
            os.write(theirs.fileno(), str(number).encode())
            os.read(theirs.fileno(), 1)
            os.close(number)  # Ours is the only one then.
            os._exit(called())
        number = int(ours.recv(16))
        listener = Listener(syscalls.pidfd_getfd(syscalls.pidfd_open(pid), number))
        ours.send(b".")
        select.select([listener.descriptor], [], [], 10)
        waiting = listener.receive()
        assert waiting is not None
        result = answers(listener, waiting)
        listener.close()
        _, status = os.waitpid(pid, 0)
        return result, os.waitstatus_to_exitcode(status)

    return in_child(parent, namespaces=CLONE_NEWNET)


def has_ended(pid: int) -> None:
    """Waits until a process has: its pidfd is readable then."""
    assert select.select([syscalls.pidfd_open(pid)], [], [], 10)[0]


def connects() -> int:
    with socket.socket(INET, socket.SOCK_DGRAM) as made:
        return made.connect_ex(("203.0.113.9", 443))


@pytest.mark.opens_sockets
def test_a_call_that_waits_shows_its_address_in_its_process() -> None:
    def told(listener: Listener, waiting: Notification) -> list[SocketAddress | None]:
        found = addresses(waiting)
        listener.let_go(waiting)
        return found

    found, _ = with_waiting_child(connects, told)
    assert found == [SocketAddress(INET, "203.0.113.9", 443)]


@pytest.mark.opens_sockets
def test_a_call_that_is_let_go_gets_the_kernel_s_answer() -> None:
    assert with_waiting_child(connects, Listener.let_go) == (True, errno.ENETUNREACH)


@pytest.mark.opens_sockets
def test_a_call_that_is_refused_gets_our_answer() -> None:
    def refused(listener: Listener, waiting: Notification) -> bool:
        return listener.refuse(waiting, errno.EACCES)

    assert with_waiting_child(connects, refused) == (True, errno.EACCES)


@pytest.mark.opens_sockets
def test_a_call_whose_listener_is_gone_fails() -> None:
    assert with_waiting_child(connects, lambda *_: None) == (None, errno.ENOSYS)


@pytest.mark.opens_sockets
def test_a_call_is_answered_once() -> None:
    def twice(listener: Listener, waiting: Notification) -> tuple[bool, bool, bool]:
        first = listener.refuse(waiting, errno.EACCES)
        has_ended(waiting.tid)
        return first, listener.still_waits(waiting), listener.let_go(waiting)

    answers, status = with_waiting_child(connects, twice)
    assert (answers, status) == ((True, False, False), errno.EACCES)


@pytest.mark.opens_sockets
def test_a_process_that_was_killed_waits_no_more() -> None:
    def killed(listener: Listener, waiting: Notification) -> tuple[bool, bool]:
        os.kill(waiting.tid, 9)
        has_ended(waiting.tid)
        return listener.still_waits(waiting), listener.let_go(waiting)

    assert with_waiting_child(connects, killed) == ((False, False), -9)


NATIVE = AUDIT_ARCH.get(platform.machine(), 0)


@pytest.mark.skipif(not NATIVE, reason="the numbers of this machine are not known")
@pytest.mark.parametrize(
    ("arch", "number", "foreign"),
    [
        (NATIVE, 0, False),
        (0x4000_0003, 0, True),
        (NATIVE, 0x4000_0000, True),
        (NATIVE, 0x4000_002A, True),
    ],
)
def test_a_call_of_another_abi_has_no_name_of_ours(
    monkeypatch: pytest.MonkeyPatch, arch: int, number: int, foreign: bool
) -> None:
    connect = syscalls.number("connect")

    def waiting(descriptor: int, request: int, buffer: object) -> None:
        if isinstance(buffer, bytearray):
            buffer[:] = NOTIFICATION.pack(1, 2, 0, connect | number, arch, 0, *[0] * 6)

    monkeypatch.setattr(fcntl, "ioctl", waiting)
    note = Listener(-1).receive()
    assert note is not None
    assert note.name == (FOREIGN_ABI if foreign else "connect")
