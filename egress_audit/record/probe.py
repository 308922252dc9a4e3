"""The positive control: packets of known content, sent where the program is, that must be seen.

They go out under the program's own filter, user and network, to addresses that exist nowhere and
names that cannot (RFC 2606 `.invalid`), and end at our side of the wire.
"""

import os
import secrets
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from egress_audit.model.protocols import DNS_PORT

SENTINEL4, SENTINEL6 = "192.0.2.253", "2001:db8:e6e4::253"
"""Addresses of documentation (RFC 5737, RFC 3849), which belong to nobody."""
SENTINEL_RESOLVER4, SENTINEL_RESOLVER6 = "192.0.2.252", "2001:db8:e6e4::252"
"""Asked by the probes where the program's own resolvers are real ones."""
SENTINEL_PORT = 9
"""Discard (RFC 863)."""
DOMAIN = "egress-audit.invalid"
TYPE_A, TYPE_AAAA, CLASS_IN = 1, 28, 1
RECURSION_DESIRED = 0x0100


@dataclass(slots=True)
class Expected:
    """A probe that is on its way."""

    when: str
    by: str
    version: int
    target: str
    port: int
    nonce: str
    """32 hex digits."""
    frame: int | None = None
    """Where it was found."""

    @property
    def payload(self) -> bytes:
        """What the datagram holds."""
        if self.by == "address":
            return f"egress-audit probe {self.nonce}".encode()
        kind = TYPE_A if self.version == 4 else TYPE_AAAA
        labels = f"{self.nonce}.{DOMAIN}".split(".")
        name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
        number = int(self.nonce[:4], 16)
        header = struct.pack("!6H", number, RECURSION_DESIRED, 1, 0, 0, 0)
        return header + name + struct.pack("!HH", kind, CLASS_IN)

    def is_in(self, packet: bytes) -> bool:
        """True if the packet carries the nonce."""
        return self.nonce.encode() in packet


def probes(when: str, resolvers: tuple[str, ...], *, ipv6: bool) -> tuple[Expected, ...]:
    """The probes of one round: by address and by name, over each version of IP."""
    targets = [("address", SENTINEL4, SENTINEL_PORT), ("address", SENTINEL6, SENTINEL_PORT)]
    targets += [("name", resolver, DNS_PORT) for resolver in resolvers]
    return tuple(
        Expected(when, by, 6 if ":" in address else 4, address, port, secrets.token_hex(16))
        for by, address, port in targets
        if ipv6 or ":" not in address
    )


def send(expected: tuple[Expected, ...]) -> int:
    """Sends each probe; runs inside the sandbox. Returns the exit status: how many could not be."""
    failed = 0
    for probe in expected:
        family = socket.AF_INET if probe.version == 4 else socket.AF_INET6
        sender = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sender.sendto(probe.payload, (probe.target, probe.port))
        except OSError:
            failed += 1
        with suppress(OSError):
            sender.close()
    # Stays until the packets are on the wire: a process that is gone cannot be asked who it was.
    os.sched_yield()
    return failed
