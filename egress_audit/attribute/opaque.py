"""Flows whose protocol hides what they carry. HOT PATH.

Tunnels were looked into when their packets were decoded; what stayed sealed then is counted here,
with protocols that nobody looks into.

Sources: the IANA registries of protocol numbers and of service names and ports.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from egress_audit.columns import SEALED, Bool, FlowColumns
from egress_audit.model.protocols import SEALED_DNS_PORT, TCP, UDP

LOOKED_INTO = frozenset({4, 41, 47, 50, 97, 103, 108, 115, 137})
"""Protocols of which `FlowColumns.sealed` says whether all that they carry was seen."""
NO_TUNNELS = frozenset({1, 2, 6, 17, 33, 46, 58, 59, 88, 89, 112, 132, 136})
"""Protocols that carry no packets of others: ICMP, IGMP, TCP, UDP, DCCP, RSVP, ICMPv6, no next
header, EIGRP, OSPF, VRRP, SCTP, UDP-Lite. Whatever else there is may."""
TUNNELS_OVER_TCP = {1194: "OpenVPN", 3478: "TURN", 4500: "ESP in TCP"}
"""Port of either end → the tunnel (RFC 8656 §3.1 for TURN, RFC 9329 for ESP); those over UDP are
known packet by packet."""
HIDING_PORTS = {
    (UDP, 443): "QUIC",
    (UDP, SEALED_DNS_PORT): "DNS over QUIC",
    (TCP, SEALED_DNS_PORT): "DNS over TLS",
    (UDP, 5353): "mDNS",
    (UDP, 5355): "LLMNR",
    (UDP, 137): "NetBIOS names",
    (TCP, 1080): "SOCKS",
}
"""Protocol and port, of either end → what hides a name there."""
READABLE = frozenset({"QUIC", "mDNS", "LLMNR", "NetBIOS names"})
"""Those of them that hide nothing where the names were read."""
SPOKEN = frozenset({"SOCKS"})
"""Those that hide nothing where a name was said: a request whose target cannot be read, or that
leads further than to it, counts wherever it is seen."""


def tunnels(flows: FlowColumns, among: Bool, named: Bool) -> dict[str, int]:
    """Flows that carry packets which were not seen, by kind. `among`: (n,) the flows to look at.

    `named`: (n,) those in which a name was said: one of TCP is of TLS, HTTP or the like, and no
    tunnel that is known by its port alone.
    """
    counted: dict[str, int] = {}
    for number in np.flatnonzero(np.bincount(flows.proto)).tolist():
        if number not in NO_TUNNELS | LOOKED_INTO:
            _add(counted, f"IP protocol {number}", among & (flows.proto == number))
    for kind in np.flatnonzero(np.bincount(flows.sealed)).tolist():
        if kind:
            _add(counted, SEALED[kind], among & (flows.sealed == kind))
    for port, name in TUNNELS_OVER_TCP.items():
        rows = (flows.proto == TCP) & ((flows.resp_p == port) | (flows.orig_p == port))
        if rows.any():
            spoke = flows.has_letter("Dd") | flows.data_in_fin
            _add(counted, name, among & ~named & rows & spoke)
    return counted


def hiding_by_port(flows: FlowColumns, read: Iterable[int], named: Bool) -> dict[str, Bool]:
    """Flows of protocols that hide names, (n,) by kind, those kinds only that occur.

    `read`: rows whose names were read all the same; `named`: (n,) those in which a name was said.
    """
    unread: Bool = np.ones(len(flows), np.bool_)
    unread[list(read)] = False
    found: dict[str, Bool] = {}
    for (proto, port), kind in HIDING_PORTS.items():
        at_either_end = (flows.resp_p == port) | (flows.orig_p == port)
        rows = (flows.proto == proto) & at_either_end
        if kind in READABLE:
            rows &= unread
        elif kind in SPOKEN:
            rows &= ~named
        if rows.any():
            found[kind] = rows
    return found


def _add(counted: dict[str, int], kind: str, rows: Bool) -> None:
    count = int(np.count_nonzero(rows))
    if count:
        counted[kind] = counted.get(kind, 0) + count


def sum_of(*counters: Mapping[str, int]) -> dict[str, int]:
    """Several counters added up, by word in order."""
    words = sorted({word for counter in counters for word in counter})
    return {word: sum(counter.get(word, 0) for counter in counters) for word in words}
