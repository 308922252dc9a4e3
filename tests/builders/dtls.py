"""ClientHellos of DTLS, in fragments and records."""

import struct

from tests.builders.captures import client_hello_message

DTLS_1_0, DTLS_1_2 = 0xFEFF, 0xFEFD


def body(name: str, cookie: bytes = b"") -> bytes:
    """A ClientHello of DTLS, from its version on."""
    bare = client_hello_message(name)[4:]
    at = 34 + 1 + bare[34]
    return bare[:at] + bytes((len(cookie),)) + cookie + bare[at:]


def fragment(message: bytes, start: int, end: int, number: int = 0, kind: int = 1) -> bytes:
    """A handshake fragment (RFC 6347 §4.2.2)."""
    piece = message[start:end]
    head = bytes((kind,)) + len(message).to_bytes(3, "big") + struct.pack(">H", number)
    return head + start.to_bytes(3, "big") + len(piece).to_bytes(3, "big") + piece


def record(content: bytes, version: int = DTLS_1_0, kind: int = 22, epoch: int = 0) -> bytes:
    """A record (RFC 6347 §4.1)."""
    return struct.pack(">BHHHIH", kind, version, epoch, 0, 0, len(content)) + content


def whole(message: bytes, number: int = 0) -> bytes:
    """A message in one fragment and record."""
    return record(fragment(message, 0, len(message), number))


HELLO = body("a.example")
