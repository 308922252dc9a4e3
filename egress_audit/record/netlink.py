"""Network links, addresses and routes of the network namespace we are in, by raw rtnetlink.

Source: RFC 3549; include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h, netlink.h of Linux 6.12.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

_NEWLINK, _DELLINK, _GETLINK, _NEWADDR, _NEWROUTE = 16, 17, 18, 20, 24
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400
_ACK_HAS_ATTRIBUTES = 0x200
_NESTED, _TYPE_MASK = 0x8000, 0x3FFF

_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_ERROR_MESSAGE = 1
"""NLMSGERR_ATTR_MSG: the kernel's own words."""

_IFLA_ADDRESS, _IFLA_NAME, _IFLA_MTU, _IFLA_TXQLEN = 1, 3, 4, 13
_IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_NET_NS_FD = 18, 26, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE = 8, b"\x01"
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_IFA_ADDRESS, _IFA_LOCAL, _IFA_F_NODAD = 1, 2, 0x02
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_TABLE_MAIN, _PROTOCOL_STATIC = 254, 4
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253

_UNICAST = 1
"""RTN_UNICAST: a route that leads to somebody."""

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBi")
_ROUTE = struct.Struct("=BBBBBBBBI")
_BUFFER_LEN = 1 << 16


class Links:
    """A netlink socket into the network namespace in which it was opened.

    Every method raises an OSError that names the operation; KeyError for no route kind.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        for option in (_CAP_ACK, _EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._sequence = 0

    def __enter__(self) -> "Links":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket; the links stay."""
        self._socket.close()

    def index(self, name: str) -> int:
        """Number of a link."""
        body = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + _named(name, None)
        answers = self._ask(_GETLINK, 0, body, f"find link {name}")
        if not answers:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), f"find link {name}")
        return _LINK.unpack_from(answers[0])[2]  # type: ignore[no-any-return]

    def up(
        self, name: str, mtu: int | None = None, txqlen: int | None = None, *, noarp: bool = False
    ) -> None:
        """Starts a link. `txqlen`: packets that may wait in it."""
        options = b""
        if mtu is not None:
            options += _attribute(_IFLA_MTU, struct.pack("=I", mtu))
        if txqlen is not None:
            options += _attribute(_IFLA_TXQLEN, struct.pack("=I", txqlen))
        flags = _IFF_UP | (_IFF_NOARP if noarp else 0)
        link = _LINK.pack(socket.AF_UNSPEC, 0, self.index(name), flags, flags)
        self._ask(_NEWLINK, 0, link + options, f"start link {name}")

    def no_link_local(self, name: str) -> None:
        """Keeps the kernel from making an fe80:: address, which it would announce on the wire.

        Has its effect only before the link is up.
        """
        mode = _attribute(_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE)
        inet6 = _attribute(socket.AF_INET6 | _NESTED, mode)
        link = _LINK.pack(socket.AF_UNSPEC, 0, self.index(name), 0, 0)
        body = link + _attribute(_IFLA_AF_SPEC | _NESTED, inet6)
        self._ask(_NEWLINK, 0, body, f"take the link-local address from {name}")

    def address(self, name: str, text: str, prefix_length: int) -> None:
        """Gives a link an address; IPv6 without duplicate address detection, which would send."""
        ip = ip_address(text)
        family, flags = _family(ip.version), _IFA_F_NODAD if ip.version == 6 else 0
        body = _ADDRESS.pack(family, prefix_length, flags, _SCOPE_UNIVERSE, self.index(name))
        body += _attribute(_IFA_LOCAL, ip.packed) + _attribute(_IFA_ADDRESS, ip.packed)
        self._ask(_NEWADDR, _CREATE | _EXCLUSIVE, body, f"add address {text} to {name}")

    def route(
        self,
        prefix: str,
        name: str,
        source: str | None = None,
        gateway: str | None = None,
    ) -> None:
        """Adds a route. `prefix`: 0.0.0.0/0, ::/0, 10.0.0.0/8 …

        `source`: the address with which packets leave that chose none. `gateway`: who takes them
        on, if not the target itself.
        """
        network = ip_network(prefix)
        on_link = network.version == 4 and gateway is None
        scope = _SCOPE_LINK if on_link else _SCOPE_UNIVERSE
        family, length = _family(network.version), network.prefixlen
        body = _ROUTE.pack(family, length, 0, 0, _TABLE_MAIN, _PROTOCOL_STATIC, scope, _UNICAST, 0)
        if network.prefixlen:
            body += _attribute(_RTA_DST, network.network_address.packed)
        body += _attribute(_RTA_OIF, struct.pack("=i", self.index(name)))
        if gateway is not None:
            body += _attribute(_RTA_GATEWAY, ip_address(gateway).packed)
        if source is not None:
            body += _attribute(_RTA_PREFSRC, ip_address(source).packed)
        self._ask(_NEWROUTE, _CREATE | _EXCLUSIVE, body, f"add route {prefix} over {name}")

    def veth(
        self,
        name: str,
        peer: str,
        peer_namespace_fd: int | None = None,
        mac: bytes | None = None,
        peer_mac: bytes | None = None,
    ) -> None:
        """Makes a veth pair; the peer in another network namespace if one is given."""
        end = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        far = end + _named(peer, peer_mac)
        if peer_namespace_fd is not None:
            far += _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_namespace_fd))
        made = _attribute(_IFLA_INFO_KIND, b"veth")
        made += _attribute(_IFLA_INFO_DATA | _NESTED, _attribute(_VETH_INFO_PEER, far))
        body = end + _named(name, mac) + _attribute(_IFLA_LINKINFO | _NESTED, made)
        self._ask(_NEWLINK, _CREATE | _EXCLUSIVE, body, f"make veth pair {name}, {peer}")

    def delete(self, name: str) -> None:
        """Removes a link, and the other end of a pair with it."""
        link = _LINK.pack(socket.AF_UNSPEC, 0, self.index(name), 0, 0)
        self._ask(_DELLINK, 0, link, f"delete link {name}")

    def _ask(self, kind: int, flags: int, body: bytes, operation: str) -> list[bytes]:
        """Bodies of the kernel's answers, read until it has acknowledged this very request."""
        self._sequence += 1
        length = _HEADER.size + len(body)
        header = _HEADER.pack(length, kind, flags | _REQUEST | _ACK, self._sequence, 0)
        self._socket.send(header + body)
        answers: list[bytes] = []
        while True:
            received, _, message_flags, sender = self._socket.recvmsg(_BUFFER_LEN)
            if message_flags & socket.MSG_TRUNC:
                raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE), operation)
            if sender[0] != 0:
                continue  # another process wrote to our port; only the kernel is 0
            for answer, answer_flags, sequence, content in _messages(received):
                if sequence != self._sequence:
                    continue  # the rest of an operation that failed halfway
                if answer == _DONE:
                    return answers
                if answer != _ERROR:
                    answers.append(content)
                    continue
                _raise_error(content, answer_flags, operation)
                return answers


def _family(version: int) -> int:
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def _attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes; its length is without the padding."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _named(name: str, mac: bytes | None) -> bytes:
    named = _attribute(_IFLA_NAME, name.encode() + b"\0")
    return named if mac is None else named + _attribute(_IFLA_ADDRESS, mac)


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(content):
        length, kind = struct.unpack_from("=HH", content, offset)
        if length < 4:
            return
        yield kind & _TYPE_MASK, content[offset + 4 : offset + length]
        offset += length + -length % 4


def _messages(received: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each message of one datagram."""
    offset = 0
    while offset + _HEADER.size <= len(received):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(received, offset)
        if length < _HEADER.size:
            return
        yield kind, flags, sequence, received[offset + _HEADER.size : offset + length]
        offset += length + -length % 4


def _raise_error(content: bytes, flags: int, operation: str) -> None:
    """Raises what an NLMSG_ERROR says; 0 is an acknowledgement."""
    code = -struct.unpack_from("=i", content)[0]
    if not code:
        return
    words = b""
    if flags & _ACK_HAS_ATTRIBUTES:
        words = dict(_attributes(content[4 + _HEADER.size :])).get(_ERROR_MESSAGE, b"")
    said = words.rstrip(b"\0").decode("ascii", "replace")
    raise OSError(code, os.strerror(code), f"{operation}: {said}" if said else operation)
