"""IPv4 addresses to which an IPv6 address leads only where somebody translates it so.

Unlike those of `addresses.embedded_ipv4` they say nothing of its scope: which of them is meant
depends on the network. Source: RFC 8215 (64:ff9b:1::/48, for translators of one's own), RFC 6052
§2.2 (where an IPv4 address stands behind a prefix of which length), RFC 2765 §2.1
(::ffff:0:0:0/96).
"""

from ipaddress import IPv4Address, IPv6Address

LOCAL_USE = 0x0064_FF9B_0001
"""The first 48 bits of what is translated locally."""
STATELESS = 0xFFFF_0000
"""The first 96 bits of IPv4-translated addresses."""
LENGTHS = (48, 56, 64)
"""Lengths of prefixes in which the IPv4 address goes around bits 64 to 71 or stands behind them; of
96 it is the end."""


def translations_of(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that may be meant by an IPv6 one, one for each length of a prefix; () for
    all others.

    But for the last 32 bits none that ends in two zero octets: what surrounds an address reads so,
    and hardly a host has one.
    """
    number = int(address)
    end = number & 0xFFFF_FFFF
    if number >> 32 == STATELESS:
        return (IPv4Address(end),)
    if number >> 80 != LOCAL_USE:
        return ()
    # Without bits 64 to 71, which belong to no address.
    bits = number >> 64 << 56 | number & (1 << 56) - 1
    around = [bits >> 88 - length & 0xFFFF_FFFF for length in LENGTHS]
    readings = dict.fromkeys([end, *(reading for reading in around if reading & 0xFFFF)])
    return tuple(map(IPv4Address, readings))
