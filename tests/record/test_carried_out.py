"""Calls made on a duplicate come to what the kernel says, with what was copied and nothing else."""

import ctypes
import errno
import os
import socket
import struct
import threading

import pytest

from egress_audit.record import carried_out
from egress_audit.record.carried_out import Message, Workers

pytestmark = pytest.mark.opens_sockets


def address_of(own: socket.socket) -> bytes:
    host, port = own.getsockname()
    return (
        struct.pack("=H", socket.AF_INET)
        + struct.pack("!H", port)
        + socket.inet_aton(host)
        + bytes(8)
    )


def datagrams() -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 0))
    own.settimeout(5)
    return own


def test_a_connection_is_made_for_the_socket_and_its_duplicates() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        with client.dup() as ours:
            assert carried_out.connect(ours, address_of(server)) == 0
        assert client.getpeername() == server.getsockname()


def test_a_refused_connection_is_minus_its_errno() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = address_of(server)
    with socket.socket() as client:
        assert carried_out.connect(client, address) == -errno.ECONNREFUSED


def test_binding_and_listening_come_to_what_the_kernel_says() -> None:
    with socket.socket() as server, socket.socket() as second:
        address = struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton("127.0.0.1") + bytes(8)
        assert carried_out.bind(server, address) == 0
        assert carried_out.listen(server, 5) == 0
        assert carried_out.bind(second, address_of(server)) == -errno.EADDRINUSE


def test_a_datagram_arrives_with_its_payload_at_its_address() -> None:
    with datagrams() as server, datagrams() as client:
        assert carried_out.send(client, Message(address_of(server), b"a\0b"), 0) == 3
        assert server.recvfrom(10) == (b"a\0b", client.getsockname())


def test_an_empty_datagram_on_a_connected_socket_arrives() -> None:
    with datagrams() as server, datagrams() as client:
        client.connect(server.getsockname())
        assert carried_out.send(client, Message(b"", b""), 0) == 0
        assert server.recv(10) == b""


def test_a_message_is_read_with_all_its_pieces() -> None:
    one, two = ctypes.create_string_buffer(b"ab", 2), ctypes.create_string_buffer(b"cde", 3)
    pieces = ctypes.create_string_buffer(
        struct.pack("=QQQQ", ctypes.addressof(one), 2, ctypes.addressof(two), 3)
    )
    name = ctypes.create_string_buffer(bytes(range(16)), 16)
    control = ctypes.create_string_buffer(b"c" * 24, 24)
    header = ctypes.create_string_buffer(
        struct.pack(
            "=QI4xQQQQi4x",
            *(ctypes.addressof(name), 16, ctypes.addressof(pieces), 2),
            *(ctypes.addressof(control), 24, 0),
        )
    )
    read = carried_out.read_message(os.getpid(), ctypes.addressof(header))
    assert read == Message(bytes(range(16)), b"abcde", b"c" * 24)


def test_a_payload_that_no_datagram_holds_is_refused() -> None:
    with pytest.raises(OSError, match="too long") as refused:
        carried_out.read_payload(os.getpid(), 4096, 65_536)
    assert refused.value.errno == errno.EMSGSIZE


def test_memory_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(OSError) as fault:
        carried_out.read_address(os.getpid(), 8, 16)
    assert fault.value.errno == errno.EFAULT


def test_no_pointer_is_no_address() -> None:
    assert carried_out.read_address(os.getpid(), 0, 16) == b""
    assert carried_out.read_address(os.getpid(), 4096, 0) == b""


def test_a_number_is_written_where_it_is_told() -> None:
    room = ctypes.create_string_buffer(12)
    carried_out.write_number(os.getpid(), ctypes.addressof(room) + 4, 0x0102_0304)
    assert room.raw == bytes(4) + struct.pack("=I", 0x0102_0304) + bytes(4)


def test_a_socket_waits_unless_it_was_told_not_to() -> None:
    with socket.socket() as own:
        assert carried_out.waits(own)
        own.setblocking(False)
        assert not carried_out.waits(own)


def test_no_more_workers_are_taken_than_there_may_be() -> None:
    workers, go, done = Workers(1), threading.Event(), threading.Event()

    def work() -> None:
        go.wait(10)
        done.set()

    assert workers.take(work)
    assert not workers.take(work)
    go.set()
    assert done.wait(10)
