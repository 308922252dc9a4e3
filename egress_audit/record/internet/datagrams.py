"""What a UDP datagram deserves: nothing, the time, or the address of its sender.

Source: RFC 5905 §7.3 (NTP), RFC 8489 §5 and §14.2 (STUN).
"""

from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from egress_audit.record.internet.settings import InternetSettings

NTP_PORT = 123
_NTP_SIZE = 48
_NTP_CLIENT, _NTP_SERVER = 3, 4
_NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
_STRATUM, _PRECISION = 2, 0xEC
_ROOT_DELAY, _ROOT_DISPERSION = 0x0000_0100, 0x0000_0200
_NTP = Struct(">BBBBII4s8s8s8s8s")

_STUN_REQUEST, _STUN_SUCCESS = b"\0\1", b"\1\1"
_MAGIC = b"\x21\x12\xa4\x42"
_STUN_SIZE = 20
_XOR_MAPPED_ADDRESS = 0x0020
_ATTRIBUTE = Struct(">HHBBH")


class Datagrams:
    """The servers behind UDP, but for DNS. Most of what arrives is taken in silence."""

    def __init__(self, settings: InternetSettings) -> None:
        self._reflexive = {
            4: IPv4Address(settings.reflexive4).packed,
            16: IPv6Address(settings.reflexive6).packed,
        }

    def answer(self, data: bytes, sport: int, dport: int, size: int, now_ns: int) -> bytes | None:
        """The datagram to send back, or None. `size`: of an address of its packet, in bytes."""
        if data[4:8] == _MAGIC and data[:2] == _STUN_REQUEST and len(data) >= _STUN_SIZE:
            return _stun_success(data, self._reflexive[size], sport)
        if dport == NTP_PORT and len(data) >= _NTP_SIZE and data[0] & 7 == _NTP_CLIENT:
            return _ntp_answer(data, now_ns)
        return None


def _ntp_answer(request: bytes, now_ns: int) -> bytes:
    version = request[0] & 0x38
    now = _ntp_time(now_ns)
    return _NTP.pack(
        version | _NTP_SERVER,
        _STRATUM,
        request[2],
        _PRECISION,
        _ROOT_DELAY,
        _ROOT_DISPERSION,
        b"\x7f\x7f\1\0",
        _ntp_time(now_ns - 16_000_000_000),
        request[40:48],
        now,
        now,
    )


def _ntp_time(ns: int) -> bytes:
    seconds, rest = divmod(max(ns, 0), 1_000_000_000)
    value = (seconds + _NTP_EPOCH_S) << 32 | (rest << 32) // 1_000_000_000
    return (value & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big")


def _stun_success(request: bytes, address: bytes, port: int) -> bytes:
    """A binding success: the address and port the client appears to have, masked."""
    mask = request[4:20]
    masked = bytes(byte ^ key for byte, key in zip(address, mask, strict=False))
    family = 1 if len(address) == 4 else 2
    attribute = _ATTRIBUTE.pack(
        _XOR_MAPPED_ADDRESS, 4 + len(address), 0, family, port ^ (mask[0] << 8 | mask[1])
    )
    body = attribute + masked
    return _STUN_SUCCESS + len(body).to_bytes(2, "big") + mask + body
