"""The seccomp filter of the sandbox: which system calls stop and wait for the recorder's answer.

A filter sees numbers and arguments, never what a pointer leads to; so it decides only what
arguments alone can tell, and everything else that could lead out is put before the recorder. So are
calls of foreign architectures, whose numbers mean other things.

Source: seccomp(2), linux/seccomp.h, linux/filter.h, linux/bpf_common.h (Linux 6.12).
"""

import ctypes
import errno
import struct
from dataclasses import dataclass

from egress_audit.record.syscalls import (
    AUDIT_ARCH,
    NUMBERS,
    PR_SET_NO_NEW_PRIVS,
    call,
    machine,
    prctl,
)

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3
SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5
"""A target that handles signals would otherwise have its calls restarted behind our back."""

RET_ALLOW, RET_NOTIFY, RET_ERRNO = 0x7FFF_0000, 0x7FC0_0000, 0x0005_0000

LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER_OFFSET, ARCH_OFFSET, ARGUMENTS_OFFSET = 0, 4, 16
X32_BIT, NEGATIVE = 0x4000_0000, 0x8000_0000

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_ALG = 1, 2, 10, 16, 38
PLAIN_FAMILIES = (AF_UNIX, AF_NETLINK, AF_ALG)
"""Families whose sockets lead nowhere by being opened: connect and send are looked at later.
AF_ALG is the kernel's cryptography."""
SOCK_TYPE_MASK, SOCK_RAW, SOCK_PACKET = 0xF, 3, 10
SOL_IP, SOL_IPV6 = 0, 41
JOIN_OPTIONS = {SOL_IP: (35, 39, 42, 46), SOL_IPV6: (20, 42, 46)}
"""Options that join a multicast group: the kernel then sends IGMP or MLD for the process."""
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
"""Put bytes into a terminal's input, as if its user had typed them."""
IOCTL = {"x86_64": 16, "aarch64": 29}

ALWAYS = ("connect", "sendmsg", "sendmmsg", "bind", "listen", "execve", "execveat")
KEYS = ("add_key", "request_key", "keyctl")
"""Keys of the kernel: the host has programs fetch some, and shares others with the sandbox."""
FILES = (
    "openat",
    "open",
    "openat2",
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "mknod",
    "mknodat",
)
IO_URING = ("io_uring_setup", "io_uring_enter", "io_uring_register")
OWN_GROUP, EVERYBODY = 0, 0xFFFF_FFFF
"""Pids of kill(2) that name no process, as 32 bits: 0 and -1."""


@dataclass(slots=True)
class Instruction:
    """One instruction; jumps name labels, the empty one being the next instruction."""

    code: int
    value: int
    if_true: str = ""
    if_false: str = ""


class Program:
    """A filter in the making: instructions and the labels in front of them."""

    def __init__(self) -> None:
        self._instructions: list[Instruction] = []
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        """Names the place of the next instruction."""
        self._labels[name] = len(self._instructions)

    def load(self, offset: int) -> None:
        """Loads 32 bits of struct seccomp_data."""
        self._instructions.append(Instruction(LOAD_WORD, offset))

    def mask(self, bits: int) -> None:
        """Keeps these bits of what was loaded."""
        self._instructions.append(Instruction(AND, bits))

    def jump(self, code: int, value: int, if_true: str = "", if_false: str = "") -> None:
        """A conditional jump; only forwards, as the kernel demands."""
        self._instructions.append(Instruction(code, value, if_true, if_false))

    def give(self, value: int) -> None:
        """Ends with this answer."""
        self._instructions.append(Instruction(RETURN, value))

    def assembled(self) -> bytes:
        """The program as an array of struct sock_filter."""
        parts = []
        for place, step in enumerate(self._instructions):
            jumps = [
                self._labels[name] - place - 1 if name else 0
                for name in (step.if_true, step.if_false)
            ]
            parts.append(struct.pack("=HBBI", step.code, *jumps, step.value))
        return b"".join(parts)


def low_word(argument: int) -> int:
    """Offset of the lower 32 bits of an argument, 0 to 5, on a little-endian machine."""
    return ARGUMENTS_OFFSET + 8 * argument


def program(kind: str, *, files: bool = True, sockets: bool = False) -> bytes:
    """The filter for a machine (`x86_64`, `aarch64`). Raises KeyError for another.

    files: whether opening a file is put before the recorder too; sockets: whether making an
    ordinary socket of IPv4 or IPv6 is, and every send.
    """
    numbers, made = NUMBERS[kind], Program()
    made.load(ARCH_OFFSET)
    made.jump(JUMP_EQUAL, AUDIT_ARCH[kind], "", "notify")
    made.load(NUMBER_OFFSET)
    if kind == "x86_64":
        made.jump(JUMP_AT_LEAST, NEGATIVE, "missing", "")
        made.jump(JUMP_AT_LEAST, X32_BIT, "notify", "")
    for name in (*(FILES if files else ()), *ALWAYS, *KEYS, *IO_URING):
        if name in numbers:
            made.jump(JUMP_EQUAL, numbers[name], "notify", "")
    for name in ("sendto", "socket", "setsockopt", "seccomp", "kill"):
        label = "notify" if name == "sendto" and sockets else name
        made.jump(JUMP_EQUAL, numbers[name], label, "")
    made.jump(JUMP_EQUAL, IOCTL[kind], "ioctl", "allow")
    _sendto(made)
    _socket(made, sockets)
    _setsockopt(made)
    _seccomp(made)
    made.label("kill")  # The caller's group, and everybody: both may hold processes of the host.
    made.load(low_word(0))
    made.jump(JUMP_EQUAL, OWN_GROUP, "notify", "")
    made.jump(JUMP_EQUAL, EVERYBODY, "notify", "allow")
    made.label("ioctl")
    made.load(low_word(1))
    made.jump(JUMP_EQUAL, TIOCSTI, "forbidden", "")
    made.jump(JUMP_EQUAL, TIOCLINUX, "forbidden", "allow")
    for label, answer in (
        ("missing", RET_ERRNO | errno.ENOSYS),
        ("forbidden", RET_ERRNO | errno.EPERM),
        ("notify", RET_NOTIFY),
        ("allow", RET_ALLOW),
    ):
        made.label(label)
        made.give(answer)
    return made.assembled()


def _sendto(made: Program) -> None:
    """Without an address it is send(2) on a socket that was connected, and so known."""
    made.label("sendto")
    made.load(low_word(4))
    made.jump(JUMP_EQUAL, 0, "", "notify")
    made.load(low_word(4) + 4)
    made.jump(JUMP_EQUAL, 0, "allow", "notify")


def _socket(made: Program, ordinary: bool) -> None:
    """Families that could lead out some other way, and raw sockets; ordinary ones if asked for."""
    made.label("socket")
    made.load(low_word(0))
    for family in PLAIN_FAMILIES:
        made.jump(JUMP_EQUAL, family, "allow", "")
    made.jump(JUMP_EQUAL, AF_INET, "internet", "")
    made.jump(JUMP_EQUAL, AF_INET6, "internet", "notify")
    made.label("internet")
    made.load(low_word(1))
    made.mask(SOCK_TYPE_MASK)
    made.jump(JUMP_EQUAL, SOCK_RAW, "notify", "")
    made.jump(JUMP_EQUAL, SOCK_PACKET, "notify", "notify" if ordinary else "allow")


def _setsockopt(made: Program) -> None:
    """Only joining a multicast group: packets follow that no process sends."""
    made.label("setsockopt")
    made.load(low_word(1))
    made.jump(JUMP_EQUAL, SOL_IP, "ip_option", "")
    made.jump(JUMP_EQUAL, SOL_IPV6, "ipv6_option", "allow")
    for label, level in (("ip_option", SOL_IP), ("ipv6_option", SOL_IPV6)):
        made.label(label)
        made.load(low_word(2))
        *options, last = JOIN_OPTIONS[level]
        for option in options:
            made.jump(JUMP_EQUAL, option, "notify", "")
        made.jump(JUMP_EQUAL, last, "notify", "allow")


def _seccomp(made: Program) -> None:
    """A process may confine itself further; a second listener cannot be had beside ours."""
    made.label("seccomp")
    made.load(low_word(0))
    made.jump(JUMP_EQUAL, SECCOMP_SET_MODE_FILTER, "", "allow")
    made.load(low_word(1))
    made.jump(JUMP_ANY_BIT, SECCOMP_FILTER_FLAG_NEW_LISTENER, "notify", "allow")


def install(*, files: bool = True, sockets: bool = False) -> int:
    """Puts the filter on this process and all it will start; returns the listener's descriptor.

    Sets NO_NEW_PRIVS. Raises OSError: ENOSYS or EINVAL on a kernel before 5.19, or on a machine
    whose system calls are not known.
    """
    kind = machine()
    if kind not in AUDIT_ARCH:
        raise OSError(errno.ENOSYS, f"no filter for {kind}", "seccomp")
    code = ctypes.create_string_buffer(program(kind, files=files, sockets=sockets))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = struct.pack("=HxxxxxxQ", (len(code) - 1) // 8, ctypes.addressof(code))
    flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
    return call("seccomp", SECCOMP_SET_MODE_FILTER, flags, header)
