"""SOCKS proxies that hear where the client wants to go, and refuse.

Source: RFC 1928 §3 to §6, RFC 1929 §2 (user name and password); SOCKS 4 and 4A as their
specifications by NEC and by Ying-Da Lee have them.
"""

from egress_audit.record.internet.dialogue import NOTHING_YET, Patient, Reply

MAX_REQUEST = 1024
"""Bytes of one message; a longer one is refused unheard."""
_REFUSED_4 = Reply(b"\0\x5b" + bytes(6), close=True)
_NO_METHOD = Reply(b"\5\xff", close=True)
_REFUSED_5 = Reply(b"\5\2\0\1" + bytes(6), close=True)
"""Connection not allowed by ruleset."""
_NO_AUTHENTICATION, _PASSWORD = 0, 2
_ADDRESS_SIZES = {1: 4, 4: 16}
_NAME = 3


class Socks4Dialogue(Patient):
    """SOCKS 4 and 4A: one request, one refusal."""

    __slots__ = ("_heard",)

    def __init__(self) -> None:
        self._heard = b""

    def take(self, data: bytes) -> Reply:
        """The refusal behind a whole request."""
        self._heard += data
        heard = self._heard
        # An address 0.0.0.x says that a name follows the user id.
        named = len(heard) >= 8 and heard[4:7] == b"\0\0\0" and heard[7] != 0
        whole = heard.count(b"\0", 8) >= (2 if named else 1)
        return _REFUSED_4 if whole or len(heard) > MAX_REQUEST else NOTHING_YET


class Socks5Dialogue(Patient):
    """SOCKS 5: goes along with the client until it has said where it wants to go."""

    __slots__ = ("_heard", "_part")

    def __init__(self) -> None:
        self._heard = b""
        self._part = self._methods

    def take(self, data: bytes) -> Reply:
        """The choice of a method, the acceptance of a password, the refusal of the request."""
        self._heard += data
        said = b""
        while True:
            part = self._part
            reply = part()
            said += reply.data
            if reply.close:
                return Reply(said, close=True)
            if self._part == part:
                break
        if len(self._heard) > MAX_REQUEST:
            return Reply(said + _REFUSED_5.data, close=True)
        return Reply(said) if said else NOTHING_YET

    def _methods(self) -> Reply:
        heard = self._heard
        if len(heard) < 2 or len(heard) < 2 + heard[1]:
            return NOTHING_YET
        methods, self._heard = heard[2 : 2 + heard[1]], heard[2 + heard[1] :]
        if _NO_AUTHENTICATION in methods:
            self._part = self._request
            return Reply(bytes((5, _NO_AUTHENTICATION)))
        if _PASSWORD in methods:
            self._part = self._password
            return Reply(bytes((5, _PASSWORD)))
        return _NO_METHOD

    def _password(self) -> Reply:
        heard = self._heard
        user = 2 + heard[1] if len(heard) > 1 else 0
        end = user + 1 + heard[user] if user and len(heard) > user else 0
        if not end or len(heard) < end:
            return NOTHING_YET
        self._heard, self._part = heard[end:], self._request
        return Reply(b"\1\0")

    def _request(self) -> Reply:
        heard = self._heard
        if len(heard) < 5:
            return NOTHING_YET
        address = 1 + heard[4] if heard[3] == _NAME else _ADDRESS_SIZES.get(heard[3], 0)
        return _REFUSED_5 if len(heard) >= 4 + address + 2 else NOTHING_YET
