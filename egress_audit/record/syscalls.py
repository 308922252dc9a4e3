"""Linux calls that Python has no function for, by ctypes: each raises OSError as Python's own
would.

Source: the man pages of section 2, and include/uapi/linux of Linux 6.12 for constants. Numbers of
system calls are those of x86_64 and of the generic table, which aarch64 uses.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from functools import cache

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP = 1, 4, 8, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4

CAP_NET_RAW, CAP_SYS_ADMIN = 13, 21
_CAPABILITY_VERSION_3 = 0x2008_0522
LAST_POSSIBLE_CAPABILITY = 63

X86_64 = {
    "connect": 42,
    "sendto": 44,
    "sendmsg": 46,
    "bind": 49,
    "listen": 50,
    "setsockopt": 54,
    "socket": 41,
    "execve": 59,
    "open": 2,
    "rename": 82,
    "mknod": 133,
    "mknodat": 259,
    "renameat": 264,
    "renameat2": 316,
    "creat": 85,
    "openat": 257,
    "sendmmsg": 307,
    "seccomp": 317,
    "kill": 62,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "execveat": 322,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "pidfd_open": 434,
    "openat2": 437,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
    "process_vm_readv": 310,
}
GENERIC = {
    **{name: number for name, number in X86_64.items() if number >= 425},
    "connect": 203,
    "sendto": 206,
    "sendmsg": 211,
    "bind": 200,
    "listen": 201,
    "setsockopt": 208,
    "socket": 198,
    "execve": 221,
    "openat": 56,
    "renameat": 38,
    "mknodat": 33,
    "renameat2": 276,
    "sendmmsg": 269,
    "seccomp": 277,
    "kill": 129,
    "add_key": 217,
    "request_key": 218,
    "keyctl": 219,
    "execveat": 281,
    "process_vm_readv": 270,
}
AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""AUDIT_ARCH_ values by machine (linux/audit.h)."""
NUMBERS = {"x86_64": X86_64, "aarch64": GENERIC}
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""We have no room left to look at something: that says nothing of what is there."""


@cache
def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """The kernel's name of the processor: x86_64, aarch64 …"""
    return platform.machine()


def number(name: str) -> int:
    """Number of a system call on this machine. Raises KeyError where it has none."""
    return NUMBERS.get(machine(), {})[name]


def checked(result: int, what: str) -> int:
    """`result`, or an OSError with the C library's errno that says what failed."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result


def call(name: str, *arguments: "int | bytes | ctypes.Array[ctypes.c_char] | None") -> int:
    """A system call by name. Raises OSError; ENOSYS where this machine has no such call."""
    try:
        code = number(name)
    except KeyError as error:
        raise OSError(38, os.strerror(38), name) from error
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(libc().syscall(ctypes.c_long(code), *words), name)


def raise_descriptor_limit() -> None:
    """Lets this process hold as many descriptors as it may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def unshare(flags: int) -> None:
    """unshare(2): moves this process (or its next child, for pids) into new namespaces."""
    checked(libc().unshare(flags), "unshare")


def setns(descriptor: int, kind: int = 0) -> None:
    """setns(2): enters the namespace of an open /proc/PID/ns file."""
    checked(libc().setns(descriptor, kind), "setns")


def mount(
    source: str | None,
    target: str,
    kind: str | None = None,
    flags: int = 0,
    data: str | None = None,
) -> None:
    """mount(2). Raises OSError naming the target."""
    words = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    result = libc().mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    checked(result, f"mount {target}")


def unmount(target: str) -> None:
    """umount2(2), also of what is in use."""
    checked(libc().umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def prctl(option: int, *arguments: int) -> int:
    """prctl(2) with up to four numbers."""
    padded = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    return checked(libc().prctl(option, *padded), f"prctl {option}")


def set_capabilities(effective: int, permitted: int, inheritable: int = 0) -> None:
    """capset(2) on this thread; each argument is a set of bits, 1 << CAP_…"""
    header = struct.pack("=II", _CAPABILITY_VERSION_3, 0)
    sets = (effective, permitted, inheritable)
    words = [part >> shift & 0xFFFF_FFFF for shift in (0, 32) for part in sets]
    checked(libc().capset(header, struct.pack("=6I", *words)), "capset")


def drop_capabilities(*, keep: int = 0) -> None:
    """Empties all capability sets and the bounding set but for the bits of `keep`.

    What is kept survives an exec of an ordinary user (ambient set). The bounding set goes first:
    emptying it takes a capability that would be gone afterwards.
    """
    for capability in range(LAST_POSSIBLE_CAPABILITY + 1):
        if keep >> capability & 1:
            continue
        if libc().prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    set_capabilities(keep, keep, keep)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(LAST_POSSIBLE_CAPABILITY + 1):
        if keep >> capability & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def pidfd_open(pid: int) -> int:
    """A descriptor of a process, which stays true when its pid is used again."""
    return os.pidfd_open(pid)


def pidfd_getfd(pidfd: int, descriptor: int) -> int:
    """A duplicate, in this process, of another process's descriptor (Linux 5.6)."""
    return call("pidfd_getfd", pidfd, descriptor, 0)


class _IoVector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def read_memory(pid: int, address: int, length: int) -> bytes:
    """Up to `length` bytes at `address` of another process; fewer where its mapping ends.

    Raises OSError if nothing can be read there.
    """
    buffer = ctypes.create_string_buffer(length)
    local = _IoVector(ctypes.addressof(buffer), length)
    remote = _IoVector(address, length)
    read = libc().process_vm_readv(
        pid, ctypes.byref(local), ctypes.c_ulong(1), ctypes.byref(remote), ctypes.c_ulong(1), 0
    )
    return buffer.raw[: checked(read, "process_vm_readv")]
