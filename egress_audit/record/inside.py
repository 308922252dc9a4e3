"""Files as the program sees them, looked at from outside without being led astray.

A path in the sandbox may hold symbolic links that mean something else on the host; so the kernel is
told to resolve it below the sandbox's root and nowhere else (openat2(2), RESOLVE_IN_ROOT, Linux
5.6).
"""

import errno
import os
import stat
import struct

from egress_audit.record.syscalls import call

O_PATH = 0o10_000_000
RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT = 0x02, 0x10
OPEN_HOW = struct.Struct("=QQQ")


class Inside:
    """The file system of a process of the sandbox."""

    def __init__(self, root: int) -> None:
        """root: an O_PATH descriptor of its root; closed by `close`."""
        self._root = root

    @classmethod
    def of(cls, pid: int) -> "Inside":
        """What the process with this pid has as `/`. Raises OSError if it may not be looked at."""
        return cls(os.open(f"/proc/{pid}/root", O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))

    def close(self) -> None:
        """Lets the root go."""
        os.close(self._root)

    def descriptor(self, path: str, flags: int) -> int:
        """openat2 of an absolute path below the root. Raises OSError."""
        how = OPEN_HOW.pack(flags | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        return call("openat2", self._root, os.fsencode(path), how, OPEN_HOW.size)

    def stat(self, path: str, *, follow: bool = True) -> os.stat_result:
        """What the path leads to; follow: through a link at its end too. Raises OSError."""
        descriptor = self.descriptor(path, O_PATH | (0 if follow else os.O_NOFOLLOW))
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def open(self, path: str) -> int:
        """A descriptor for reading a regular file. Raises OSError, for anything else too.

        What is none is not opened at all: whoever waits at a FIFO would notice, or a device.
        """
        place = self.descriptor(path, O_PATH)
        try:
            if not stat.S_ISREG(os.fstat(place).st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
            return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        finally:
            os.close(place)
