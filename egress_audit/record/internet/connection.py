"""One TCP connection, seen from the server that is not there.

The client's kernel is the other end: it may be slow, close its half, send twice what was lost, or
be made to send anything by a raw socket. Every packet costs a bounded amount of work and memory.

Source: RFC 9293 §3.5 (opening), §3.6 (closing), §3.8 (resending, zero windows), §3.10.7 (segments
that arrive), RFC 5961 §4 (a SYN inside a connection), RFC 6298 §5 (time-outs double).
"""

from egress_audit.record.internet.dialogue import IDLE_NS, Dialogue, Reply
from egress_audit.record.internet.incoming import WINDOW, Held, Incoming
from egress_audit.record.internet.segments import (
    ACK,
    FIN,
    MODULUS_MASK,
    PSH,
    RST,
    SYN,
    Ends,
    Segment,
    ahead,
    announced_mss,
    segment_packet,
)

SECOND_NS = 1_000_000_000
RESEND_AFTER_NS = 500_000_000
MAX_RESENDS = 7
"""With time-outs that double: a connection is given up 64 s after it went deaf."""
FIN_WAIT_NS = 60 * SECOND_NS
"""How long we wait for the client to close its half, as Linux does."""
LINGER_NS = 2 * SECOND_NS
"""How long a closed connection still acknowledges the client's last FIN."""
MAX_PENDING = 65_536
"""Bytes of ours that a client may leave unread."""


class Connection:
    """Answers the segments of one connection; `over` says that it can be forgotten."""

    __slots__ = (
        "_announced", "_closed_first", "_dialogue", "_established", "_fin_sent", "_fin_wanted",
        "_finished", "_incoming", "_mss", "_nxt", "_pending", "_tries", "_una", "_window",
        "ends", "last_ns", "over", "queued_ns", "resend_ns", "serial",
    )  # fmt: skip

    def __init__(
        self, ends: Ends, syn: Segment, dialogue: Dialogue, held: Held, first: tuple[int, int]
    ) -> None:
        """`first`: our first sequence number, and the longest segment that our MTU lets through."""
        self.ends = ends
        self._una, self._announced = first
        self._nxt = (self._una + 1) & MODULUS_MASK
        self._mss = min(self._announced, announced_mss(syn, len(ends.src)))
        self._incoming = Incoming((syn.seq + 1) & MODULUS_MASK, held)
        self._window = syn.window
        self._dialogue = dialogue
        self._pending = b""
        """From `_una` on: what was sent and not acknowledged, then what was not yet sent."""
        self._established = self._finished = self._closed_first = False
        self._fin_wanted = self._fin_sent = False
        self._tries = 0
        self.over = False
        self.resend_ns = 0
        """When to send again what was not acknowledged; 0 for never."""
        self.last_ns = self.queued_ns = self.serial = 0

    @property
    def patience_ns(self) -> int:
        """How long after the last segment `quiet` is to be called."""
        if not self._fin_wanted:
            return self._dialogue.patience_ns
        if not self._fin_sent or self._una != self._nxt:
            return IDLE_NS
        return LINGER_NS if self._finished else FIN_WAIT_NS

    def opened(self, now_ns: int) -> list[bytes]:
        """Our SYN-ACK."""
        self.last_ns, self.resend_ns = now_ns, now_ns + 2 * RESEND_AFTER_NS
        return [self._syn_ack()]

    def take(self, segment: Segment, now_ns: int) -> list[bytes]:
        """The packets that answer one segment of the client."""
        flags = segment.flags
        if flags & (RST | SYN) or not flags & ACK:
            return self._odd(segment)
        self.last_ns = now_ns
        if not self._established and segment.ack != self._nxt:
            return [segment_packet(self.ends, segment.ack, 0, RST, 0)]
        if ahead(segment.ack, self._nxt) > 0:
            return [self._acknowledgement()]
        self._acknowledged(segment.ack, segment.window, now_ns)
        in_order = segment.seq == self._incoming.next
        self._hear(segment)
        sent = self._flush(now_ns)
        self.over = self.over or (self.is_closed() and not self._closed_first)
        if self.over:
            self._incoming.drop()
        elif not sent and (segment.data or flags & FIN or not in_order):
            return [self._acknowledgement()]
        return sent

    def is_closed(self) -> bool:
        """True where only a late FIN is waited for: a new SYN may take its place."""
        return self._fin_sent and self._finished and self._una == self._nxt

    def resent(self, now_ns: int) -> list[bytes]:
        """What was not acknowledged, once more; after too many times, the end."""
        self._tries += 1
        if self._tries > MAX_RESENDS:
            return self.reset()
        self.resend_ns = now_ns + (RESEND_AFTER_NS << self._tries)
        if not self._established:
            return [self._syn_ack()]
        # One byte into a closed window asks whether it has opened.
        data = self._pending[: min(self._mss, max(self._window, 1))]
        ends_here = self._fin_sent and len(data) == len(self._pending)
        flags = ACK | (PSH if data else 0) | (FIN if ends_here else 0)
        after = (self._una + len(data)) & MODULUS_MASK
        if ahead(after, self._nxt) > 0:
            self._nxt = after
        return [self._segment(self._una, flags, data)]

    def quiet(self, now_ns: int) -> list[bytes]:
        """What is said after the patience ended; a connection that has nothing left is over."""
        self.last_ns = now_ns
        if self._fin_wanted:
            self.over = True
            self._incoming.drop()
            return []
        self._say(self._dialogue.silence())
        return self._flush(now_ns)

    def reset(self) -> list[bytes]:
        """A RST: this connection is given up."""
        self.over = True
        self._incoming.drop()
        return [self._segment(self._nxt, RST | ACK)]

    def _odd(self, segment: Segment) -> list[bytes]:
        """The answer to a RST, a SYN, or a segment without ACK."""
        if segment.flags & RST:
            self.over = 0 <= ahead(segment.seq, self._incoming.next) <= WINDOW
            if self.over:
                self._incoming.drop()
            return []
        if not segment.flags & SYN:
            return []
        again = ahead(self._incoming.next, segment.seq) == 1
        return [self._acknowledgement() if self._established or not again else self._syn_ack()]

    def _acknowledged(self, ack: int, window: int, now_ns: int) -> None:
        advance = ahead(ack, self._una)
        if advance < 0:
            return
        if advance:
            advance -= not self._established
            self._established = True
            self._pending = self._pending[advance:]
            self._una, self._tries, self.resend_ns = ack, 0, 0
        elif window and not self._window:
            # What asked whether the window has opened was not taken: it is sent again at once.
            self._tries, self.resend_ns = 0, now_ns
        self._window = window

    def _hear(self, segment: Segment) -> None:
        """Gives what is in order to the dialogue, and queues what that says."""
        incoming = self._incoming
        if self._finished:
            return
        if segment.flags & FIN and incoming.fin_at is None:
            place = (segment.seq + len(segment.data)) & MODULUS_MASK
            if 0 <= ahead(place, incoming.next) <= WINDOW:
                incoming.fin_at = place
        if segment.data:
            fresh = incoming.take(segment.seq, segment.data)
            if fresh and not self._fin_wanted:
                self._say(self._dialogue.take(fresh))
        if incoming.fin_at is not None and ahead(incoming.next, incoming.fin_at) >= 0:
            incoming.next = (incoming.next + 1) & MODULUS_MASK
            incoming.drop()
            self._finished, self._closed_first = True, self._fin_sent
            if not self._fin_wanted:
                self._say(self._dialogue.end())
            self._fin_wanted = True

    def _say(self, reply: Reply) -> None:
        self._pending += reply.data
        self._fin_wanted = reply.close

    def _flush(self, now_ns: int) -> list[bytes]:
        """Everything that the client's window has room for, and our FIN behind the last byte."""
        if len(self._pending) > MAX_PENDING:
            return self.reset()
        # Behind a FIN nothing is new: what is not acknowledged waits for its time-out.
        packets = [] if self._fin_sent else self._unsent()
        if self._una == self._nxt and not self._pending:
            self.resend_ns = 0
        elif not self.resend_ns:
            self.resend_ns = now_ns + (RESEND_AFTER_NS << self._tries)
        return packets

    def _unsent(self) -> list[bytes]:
        packets = []
        size, in_flight = len(self._pending), ahead(self._nxt, self._una)
        while in_flight < min(size, self._window):
            room = min(self._mss, self._window - in_flight)
            data = self._pending[in_flight : in_flight + room]
            in_flight += len(data)
            last = self._fin_wanted and in_flight == size
            packets.append(self._segment(self._nxt, ACK | PSH | (FIN if last else 0), data))
            self._fin_sent = last
            self._nxt = (self._nxt + len(data) + last) & MODULUS_MASK
        if self._fin_wanted and not self._fin_sent and in_flight == size:
            packets.append(self._segment(self._nxt, ACK | FIN))
            self._fin_sent = True
            self._nxt = (self._nxt + 1) & MODULUS_MASK
        return packets

    def _syn_ack(self) -> bytes:
        seq = (self._nxt - 1) & MODULUS_MASK
        return segment_packet(
            self.ends, seq, self._incoming.next, SYN | ACK, WINDOW, mss=self._announced
        )

    def _acknowledgement(self) -> bytes:
        return self._segment(self._nxt, ACK)

    def _segment(self, seq: int, flags: int, data: bytes = b"") -> bytes:
        return segment_packet(self.ends, seq, self._incoming.next, flags, WINDOW, data)
