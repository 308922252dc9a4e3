"""One frame dissected by scapy, for a person; the only file that imports scapy, and lazily.

scapy reads interfaces and routes of the host through sockets while it is imported. Nothing here
may open a socket, so its tables are kept empty; a dissection needs neither.
"""

import logging
import struct
from functools import cache
from typing import Any

from egress_audit.report.safe_text import NO_BREAK, clean, middle_cut
from egress_audit.report.words import counted

COLUMNS = 100
BYTES_A_LINE = 16

LAYERS = {
    0: ("l2", "Loopback"),
    1: ("l2", "Ether"),
    12: ("inet", "IP"),
    14: ("inet", "IP"),
    101: ("inet", "IP"),
    108: ("l2", "Loopback"),
    113: ("l2", "CookedLinux"),
    228: ("inet", "IP"),
    229: ("inet6", "IPv6"),
    276: ("l2", "CookedLinuxV2"),
}
"""Module and class in scapy.layers by LINKTYPE_ value; raw IP (12, 14, 101) may be either."""
RAW_IP = frozenset({12, 14, 101})


def dissected(frame_bytes: bytes, linktype: int) -> str:
    """The layers of a frame with their fields, then its payload as a hex dump; ends in a newline.

    A frame of an unknown link type, or one that scapy cannot read, is dumped whole with the reason.
    """
    layer = LAYERS.get(linktype)
    if linktype in RAW_IP and frame_bytes[:1] and frame_bytes[0] >> 4 == 6:
        layer = "inet6", "IPv6"
    if layer is None:
        return _dumped(f"Link type {linktype} is not dissected", frame_bytes)
    try:
        return _layers_text(_scapy_layer(*layer), frame_bytes)
    except _scapy_failures() as error:
        reason = f"scapy cannot read this frame ({type(error).__name__})"
        return _dumped(reason, frame_bytes)


def _layers_text(layer: Any, frame_bytes: bytes) -> str:
    packet = layer(frame_bytes)
    payload = _taken_payload(packet)
    lines = packet.show(dump=True).splitlines()
    text = "\n".join(middle_cut(clean(line), COLUMNS).rstrip() for line in lines)
    return text + "\n" if not payload else f"{text}\n{_dumped('Payload', payload)}"


def _taken_payload(packet: Any) -> bytes:
    """The bytes that no layer understood, taken off the packet: scapy shows them in one line."""
    last = packet.lastlayer()
    if last.name not in ("Raw", "Padding") or last.underlayer is None:
        return b""
    below = last.underlayer
    payload = bytes(below.payload)
    below.remove_payload()
    return payload


@cache
def _scapy_layer(module: str, name: str) -> Any:
    """A layer class of scapy, imported with its voice and its view of the host switched off."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    import scapy.config
    import scapy.interfaces

    configuration = scapy.config.conf
    configuration.verb = 0
    configuration.route_autoload = configuration.route6_autoload = False
    configuration.ifaces.reload = lambda: None  # else scapy.arch asks netlink when it is imported
    from scapy.layers import dns, inet, inet6, l2  # dns: so that port 53 is bound to it

    modules = {"l2": l2, "inet": inet, "inet6": inet6, "dns": dns}
    return getattr(modules[module], name)


def _scapy_failures() -> tuple[type[Exception], ...]:
    """What a hostile frame makes scapy raise.

    scapy has no error of its own for bytes it cannot read: whatever its field code trips over comes
    out. These are the kinds that code on bytes can trip over; MemoryError, OSError and the rest
    would be ours or the machine's, and are left to crash.
    """
    from scapy.error import Scapy_Exception

    return (
        Scapy_Exception,
        struct.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,  # UnicodeError is one
    )


def _dumped(title: str, data: bytes) -> str:
    lines = [f"{title}: {counted(len(data), 'byte')}".replace(NO_BREAK, " ")]
    lines += [
        _dump_line(at, data[at : at + BYTES_A_LINE]) for at in range(0, len(data), BYTES_A_LINE)
    ]
    return "\n".join(lines) + "\n"


def _dump_line(offset: int, piece: bytes) -> str:
    """`0010  68 75 67 …  hug…`: offset, bytes, and what of them is printable ASCII."""
    printable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
    return f"  {offset:04x}  {piece.hex(' '):<{3 * BYTES_A_LINE - 1}}  {printable}"
