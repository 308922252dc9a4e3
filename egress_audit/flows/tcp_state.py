"""The states of a TCP connection as Zeek tells them, and the letters of its history.

Each side of a flow is in one of seven states; a packet moves its sender's state and sometimes its
receiver's. `conn_state` names the pair in which a flow ends. Source: the conn.log documentation of
Zeek (conn_state, history), and the behaviour of its TCP session adapter and of the conn_state
function of its base/protocols/conn script.
"""

import re
from enum import IntEnum

from egress_audit.model.protocols import UDP


class Side(IntEnum):
    """State of one side of a TCP flow."""

    INACTIVE = 0
    SYN_SENT = 1
    SYN_ACK_SENT = 2
    PARTIAL = 3
    """Seen in the middle of a connection."""
    ESTABLISHED = 4
    CLOSED = 5
    RESET = 6
    RESET_AFTER_CLOSE = 7
    """A FIN, then a RST: becomes CLOSED again if the other side also closes."""


FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
DATA = 0x100
"""Set beside the TCP flags where the segment carries payload."""
EVENT_FLAGS = FIN | SYN | RST

Pair = tuple[Side, Side]


def step(own: Side, peer: Side, *, by_originator: bool, seen: int) -> Pair:
    """States of sender and receiver after a packet. `seen`: FIN, SYN, RST, ACK and DATA bits."""
    if own is Side.INACTIVE:
        return _from_inactive(peer, by_originator=by_originator, seen=seen)
    if own in (Side.SYN_SENT, Side.SYN_ACK_SENT):
        if seen & RST:
            return Side.RESET, peer
        return (Side.CLOSED if seen & FIN else own), peer
    if own in (Side.PARTIAL, Side.ESTABLISHED):
        return _from_open(own, peer, seen)
    if own is Side.CLOSED and seen & RST and peer is not Side.CLOSED:
        return Side.RESET_AFTER_CLOSE, peer
    return own, peer


def _from_inactive(peer: Side, *, by_originator: bool, seen: int) -> Pair:
    own = Side.INACTIVE
    if seen & SYN:
        if by_originator:
            own = Side.SYN_ACK_SENT if seen & ACK else Side.SYN_SENT
        else:
            own = Side.ESTABLISHED
            peer = Side.ESTABLISHED if peer is Side.SYN_SENT else peer
    if seen & FIN:
        own = Side.CLOSED
    if seen & RST:
        own = Side.RESET
    if own is not Side.INACTIVE:
        return own, peer
    if not by_originator and not seen & DATA and peer is Side.SYN_SENT:
        return own, peer  # some servers acknowledge the SYN before they answer it
    if seen & ACK and peer is Side.ESTABLISHED:
        return Side.ESTABLISHED, peer
    return Side.PARTIAL, peer


def _from_open(own: Side, peer: Side, seen: int) -> Pair:
    if seen & RST:
        return Side.RESET, peer
    if seen & FIN:
        return Side.CLOSED, Side.CLOSED if peer is Side.RESET_AFTER_CLOSE else peer
    if seen & SYN and not seen & ACK and own is Side.PARTIAL and peer is Side.INACTIVE:
        return Side.SYN_SENT, peer
    return own, peer


def letter(flags: int, payload: bool) -> str:
    """The letter a packet adds to the history, in lower case; empty for none."""
    control = flags & EVENT_FLAGS
    if control & (control - 1):
        return "i" if flags & FIN and flags & RST else "q"
    if control == SYN:
        return "h" if flags & ACK else "s"
    if control:
        return "f" if control == FIN else "r"
    if payload:
        return "d"
    return "a" if flags & ACK else ""


LETTERS = tuple(letter(flags & 0xFF, bool(flags & 0x100)) for flags in range(512))
"""`letter` for every combination of flags, with payload at bit 8."""


GAVE_UP = re.compile(r"\^?S[^HAFGIQ]*R.*")
"""Histories of an originator who sent a SYN and, before anything else that counts, a RST."""


def tcp_conn_state(orig: Side, resp: Side, *, payload: bool, history: str = "SR") -> str:
    """Zeek's word for the pair of states in which a TCP flow ended.

    `payload`: any was seen in either direction.
    """
    resets = (Side.RESET, Side.RESET_AFTER_CLOSE)
    orig_silent = orig in (Side.INACTIVE, Side.PARTIAL)
    resp_silent = resp in (Side.INACTIVE, Side.PARTIAL)
    if resp in resets:
        refused = orig in (Side.SYN_SENT, Side.SYN_ACK_SENT) or (orig in resets and not payload)
        return "REJ" if refused else ("RSTRH" if orig_silent else "RSTR")
    if orig in resets:
        if not resp_silent:
            return "RSTO"
        return "RSTOS0" if GAVE_UP.fullmatch(history) else "OTH"
    if orig is Side.CLOSED:
        if resp is Side.CLOSED:
            return "SF"
        return "SH" if resp_silent else "S2"
    if resp is Side.CLOSED:
        return "SHR" if orig_silent else "S3"
    if orig is Side.SYN_SENT and resp is Side.INACTIVE:
        return "S0"
    return "S1" if orig is resp is Side.ESTABLISHED else "OTH"


def datagram_conn_state(proto: int, orig_pkts: int, resp_pkts: int) -> str:
    """Zeek's word for a flow without connections: UDP by who spoke, everything else `OTH`."""
    if proto != UDP:
        return "OTH"
    if orig_pkts:
        return "SF" if resp_pkts else "S0"
    return "SHR" if resp_pkts else "OTH"
