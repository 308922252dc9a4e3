"""Builds the frames of whole conversations: a TCP session, a UDP exchange."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .files import Frame
from .packets import TCP, UDP, ethernet, ip, tcp, udp

Endpoint = tuple[str, int]
"""Address and port."""
START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000


@dataclass(slots=True)
class TcpScript:
    """Writes a TCP connection line by line, sequence numbers kept right.

    >>> script = TcpScript(("10.0.0.2", 40000), ("192.0.2.1", 443))
    >>> script.handshake(); script.client(b"hello"); script.server(b"hi"); script.close()
    >>> pcap(script.frames)
    """

    near: Endpoint
    far: Endpoint
    start_ns: int = START_NS
    step_ns: int = STEP_NS
    mss: int = 1400
    link: Callable[[bytes], bytes] = ethernet
    near_seq: int = 1_000
    far_seq: int = 500_000
    frames: list[Frame] = field(default_factory=list)

    def handshake(self) -> None:
        """SYN, SYN+ACK, ACK."""
        self.from_client("S")
        self.from_server("SA")
        self.from_client("A")

    def client(self, payload: bytes) -> None:
        """The client's bytes, in segments of at most `mss`, and one acknowledgement."""
        for at in range(0, len(payload), self.mss):
            self.from_client("PA", payload[at : at + self.mss])
        self.from_server("A")

    def server(self, payload: bytes) -> None:
        """The server's bytes, in segments of at most `mss`, and one acknowledgement."""
        for at in range(0, len(payload), self.mss):
            self.from_server("PA", payload[at : at + self.mss])
        self.from_client("A")

    def close(self) -> None:
        """FIN from the client, FIN from the server, last acknowledgement."""
        self.from_client("FA")
        self.from_server("FA")
        self.from_client("A")

    def from_client(self, flags: str, payload: bytes = b"") -> None:
        """One segment from the client."""
        ack = self.far_seq if "A" in flags else 0
        segment = tcp(self.near[1], self.far[1], flags, self.near_seq, ack, payload)
        self._send(self.near, self.far, segment)
        self.near_seq += _sequence_space(flags, payload)

    def from_server(self, flags: str, payload: bytes = b"") -> None:
        """One segment from the server."""
        ack = self.near_seq if "A" in flags else 0
        segment = tcp(self.far[1], self.near[1], flags, self.far_seq, ack, payload)
        self._send(self.far, self.near, segment)
        self.far_seq += _sequence_space(flags, payload)

    def _send(self, sender: Endpoint, receiver: Endpoint, segment: bytes) -> None:
        ts_ns = self.start_ns + len(self.frames) * self.step_ns
        packet = ip(sender[0], receiver[0], segment, TCP)
        self.frames.append(Frame(ts_ns, self.link(packet)))


def scripted(
    script: str,
    client: Endpoint = ("10.0.0.2", 40000),
    server: Endpoint = ("192.0.2.1", 443),
    *,
    step_ns: int = STEP_NS,
) -> list[Frame]:
    """A connection told in words: `>S <SA >A >PAd` is a handshake, then data from the client.

    `>` from the client, `<` from the server, then letters of TCP flags, `d` for some payload.
    """
    told = TcpScript(client, server, step_ns=step_ns)
    for word in script.split():
        send = told.from_client if word[0] == ">" else told.from_server
        send(word[1:].replace("d", ""), b"payload" if "d" in word else b"")
    return told.frames


def tcp_session(
    client: Endpoint,
    server: Endpoint,
    request: bytes = b"",
    response: bytes = b"",
    *,
    start_ns: int = START_NS,
    step_ns: int = STEP_NS,
    mss: int = 1400,
    link: Callable[[bytes], bytes] = ethernet,
    closed: bool = True,
) -> list[Frame]:
    """A connection from handshake to close (unless `closed` is False), nothing lost."""
    script = TcpScript(client, server, start_ns, step_ns, mss, link)
    script.handshake()
    if request:
        script.client(request)
    if response:
        script.server(response)
    if closed:
        script.close()
    return script.frames


def udp_exchange(
    client: Endpoint,
    server: Endpoint,
    request: bytes,
    response: bytes | None = None,
    *,
    start_ns: int = START_NS,
    step_ns: int = STEP_NS,
    link: Callable[[bytes], bytes] = ethernet,
) -> list[Frame]:
    """A datagram from the client and, unless it is None, the one that answers it."""
    asked = ip(client[0], server[0], udp(client[1], server[1], request), UDP)
    frames = [Frame(start_ns, link(asked))]
    if response is not None:
        told = ip(server[0], client[0], udp(server[1], client[1], response), UDP)
        frames.append(Frame(start_ns + step_ns, link(told)))
    return frames


def _sequence_space(flags: str, payload: bytes) -> int:
    """SYN and FIN take one sequence number each (RFC 9293 §3.4)."""
    return len(payload) + ("S" in flags) + ("F" in flags)
