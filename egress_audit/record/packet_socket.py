"""An AF_PACKET socket: every packet of one interface, with its length on the wire and the losses.

Source: packet(7); include/uapi/linux/if_packet.h of Linux 6.12. Read by recvmmsg(2), because
Python's recvfrom makes a second system call for each packet, to name its interface.
"""

import ctypes
import errno
import os
import socket
import struct
from typing import NamedTuple

from egress_audit.record import syscalls

ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS, _PACKET_IGNORE_OUTGOING = 263, 6, 23
_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER_LEN = 64 << 20
_PACKET_OUTGOING = 4
_STATISTICS = struct.Struct("=II")

_BATCH = 64
_LONGEST_PACKET = 65_575 + 18
"""An IPv6 packet whose payload has the greatest length (RFC 8200 §3), behind an Ethernet header
with a tag. What is longer still (RFC 2675, BIG TCP) is cut, and shows as cut."""
_NOTHING_TO_READ = (errno.EAGAIN, errno.EINTR, errno.ENETDOWN)
"""ENETDOWN tells once that the interface went away; what it delivered can still be read."""


class Frame(NamedTuple):
    """What one read brought."""

    data: bytes
    wire_len: int
    """Bytes on the wire: more than `data` has where the buffer was too small."""
    outgoing: bool
    """True if it left by this interface, false if it arrived."""
    protocol: int
    """EtherType: 0x0800, 0x86dd, 0x0806 …"""


class PacketStatistics(NamedTuple):
    """Since the socket was opened; the sum is everything that passed."""

    received: int
    """Read, or waiting to be read."""
    dropped: int


class _MessageHeader(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_len", ctypes.c_uint32),
        ("vector", ctypes.c_void_p),
        ("vector_len", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_len", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _MessageHeader), ("wire_len", ctypes.c_uint32))


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _LinkAddress(ctypes.Structure):
    _fields_ = (
        ("family", ctypes.c_uint16),
        ("protocol", ctypes.c_uint16),
        ("index", ctypes.c_int32),
        ("hardware", ctypes.c_uint16),
        ("packet_type", ctypes.c_uint8),
        ("address_len", ctypes.c_uint8),
        ("address", ctypes.c_uint8 * 8),
    )


class PacketSocket:
    """A packet socket that is open already, perhaps by another process; owns its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._received = self._dropped = 0
        self._buffers = [ctypes.create_string_buffer(_LONGEST_PACKET) for _ in range(_BATCH)]
        self._views = [memoryview(buffer) for buffer in self._buffers]
        self._addresses = (_LinkAddress * _BATCH)()
        self._vectors = (_Vector * _BATCH)()
        self._messages = (_Message * _BATCH)()
        for slot, buffer in enumerate(self._buffers):
            self._vectors[slot] = _Vector(ctypes.addressof(buffer), _LONGEST_PACKET)
            header = self._messages[slot].header
            header.name = ctypes.addressof(self._addresses[slot])
            header.name_len = ctypes.sizeof(_LinkAddress)
            header.vector = ctypes.addressof(self._vectors[slot])
            header.vector_len = 1

    def fileno(self) -> int:
        """The descriptor, for poll."""
        return self._socket.fileno()

    def detach(self) -> int:
        """The descriptor, which is no longer ours; the object is of no more use."""
        return self._socket.detach()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def read(self) -> list[Frame]:
        """Up to 64 packets that wait; [] when there are none. Never blocks; raises OSError."""
        count = syscalls.libc().recvmmsg(
            self._socket.fileno(), self._messages, _BATCH, socket.MSG_DONTWAIT | socket.MSG_TRUNC, 0
        )
        if count < 0:
            code = ctypes.get_errno()
            if code in _NOTHING_TO_READ:
                return []
            raise OSError(code, os.strerror(code), "read packets")
        frames = []
        for message, address, view in zip(
            self._messages[:count], self._addresses[:count], self._views, strict=False
        ):
            wire_len = message.wire_len
            data = bytes(view[: min(wire_len, _LONGEST_PACKET)])
            outgoing = address.packet_type == _PACKET_OUTGOING
            frames.append(Frame(data, wire_len, outgoing, socket.ntohs(address.protocol)))
        return frames

    def statistics(self) -> PacketStatistics:
        """Packets received and dropped so far; only one process may ask, as asking resets."""
        words = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        seen, dropped = _STATISTICS.unpack(words)
        self._received += seen - dropped  # the kernel counts the dropped ones as seen
        self._dropped += dropped
        return PacketStatistics(self._received, self._dropped)


def open_packet_socket(
    interface: str, cooked: bool, *, ignore_outgoing: bool | None = None
) -> PacketSocket:
    """A socket that hears every packet of `interface` from now on.

    `cooked`: packets begin at the IP header; else at the link layer's. `ignore_outgoing`: leave
    out what the interface sends; by default on `lo` alone, where each packet also arrives.
    Raises OSError (EPERM without CAP_NET_RAW).
    """
    kind = socket.SOCK_DGRAM if cooked else socket.SOCK_RAW
    # Protocol 0: nothing is heard, from any interface, until bind names one.
    opened = socket.socket(socket.AF_PACKET, kind | socket.SOCK_CLOEXEC, 0)
    try:
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_LEN)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_LEN)
        if ignore_outgoing is None:
            ignore_outgoing = interface == "lo"
        if ignore_outgoing:
            opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        opened.bind((interface, ETH_P_ALL))
    except OSError as error:
        opened.close()
        raise OSError(error.errno, error.strerror, f"hear interface {interface}") from error
    return PacketSocket(opened.detach())
