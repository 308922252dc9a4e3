"""The internet that a sandbox meets: one packet in, the packets that answer it out.

Nothing is forwarded, looked up or remembered beyond its bounds. Whatever a program sends, `answer`
returns: what gets no answer is counted in `unanswered`, under its reason.

Source: RFC 1122 §3.2.2 (what is never answered), RFC 4443 §2.4 (e).
"""

from collections import Counter
from ipaddress import ip_address
from random import Random

from egress_audit.errors import WrongUsage
from egress_audit.model.protocols import DNS_PORT, ICMP, ICMPV6, TCP, UDP
from egress_audit.model.run import Network
from egress_audit.record.internet.datagrams import Datagrams
from egress_audit.record.internet.dns_answers import DnsAnswers, Silence
from egress_audit.record.internet.fragments import Fragments, Incomplete
from egress_audit.record.internet.icmp import (
    Unreachable,
    echo_reply,
    is_echo_request,
    unreachable,
)
from egress_audit.record.internet.invented_names import InventedNames
from egress_audit.record.internet.packets import (
    Malformed,
    Packet,
    read_packet,
    udp_packet,
)
from egress_audit.record.internet.segments import Ends, read_segment, refusal
from egress_audit.record.internet.settings import DnsPolicy, InternetSettings
from egress_audit.record.internet.tcp import Tcp
from egress_audit.record.internet.unanswerable import why_unanswerable

SMALLEST_MTU = 1280
"""RFC 8200 §5; ICMP errors and answers of ours are never longer."""
TAKEN = "UDP that is no DNS, NTP or STUN"
PROTOCOL = "protocol "


class Internet:
    """Every host there is. Bytes in, bytes out: the caller has the device and the clock."""

    def __init__(self, settings: InternetSettings, generator: Random | None = None) -> None:
        """`generator`: of our sequence numbers; without it they are the same in every run.

        Raises WrongUsage for a setting that means nothing.
        """
        self._ipv6 = settings.ipv6
        self._sealed = settings.mode == Network.SEALED
        if settings.mode == Network.OPEN:
            raise WrongUsage("an open network is not simulated")
        if settings.mtu < SMALLEST_MTU:
            raise WrongUsage(f"an MTU of {settings.mtu} is less than IPv6 needs")
        try:
            taken = settings.swallow | settings.resolvers
            self._swallow = frozenset(ip_address(text).packed for text in settings.swallow)
            self._resolvers = frozenset(ip_address(text).packed for text in settings.resolvers)
            self._invented = InventedNames(settings.answer_range4, settings.answer_range6, taken)
            self._datagrams = Datagrams(settings)
        except ValueError as error:
            raise WrongUsage(str(error)) from error
        policy = DnsPolicy.SERVFAIL if self._sealed else settings.dns
        self._answers = DnsAnswers(
            self._invented, policy, ipv6=settings.ipv6, silent_suffix=settings.swallow_suffix
        )
        self.unanswered: Counter[str] = Counter()
        """Packets that got no answer, by reason; beside those that need none, such as an ACK. What
        the real internet might have answered is told by `limits`."""
        self.names = self._invented.names
        """Host by text of the address that was invented for it."""
        self._tcp = Tcp(settings, self._answers, generator or Random(0), self.unanswered)
        self._fragments = Fragments()

    @property
    def next_due_ns(self) -> int | None:
        """When `due` is to be called; None while there is nothing to wait for."""
        return self._tcp.next_due_ns

    def due(self, now_ns: int) -> list[bytes]:
        """The packets that are to be written because time has passed: a bounded number."""
        return self._tcp.due(now_ns)

    def new_names(self) -> list[tuple[str, str]]:
        """Host and address text of each name that was invented since the last call."""
        return self._invented.fresh()

    def limits(self) -> list[str]:
        """Where the real internet might have said more than this one did, in words."""
        bounds = {
            "connections reset for newer ones": self._tcp.evicted,
            "questions when no address was left": self._invented.refused,
            "fragmented datagrams given up for newer ones": self._fragments.displaced,
        }
        ours = {why: self.unanswered[why] for why in sorted(self.unanswered) if is_ours(why)}
        told = [f"{what} ({count})" for what, count in (bounds | ours).items() if count]
        return [f"what the simulated network did not answer: {', '.join(told)}"] if told else []

    def answer(self, packet: bytes | memoryview, now_ns: int) -> list[bytes]:
        """The IP packets to write back for one that came; never raises, whatever it holds."""
        raw = bytes(packet)
        whole = read_packet(raw)
        if isinstance(whole, Packet) and whole.fragment_at:
            completed = self._fragments.packet_of(raw, whole, now_ns)
            if isinstance(completed, Incomplete):
                return self._silence(completed)
            raw, whole = completed, read_packet(completed)
            if isinstance(whole, Packet) and whole.fragment_at:
                return self._silence("fragment: of a fragment")
        if isinstance(whole, Malformed):
            return self._silence(whole)
        reason = "swallowed" if whole.dst in self._swallow else why_unanswerable(whole)
        if reason is not None:
            return self._silence(reason)
        if self._sealed or (not self._ipv6 and len(whole.src) == 16):
            return self._refuse(raw, whole)
        if whole.proto == TCP:
            return self._tcp.answer(whole, now_ns)
        if whole.proto == UDP:
            return self._datagram(whole, now_ns)
        if is_echo_request(whole):
            return [echo_reply(whole)]
        return self._silence(f"{PROTOCOL}{whole.proto}")

    def _refuse(self, raw: bytes, packet: Packet) -> list[bytes]:
        """What tells a client soonest that there is no way out."""
        ours = len(packet.src) == 4 or self._ipv6
        if packet.proto == TCP and ours:
            return self._refused_segment(packet)
        if packet.proto == UDP:
            if packet.dst in self._resolvers and packet.body[2:4] == b"\0\x35" and ours:
                return self._datagram(packet, 0)
            return [unreachable(raw, packet, Unreachable.PORT)]
        if not ours:
            return [unreachable(raw, packet, Unreachable.NETWORK)]
        echo = packet.proto in (ICMP, ICMPV6)
        return [unreachable(raw, packet, Unreachable.HOST if echo else Unreachable.PROTOCOL)]

    def _refused_segment(self, packet: Packet) -> list[bytes]:
        segment = read_segment(packet.body)
        if segment is None:
            return self._silence("malformed: TCP header")
        body = packet.body
        ends = Ends(packet.dst, packet.src, body[2] << 8 | body[3], body[0] << 8 | body[1])
        refused = refusal(ends, segment)
        return self._silence("tcp: RST of no connection") if refused is None else [refused]

    def _datagram(self, packet: Packet, now_ns: int) -> list[bytes]:
        body = packet.body
        length = body[4] << 8 | body[5] if len(body) >= 8 else 0
        if not 8 <= length <= len(body):
            return self._silence("malformed: UDP header")
        sport, dport = body[0] << 8 | body[1], body[2] << 8 | body[3]
        data = body[8:length]
        answer: bytes | Silence | None
        if dport == DNS_PORT:
            answer = self._answers.answer(data)
        else:
            answer = self._datagrams.answer(data, sport, dport, len(packet.src), now_ns)
        if isinstance(answer, bytes):
            return [udp_packet(packet.dst, packet.src, dport, sport, answer)]
        return self._silence(TAKEN if answer is None else answer.reason)

    def _silence(self, reason: str) -> list[bytes]:
        self.unanswered[reason] += 1
        return []


def is_ours(silence: str) -> bool:
    """True for a reason for which the real internet, unlike this one, might not be silent."""
    return silence in (TAKEN, Incomplete.TOO_MANY) or silence.startswith(PROTOCOL)
