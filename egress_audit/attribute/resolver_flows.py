"""Flows to resolvers that are asked through HTTP: the names asked inside are not seen. HOT PATH.

Source: RFC 8484 §8.2 (port 443); DNS over TLS and over QUIC have a port of their own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

import numpy as np

from egress_audit.attribute.directions import Far
from egress_audit.columns import I64, Bool, FlowColumns
from egress_audit.model.protocols import DNS_PORTS, TCP, UDP

HTTP_PORTS = (80, 443)
"""Of either end: which one is the responder may be a guess."""
LOWER = (1 << 64) - 1


def over_http(flows: FlowColumns) -> Bool:
    """(n,) True for flows in which a resolver could be asked through HTTP."""
    at_port = np.isin(flows.resp_p, HTTP_PORTS) | np.isin(flows.orig_p, HTTP_PORTS)
    transported: Bool = np.isin(flows.proto, (TCP, UDP)) & at_port
    return transported


def unreadable(flows: FlowColumns) -> Bool:
    """(n,) True for flows in which a resolver could be asked what is read nowhere else.

    At the ports of the DNS it is read, or counted as DNS over TLS or QUIC.
    """
    at_port = np.isin(flows.resp_p, DNS_PORTS) | np.isin(flows.orig_p, DNS_PORTS)
    transported: Bool = np.isin(flows.proto, (TCP, UDP)) & ~at_port
    return transported


def rows_to(flows: FlowColumns, far: Far, addresses: Iterable[str], among: Bool) -> dict[str, I64]:
    """By address, the rows of flows whose far end it is. `among`: (n,) the flows to look at."""
    known = {text: ip_address(text) for text in addresses}
    lows = np.sort(np.array([int(address) & LOWER for address in known.values()], np.uint64))
    rows = np.flatnonzero(among)
    # For np.isin numpy would import numpy.ma, which takes longer than all of this.
    behind = np.searchsorted(lows, far.lo[rows], "right")
    rows = rows[behind > np.searchsorted(lows, far.lo[rows])]
    found: dict[str, I64] = {}
    for text, address in known.items():
        low, high = np.uint64(int(address) & LOWER), np.uint64(int(address) >> 64)
        version = np.uint8(address.version)
        same = (far.lo[rows] == low) & (far.hi[rows] == high) & (flows.version[rows] == version)
        if same.any():
            found[text] = rows[same]
    return found


def asked_through_http(rows_of: Iterable[tuple[str, I64]], among: Bool) -> Mapping[str, int]:
    """How many of the flows are to a known resolver, each once, by words.

    rows_of: words, and rows that they hold for; of a flow the first words count.
    """
    counted: Counter[str] = Counter()
    left = among.copy()
    for words, rows in rows_of:
        new = np.unique(rows[left[rows]])
        left[new] = False
        if len(new):
            counted[words] += len(new)
    return dict(counted)
