"""Servers that speak first: a greeting for a client that waits for one, then a farewell.

Source: RFC 959 §5.4 (FTP), RFC 4253 §4.2 (SSH), RFC 5321 §4.2 and §3.8 (SMTP), RFC 1939 §3 (POP3),
RFC 3501 §7.1 (IMAP), RFC 6143 §7.1.1 (VNC), MySQL's "Protocol::HandshakeV10" and "ERR_Packet".
"""

from egress_audit.record.internet.dialogue import IDLE_NS, NOTHING_YET, SECOND_NS, Reply

GREETING_NS = 3 * SECOND_NS
"""How long a client may be silent before it is one that waits for the server to speak."""

_SMTP = (b"220 mail ESMTP\r\n", b"421 4.3.2 Service not available\r\n")


def _mysql_packet(number: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "little") + bytes([number]) + content


_MYSQL_GREETING = (
    b"\x0a8.0.36\0" + b"\x08\0\0\0" + b"egressau" + b"\0"
    # The lower capabilities: protocol 4.1, secure connection, a database may be named.
    + b"\x08\x82" + b"\x21" + b"\x02\0" + b"\x08\0" + b"\x15" + bytes(10)
    + b"ditnothingou\0" + b"mysql_native_password\0"
)  # fmt: skip
_MYSQL_FAREWELL = b"\xff\x15\x04#28000Access denied"

GREETINGS: dict[int, tuple[bytes, bytes]] = {
    21: (b"220 FTP server ready\r\n", b"421 Service not available\r\n"),
    22: (b"SSH-2.0-OpenSSH_9.2\r\n", b""),
    25: _SMTP,
    110: (b"+OK POP3 ready\r\n", b"-ERR service not available\r\n"),
    143: (b"* OK IMAP4rev1 ready\r\n", b"* BYE service not available\r\n"),
    587: _SMTP,
    3306: (_mysql_packet(0, _MYSQL_GREETING), _mysql_packet(2, _MYSQL_FAREWELL)),
    5900: (b"RFB 003.008\n", b""),
}
"""By port: what the server says first, and what it says to the client's reply."""


class Greeter:
    """A server that greets, hears one reply, and takes its leave."""

    __slots__ = ("_farewell", "_greeting", "patience_ns")

    def __init__(self, port: int) -> None:
        self._greeting, self._farewell = GREETINGS[port]
        self.patience_ns = GREETING_NS

    def take(self, data: bytes) -> Reply:
        """The farewell; the greeting to a client that spoke before it."""
        if self._greeting:
            return self._greet()
        return Reply(self._farewell, close=True) if data else NOTHING_YET

    def silence(self) -> Reply:
        """The greeting; the farewell to a client that has heard it and does not reply."""
        return self._greet() if self._greeting else self.end()

    def end(self) -> Reply:
        """The farewell."""
        return Reply(self._farewell, close=True)

    def _greet(self) -> Reply:
        greeting, self._greeting = self._greeting, b""
        self.patience_ns = IDLE_NS
        return Reply(greeting)
