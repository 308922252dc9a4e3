"""Builds QUIC datagrams as a client would send them, with keys of an implementation of its own.

Source: RFC 9000 §17.2, RFC 9001 §5, RFC 9369 §3.
"""

import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

V1, V2, DRAFT_29 = 1, 0x6B3343CF, 0xFF00001D
SALTS = {
    V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899",
}
DCID = bytes.fromhex("8394c8f03e515708")


def integer(value: int) -> bytes:
    """A variable-length integer in its shortest form (RFC 9000 §16)."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if value < 1 << size * 8 - 2:
            return (value | prefix << size * 8 - 2).to_bytes(size, "big")
    raise ValueError(value)


def crypto(data: bytes, offset: int = 0) -> bytes:
    """A CRYPTO frame."""
    return b"\x06" + integer(offset) + integer(len(data)) + data


def pieces_of(message: bytes, size: int) -> list[tuple[int, bytes]]:
    """A message cut into pieces, with their offsets."""
    return [(at, message[at : at + size]) for at in range(0, len(message), size)]


def initial(
    payload: bytes,
    *,
    version: int = V1,
    to: bytes = DCID,
    sender: bytes = b"",
    keys_of: bytes | None = None,
    keys_in: int | None = None,
    number: int = 0,
    number_size: int = 4,
    token: bytes = b"",
    size: int = 1162,
    server: bool = False,
) -> bytes:
    """A client's protected Initial with some frames, padded to `size` bytes of payload.

    keys_of: the connection ID that the keys derive from, if it is not `to`; keys_in: the version of
    which they are, if it is not that of the packet.
    """
    of = version if keys_in is None else keys_in
    secret = hmac.new(bytes.fromhex(SALTS[of]), to if keys_of is None else keys_of, "sha256")
    side = expand(secret.digest(), "server in" if server else "client in", 32)
    name = "quicv2" if of == V2 else "quic"
    key, iv, header = (
        expand(side, f"{name} {w}", n) for w, n in (("key", 16), ("iv", 12), ("hp", 16))
    )
    payload = payload.ljust(size, b"\0")
    first = 0xC0 | (0x10 if version == V2 else 0) | (number_size - 1)
    head = bytes((first,)) + struct.pack(">I", version)
    head += bytes((len(to),)) + to + bytes((len(sender),)) + sender + integer(len(token)) + token
    length = number_size + len(payload) + 16
    head += struct.pack(">H", 0x4000 | length)
    cut = (number & (1 << number_size * 8) - 1).to_bytes(number_size, "big")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    body = AESGCM(key).encrypt(nonce, payload, head + cut)
    mask = Cipher(AES(header), ECB()).encryptor().update((cut + body)[4:20])
    masked = bytes(a ^ b for a, b in zip(cut, mask[1:], strict=False))
    return bytes((first ^ mask[0] & 15,)) + head[1:] + masked + body


def expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446 §7.1."""
    full = f"tls13 {label}".encode()
    info = struct.pack(">HB", size, len(full)) + full + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)
