"""Readers of names in UDP datagrams, and what they keep of flows between two of them.

A hello may come in several datagrams, so what was read of a flow is kept. There is room for so many
flows and bytes; the flow that was silent longest goes first, and is counted if its hello was not
whole.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from egress_audit.model.flow import NameSource
from egress_audit.names.dns import read_message
from egress_audit.names.dns_shape import look_like_segments, read_like_message, segments
from egress_audit.names.dtls import DTLS, DtlsFlow, could_be_record
from egress_audit.names.gquic import read_plain_packet
from egress_audit.names.http import read_request_head
from egress_audit.names.link_names import read_link_message
from egress_audit.names.plain_hello import PlainHello
from egress_audit.names.quic import OF_SERVER, QUIC, QuicFlow
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Unread

MAX_FLOWS = 8192
"""Flows of QUIC or DTLS of which the last datagrams are remembered."""
MAX_HELD = 8 << 20
"""Bytes of handshake held of all of them together."""
MAX_FUTILE = 1 << 18
"""QUIC packets tried and not opened, over the whole capture; each costs some 30 µs. Servers' whose
client was not seen are such, and so is garbage that somebody made to keep us busy."""

SEVERAL = Reading(marks=frozenset(("dns",)))
"""Of a datagram that is to be read in `segments`, each as one of its own."""

OTHER_VERSION = Reading(marks=frozenset(("quic-version",)))
"""Of a packet of QUIC that no reader opens: its hello hides its name."""

Datagram = tuple[int, bool, bytes, bool]
"""Flow, whether its originator sent it, payload, whether all of it was captured."""
_Stateless = Callable[[bytes, bool], Reading]


def _of_link(source: NameSource) -> _Stateless:
    return lambda payload, complete: read_link_message(payload, source, complete)


def _read_dns(payload: bytes, complete: bool) -> Reading:
    """A message of the DNS, or SEVERAL."""
    reading = read_message(payload, complete)
    return SEVERAL if reading.consumed and complete and segments(payload) else reading


def _read_like_dns(payload: bytes, complete: bool) -> Reading:
    """A DNS message on a port of another's, if it is one beyond doubt; one that could be one; or
    SEVERAL."""
    reading = read_like_message(payload) if complete else NOTHING
    several = complete and not reading.spoken and look_like_segments(payload)
    return SEVERAL if several else reading


def _read_other_version(payload: bytes, complete: bool) -> Reading:
    """A packet of QUIC, or a message of the DNS whose ID looks like the beginning of one."""
    reading = _read_like_dns(payload, complete)
    return OTHER_VERSION if reading == NOTHING else reading


def _read_ssdp(payload: bytes, complete: bool) -> Reading:
    """A request of HTTP in one datagram (UPnP Device Architecture 2.0 §1.1 and §1.3)."""
    reading = read_request_head(payload)
    if not reading.hungry:
        return reading
    if reading == HUNGRY and complete:
        return NOTHING
    unread = Unread.MALFORMED if complete else Unread.TRUNCATED
    return Reading(reading.spoken, reading.marks, reading.unread or unread)


_LIKE_DNS = "DNS on another port"
_STATELESS: dict[str, _Stateless] = {
    "DNS": _read_dns,
    "mDNS": _of_link(NameSource.MDNS),
    "LLMNR": _of_link(NameSource.LLMNR),
    "NetBIOS names": _of_link(NameSource.NETBIOS),
    "SSDP": _read_ssdp,
    "gQUIC": read_plain_packet,
    "QUIC of another version": _read_other_version,
    _LIKE_DNS: _read_like_dns,
}
_MARKS = {"QUIC": QUIC, "DTLS": DTLS}
KINDS = frozenset((*_STATELESS, *_MARKS))
"""The protocols there are readers for."""


class UdpReaders:
    """Reads the datagrams of one body of evidence, one at a time and in order."""

    def __init__(self) -> None:
        self._flows: OrderedDict[tuple[int, str], QuicFlow | DtlsFlow] = OrderedDict()
        self._held = 0
        self._futile = 0
        self.unexplained: set[int] = set()
        """Flows of QUIC with a connection of which no hello was read, whatever others said."""
        self.unread_in: dict[str, array[int]] = {}
        """Flows of what could not be read, one for each datagram or hello, by reason."""

    def read(self, kind: str, datagram: Datagram) -> tuple[Reading | PlainHello, bool]:
        """What a datagram says; and True once no further one of this kind in its flow is wanted.

        kind: one of KINDS. Whatever is unread is counted; of SEVERAL nothing was read.
        """
        read = _STATELESS.get(kind)
        if read is None:
            found, sated = self._read_flow(kind, datagram)
            if isinstance(found, PlainHello):
                return found, sated
            reading = found
        else:
            reading, sated = read(datagram[2], datagram[3]), False
            if kind == _LIKE_DNS and could_be_record(datagram[2]):
                kind, reading, sated = self._read_either(reading, datagram)
        if reading.unread:
            self._give_up(kind, reading.unread, datagram[0])
        return reading, sated

    def finish(self) -> None:
        """Counts the hellos that are not whole when the capture ends."""
        for (flow, kind), state in self._flows.items():
            self._let_go(flow, state)
            if state.pending:
                self._give_up(kind, "never completed", flow)
        self._flows.clear()

    def _read_either(self, reading: Reading, datagram: Datagram) -> tuple[str, Reading, bool]:
        """The kind of what begins like a message and like a record, what it says, and if its flow
        is sated. reading: what it says as a message; of what is both neither is certain."""
        hello, sated = self._read_flow("DTLS", datagram)
        if isinstance(hello, PlainHello) or (reading != NOTHING and not hello.spoken):
            return _LIKE_DNS, reading, False
        if reading == NOTHING:
            return "DTLS", hello, sated
        both = (*reading.spoken, *hello.spoken)
        return _LIKE_DNS, replace(reading, spoken=both, unread=Unread.MALFORMED), sated

    def _read_flow(self, kind: str, datagram: Datagram) -> tuple[Reading | PlainHello, bool]:
        flow, by_orig, payload, complete = datagram
        key = flow, kind
        state = self._flows.get(key)
        if state is None:
            if kind == "QUIC" and self._futile >= MAX_FUTILE:
                return Reading(marks=_MARKS[kind], unread=Unread.TRUNCATED), True
            held = futile = 0
            state = self._flows[key] = QuicFlow() if kind == "QUIC" else DtlsFlow()
        else:
            self._flows.move_to_end(key)
            if not by_orig and isinstance(state, QuicFlow) and state.is_answered_by(payload):
                return OF_SERVER, False
            held, futile = state.held, state.futile
        reading = state.read(payload, by_orig, complete)
        self._futile += state.futile - futile
        spent = state.spent
        if spent:
            self._held -= held
            del self._flows[key]
            self._let_go(flow, state)
        else:
            self._held += state.held - held
            if len(self._flows) > MAX_FLOWS or self._held > MAX_HELD:
                self._make_room()
        return reading, spent

    def _make_room(self) -> None:
        while self._flows and (len(self._flows) > MAX_FLOWS or self._held > MAX_HELD):
            (flow, kind), state = self._flows.popitem(last=False)
            self._held -= state.held
            self._let_go(flow, state)
            if state.pending:
                self._give_up(kind, "too many at once", flow)

    def _let_go(self, flow: int, state: QuicFlow | DtlsFlow) -> None:
        if isinstance(state, QuicFlow) and state.unexplained:
            self.unexplained.add(flow)

    def _give_up(self, kind: str, reason: str, flow: int) -> None:
        self.unread_in.setdefault(f"{kind}, {reason}", array("q")).append(flow)
