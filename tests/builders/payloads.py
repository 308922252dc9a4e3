"""Builds the payloads in which host names travel: DNS messages, TLS ClientHellos, HTTP requests."""

import struct
from collections.abc import Sequence
from random import Random

from .packets import packed

A, CNAME, AAAA, HTTPS = 1, 5, 28, 65
X25519, X25519MLKEM768 = 0x001D, 0x11EC
X25519_SIZE, X25519MLKEM768_SIZE = 32, 1216


def dns_name(name: str) -> bytes:
    """A name as labels, not compressed."""
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def dns_query(name: str, qtype: int = A, *, txid: int = 1) -> bytes:
    """A recursive query with one question (RFC 1035 §4.1)."""
    return (
        struct.pack(">HHHHHH", txid, 0x0100, 1, 0, 0, 0)
        + dns_name(name)
        + struct.pack(">HH", qtype, 1)
    )


def dns_answer(
    name: str,
    addresses: Sequence[str],
    *,
    qtype: int | None = None,
    aliases: Sequence[str] = (),
    txid: int = 1,
    ttl: int = 300,
    rcode: int = 0,
) -> bytes:
    """The answer to a query: a CNAME chain through `aliases`, then A or AAAA records.

    Each record's owner is a compression pointer to the name in the question, or in the CNAME
    before it. No address and no alias: an empty answer with `rcode`.
    """
    ipv6 = bool(addresses) and ":" in addresses[0]
    kind = qtype if qtype is not None else (AAAA if ipv6 else A)
    counts = (1, len(aliases) + len(addresses), 0, 0)
    message = struct.pack(">HHHHHH", txid, 0x8180 | rcode, *counts)
    message += dns_name(name) + struct.pack(">HH", kind, 1)
    owner = 12
    for alias in aliases:
        data = dns_name(alias)
        message += struct.pack(">HHHIH", 0xC000 | owner, CNAME, 1, ttl, len(data))
        owner = len(message)
        message += data
    for address in addresses:
        data = packed(address)
        record = AAAA if len(data) == 16 else A
        message += struct.pack(">HHHIH", 0xC000 | owner, record, 1, ttl, len(data)) + data
    return message


def over_tcp(message: bytes) -> bytes:
    """A DNS message with the length that precedes it on a stream (RFC 1035 §4.2.2)."""
    return struct.pack(">H", len(message)) + message


def client_hello(
    name: str,
    post_quantum: bool = False,
    *,
    alpn: Sequence[str] = ("h2", "http/1.1"),
    seed: int = 0,
) -> bytes:
    """A TLS record with a ClientHello; '' sends no server_name.

    `post_quantum` adds an X25519MLKEM768 key share, which makes it longer than one segment.
    Source: RFC 8446 §4.1.2, RFC 6066 §3, draft-ietf-tls-ecdhe-mlkem.
    """
    handshake = client_hello_message(name, post_quantum, alpn=alpn, seed=seed)
    return b"\x16\x03\x01" + _vector(handshake, 2)


def client_hello_message(
    name: str, post_quantum: bool = False, *, alpn: Sequence[str] = ("h2",), seed: int = 0
) -> bytes:
    """The bare handshake message, as QUIC's CRYPTO frames carry it."""
    random = Random(seed)
    shares = [(X25519, X25519_SIZE)]
    if post_quantum:
        shares.insert(0, (X25519MLKEM768, X25519MLKEM768_SIZE))
    groups = b"".join(struct.pack(">H", group) for group, _ in shares)
    keys = b"".join(
        struct.pack(">H", group) + _vector(random.randbytes(size), 2) for group, size in shares
    )
    protocols = b"".join(_vector(protocol.encode(), 1) for protocol in alpn)
    extensions = [
        (0, _vector(b"\0" + _vector(name.encode(), 2), 2) if name else None),
        (10, _vector(groups, 2)),
        (13, _vector(b"\x04\x03\x08\x04\x04\x01", 2)),
        (16, _vector(protocols, 2) if protocols else None),
        (43, _vector(b"\x03\x04", 1)),
        (51, _vector(keys, 2)),
    ]
    written = [
        struct.pack(">H", code) + _vector(body, 2) for code, body in extensions if body is not None
    ]
    body = b"\x03\x03" + random.randbytes(32) + _vector(random.randbytes(32), 1)
    body += _vector(b"\x13\x01\x13\x02\x13\x03\xc0\x2f", 2) + b"\x01\0"
    body += _vector(b"".join(written), 2)
    return b"\x01" + _vector(body, 3)


def http_request(host: str, path: str = "/", method: str = "GET") -> bytes:
    """An HTTP/1.1 request; CONNECT takes `host` as its target."""
    target = host if method == "CONNECT" else path
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


def _vector(data: bytes, width: int) -> bytes:
    """A TLS vector: length in `width` bytes, then the data (RFC 8446 §3.4)."""
    return len(data).to_bytes(width, "big") + data
