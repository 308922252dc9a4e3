"""A scripted TCP client of the simulated internet: says what it is told, checks the answers."""

import struct
from typing import NamedTuple

from egress_audit.record.internet.internet import Internet
from tests.builders.packets import TCP, internet_checksum, ip, packed, tcp

SECOND_NS = 1_000_000_000
CLIENT, CLIENT_6 = "10.87.0.2", "fd00:e6e4::2"
SERVER, SERVER_6 = "93.184.216.34", "2606:2800::1"
MSS_1460 = b"\x02\x04\x05\xb4"
_LETTERS = "FSRPAUEC"


class Heard(NamedTuple):
    """A segment of the server; `flags` are letters, in the order of FSRPA."""

    flags: str
    seq: int
    ack: int
    data: bytes
    window: int
    options: bytes


def heard(packet: bytes) -> Heard:
    """The segment in a packet of ours, all checksums verified."""
    if packet[0] >> 4 == 4:
        assert internet_checksum(packet[:20]) == 0
        assert struct.unpack_from(">H", packet, 2)[0] == len(packet)
        addresses, body = packet[12:20], packet[20:]
    else:
        assert struct.unpack_from(">H", packet, 4)[0] == len(packet) - 40
        addresses, body = packet[8:40], packet[40:]
    assert internet_checksum(addresses + struct.pack(">II", len(body), TCP) + body) == 0
    seq, ack, offset, bits, window = struct.unpack_from(">IIBBH", body, 4)
    start = (offset >> 4) * 4
    flags = "".join(letter for bit, letter in enumerate(_LETTERS) if bits >> bit & 1)
    return Heard(flags, seq, ack, body[start:], window, body[20:start])


class TcpClient:
    """One end of one connection. `seq` and `ack` follow by themselves, and can be given."""

    def __init__(
        self,
        internet: Internet,
        port: int = 80,
        *,
        seq: int = 1000,
        sport: int = 40_000,
        version: int = 4,
        now_ns: int = SECOND_NS,
    ) -> None:
        self.internet = internet
        self.ends = (CLIENT, SERVER) if version == 4 else (CLIENT_6, SERVER_6)
        self.port, self.sport = port, sport
        self.seq, self.ack = seq, 0
        self.now_ns = now_ns
        self.window = 65_535
        self.said = b""
        """What the server said, in order, each byte once."""
        self.closed = False
        """Whether the server has closed its half, in order."""

    def connect(self, options: bytes = MSS_1460) -> Heard:
        """The SYN-ACK, acknowledged."""
        (answer,) = self.send("S", options=options)
        assert answer.flags == "SA"
        self.ack = answer.seq + 1 & 0xFFFF_FFFF
        self.send("A")
        return answer

    def send(
        self,
        flags: str = "PA",
        data: bytes = b"",
        *,
        seq: int | None = None,
        ack: int | None = None,
        options: bytes = b"",
    ) -> list[Heard]:
        """The answers to one segment. With `seq` given it does not count as sent."""
        at = self.seq if seq is None else seq
        acked = self.ack if ack is None else ack
        body = tcp(self.sport, self.port, flags, at, acked, data, options=options)
        body = body[:14] + struct.pack(">H", self.window) + body[16:]
        if seq is None:
            self.seq += len(data) + ("S" in flags) + ("F" in flags)
            self.seq &= 0xFFFF_FFFF
        packet = ip(*self.ends, body, TCP)
        return self._hear(self.internet.answer(packet, self.now_ns))

    def wait(self, seconds: float) -> list[Heard]:
        """What the server says when so much time has passed, in steps as its timers ask."""
        end = self.now_ns + int(seconds * SECOND_NS)
        answers: list[Heard] = []
        while (due := self.internet.next_due_ns) is not None and due <= end:
            self.now_ns = max(self.now_ns, due)
            answers += self._hear(self.internet.due(self.now_ns))
        self.now_ns = end
        return answers

    def hears_end(self) -> None:
        """Acknowledges what the server said, and closes this half too."""
        self.send("A")
        self.send("FA")

    def _hear(self, packets: list[bytes]) -> list[Heard]:
        addresses = packed(self.ends[1]) + packed(self.ends[0])
        assert all(addresses in packet[:40] for packet in packets)
        answers = [heard(packet) for packet in packets]
        for answer in answers:
            if answer.seq == self.ack and "S" not in answer.flags:
                self.said += answer.data
                self.ack = answer.seq + len(answer.data) + ("F" in answer.flags) & 0xFFFF_FFFF
                self.closed = self.closed or "F" in answer.flags
        return answers
