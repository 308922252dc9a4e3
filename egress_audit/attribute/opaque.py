"""Flows whose protocol hides what they carry, recognised by number. HOT PATH.

Sources: the IANA registries of protocol numbers and of service names and ports.
"""

from collections.abc import Mapping

import numpy as np

from egress_audit.columns import Bool, FlowColumns

TCP, UDP = 6, 17
TUNNEL_PROTOCOLS = {
    4: "IP in IP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    97: "EtherIP",
    98: "IP encapsulation",
    115: "L2TPv3",
    137: "MPLS in IP",
}
TUNNEL_PORTS = {
    1194: "OpenVPN",
    1701: "L2TP",
    2152: "GTP-U",
    3544: "Teredo",
    4500: "ESP in UDP",
    4754: "GRE in UDP",
    4789: "VXLAN",
    6081: "Geneve",
    8472: "VXLAN",
    51820: "WireGuard",
}
"""UDP ports of the responder."""
HIDING_PORTS = {
    (UDP, 443): "QUIC",
    (UDP, 853): "DNS over QUIC",
    (TCP, 853): "DNS over TLS",
    (UDP, 5353): "mDNS",
    (UDP, 5355): "LLMNR",
    (UDP, 137): "NetBIOS names",
    (TCP, 1080): "SOCKS",
}
"""Protocol and responder's port → what hides a name there, or is not read in this version."""


def tunnels(flows: FlowColumns) -> dict[str, int]:
    """Flows that carry other packets, by kind."""
    counted: dict[str, int] = {}
    for number, kind in TUNNEL_PROTOCOLS.items():
        _add(counted, kind, flows.proto == number)
    for port, kind in TUNNEL_PORTS.items():
        _add(counted, kind, (flows.proto == UDP) & (flows.resp_p == port))
    return counted


def hidden_by_port(flows: FlowColumns, among: Bool) -> dict[str, int]:
    """Flows of protocols that hide names, by kind. `among`: (n,) the flows to look at."""
    counted: dict[str, int] = {}
    for (proto, port), kind in HIDING_PORTS.items():
        _add(counted, kind, among & (flows.proto == proto) & (flows.resp_p == port))
    return counted


def _add(counted: dict[str, int], kind: str, rows: Bool) -> None:
    count = int(np.count_nonzero(rows))
    if count:
        counted[kind] = counted.get(kind, 0) + count


def sum_of(*counters: Mapping[str, int]) -> dict[str, int]:
    """Several counters added up, by word in order."""
    words = sorted({word for counter in counters for word in counter})
    return {word: sum(counter.get(word, 0) for counter in counters) for word in words}
