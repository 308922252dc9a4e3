"""The host names in the Initials that QUIC clients send, over all packets of one UDP flow.

Source: RFC 9000 §7 (handshake), §17.2.2 (Initial), §17.2.5.2 (after a Retry); RFC 9001 §4 (TLS in
CRYPTO frames), §5.2 (keys); RFC 9369 §4 (a version changed on the way).

Everything in an Initial can be read by everybody. A client's keys derive from the connection ID it
first sends to, also when later packets go to the one the server chose, or in another version; after
a Retry they derive from the server's. So every packet is tried with the keys of the connections of
its flow, and then with its own.
"""

from dataclasses import field

from egress_audit.model.flow import NameSource
from egress_audit.names.gquic import read_chlo
from egress_audit.names.plain_hello import PlainHello, hello_in
from egress_audit.names.quic_clients import MAX_HELLO, Connection, Opening
from egress_audit.names.quic_packets import (
    Initial,
    crypto_frames,
    initials,
    lone_hello,
    lone_initial,
)
from egress_audit.names.quic_protection import (
    Q050,
    Keys,
    client_keys,
    is_reserved,
    opened,
    salted_as,
)
from egress_audit.names.reading import NOTHING, Damage, Reading, Spoken, Unread
from egress_audit.names.tls import server_name
from egress_audit.values import dataclass

MAX_TRIED = 64
"""Initials of one flow that are tried; a browser sends two to six of them."""
MAX_CONNECTIONS = 8
"""Clients of one flow, a Retry counted as another one."""
MIN_FIRST_ID = 8
"""Octets of the connection ID in a client's first Initial, at least (RFC 9000 §7.2)."""
QUIC = frozenset(("quic",))
_UNOPENED = Reading(marks=QUIC)
OF_SERVER = Reading(marks=QUIC)
"""Of a datagram that is the server's alone, to a client whose hello was read: nothing is changed by
it. Known by its identity."""
_CLIENT_HELLO = 1
_HEADER = 4
"""The header of a message is its type, one octet, and its length."""


_Opened = tuple[Keys, bytes, int]
"""What an Initial holds: the keys that opened it, its payload and its packet number."""


@dataclass(slots=True)
class _Said:
    """What a datagram says, while its packets are read."""

    spoken: list[Spoken] = field(default_factory=list)
    marks: set[str] = field(default_factory=lambda: {*QUIC})
    unread: Unread | None = None
    """Of several reasons the first."""


class QuicFlow:
    """What the clients of one UDP flow say. Work and memory are bounded by the constants above."""

    __slots__ = ("_connections", "_opening", "_strange", "_tried", "futile")

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._opening: Opening | None = None
        """The only client, until another Initial comes that is not the server's."""
        self._strange: list[tuple[bool, bytes]] = []
        """Of the packets that nothing opened who sent them, and to which connection ID."""
        self._tried = 0
        self.futile = 0
        """Packets that were tried and that nothing opened."""

    @property
    def held(self) -> int:
        """Bytes of handshake held."""
        if self._opening is not None:
            return len(self._opening.hello)
        return sum([connection.hello.held for connection in self._connections])

    @property
    def pending(self) -> bool:
        """True while some client's hello is not whole."""
        return any(connection.pending for connection in self._connections)

    @property
    def spent(self) -> bool:
        """True once no further packet may be tried."""
        return self._tried >= MAX_TRIED or len(self._connections) > MAX_CONNECTIONS

    @property
    def unexplained(self) -> bool:
        """True if a packet that nothing opened is no server's, to a client that was heard: what it
        begins, or goes on with, is a connection whose name nobody read."""
        return any(not self._is_of_server(by_orig, to) for by_orig, to in self._strange)

    def is_answered_by(self, datagram: bytes) -> bool:
        """True for a datagram of who was called that is his alone: OF_SERVER. Read, it would say no
        more, as most do that come from there."""
        opening = self._opening
        if opening is None or not opening.by_orig:
            return False
        lone = lone_initial(datagram)
        return lone is not None and lone[1] == opening.sender

    def read(self, datagram: bytes, by_orig: bool, complete: bool = True) -> PlainHello | Reading:
        """What `read_any` says; of a first datagram that is a plain hello alone, that hello."""
        lone = None if self._tried else lone_initial(datagram)
        if lone is None:
            return self.read_any(datagram, by_orig, complete)
        self._tried = 1
        version, to, sender, number_at = lone
        found = _opened_by_own(version, to, datagram, number_at)
        if found is None:
            self._keep_strange(to, by_orig)
            return _UNOPENED
        _, payload, number = found
        at, end = lone_hello(payload, version) or (0, 0)
        hello = hello_in(payload, at, end) if at else None
        if hello is not None:
            self._opening = Opening(by_orig, to, sender, version, number, payload[at:end])
            return hello
        said = _Said()
        initial = Initial(version, to, sender, datagram, number_at)
        _take(self._begun(initial, by_orig, found), payload, version, said)
        return Reading(tuple(said.spoken), frozenset(said.marks), said.unread, self.pending)

    def read_any(self, datagram: bytes, by_orig: bool, complete: bool = True) -> Reading:
        """What a datagram adds; marks as in `server_name`, and `quic`.

        `by_orig`: which side sent it. `complete`: False if the capture has fewer bytes than were on
        the wire. Hungry while a hello is incomplete. TRUNCATED where bytes are missing or a bound
        is reached; MALFORMED where what was opened contradicts the protocol or itself; names are
        spoken all the same. A packet that no key opens says nothing: it is the server's, or of a
        connection whose beginning nobody saw. Never raises.
        """
        said = _Said()
        try:
            for initial in initials(datagram, Unread.MALFORMED if complete else Unread.TRUNCATED):
                if self.spent:
                    raise Damage(Unread.TRUNCATED)
                self._read_initial(initial, by_orig, said)
        except Damage as damage:
            said.unread = said.unread or damage.unread
        if self.spent:
            said.unread = said.unread or Unread.TRUNCATED
        return Reading(tuple(said.spoken), frozenset(said.marks), said.unread, self.pending)

    def _read_initial(self, initial: Initial, by_orig: bool, said: _Said) -> None:
        opening = self._opening
        if opening and not by_orig and opening.by_orig and opening.sender == initial.to:
            return  # It is the server's, and the client has sent nothing but its whole hello.
        if self._opening is not None:
            self._connections.append(self._opening.connection())
            self._opening = None
        # Who is called may have said a hello first, so that another one seems to answer it.
        if not by_orig and self._is_of_server(by_orig, initial.to):
            return
        self._tried += 1
        for connection in self._connections:
            if connection.by_orig == by_orig:
                payload = _payload(connection, initial)
                if payload is not None:
                    _take(connection, payload, initial.version, said)
                    return
        version, to, _, packet, number_at = initial
        least = 0 if self._goes_on(initial, by_orig) else MIN_FIRST_ID
        found = _opened_by_own(version, to, packet, number_at, least)
        if found is None:
            self._keep_strange(to, by_orig)
        else:
            _take(self._begun(initial, by_orig, found), found[1], version, said)

    def _is_of_server(self, by_orig: bool, to: bytes) -> bool:
        """True if some client of the other side was heard that has this connection ID."""
        clients = (self._opening, *self._connections)
        return any(c is not None and c.by_orig != by_orig and c.sender == to for c in clients)

    def _goes_on(self, initial: Initial, by_orig: bool) -> bool:
        """True if a client that was heard sent it: after a Retry, to an ID of whatever length."""
        clients = self._connections
        return any(c.by_orig == by_orig and c.sender == initial.sender for c in clients)

    def _keep_strange(self, to: bytes, by_orig: bool) -> None:
        self.futile += 1
        self._strange.append((by_orig, to))

    def _begun(self, initial: Initial, by_orig: bool, found: _Opened) -> Connection:
        """The new connection that an Initial begins."""
        version, to, sender, _, _ = initial
        keys, _, number = found
        self._connections.append(
            Connection(by_orig, to, sender, version, {version: keys}, expected=number + 1)
        )
        return self._connections[-1]


def _opened_by_own(
    version: int, to: bytes, packet: bytes, number_at: int, least: int = MIN_FIRST_ID
) -> _Opened | None:
    """What the keys of its own connection ID open, if it begins a connection; `least`: octets."""
    if len(to) < least:
        return None
    for salted in salted_as(version):
        keys = client_keys(salted, to)
        found = opened(keys, packet, number_at, 0)
        if found is not None:
            return keys, *found
    return None


def _payload(connection: Connection, initial: Initial) -> bytes | None:
    """What the connection's keys open, those of its first version too, or None.

    With a reserved version nothing goes on: the next one is another attempt (RFC 9000 §6.2).
    """
    versions = dict.fromkeys((initial.version, connection.version))
    if len(versions) > 1 and any(map(is_reserved, versions)):
        return None
    for version in versions:
        keys = connection.keys.get(version) or client_keys(version, connection.to)
        found = opened(keys, initial.packet, initial.number_at, connection.expected)
        if found is not None:
            connection.keys[version] = keys
            payload, number = found
            connection.expected = max(connection.expected, number + 1)
            return payload
    return None


def _take(connection: Connection, payload: bytes, version: int, said: _Said) -> None:
    """Adds what the pieces in an opened payload say."""
    hello = connection.hello
    before, unread = hello.contradicted, None
    try:
        for offset, piece in crypto_frames(payload, version):
            hello.add(offset, piece)
    except Damage as damage:
        unread = damage.unread
    if hello.overflowed:
        unread = unread or Unread.TRUNCATED
        hello.overflowed = False
    if hello.contradicted > before:
        unread = unread or Unread.MALFORMED
        connection.read_to[1] = 0
    said.unread = said.unread or unread
    for number, stream in enumerate(hello.readings):
        _read_messages(connection, number, stream, said)


def _read_messages(connection: Connection, number: int, stream: bytes, said: _Said) -> None:
    """Adds what the whole messages of one reading of the hello say that were not read before.

    There is a second one after a HelloRetryRequest.
    """
    unread: Unread | None = None
    while len(rest := stream[connection.read_to[number] :]) >= 4 and unread is None:
        if connection.version == Q050:
            reading, size = read_chlo(rest), len(rest)
            if reading.hungry:
                break
            if reading == NOTHING:
                reading = Reading(unread=Unread.MALFORMED)
        else:
            size = _HEADER + int.from_bytes(rest[1:4], "big")
            if rest[0] == _CLIENT_HELLO and len(rest) < size <= MAX_HELLO:
                break
            reading = server_name(rest[:size], NameSource.QUIC_SNI)
        connection.read_to[number] += size
        connection.heard = True
        said.spoken += reading.spoken
        said.marks |= reading.marks
        unread = reading.unread
    said.unread = said.unread or unread
