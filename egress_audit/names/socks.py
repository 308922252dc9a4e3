"""The target that a SOCKS proxy is asked for.

Sources: RFC 1928 §3 and §4 (SOCKS5), RFC 1929 §2 (its user name), the SOCKS4 and SOCKS4a memoranda.
"""

from ipaddress import IPv4Address, ip_address

from egress_audit.model.flow import NameSource
from egress_audit.names.authority import hosts_of
from egress_audit.names.reading import (
    HUNGRY,
    NOTHING,
    Reading,
    Unread,
    anew,
)

SOCKS = Reading(marks=frozenset({"socks"}))
GARBLED = Reading(marks=SOCKS.marks, unread=Unread.MALFORMED)
MAX_USER = 256
"""Bytes of a user name or a host of SOCKS4, and the zero behind it."""

_CONTROLS = bytes(range(0x20)) + b"\x7f"
"""Of these alone no host is made; the numbers of other protocols are, as those in an error of
OpenFlow 1.3, which begins as SOCKS4 does. Such a flow hides its name, and accuses nobody."""
_KNOWN_METHODS = 0x0A
"""IANA "SOCKS Methods": 0 to 9 are assigned, from 0x80 on they are private."""
_PRIVATE_METHODS = 0x80
_CONNECT, _BIND, _ASSOCIATE, _RESOLVE, _RESOLVE_PTR = 1, 2, 3, 0xF0, 0xF1
"""The last two are Tor's: names are asked for through the proxy."""
_COMMANDS = (_CONNECT, _BIND, _ASSOCIATE, _RESOLVE, _RESOLVE_PTR)
_ONE_TARGET = (_CONNECT, _RESOLVE, _RESOLVE_PTR)
_IPV4, _DOMAIN, _IPV6 = 1, 3, 4
_REPLIES = b"\x05\x02\x01\x00\x05\x00"
"""What a proxy that asks for a user name says: method 2, user accepted, target reached."""


def read_greeting(stream: bytes) -> Reading:
    """The target in the client's first messages, SOCKS; NOTHING if they are of another protocol.

    Hungry while the greeting is plausible and while nothing but it, and a user name, has come. Mark
    `socks` where the target cannot be read: behind another authentication, or because a command
    leads further than to the target it names. Never raises.
    """
    if stream[:1] == b"\x05":
        return _read_socks5(stream)
    if stream[:1] == b"\x04":
        return _read_socks4(stream)
    return NOTHING


def _read_socks5(stream: bytes) -> Reading:
    """Version, number of methods, methods; then, maybe after a user name, the request."""
    if len(stream) < 2:
        return HUNGRY
    end = 2 + stream[1]
    plausible = (m < _KNOWN_METHODS or m >= _PRIVATE_METHODS for m in stream[2:end])
    if not stream[1] or not all(plausible):
        return NOTHING
    if len(stream) <= end:
        return HUNGRY
    request = stream[end:]
    if request[0] == 1:
        request = _behind_user(request)
    if not request:
        return HUNGRY
    if stream.startswith(_REPLIES):
        return NOTHING
    return _read_request(request, len(stream) - len(request))


def _behind_user(stream: bytes) -> bytes:
    """What follows version, user name and password, these two behind their lengths (RFC 1929)."""
    end = 2 + stream[1] if len(stream) > 1 else len(stream)
    return stream[end + 1 + stream[end] :] if len(stream) > end else b""


def _read_request(request: bytes, before: int) -> Reading:
    """Version, command, zero, type of address, address, port (RFC 1928 §4).

    before: bytes of the stream in front of it.
    """
    command, kind = request[1:2], request[3:4]
    if request[0] != 5 or (command and command[0] not in _COMMANDS) or request[2:3] > b"\0":
        return SOCKS
    if len(request) < 5:
        return HUNGRY
    size = {_IPV4: 4, _IPV6: 16, _DOMAIN: request[4]}.get(kind[0])
    if not size:
        return GARBLED
    start = 5 if kind[0] == _DOMAIN else 4
    if len(request) < start + size + 2:
        return HUNGRY
    address = request[start : start + size]
    host = address if start == 5 else str(ip_address(address)).encode()
    return _target(host, command[0], before + start + size + 2)


def _read_socks4(stream: bytes) -> Reading:
    """Version, command, port, address, user name; in SOCKS4a, behind 0.0.0.x, the host."""
    if len(stream) > 1 and stream[1] not in (_CONNECT, _BIND, _RESOLVE):
        return NOTHING
    end = stream.find(0, 8, 8 + MAX_USER)
    if end < 0:
        return HUNGRY if len(stream) < 8 + MAX_USER else NOTHING
    address = stream[4:8]
    if address[:3] != bytes(3) or not address[3]:
        return _target(str(IPv4Address(address)).encode(), stream[1], end + 1)
    start, end = end + 1, stream.find(0, end + 1, end + 1 + MAX_USER)
    if end < 0:
        return HUNGRY if len(stream) < start + MAX_USER else GARBLED
    host = stream[start:end]
    if not host.strip(_CONTROLS):
        return GARBLED
    return _target(host, stream[1], end + 1)


def _target(host: bytes, command: int, end: int) -> Reading:
    """The host, spoken; the mark for commands after which more than that may be reached.

    Proxies differ in what they make of a zero or a blank in it, as those of HTTP do: it is spoken
    in each way, and unread.

    Who means to send datagrams tells from where, all zeros if that is not known (RFC 1928 §6), and
    some write these as a name: no host is called `0`.

    end: where the request ends; behind one to connect, the client speaks to the target.
    """
    marks = frozenset[str]() if command in _ONE_TARGET else SOCKS.marks
    nowhere = bool(marks) and not host.strip(b"0.:")
    spoken, odd = hosts_of(() if nowhere else (host,), NameSource.SOCKS)
    unread = Unread.MALFORMED if odd or not (spoken or nowhere) else None
    then = anew if command == _CONNECT else None
    return Reading(spoken, marks, unread, consumed=end, then=then)
