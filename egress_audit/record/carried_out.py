"""Calls on a socket, made by the recorder instead of by the program that asked for them.

What is looked at in the program's memory can be changed before the kernel reads it; what we hold a
copy of cannot. So a call that is let through is made with the copy, on a duplicate of the socket:
the program gets what it came to. Each function returns what the call did, or minus an errno.

Source: connect(2), bind(2), listen(2), sendmsg(2), sendmmsg(2); struct msghdr of 64-bit machines.
"""

import ctypes
import errno
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from egress_audit.record.syscalls import libc, read_memory

HEADER = struct.Struct("=QI4xQQQQi4x")
"""msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags."""
PIECE = struct.Struct("=QQ")
MOST_PIECES = 1024
"""UIO_MAXIOV."""
LONGEST_PAYLOAD = 65_535
LONGEST_CONTROL = 4096
LONGEST_ADDRESS = 128
MSG_FASTOPEN, MSG_ZEROCOPY = 0x2000_0000, 0x400_0000
"""To connect and send in one; and to send from memory that must stay, which a copy does not."""
MOST_WORKERS = 128


@dataclass(frozen=True, slots=True)
class Message:
    """What a send is to send, copied."""

    address: bytes
    """A sockaddr; empty where none was given."""
    payload: bytes
    control: bytes = b""


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("name_len", ctypes.c_uint32),
        ("pieces", ctypes.POINTER(_Piece)),
        ("piece_count", ctypes.c_size_t),
        ("control", ctypes.c_char_p),
        ("control_len", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


def connect(own: socket.socket, address: bytes) -> int:
    """connect(2). A stream may wait for its peer: see `Workers`."""
    return _came_to(libc().connect(own.fileno(), address, len(address)))


def bind(own: socket.socket, address: bytes) -> int:
    """bind(2)."""
    return _came_to(libc().bind(own.fileno(), address, len(address)))


def listen(own: socket.socket, backlog: int) -> int:
    """listen(2); backlog: as a register holds it."""
    return _came_to(libc().listen(own.fileno(), ctypes.c_int(backlog)))


def send(own: socket.socket, message: Message, flags: int) -> int:
    """sendmsg(2) of a datagram."""
    piece = _Piece(message.payload, len(message.payload))
    header = _Header(
        message.address or None,
        len(message.address),
        ctypes.pointer(piece),
        1,
        message.control or None,
        len(message.control),
        0,
    )
    wanted = (flags & ~MSG_ZEROCOPY) | socket.MSG_NOSIGNAL
    return _came_to(libc().sendmsg(own.fileno(), ctypes.byref(header), wanted))


def _came_to(result: int) -> int:
    return -ctypes.get_errno() if result < 0 else result


def waits(own: socket.socket) -> bool:
    """True for a socket whose calls wait (no O_NONBLOCK)."""
    return os.get_blocking(own.fileno())


def read_address(tid: int, pointer: int, length: int) -> bytes:
    """The bytes of a sockaddr; b"" where none is given. Raises OSError."""
    length &= 0xFFFF_FFFF
    if not pointer or not length:
        return b""
    return _exactly(tid, pointer, min(length, LONGEST_ADDRESS))


def read_payload(tid: int, pointer: int, length: int) -> bytes:
    """What a sendto would send. Raises OSError; EMSGSIZE for more than a datagram holds."""
    if length > LONGEST_PAYLOAD:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE), "payload")
    return _exactly(tid, pointer, length)


def read_message(tid: int, pointer: int) -> Message:
    """What a struct msghdr describes. Raises OSError."""
    raw = _exactly(tid, pointer, HEADER.size)
    name, name_len, pieces, count, control, control_len, _ = HEADER.unpack(raw)
    if count > MOST_PIECES or control_len > LONGEST_CONTROL:
        raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE), "message")
    payload = bytearray()
    for base, length in PIECE.iter_unpack(_exactly(tid, pieces, count * PIECE.size)):
        payload += read_payload(tid, base, length)
        if len(payload) > LONGEST_PAYLOAD:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE), "payload")
    beside = _exactly(tid, control, control_len if control else 0)
    return Message(read_address(tid, name, name_len), bytes(payload), beside)


def _exactly(tid: int, pointer: int, length: int) -> bytes:
    """Bytes of a process's memory. Raises OSError, EFAULT where there are fewer."""
    if not length:
        return b""
    raw = read_memory(tid, pointer, length)
    if len(raw) != length:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT), "memory")
    return raw


def write_number(tid: int, pointer: int, number: int) -> None:
    """Writes 32 bits into a process's memory. Raises OSError."""
    word = ctypes.c_uint32(number)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(word), ctypes.sizeof(word))
    remote = (ctypes.c_size_t * 2)(pointer, ctypes.sizeof(word))
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc().process_vm_writev(tid, local, one, remote, one, none) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "process_vm_writev")


class Workers:
    """Threads for calls that may wait, so that the others need not wait for them."""

    def __init__(self, most: int = MOST_WORKERS) -> None:
        self._free = threading.BoundedSemaphore(most)

    def take(self, work: Callable[[], None]) -> bool:
        """Has the work done beside us; False if too much is being done already."""
        if not self._free.acquire(blocking=False):
            return False
        threading.Thread(target=self._do, args=(work,), daemon=True).start()
        return True

    def _do(self, work: Callable[[], None]) -> None:
        try:
            with suppress(OSError):  # The run is over, and its descriptors are closed.
                work()
        finally:
            self._free.release()
