"""The checksum of IP, TCP, UDP and ICMP, as fast as Python can: one remainder of one big integer.

The one's complement sum of 16-bit words is the number they spell, modulo 65535.
Source: RFC 1071 §1 and §2(B); RFC 8200 §8.1 (pseudo-header, with the same sum for IPv4).
"""

_ONES = 0xFFFF


def checksum(data: bytes) -> int:
    """The internet checksum of `data`, padded with a zero byte to whole words."""
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    # A sum that is a multiple of 65535 is the all-ones zero, unless every byte is zero.
    return _ONES - (number % _ONES or (_ONES if number else 0))


def pseudo_checksum(addresses: bytes, proto: int, message: bytes) -> int:
    """The checksum of a transport message, its own checksum field zero, with its pseudo-header.

    `addresses`: source and destination behind each other; which comes first does not matter.
    """
    number = int.from_bytes(message, "big")
    if len(message) & 1:
        number <<= 8
    number += int.from_bytes(addresses, "big") % _ONES + proto + len(message)
    return _ONES - (number % _ONES or _ONES)
