"""The TUN device that is the sandbox's only way out, and what it counted.

Source: Documentation/networking/tuntap.rst; include/uapi/linux/if_tun.h. Measured: with a queue of
20 000 packets none is dropped, and once it was read empty tx_packets + tx_drop is exactly what was
sent.
"""

import fcntl
import os
import stat
import struct
from pathlib import Path

from egress_audit.record import syscalls

TUN_NODE = "/dev/net/tun"
_TUN_DEVICE = os.makedev(10, 200)

_TUNSETIFF = 0x4004_54CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_IFREQ = struct.Struct("16sH22x")

_TRANSMIT_DROPS = 11
"""Column of /proc/PID/net/dev behind the name; the first eight are of reception."""


def open_tun(name: str, node: str = TUN_NODE) -> int:
    """A descriptor whose reads are the IP packets that leave by the new device `name`.

    The device lies in the network namespace we are in, for as long as the descriptor is open;
    each read is one whole packet, each write one that arrives. Raises OSError.
    """
    descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        request = _IFREQ.pack(name.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError as error:
        os.close(descriptor)
        raise OSError(error.errno, error.strerror, f"make device {name} with {node}") from error
    return descriptor


def make_node(folder: str) -> str:
    """Path of a TUN device node that every user can open; made as root.

    Called in a private mount namespace. A tmpfs is mounted on `folder`, any that is there, the node
    made in it and bound over /dev/net/tun, and the tmpfs taken away again. Where there is no
    /dev/net/tun it stays, and the path in it comes back.
    Raises OSError (EPERM in a container that may not make device nodes).
    """
    syscalls.mount("tun", folder, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NOEXEC, "mode=755")
    node = str(Path(folder, "tun"))
    os.mknod(node, stat.S_IFCHR | 0o666, _TUN_DEVICE)
    Path(node).chmod(0o666)  # mknod obeys the umask
    if not Path(TUN_NODE).exists():
        return node
    syscalls.mount(node, TUN_NODE, None, syscalls.MS_BIND)
    syscalls.unmount(folder)
    return TUN_NODE


def transmit_drops(pid: int | str, name: str) -> int:
    """Packets that a link dropped because its queue was full, in the network namespace of `pid`.

    Raises OSError, also if there is no such link.
    """
    path = Path(f"/proc/{pid}/net/dev")
    for line in path.read_text(encoding="utf-8").splitlines():
        link, colon, columns = line.partition(":")
        if colon and link.strip() == name:
            return int(columns.split()[_TRANSMIT_DROPS])
    raise FileNotFoundError(2, f"no link {name}", str(path))
