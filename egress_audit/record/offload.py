"""Has the kernel finish the checksums of packets before they leave by a link.

Without it a veth pair carries packets whose checksums nobody has made yet, as no wire follows:
what takes them on from us would have to drop them. Source: include/uapi/linux/ethtool.h, sockios.h.
"""

import ctypes
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x16, 0x17
_REQUEST = struct.Struct("16sP16x")
_VALUE = struct.Struct("=II")


def make_checksums(name: str) -> None:
    """Turns off what a link leaves to hardware: checksums, and with them segmentation. OSError."""
    _asked(name, ETHTOOL_STXCSUM)


def leaves_checksums(name: str) -> bool:
    """True if a link leaves checksums to hardware. Raises OSError."""
    return bool(_asked(name, ETHTOOL_GTXCSUM))


def _asked(name: str, command: int) -> int:
    value = ctypes.create_string_buffer(_VALUE.pack(command, 0), _VALUE.size)
    request = _REQUEST.pack(name.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket.fileno(), SIOCETHTOOL, request)
    answer: int = _VALUE.unpack(value.raw)[1]
    return answer
