"""A PostgreSQL server that declines encryption, hears user and database, and refuses.

Source: PostgreSQL's documentation, "Message Formats": SSLRequest, GSSENCRequest, StartupMessage,
ErrorResponse.
"""

from egress_audit.record.internet.dialogue import NOTHING_YET, Patient, Reply

MAX_MESSAGE = 10_000
"""PostgreSQL's own bound of a startup packet."""
_VERSION_3 = b"\0\3"
_ENCRYPTION = (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30")
_FIELDS = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is not available\0\0"
_REFUSED = Reply(b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS, close=True)


def is_postgres(first: bytes) -> bool:
    """Whether at least eight bytes begin a connection to PostgreSQL."""
    length = int.from_bytes(first[:4], "big")
    if first[4:8] in _ENCRYPTION:
        return length == 8
    return first[4:6] == _VERSION_3 and 8 < length <= MAX_MESSAGE


class PostgresDialogue(Patient):
    """One session that ends before it begins."""

    __slots__ = ("_heard",)

    def __init__(self) -> None:
        self._heard = b""

    def take(self, data: bytes) -> Reply:
        """`N` to each wish for encryption, an error to the startup message."""
        self._heard += data
        said = b""
        while len(self._heard) >= 8 and self._heard[4:8] in _ENCRYPTION:
            self._heard = self._heard[8:]
            said += b"N"
        length = int.from_bytes(self._heard[:4], "big") if len(self._heard) >= 4 else 8
        if length > MAX_MESSAGE or len(self._heard) >= max(length, 8):
            return Reply(said + _REFUSED.data, close=True)
        return Reply(said) if said else NOTHING_YET
