"""Packets that nobody on the internet would answer, whatever they ask.

Source: RFC 1122 §3.2.1.3 and §3.2.2, RFC 4443 §2.4 (e), RFC 4861 (neighbours are asked on links; a
TUN device has none).
"""

from egress_audit.model.protocols import ICMP, ICMPV6
from egress_audit.record.internet.icmp import is_echo_request, is_error
from egress_audit.record.internet.packets import Packet

_MULTICAST, _AFTER_MULTICAST, _MULTICAST_6 = 224, 240, 0xFF
_NO_HOSTS = frozenset({0, 127, *range(_MULTICAST, 256)})
"""First bytes of addresses that no packet may come from: this network, loopback, multicast …"""
_NO_DESTINATIONS = frozenset({0, 127})
_BROADCAST = b"\xff\xff\xff\xff"
_NO_HOSTS_6 = frozenset({bytes(16), bytes(15) + b"\1"})


def why_unanswerable(packet: Packet) -> str | None:
    """The reason why this packet gets no answer, under which it is counted; None if it may."""
    reason = _by_addresses4(packet) if len(packet.src) == 4 else _by_addresses6(packet)
    if reason is None and packet.proto in (ICMP, ICMPV6):
        if is_error(packet):
            return "icmp: an error"
        if not is_echo_request(packet):
            return "icmp: no echo request"
    return reason


def _by_addresses4(packet: Packet) -> str | None:
    first = packet.dst[0]
    if _MULTICAST <= first < _AFTER_MULTICAST or packet.dst == _BROADCAST:
        return "multicast or broadcast"
    if packet.src[0] in _NO_HOSTS:
        return "source is no host"
    return "destination is no host" if first in _NO_DESTINATIONS else None


def _by_addresses6(packet: Packet) -> str | None:
    if packet.dst[0] == _MULTICAST_6:
        return "multicast or broadcast"
    if packet.src[0] == _MULTICAST_6 or packet.src in _NO_HOSTS_6:
        return "source is no host"
    return "destination is no host" if packet.dst in _NO_HOSTS_6 else None
