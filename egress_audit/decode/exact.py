"""What few packets have and must still be read exactly: extension headers, options. HOT PATH.

Sources: RFC 8200 §4, RFC 4302 §2 (authentication), RFC 6275 §6.1 (mobility), RFC 7401 §5.1 (HIP),
RFC 5533 §5.1 (shim6). The rows that have such headers are few; they are followed in step, one
header of each at a time.
"""

import numpy as np

from egress_audit.columns import I64, U8, Bool
from egress_audit.values import dataclass

FRAGMENT_HEADER, ROUTING_HEADER, AUTHENTICATION = 44, 43, 51
SOURCE_ROUTES = (131, 137)
"""Loose and strict source and record route (RFC 791 §3.1)."""
MAX_OPTIONS = 40
"""IPv4 options are 40 bytes at most, and the shortest has one."""
EXTENSIONS = (0, 43, 51, 60, 135, 139, 140)
"""Hop-by-hop, routing, authentication, destination options, mobility, HIP, shim6: all state their
own length."""
IS_EXTENSION: Bool = np.isin(np.arange(256), (*EXTENSIONS, FRAGMENT_HEADER))
"""Protocol number → whether it is a header that leads to the transport header."""
MAX_HEADERS = 16


@dataclass(slots=True)
class Chain:
    """Where each packet's extension headers end; (n,) each."""

    proto: U8
    at: I64
    fragment: Bool
    fragment_at: I64
    """The first fragment header that is one of a fragment; 0 if none is."""
    later: Bool
    broken: Bool
    """The chain is longer than MAX_HEADERS or leaves the captured bytes."""
    routed: Bool
    """A routing header names stations behind the destination of the IP header."""


def transport_behind(
    buffer: U8,
    next_header: U8,
    at: I64,
    end: I64,
    followed: tuple[int, ...] = (*EXTENSIONS, FRAGMENT_HEADER),
) -> Chain:
    """Follows the extension headers that begin at `at` to the transport header.

    buffer: all bytes; next_header, at, end: (n,), `end` being where captured bytes end; followed:
    numbers of the headers that are stepped over.
    """
    none: Bool = np.zeros(len(at), np.bool_)
    chain = Chain(
        proto=next_header.copy(),
        at=at.copy(),
        fragment=none,
        fragment_at=np.zeros(len(at), np.int64),
        later=none.copy(),
        broken=none.copy(),
        routed=none.copy(),
    )
    active = np.flatnonzero(np.isin(next_header, followed))
    for _ in range(MAX_HEADERS):
        if not len(active):
            return chain
        active = _one_header(buffer, chain, end, active)
        active = active[np.isin(chain.proto[active], followed)]
    chain.broken[active] = True
    return chain


def _one_header(buffer: U8, chain: Chain, end: I64, active: I64) -> I64:
    """Steps over one header of each active row; the rows that may have another."""
    start = chain.at[active]
    number = chain.proto[active]
    cut = start + 8 > end[active]
    chain.broken[active[cut]] = True
    active, start, number = active[~cut], start[~cut], number[~cut]
    fragment, stated = number == FRAGMENT_HEADER, buffer[start + 1].astype(np.int64)
    length = np.where(number == AUTHENTICATION, 8 + 4 * stated, 8 + 8 * stated)
    length[fragment] = 8
    offset = buffer[start + 2].astype(np.int64) << 8 | buffer[start + 3]
    piece = fragment & (offset & 0xFFF9 != 0) & ~chain.fragment[active]
    chain.fragment_at[active[piece]] = start[piece]
    chain.fragment[active[piece]] = True
    chain.later[active] |= fragment & (offset & 0xFFF8 != 0)
    routing = number == ROUTING_HEADER
    chain.routed[active] |= routing & (buffer[start + 3] > 0)
    chain.proto[active] = buffer[start]
    chain.at[active] = start + length
    beyond = start + length > end[active]
    chain.broken[active[beyond]] = True
    return active[~beyond & ~chain.later[active]]


def source_routed(buffer: U8, at: I64, end: I64) -> Bool:
    """(n,) True for IPv4 packets with a source route that is not used up.

    at, end: (n,), where the options of each packet begin and end; all of them captured.
    """
    routed: Bool = np.zeros(len(at), np.bool_)
    cursor = at.copy()
    active = np.flatnonzero(cursor + 3 <= end)
    for _ in range(MAX_OPTIONS):
        if not len(active):
            break
        start = cursor[active]
        code, length = buffer[start], buffer[start + 1].astype(np.int64)
        pointer = buffer[start + 2]
        routed[active] |= np.isin(code, SOURCE_ROUTES) & (pointer <= length)
        cursor[active] = start + np.where(code == 1, 1, np.maximum(length, 2))
        active = active[(code != 0) & (cursor[active] + 3 <= end[active])]
    return routed
