"""First payloads of flows, for generated captures: ClientHello, HTTP, DNS, QUIC's Initials.

Sources: RFC 8446 §4.1.2, RFC 6066 §3 (ClientHello with server_name), RFC 9110 (HTTP), RFC 1035
(DNS), RFC 9000 §17.2.2 and RFC 9001 §5 (QUIC Initials and their keys).
"""

import hashlib
import hmac
import struct
from random import Random

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

INITIAL_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
"""RFC 9001 §5.2."""
INITIAL_SIZE = 1200
"""Bytes of a datagram that holds a client's Initial (RFC 9000 §14.1)."""
X25519, HYBRID = 32, 1216
"""Bytes of a key share: the classical one, and X25519MLKEM768's."""


def _vector(body: bytes, width: int = 2) -> bytes:
    return len(body).to_bytes(width, "big") + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">H", kind) + _vector(body)


def client_hello(host: str, random: Random, *, share: int = X25519, alpn: bytes = b"h2") -> bytes:
    """A handshake message with that server name; `share`: bytes of its key share."""
    group = 0x001D if share == X25519 else 0x11EC
    name = b"\0" + _vector(host.encode("ascii"))
    extensions = [
        _extension(0x0000, _vector(name)),
        _extension(0x000A, _vector(struct.pack(">3H", group, 0x0017, 0x0018))),
        _extension(0x000D, _vector(bytes.fromhex("0403080404010503080505010806"))),
        _extension(0x0010, _vector(_vector(alpn, 1))),
        _extension(0x002B, _vector(b"\x03\x04\x03\x03", 1)),
        _extension(0x0033, _vector(struct.pack(">H", group) + _vector(random.randbytes(share)))),
    ]
    random.shuffle(extensions)
    hello = b"\x03\x03" + random.randbytes(32) + _vector(random.randbytes(32), 1)
    hello += _vector(bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8")) + b"\x01\x00"
    return b"\x01" + _vector(hello + _vector(b"".join(extensions)), 3)


def tls_record(handshake: bytes) -> bytes:
    """One handshake record, as a client begins with it."""
    return b"\x16\x03\x01" + _vector(handshake)


def http_request(host: str, random: Random) -> bytes:
    """A GET request with the fields that browsers send."""
    return (
        f"GET /{random.randbytes(12).hex()} HTTP/1.1\r\nHost: {host}\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n"
    ).encode("ascii")


def _question(host: str, qtype: int) -> bytes:
    labels = b"".join(_vector(label.encode("ascii"), 1) for label in host.split("."))
    return labels + struct.pack(">BHH", 0, qtype, 1)


def dns_query(host: str, number: int, *, v6: bool) -> bytes:
    """A question for the address of a host."""
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + _question(host, 28 if v6 else 1)


def dns_answer(host: str, number: int, address: bytes) -> bytes:
    """The answer to `dns_query`: one address of 4 or 16 bytes."""
    qtype = 1 if len(address) == 4 else 28
    head = struct.pack(">6H", number, 0x8180, 1, 1, 0, 0)
    record = struct.pack(">HHHI", 0xC00C, qtype, 1, 300) + _vector(address)
    return head + _question(host, qtype) + record


def _expanded(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context; `size` up to 32 (RFC 8446 §7.1)."""
    told = struct.pack(">H", size) + _vector(b"tls13 " + label, 1) + b"\0"
    return hmac.digest(secret, told + b"\x01", hashlib.sha256)[:size]


def quic_initial(host: str, dcid: bytes, random: Random) -> bytes:
    """A client's first datagram of QUIC v1: an Initial that anyone can decrypt, 1200 bytes."""
    hello = client_hello(host, random, alpn=b"h3")
    frame = b"\x06\x00" + struct.pack(">H", 0x4000 | len(hello)) + hello
    return _initial(frame, _vector(dcid, 1) + b"\x00", _secret(dcid, b"client in"))


def quic_answer(dcid: bytes, random: Random) -> bytes:
    """A server's first datagram of QUIC v1 to a client whose Initial went to `dcid`, 1200 bytes."""
    share = random.randbytes(32)
    hello = b"\x03\x03" + random.randbytes(32) + b"\x00" + bytes.fromhex("130100")
    hello += _vector(bytes.fromhex("002b00020304 00330024001d0020") + share)
    hello = b"\x02" + _vector(hello, 3)
    acknowledged, crypto = bytes.fromhex("0200000000"), b"\x06\x00"
    frames = acknowledged + crypto + struct.pack(">H", 0x4000 | len(hello)) + hello
    ids = b"\x00" + _vector(random.randbytes(8), 1)
    return _initial(frames, ids, _secret(dcid, b"server in"))


def _secret(dcid: bytes, whose: bytes) -> bytes:
    """RFC 9001 §5.2."""
    return _expanded(hmac.digest(INITIAL_SALT, dcid, hashlib.sha256), whose, 32)


def _initial(frames: bytes, ids: bytes, secret: bytes) -> bytes:
    """A datagram of one Initial, number 0, padded; `ids`: both connection IDs, with lengths."""
    head = b"\xc3\x00\x00\x00\x01" + ids + b"\x00"
    length = INITIAL_SIZE - len(head) - 2
    head += struct.pack(">H", 0x4000 | length) + bytes(4)
    padded = frames.ljust(length - 4 - 16, b"\0")
    key, nonce, mask_key = (
        _expanded(secret, label, size)
        for label, size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16))
    )
    sealed = AESGCM(key).encrypt(nonce, padded, head)  # of packet number 0, so the nonce is the IV
    # The sample begins four bytes behind where the packet number does (RFC 9001 §5.4.2).
    mask = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor().update(sealed[:16])
    first = head[0] ^ (mask[0] & 0x0F)
    number = bytes(a ^ b for a, b in zip(head[-4:], mask[1:5], strict=True))
    return bytes([first]) + head[1:-4] + number + sealed
