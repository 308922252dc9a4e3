"""The values that a frame can become, and the two small tools every layer needs."""

from dataclasses import dataclass

from .capture_reader import ReferenceFrame

ICMP, TCP, UDP, FRAGMENT, ICMPV6, NO_NEXT_HEADER = 1, 6, 17, 44, 58, 59
"""IANA protocol numbers."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One row of `egress_audit.columns.PacketBatch`, addresses as whole integers."""

    frame: int
    ts_ns: int
    version: int
    src: int
    dst: int
    proto: int
    ip_len: int
    sport: int = 0
    dport: int = 0
    one_way: bool = False
    tcp_flags: int = 0
    tcp_seq: int = 0
    tcp_ack: int = 0
    payload: int = 0
    """Into the frame's bytes; means something only where `payload_cap` is above 0."""
    payload_cap: int = 0
    payload_len: int = 0
    fragment: bool = False
    partial: str | None = None
    """`fragment`, `header-cut` or `header-malformed`."""


@dataclass(frozen=True, slots=True)
class Undecoded:
    """A frame that was not understood."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoDestination:
    """A frame of a kind that cannot carry a destination off the link."""

    kind: str


@dataclass(frozen=True, slots=True)
class Several:
    """What an aggregate holds, each part by itself; no part is another one."""

    parts: "tuple[Decoded, ...]"

    @property
    def fate(self) -> "Decoded":
        """What counts of the frame: a part that was not understood, else a packet."""
        for kind in (Undecoded, Packet):
            for part in self.parts:
                if isinstance(part, kind):
                    return part
        return self.parts[0]


Decoded = Packet | Undecoded | NoDestination | Several


def cut(frame: ReferenceFrame, otherwise: str) -> Undecoded:
    """`truncated` if the capture kept less than there was, else the frame itself is at fault."""
    return Undecoded("truncated" if frame.caplen < frame.wirelen else otherwise)


def u16(data: bytes, at: int) -> int:
    """Two bytes in network order."""
    return int.from_bytes(data[at : at + 2], "big")
