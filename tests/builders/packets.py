"""Builds packets from the inside out: `ethernet(ipv4(A, B, tcp(1234, 443, "S"), TCP))`.

Every builder takes and returns bytes. Lengths and checksums come out right unless a keyword
says otherwise. Source: RFC 791, 8200, 9293, 768, 792, 4443; IEEE 802.3, 802.1Q, 802.2.
"""

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS = 0, 43, 44, 51, 60

CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}
"""Offset of the checksum that covers a pseudo-header."""

# Link layer

MACS, LOOPBACK_MACS = (b"\x02\0\0\0\0\x02", b"\x02\0\0\0\0\x01"), (bytes(6), bytes(6))
"""Of the receiver and the sender."""
ETHERNET_DEVICE, LOOPBACK_DEVICE = 1, 772
"""ARPHRD_ types."""


def ethernet(
    payload: bytes,
    ethertype: int | None = None,
    vlans: Sequence[int] = (),
    *,
    tpid: int = 0x8100,
    dst: bytes | None = None,
    src: bytes | None = None,
) -> bytes:
    """An Ethernet frame; `vlans` are VLAN ids from the outermost, `tpid` the type before each.

    Addresses that are not given are those of two hosts, or zeros, as on the loopback interface of
    Linux, around a packet that stays on its machine.
    """
    there, here = LOOPBACK_MACS if _stays(payload) else MACS
    dst, src = there if dst is None else dst, here if src is None else src
    tags = b"".join(struct.pack(">HH", tpid, vlan) for vlan in vlans)
    return dst + src + tags + struct.pack(">H", _ethertype(payload, ethertype)) + payload


def ethernet_snap(payload: bytes, ethertype: int | None = None) -> bytes:
    """An IEEE 802.3 frame with LLC and SNAP headers (RFC 1042)."""
    body = b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", _ethertype(payload, ethertype)) + payload
    return ethernet(body, len(body))


def sll(payload: bytes, protocol: int | None = None, device: int | None = None) -> bytes:
    """LINKTYPE_LINUX_SLL (113): sent by us, over Ethernet, or over loopback what stays there."""
    head = struct.pack(">HHH8s", 4, _device(payload, device), 6, MACS[1])
    return head + struct.pack(">H", _ethertype(payload, protocol)) + payload


def sll2(payload: bytes, protocol: int | None = None, device: int | None = None) -> bytes:
    """LINKTYPE_LINUX_SLL2 (276): sent by us, over Ethernet, or over loopback what stays there."""
    fields = (_ethertype(payload, protocol), 0, 1, _device(payload, device), 4, 6, MACS[1])
    return struct.pack(">HHIHBB8s", *fields) + payload


def arp(target: str = "10.0.0.9", *, operation: int = 1, hlen: int = 6) -> bytes:
    """A question or an answer of RFC 826, from 10.0.0.5."""
    fixed = struct.pack(">HHBBH", 1, 0x0800, hlen, 4, operation)
    return fixed + bytes(hlen) + packed("10.0.0.5") + bytes(hlen) + packed(target)


def null(payload: bytes, family: int | None = None, *, big_endian: bool = False) -> bytes:
    """LINKTYPE_NULL (0); big-endian also LINKTYPE_LOOP (108). IPv6 is 30, as on macOS."""
    if family is None:
        family = 2 if payload[0] >> 4 == 4 else 30
    return family.to_bytes(4, "big" if big_endian else "little") + payload


def _device(payload: bytes, given: int | None) -> int:
    if given is not None:
        return given
    return LOOPBACK_DEVICE if _stays(payload) else ETHERNET_DEVICE


def _stays(payload: bytes) -> bool:
    """True for a packet with a loopback address, or with one address at both ends."""
    at, size = {4: (12, 4), 6: (8, 16)}.get(payload[0] >> 4 if payload else 0, (0, 0))
    ends = [payload[at : at + size], payload[at + size : at + 2 * size]]
    if not size or len(ends[1]) < size:
        return False
    mapped = bytes(10) + b"\xff\xff"  # RFC 4291 section 2.5.5.2
    plain = [ip_address(end.removeprefix(mapped)) for end in ends]
    return plain[0] == plain[1] or any(end.is_loopback for end in plain)


def _ethertype(payload: bytes, given: int | None) -> int:
    if given is not None:
        return given
    return 0x86DD if payload[:1] and payload[0] >> 4 == 6 else 0x0800


# Network layer


def ip(src: str, dst: str, payload: bytes, proto: int) -> bytes:
    """An IPv4 or IPv6 packet, as the addresses have it."""
    return (ipv6 if ":" in src else ipv4)(src, dst, payload, proto)


def ipv4(
    src: str,
    dst: str,
    payload: bytes,
    proto: int,
    options: bytes = b"",
    *,
    fragment_offset: int = 0,
    more_fragments: bool = False,
    identification: int = 0,
    total_length: int | None = None,
    checksum: bool = True,
) -> bytes:
    """An IPv4 packet. `fragment_offset` in bytes; a lying `total_length` is written as given."""
    options += bytes(-len(options) % 4)
    source, destination = IPv4Address(src).packed, IPv4Address(dst).packed
    whole = fragment_offset == 0 and not more_fragments
    if checksum and whole:
        payload = _with_checksum(source, destination, payload, proto)
    length = 20 + len(options) + len(payload) if total_length is None else total_length
    fragment_word = fragment_offset // 8 | (0x2000 if more_fragments else 0)
    first = struct.pack(
        ">BBHHH", 0x45 + len(options) // 4, 0, length, identification, fragment_word
    )
    before, after = first + bytes([64, proto]), source + destination + options
    value = internet_checksum(before + after) if checksum else 0
    return before + struct.pack(">H", value) + after + payload


def ipv6(
    src: str,
    dst: str,
    payload: bytes,
    proto: int,
    extensions: Sequence[tuple[int, bytes]] = (),
    *,
    payload_length: int | None = None,
    checksum: bool = True,
) -> bytes:
    """An IPv6 packet. `extensions`: number and body of each, see `extension_body`, `fragment`."""
    source, destination = IPv6Address(src).packed, IPv6Address(dst).packed
    whole = all(number != FRAGMENT for number, _ in extensions)
    if checksum and whole:
        payload = _with_checksum(source, destination, payload, proto)
    following = [number for number, _ in extensions[1:]] + [proto]
    chain = b"".join(
        bytes([after]) + body for after, (_, body) in zip(following, extensions, strict=False)
    )
    length = len(chain) + len(payload) if payload_length is None else payload_length
    first = extensions[0][0] if extensions else proto
    head = struct.pack(">IHBB", 6 << 28, length, first, 64)
    return head + source + destination + chain + payload


def extension_body(data: bytes = b"") -> bytes:
    """Length byte and content of an extension header, padded to a multiple of eight."""
    padded = data + bytes(-(len(data) + 2) % 8)
    return bytes([(len(padded) + 2) // 8 - 1]) + padded


def fragment(offset: int, *, more: bool, identification: int = 1) -> bytes:
    """Body of an IPv6 fragment header; `offset` in bytes."""
    return b"\0" + struct.pack(">HI", offset & 0xFFF8 | more, identification)


# Transport layer

TCP_FLAGS = {letter: 1 << bit for bit, letter in enumerate("FSRPAUEC")}


def tcp(
    sport: int,
    dport: int,
    flags: str = "S",
    seq: int = 0,
    ack: int = 0,
    payload: bytes = b"",
    *,
    options: bytes = b"",
    data_offset: int | None = None,
) -> bytes:
    """A TCP segment; `flags` are letters of FSRPAUEC; its checksum is the IP builder's affair."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if data_offset is None else data_offset
    bits = sum(TCP_FLAGS[letter] for letter in set(flags))
    numbers = (seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
    return (
        struct.pack(">HHIIBBHHH", sport, dport, *numbers, words << 4, bits, 65535, 0, 0)
        + options
        + payload
    )


def udp(sport: int, dport: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """A UDP datagram; a lying `length` is written as given."""
    return (
        struct.pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0)
        + payload
    )


def icmp(kind: int, code: int = 0, payload: bytes = b"", *, rest: bytes = bytes(4)) -> bytes:
    """An ICMP or ICMPv6 message; `rest` is the second word of its header."""
    body = bytes([kind, code, 0, 0]) + rest + payload
    return body[:2] + struct.pack(">H", internet_checksum(body)) + body[4:]


def internet_checksum(data: bytes) -> int:
    """RFC 1071: the complement of the one's complement sum of 16-bit words."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address: str) -> bytes:
    """An address in network byte order."""
    return ip_address(address).packed


def _with_checksum(src: bytes, dst: bytes, payload: bytes, proto: int) -> bytes:
    """`payload` with its checksum over the pseudo-header; unchanged if it has none."""
    at = CHECKSUM_AT.get(proto)
    if at is None or len(payload) < at + 2:
        return payload
    blank = payload[:at] + b"\0\0" + payload[at + 2 :]
    pseudo = src + dst + struct.pack(">II", len(payload), proto)
    return blank[:at] + struct.pack(">H", internet_checksum(pseudo + blank)) + blank[at + 2 :]
