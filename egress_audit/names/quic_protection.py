"""The keys of QUIC Initials, which everybody can compute, and what they open.

Source: RFC 9001 §5 (keys, header protection) and §A, RFC 9369 §3 (version 2), RFC 5869 (HKDF),
RFC 8446 §7.1 (HKDF-Expand-Label); the drafts of RFC 9001, §5.2 of each; for the versions of Google
and Meta the constants in Wireshark's dissector of QUIC and in Chromium's crypto_utils.cc.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from struct import pack
from typing import NamedTuple

V1, V2 = 0x00000001, 0x6B3343CF
Q050, T050, T051 = 0x51303530, 0x54303530, 0x54303531
_SALTS = {
    range(22, 23): "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
    range(23, 29): "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    range(29, 33): "afbfec289993d24c9e9786f19c6111e04390a899",
    range(33, 35): "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
}
"""By draft, in hexadecimal."""
_DRAFT = 0xFF000000
_OF_DRAFT = {V1: 34, 0xFACEB001: 22, 0xFACEB002: 27, 0xFACEB00E: 27}
"""Versions that have the salt of a draft: the standard's, and those of Meta's mvfst."""
SALTS = {
    **{_DRAFT | n: bytes.fromhex(salt) for drafts, salt in _SALTS.items() for n in drafts},
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
    Q050: bytes.fromhex("504574efd066fe2f9d945cfcdbd3a7f0d3b56b45"),
    T050: bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310"),
    T051: bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"),
}
SALTS |= {version: SALTS[_DRAFT | draft] for version, draft in _OF_DRAFT.items()}
"""The initial salt of each version that we can open."""

_RESERVED_BITS, _RESERVED = 0x0F0F0F0F, 0x0A0A0A0A
_OF_RESERVED = (V1, _DRAFT | 29, _DRAFT | 23)

SAMPLE_AT, SAMPLE = 4, 16
"""Header protection is sampled so far behind the start of the packet number (RFC 9001 §5.4.2)."""


Keys = tuple[bytes, bytes, bytes]
"""What protects the Initials of one client: its key, IV, and key of the header protection."""


def _info(label: str, length: int) -> bytes:
    """The label as HKDF-Expand takes it, for one block of output (RFC 8446 §7.1, RFC 5869 §2.3)."""
    full = b"tls13 " + label.encode()
    return pack(">HB", length, len(full)) + full + b"\0\x01"


_Pads = tuple[bytes, bytes]
"""A key as HMAC-SHA-256 puts it before a message, and before what that gives (RFC 2104 §2)."""


def _padded(key: bytes) -> _Pads:
    """The pads of a key of up to 64 octets."""
    block = key.ljust(64, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


def _mac(pads: _Pads, message: bytes) -> bytes:
    """HMAC-SHA-256. The module `hmac` takes twice the time: it pads the key of each message."""
    inner, outer = pads
    return sha256(outer + sha256(inner + message).digest()).digest()


_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))
_SALTED = {version: _padded(salt) for version, salt in SALTS.items()}
_CLIENT = _info("client in", 32)
_LABELS = tuple((_info(f"{name} key", 16), _info(f"{name} iv", 12), _info(f"{name} hp", 16))
                for name in ("quic", "quicv2"))  # fmt: skip


def is_reserved(version: int) -> bool:
    """True for a version that no server has: a client sends it to make the server name its own,
    and its packets are laid out as those of a version it really has (RFC 9000 §15, §6.3)."""
    return version & _RESERVED_BITS == _RESERVED


def salted_as(version: int) -> tuple[int, ...]:
    """The versions, of SALTS, with whose salt an Initial of `version` may be protected; of a
    reserved one that is up to the client."""
    if version in SALTS:
        return (version,)
    return _OF_RESERVED if is_reserved(version) else ()


def client_keys(version: int, connection: bytes) -> Keys:
    """The keys of a client whose first Initial went to the connection ID `connection`.

    `version`: one of SALTS.
    """
    initial = _padded(_mac(_SALTED[version], connection))
    client = _padded(_mac(initial, _CLIENT))
    key, iv, header = _LABELS[version == V2]
    return _mac(client, key)[:16], _mac(client, iv)[:12], _mac(client, header)[:16]


def opened(keys: Keys, packet: bytes, number_at: int, expected: int) -> tuple[bytes, int] | None:
    """The payload of an Initial and its packet number; None if these are not its keys.

    `packet`: from its first byte to the last of its length. `number_at`: where the packet number
    begins. `expected`: the number behind the highest that was opened with these keys.
    Source: RFC 9001 §5.3 and §5.4, RFC 9000 §A.3.
    """
    sample = packet[number_at + SAMPLE_AT : number_at + SAMPLE_AT + SAMPLE]
    if len(sample) < SAMPLE:
        return None
    block, decrypted = _ciphers()
    key, iv, header_key = keys
    mask = block(header_key, sample)
    first = packet[0] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    behind = number_at + size
    shown = int.from_bytes(packet[number_at:behind], "big")
    cut = shown ^ int.from_bytes(mask[1 : 1 + size], "big")
    number = _whole_number(cut, size * 8, expected) if expected else cut
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    header = b"%c%b%b" % (first, packet[1:number_at], cut.to_bytes(size, "big"))
    payload = decrypted(key, nonce, packet[behind:], header)
    return None if payload is None else (payload, number)


class _Ciphers(NamedTuple):
    """AES in the two ways in which Initials use it."""

    block: Callable[[bytes, bytes], bytes]
    """Key and one block to the block encrypted: header protection (RFC 9001 §5.4.3)."""
    decrypted: Callable[[bytes, bytes, bytes, bytes], bytes | None]
    """Key, nonce, ciphertext and header to the plaintext; None if they do not belong together."""


@cache
def _ciphers() -> _Ciphers:
    """Imported when first asked for: most captures have no QUIC, and loading costs 60 ms."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    mode = ECB()

    def block(key: bytes, sample: bytes) -> bytes:
        return Cipher(AES(key), mode).encryptor().update(sample)

    def decrypted(key: bytes, nonce: bytes, data: bytes, header: bytes) -> bytes | None:
        try:
            return AESGCM(key).decrypt(nonce, data, header)
        except InvalidTag:
            return None

    return _Ciphers(block, decrypted)


def _whole_number(cut: int, bits: int, expected: int) -> int:
    """The packet number nearest to the expected one that ends in the bits that were sent."""
    window = 1 << bits
    near = (expected & ~(window - 1)) | cut
    if near + window // 2 <= expected and near + window < 1 << 62:
        return near + window
    return near - window if near > expected + window // 2 and near >= window else near
