"""Every frame in exactly one counter: the outcomes of decoding, and their names. HOT PATH.

An outcome is `kind << 32 | value`, so that a column can hold it; 0 says that the frame became a
packet. The value carries what a reader wants to know: which EtherType, which link type.
"""

from collections import Counter

import numpy as np

from egress_audit.columns import I64, U8
from egress_audit.decode import link_kinds

PACKET = 0
TRUNCATED = 1 << 32
"""Bytes that would be needed were on the wire and are not in the file."""
LINK_MALFORMED = 2 << 32
IP_MALFORMED = 3 << 32
LLC = 4 << 32
"""802.2 without SNAP, of a kind that is not known to be harmless."""
ETHERTYPE = 5 << 32
LINKTYPE = 6 << 32
FAMILY = 7 << 32
"""Address family of a NULL or LOOP header that is neither IPv4 nor IPv6."""
STP = 8 << 32

REASONS = {
    TRUNCATED: "truncated",
    LINK_MALFORMED: "link-malformed",
    IP_MALFORMED: "ip-malformed",
    LLC: "802.2 LLC",
}

NO_DESTINATION: dict[int, str] = {
    STP: "STP",
    ETHERTYPE | 0x0806: "ARP",
    ETHERTYPE | 0x0842: "wake-on-LAN",
    ETHERTYPE | 0x22EA: "SRP",
    ETHERTYPE | 0x22F4: "IS-IS",
    ETHERTYPE | 0x8035: "RARP",
    ETHERTYPE | 0x8808: "MAC control",
    ETHERTYPE | 0x8809: "slow protocols",
    ETHERTYPE | 0x8863: "PPPoE discovery",
    ETHERTYPE | 0x886F: "NLB heartbeat",
    ETHERTYPE | 0x888E: "EAPOL",
    ETHERTYPE | 0x8892: "PROFINET real-time",
    ETHERTYPE | 0x88B8: "GOOSE",
    ETHERTYPE | 0x88B9: "GSE management",
    ETHERTYPE | 0x88BA: "sampled values",
    ETHERTYPE | 0x88CC: "LLDP",
    ETHERTYPE | 0x88E3: "MRP",
    ETHERTYPE | 0x88F5: "MVRP",
    ETHERTYPE | 0x88F6: "MMRP",
    ETHERTYPE | 0x88F7: "PTP",
    ETHERTYPE | 0x88FB: "PRP supervision",
    ETHERTYPE | 0x8902: "CFM",
    ETHERTYPE | 0x9000: "ECTP loopback",
    **link_kinds.NO_DESTINATION,
}
"""Kinds that end at the link: nothing in them can name a destination beyond it (IEEE 802)."""

WHOLE, FRAGMENT, HEADER_CUT, HEADER_MALFORMED, SOURCE_ROUTED = 0, 1, 2, 3, 4
PARTIAL = {
    FRAGMENT: "fragment",
    HEADER_CUT: "header-cut",
    HEADER_MALFORMED: "header-malformed",
    SOURCE_ROUTED: "source-routed",
}
"""What is missing of a packet whose addresses could be read all the same."""

MAX_REASONS = 256


def reason(outcome: int) -> str:
    """The words for an outcome that is neither a packet nor without destination."""
    kind, value = outcome >> 32 << 32, outcome & 0xFFFFFFFF
    if kind == ETHERTYPE:
        return f"ethertype 0x{value:04x}"
    if kind == LINKTYPE:
        return f"link type {value}"
    if kind == FAMILY:
        return f"address family {value}"
    return link_kinds.link_reason(outcome) or REASONS[kind]


class Ledger:
    """Counts what became of every frame; `frames` is always the sum of the other counters.

    A frame that holds several packets counts once, and as undecoded if any part of it is.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.packets = 0
        self.no_destination: Counter[str] = Counter()
        self.undecoded: Counter[str] = Counter()
        self.partial: Counter[str] = Counter()
        self.conflicting = 0
        """Datagrams whose fragments contradict each other."""
        self.astray = 0
        """Packets of a machine to itself that were on a wire."""
        self.truncated = 0
        """Frames shorter in the file than on the wire, decoded or not."""

    def take_whole(self, count: int, truncated: int) -> None:
        """Adds frames that are packets of which nothing is missing."""
        self.frames += count
        self.packets += count
        self.truncated += truncated

    def take(self, outcome: I64, partial: U8, truncated: int) -> None:
        """Adds one batch. outcome: (frames,); partial: (packets,), WHOLE and its siblings."""
        self.frames += len(outcome)
        self.truncated += truncated
        others = outcome[outcome != PACKET]
        self.packets += len(outcome) - len(others)
        values, counts = np.unique(others, return_counts=True) if len(others) else (others, others)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            if value in NO_DESTINATION:
                self.no_destination[NO_DESTINATION[value]] += count
            else:
                self._add_undecoded(reason(value), count)
        self.add_partial(partial)

    def add_partial(self, partial: U8) -> None:
        """Counts what is missing of packets that are no frames of their own. partial: (packets,)"""
        if partial.any():
            for value, count in enumerate(np.bincount(partial).tolist()):
                if value != WHOLE and count:
                    self.partial[PARTIAL[value]] += count

    def put_together(self, fragments: int) -> None:
        """Takes back fragments that were counted as partial before their datagram was whole."""
        left = self.partial[PARTIAL[FRAGMENT]] - fragments
        if left > 0:
            self.partial[PARTIAL[FRAGMENT]] = left
        else:
            del self.partial[PARTIAL[FRAGMENT]]

    def _add_undecoded(self, name: str, count: int) -> None:
        known = name in self.undecoded or len(self.undecoded) < MAX_REASONS
        self.undecoded[name if known else "further reasons"] += count
