"""Records of TLS by their headers: what may begin one, and what is passed over in front of a hello.

Source: RFC 8446 §5.1 (records) and §6 (alerts).
"""

from struct import Struct

MAX_ALERTS = 8
"""Alerts in front of a ClientHello that are passed over."""
MAX_EMPTY = 32
"""Records with nothing in them, and alerts, that are: as many as OpenSSL takes in a row."""

RECORD = Struct(">BHH")
"""Kind, version and size of what follows."""
MAX_FRAGMENT = 2**14 + 2048
_KINDS = range(20, 25)
"""change_cipher_spec, alert, handshake, application_data, heartbeat."""
ALERT = 21
_FATAL = 2
HANDSHAKE = 22
LAST_MINOR = 4
"""Of the version of a record, 3.0 to 3.4; only a ClientHello is known without it."""


def behind_what_is_passed_over(stream: bytes) -> int | None:
    """Where the first record begins that is no alert and not empty; None while that may follow."""
    at = alerts = 0
    for _ in range(MAX_EMPTY):
        if is_empty(stream, at):
            at += RECORD.size
            if at == len(stream):
                return None
            continue
        alerts += 1
        if stream[at] != ALERT or at + RECORD.size > len(stream) or alerts > MAX_ALERTS:
            return at
        level, at = at + RECORD.size, at + RECORD.size + int.from_bytes(stream[at + 3 : at + 5])
        if at > len(stream):
            return None
        if at == len(stream):
            return at if stream[level] == _FATAL else None
    return at


def could_be_record(stream: bytes) -> bool:
    """Whether the bytes there are, up to five, begin a record of SSL 3.0 or any TLS."""
    have = len(stream)
    return (
        (have < 1 or stream[0] in _KINDS)
        and (have < 2 or stream[1] == 3)
        and (have < 3 or stream[2] <= LAST_MINOR or stream[0] == HANDSHAKE)
        and (have < RECORD.size or 0 < (stream[3] << 8 | stream[4]) <= MAX_FRAGMENT)
    )


def is_empty(stream: bytes, at: int) -> bool:
    """Whether a record with nothing in it stands at `at`, whole.

    Nobody may send one of the handshake (RFC 8446 §5.1), and servers read on behind it: OpenSSL 3.0
    in front of a ClientHello, and behind an empty change_cipher_spec as well.
    """
    kind, major, _, *size = stream[at : at + RECORD.size].ljust(RECORD.size, b"\xff")
    return kind in _KINDS and major == 3 and not any(size)
