"""Which multicast group a setsockopt joins: the kernel then sends IGMP or MLD for the process.

Source: ip(7) and ipv6(7); struct ip_mreqn, ipv6_mreq and group_req of linux/in.h, in6.h.
"""

import struct
from dataclasses import replace

from egress_audit.record.filter import AF_INET, AF_INET6, SOL_IP
from egress_audit.record.notifications import (
    Notification,
    SocketAddress,
    parse_address,
    read_address,
)
from egress_audit.record.syscalls import read_memory

MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP = 42, 46
GROUP_IN_REQUEST = 8
"""Where the sockaddr of struct group_req stands, and of struct group_source_req."""
ADDRESS_LEN = {AF_INET: 4, AF_INET6: 16}


def joined_group(note: Notification) -> SocketAddress | None:
    """The group, without a port; None where the kernel will find none either.

    note: a setsockopt with one of JOIN_OPTIONS. Raises OSError if it cannot be read.
    """
    _, level, option, pointer, length, _ = note.arguments
    level, option, length = (word & 0xFFFF_FFFF for word in (level, option, length))
    if option in (MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP):
        if not pointer or length <= GROUP_IN_REQUEST:
            return None
        group = read_address(note.tid, pointer + GROUP_IN_REQUEST, length - GROUP_IN_REQUEST)
        return group and replace(group, port=None)
    family = AF_INET if level == SOL_IP else AF_INET6
    if not pointer or length < ADDRESS_LEN[family]:
        return None
    address = read_memory(note.tid, pointer, ADDRESS_LEN[family])
    # In front of the address: a port, and in IPv6 a flow label.
    head = struct.pack("=H", family) + bytes(2 if family == AF_INET else 6)
    return replace(parse_address(head + address), port=None)
