"""The recorder's end of the filter: calls that wait, what their arguments lead to, and the answers.

Memory of a waiting process can be changed by its other threads between our look and the kernel's
(seccomp_unotify(2)); so what is read here says what was *asked for*, and packets say what was done.

Source: seccomp_unotify(2), linux/seccomp.h (Linux 6.12).
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from egress_audit.addresses import address_text
from egress_audit.record.filter import AF_INET, AF_INET6, AF_UNIX, X32_BIT
from egress_audit.record.syscalls import AUDIT_ARCH, NUMBERS, machine, read_memory

NOTIF_RECV, NOTIF_SEND, NOTIF_ID_VALID = 0xC050_2100, 0xC018_2101, 0x4008_2102
NOTIF_ADDFD, NOTIF_SET_FLAGS, SYNC_WAKE_UP = 0x4018_2103, 0x4008_2104, 1
FLAG_CONTINUE = 1
ADDFD_SEND = 2
"""Linux 5.14: the call returns the new descriptor, in one step with getting it."""
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
ANSWER = struct.Struct("=QqiI")
GIFT = struct.Struct("=QIIII")

AF_PACKET = 17
FAMILIES = {
    0: "AF_UNSPEC",
    AF_UNIX: "AF_UNIX",
    AF_INET: "AF_INET",
    3: "AF_AX25",
    4: "AF_IPX",
    5: "AF_APPLETALK",
    9: "AF_X25",
    AF_INET6: "AF_INET6",
    15: "AF_KEY",
    16: "AF_NETLINK",
    AF_PACKET: "AF_PACKET",
    21: "AF_RDS",
    26: "AF_LLC",
    27: "AF_IB",
    29: "AF_CAN",
    30: "AF_TIPC",
    31: "AF_BLUETOOTH",
    38: "AF_ALG",
    39: "AF_NFC",
    40: "AF_VSOCK",
    42: "AF_QIPCRTR",
    43: "AF_SMC",
    44: "AF_XDP",
    45: "AF_MCTP",
}
"""linux/socket.h."""
TYPES = {1: "stream", 2: "dgram", 3: "raw", 4: "rdm", 5: "seqpacket", 6: "dccp", 10: "packet"}

FOREIGN_ABI = "foreign-abi"
"""Instead of a name: a call of another architecture, or of x32."""
LONGEST_ADDRESS = 128
LONGEST_PATH = 4096
PAGE = 4096
MESSAGE_HEADER = struct.Struct("=QI4x")
"""msg_name and msg_namelen of struct msghdr on 64-bit machines."""
MULTIPLE_MESSAGE_SIZE = 64
MOST_MESSAGES = 1024
"""UIO_MAXIOV: the kernel takes no more from one sendmmsg."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A system call that waits for an answer."""

    id: int
    tid: int
    """Thread, as the recorder's pid namespace numbers it."""
    name: str
    arguments: tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """What a sockaddr says."""

    family: int
    address: str
    """An IP address, a path, `@name` of an abstract socket, or the bytes in hex."""
    port: int | None

    @property
    def is_internet(self) -> bool:
        """True for a whole address of IPv4 or IPv6; what is too short for one stands in hex."""
        return self.family in (AF_INET, AF_INET6) and not {".", ":"}.isdisjoint(self.address)


class Listener:
    """Receives notifications and answers them."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._names = {number: name for name, number in NUMBERS[machine()].items()}
        self._buffer = bytearray(NOTIFICATION.size)
        self._blank = bytes(NOTIFICATION.size)
        with suppress(OSError):  # Linux before 6.6: a notification costs one wake-up more.
            fcntl.ioctl(descriptor, NOTIF_SET_FLAGS, SYNC_WAKE_UP)

    def receive(self) -> Notification | None:
        """The next call that waits; None if its process was killed meanwhile."""
        self._buffer[:] = self._blank
        try:
            fcntl.ioctl(self.descriptor, NOTIF_RECV, self._buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        id_, tid, _, number, arch, _, *arguments = NOTIFICATION.unpack(self._buffer)
        name = self._names.get(number, str(number))
        if arch != AUDIT_ARCH[machine()] or number & X32_BIT:
            name = FOREIGN_ABI
        one, two, three, four, five, six = arguments
        return Notification(id_, tid, name, (one, two, three, four, five, six))

    def still_waits(self, notification: Notification) -> bool:
        """True if what was read of the process was read of *that* process."""
        try:
            fcntl.ioctl(self.descriptor, NOTIF_ID_VALID, struct.pack("=Q", notification.id))
        except OSError:
            return False
        return True

    def let_go(self, notification: Notification) -> bool:
        """Has the kernel carry the call out; False if the process is gone."""
        return self._answer(notification.id, 0, FLAG_CONTINUE)

    def refuse(self, notification: Notification, code: int) -> bool:
        """Has the call fail with an errno; False if the process is gone."""
        return self._answer(notification.id, -code, 0)

    def done(self, notification: Notification, value: int) -> bool:
        """Has the call return what it came to when we carried it out: minus an errno, or a value
        from 0. False if the process is gone."""
        return self._answer(notification.id, min(value, 0), 0, max(value, 0))

    def give(self, notification: Notification, descriptor: int, *, cloexec: bool) -> bool:
        """Has the call return a duplicate of our descriptor, new in that process; False if the
        process is gone. Raises OSError, EMFILE where it has too many."""
        flags = os.O_CLOEXEC if cloexec else 0
        gift = GIFT.pack(notification.id, ADDFD_SEND, descriptor, 0, flags)
        return self._tell(NOTIF_ADDFD, gift)

    def _answer(self, id_: int, error: int, flags: int, value: int = 0) -> bool:
        return self._tell(NOTIF_SEND, ANSWER.pack(id_, value, error, flags))

    def _tell(self, request: int, said: bytes) -> bool:
        """Tells the kernel how a call ends; False if the process is gone."""
        try:
            fcntl.ioctl(self.descriptor, request, said)
        except OSError as problem:
            if problem.errno == errno.ENOENT:
                return False
            raise
        return True

    def close(self) -> None:
        """Calls that still wait fail with ENOSYS from now on."""
        os.close(self.descriptor)


def read_address(
    tid: int, pointer: int, length: int, *, sends: bool = False
) -> SocketAddress | None:
    """The sockaddr at `pointer`; None for none. Raises OSError if it cannot be read."""
    length &= 0xFFFF_FFFF
    if not pointer or length < 2:
        return None
    return parse_address(read_memory(tid, pointer, min(length, LONGEST_ADDRESS)), sends=sends)


def parse_address(raw: bytes, *, sends: bool = False) -> SocketAddress:
    """A sockaddr as the kernel would read it (bind(2), ip(7), ipv6(7), unix(7)).

    sends: as a datagram's target, where AF_UNSPEC means IPv4 (net/ipv4/udp.c).
    """
    (family,) = struct.unpack_from("=H", raw.ljust(2, b"\0"))
    if sends and not family:
        family = AF_INET
    if family == AF_INET and len(raw) >= 8:
        return SocketAddress(family, str(IPv4Address(raw[4:8])), int.from_bytes(raw[2:4], "big"))
    if family == AF_INET6 and len(raw) >= 24:
        whole = int(IPv6Address(raw[8:24]))
        text = address_text(6, whole >> 64, whole & (1 << 64) - 1)
        return SocketAddress(family, text, int.from_bytes(raw[2:4], "big"))
    if family == AF_UNIX:
        return SocketAddress(family, _unix_name(raw[2:]), None)
    return SocketAddress(family, raw[2:].hex(), None)


def _unix_name(raw: bytes) -> str:
    """A path up to its NUL; an abstract name with @ in front; empty for an unnamed socket.

    A relative path that itself begins with @ gets `./` in front.
    """
    if raw[:1] == b"\0" and len(raw) > 1:
        return "@" + os.fsdecode(raw[1:])
    path = os.fsdecode(raw.split(b"\0", 1)[0])
    return "./" + path if path.startswith("@") else path


def addresses_of(notification: Notification) -> Iterator[SocketAddress | None]:
    """Where a connect, bind or send wants to: one a message, None where none is given.

    Raises OSError if the process's memory cannot be read.
    """
    tid, arguments = notification.tid, notification.arguments
    if notification.name in ("connect", "bind"):
        yield read_address(tid, arguments[1], arguments[2])
    elif notification.name == "sendto":
        yield read_address(tid, arguments[4], arguments[5], sends=True)
    elif notification.name == "sendmsg":
        yield _message_address(tid, arguments[1])
    elif notification.name == "sendmmsg":
        for place in range(min(arguments[2] & 0xFFFF_FFFF, MOST_MESSAGES)):
            try:
                target = _message_address(tid, arguments[1] + place * MULTIPLE_MESSAGE_SIZE)
            except OSError:
                if not place:
                    raise
                return  # The kernel sends the messages before the one it cannot read.
            yield target


def _message_address(tid: int, pointer: int) -> SocketAddress | None:
    raw = read_memory(tid, pointer, MESSAGE_HEADER.size)
    if len(raw) < MESSAGE_HEADER.size:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT), "message header")
    name, length = MESSAGE_HEADER.unpack(raw)
    return read_address(tid, name, length, sends=True)


def read_text(tid: int, pointer: int) -> str:
    """The NUL-terminated text at `pointer`, at most LONGEST_PATH bytes. Raises OSError."""
    text = b""
    while len(text) < LONGEST_PATH:
        # To the end of the page: the next one need not be mapped.
        room = PAGE - (pointer + len(text)) % PAGE
        part = read_memory(tid, pointer + len(text), room)
        end = part.find(b"\0")
        if end >= 0:
            return os.fsdecode(text + part[:end])
        text += part
    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "path")


def error_name(code: int) -> str:
    """`ECONNREFUSED` for 111."""
    return errno.errorcode.get(code, str(code))


def family_name(family: int) -> str:
    """`AF_INET` for 2."""
    return FAMILIES.get(family, f"AF_{family}")


def type_name(kind: int) -> str:
    """`stream` for SOCK_STREAM, flags of socket(2) left out."""
    return TYPES.get(kind & 0xF, str(kind & 0xF))
