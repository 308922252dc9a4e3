"""ARP and RARP: kinds that end at the link, as long as they are no more than what they state.

Bytes behind the last address are padding if they are zero, or no more than fill up the shortest
frame: old network cards fill that with whatever their memory held. Anything else was put there,
and nobody knows for whom. Sources: RFC 826, RFC 903 (RARP), RFC 2390 (inverse ARP), RFC 2734 §5
(IEEE 1394), RFC 2225 §8.5 (ATM), RFC 5494 (numbers), IEEE 802.3 §4A.2.3.2.4 (padding).
"""

import numpy as np

from egress_audit.columns import I64, Bool
from egress_audit.decode import ledger, link_kinds
from egress_audit.decode.link_rows import IPV4, Decoded, Header, Rows, unless

ARP, RARP = 0x0806, 0x8035
FIXED = 8
"""Bytes before the first address."""
LONGEST_HARDWARE_ADDRESS = 20
"""That of IP over InfiniBand (RFC 4391 §9.1.1); a longer one is room for something else."""
IPV4_ADDRESS = 4
LAST_OPERATION = 25
"""MAPOS-UNARP; higher numbers are not assigned, and 0 is reserved (RFC 5494)."""
ATM, IEEE_1394 = 19, 24
"""Hardware types with a layout of their own."""
IEEE_1394_LENGTH, ATM_FIXED, ATM_LENGTH_BITS = 32, 12, 0x3F
MOST_PADDING = 22
"""To the shortest Ethernet frame lack 18 bytes; a frame check sequence may follow."""


def resolution(ethertype: int) -> Header:
    """The header of an EtherType in the format of ARP."""

    def header(rows: Rows) -> Decoded:
        behind = rows.start + _stated_length(rows)
        outcome = unless(
            rows.short(rows.start + FIXED),
            [
                (~_shaped(rows), link_kinds.STRANGE_ARP),
                (behind > rows.end, rows.short(behind)),
            ],
        )
        padding = _is_padding(rows, np.minimum(behind, rows.end))
        known = ledger.ETHERTYPE | ethertype
        outcome = unless(outcome, [(padding, known), (~padding, link_kinds.MORE_THAN_ARP)])
        return rows.start, rows.all(ethertype), outcome

    return header


def _shaped(rows: Rows) -> Bool:
    """True for what resolves addresses of IPv4, by an operation that is assigned."""
    hardware, protocol = rows.u16(rows.start), rows.u16(rows.start + 2)
    hlen, plen, operation = (
        rows.u8(rows.start + 4),
        rows.u8(rows.start + 5),
        rows.u16(rows.start + 6),
    )
    sizes = (hlen <= LONGEST_HARDWARE_ADDRESS) & (plen == IPV4_ADDRESS) | (hardware == ATM)
    found: Bool = sizes & (protocol == IPV4) & (operation > 0) & (operation <= LAST_OPERATION)
    return found


def _stated_length(rows: Rows) -> I64:
    """Bytes up to the end of the last address."""
    hardware = rows.u16(rows.start)
    length = FIXED + 2 * (rows.u8(rows.start + 4) + rows.u8(rows.start + 5))
    atm = hardware == ATM
    if atm.any():
        sizes = [rows.u8(rows.start + at) & ATM_LENGTH_BITS for at in (4, 5, 8, 9, 10, 11)]
        length = np.where(atm, ATM_FIXED + sum(sizes), length)
    return np.where(hardware == IEEE_1394, IEEE_1394_LENGTH, length)


def _is_padding(rows: Rows, behind: I64) -> Bool:
    """True where the bytes from `behind` to the end of the frame are few, or all zero."""
    padding: Bool = rows.end - behind <= MOST_PADDING
    long = np.flatnonzero(~padding)
    if len(long):
        ends = np.column_stack((behind[long], rows.end[long])).ravel()
        padding[long] = np.bitwise_or.reduceat(rows.buffer, ends)[::2] == 0
    return padding
