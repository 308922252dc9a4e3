"""All TCP connections: found by their addresses, opened, timed, and bounded in number.

Those that were silent longest stand in front, so that finding them costs nothing; the few that have
something to do sooner stand in a heap.

Source: RFC 9293 §3.10.7.
"""

from collections import Counter, OrderedDict
from heapq import heappop, heappush
from random import Random

from egress_audit.record.internet.connection import Connection
from egress_audit.record.internet.dialogue import IDLE_NS
from egress_audit.record.internet.dns_answers import DnsAnswers
from egress_audit.record.internet.incoming import Held
from egress_audit.record.internet.opening import Opening
from egress_audit.record.internet.packets import Packet
from egress_audit.record.internet.segments import (
    ACK,
    FIN,
    RST,
    SYN,
    Ends,
    Segment,
    read_segment,
    refusal,
)
from egress_audit.record.internet.settings import InternetSettings

MAX_TIMERS_AT_ONCE = 512
"""Connections that one call of `due` looks at; the next call follows at once."""
_HEADERS = {4: 40, 16: 60}
"""Bytes of IP and TCP header, by the size of an address."""


class Tcp:
    """A server at every address and port."""

    def __init__(
        self,
        settings: InternetSettings,
        answers: DnsAnswers,
        generator: Random,
        unanswered: Counter[str],
    ) -> None:
        self._answers = answers
        self._generator = generator
        self._unanswered = unanswered
        self._most = max(1, settings.max_connections)
        self._mss = {size: settings.mtu - headers for size, headers in _HEADERS.items()}
        self._held = Held()
        self._table: OrderedDict[bytes, Connection] = OrderedDict()
        self._timers: list[tuple[int, int, bytes]] = []
        self._serial = 0
        self.evicted = 0
        """Connections that were reset to make room for another."""

    @property
    def next_due_ns(self) -> int | None:
        """When `due` has something to do, or None; early is harmless."""
        idle = next(iter(self._table.values()), None)
        if idle is None:
            return None
        idle_ns = idle.last_ns + IDLE_NS
        return min(idle_ns, self._timers[0][0]) if self._timers else idle_ns

    def answer(self, packet: Packet, now_ns: int) -> list[bytes]:
        """The packets that answer one segment."""
        segment = read_segment(packet.body)
        if segment is None:
            self._unanswered["malformed: TCP header"] += 1
            return []
        key = packet.src + packet.dst + packet.body[:4]
        connection = self._table.get(key)
        if connection is None or (segment.flags & SYN and connection.is_closed()):
            return self._opened(key, packet, segment, now_ns)
        answers = connection.take(segment, now_ns)
        if connection.over:
            self._forget(key)
        else:
            self._table.move_to_end(key)
            self._set_timer(key, connection)
        return answers

    def due(self, now_ns: int) -> list[bytes]:
        """What is to be sent because time has passed."""
        packets: list[bytes] = []
        for _ in range(MAX_TIMERS_AT_ONCE):
            if not self._timers or self._timers[0][0] > now_ns:
                break
            at_ns, serial, key = heappop(self._timers)
            connection = self._table.get(key)
            if connection is None or (connection.serial, connection.queued_ns) != (serial, at_ns):
                continue
            connection.queued_ns = 0
            packets += self._timed(key, connection, now_ns)
        for _ in range(MAX_TIMERS_AT_ONCE):
            key, connection = next(iter(self._table.items()), (b"", None))
            if connection is None or connection.last_ns + IDLE_NS > now_ns:
                break
            packets += self._timed(key, connection, now_ns)
        return packets

    def _opened(self, key: bytes, packet: Packet, segment: Segment, now_ns: int) -> list[bytes]:
        """A new connection for a SYN, a RST for anything else."""
        body = packet.body
        ends = Ends(packet.dst, packet.src, body[2] << 8 | body[3], body[0] << 8 | body[1])
        if segment.flags & (SYN | ACK | RST | FIN) != SYN:
            refused = refusal(ends, segment)
            if refused is None:
                self._unanswered["tcp: RST of no connection"] += 1
                return []
            return [refused]
        self._table.pop(key, None)
        room = self._room()
        first = (self._generator.getrandbits(32), self._mss[len(packet.src)])
        dialogue = Opening(ends.sport, self._answers)
        connection = Connection(ends, segment, dialogue, self._held, first)
        self._serial += 1
        connection.serial = self._serial
        self._table[key] = connection
        answers = connection.opened(now_ns)
        self._set_timer(key, connection)
        return room + answers

    def _room(self) -> list[bytes]:
        """The RST of the connection that was silent longest, if it has to go."""
        if len(self._table) < self._most:
            return []
        self.evicted += 1
        _, oldest = self._table.popitem(last=False)
        return oldest.reset()

    def _forget(self, key: bytes) -> None:
        del self._table[key]
        if not self._table:
            # What still stands there is of connections that are over.
            self._timers.clear()

    def _timed(self, key: bytes, connection: Connection, now_ns: int) -> list[bytes]:
        """What one connection says because its time has come."""
        packets: list[bytes] = []
        if connection.resend_ns and connection.resend_ns <= now_ns:
            packets += connection.resent(now_ns)
        if not connection.over and connection.last_ns + connection.patience_ns <= now_ns:
            packets += connection.quiet(now_ns)
            self._table.move_to_end(key)
        if connection.over:
            self._forget(key)
        else:
            self._set_timer(key, connection)
        return packets

    def _set_timer(self, key: bytes, connection: Connection) -> None:
        """Puts the connection into the heap, unless it stands there for an earlier time."""
        patience = connection.patience_ns
        at_ns = connection.last_ns + patience if patience < IDLE_NS else 0
        resend_ns = connection.resend_ns
        if resend_ns and (not at_ns or resend_ns < at_ns):
            at_ns = resend_ns
        if at_ns and (not connection.queued_ns or at_ns < connection.queued_ns):
            connection.queued_ns = at_ns
            heappush(self._timers, (at_ns, connection.serial, key))
