"""Sockets that reach this machine and no other, and which addresses mean this machine.

Source: socket(7), SO_BINDTODEVICE: since Linux 5.7 an ordinary user may bind a socket to an
interface, and without CAP_NET_RAW never to another one; what it accepts is bound likewise.
"""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from egress_audit.record.filter import AF_INET, AF_INET6

LOOPBACK = b"lo\0"


def fence(own: socket.socket) -> None:
    """Binds a socket to the loopback interface, if it is not. Raises OSError if that cannot be."""
    if own.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16) != LOOPBACK:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, LOOPBACK)


def end_of(address: bytes) -> tuple[IPv4Address | IPv6Address, int] | None:
    """Address and port of a sockaddr as an internet socket takes it; None for what is none.

    A send takes AF_UNSPEC for IPv4 (net/ipv4/udp.c); a mapped address is given as IPv4.
    """
    (family,) = struct.unpack_from("=H", address.ljust(2, b"\0"))
    port = int.from_bytes(address[2:4], "big")
    if family in (AF_INET, socket.AF_UNSPEC) and len(address) >= 8:
        return IPv4Address(address[4:8]), port
    if family == AF_INET6 and len(address) >= 24:
        six = IPv6Address(address[8:24])
        return six.ipv4_mapped or six, port
    return None


def is_here(place: IPv4Address | IPv6Address) -> bool:
    """True for loopback, and for the unspecified address, which means this machine (ip(7))."""
    return place.is_loopback or place == ip_address(bytes(4 if place.version == 4 else 16))
