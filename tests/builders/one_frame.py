"""What the engine makes of one frame, as a single word or packet."""

from tests.builders.captures import UDP, Frame, ip, pcap, udp
from tests.builders.engine import Run, run

TO_V4 = ip("10.0.0.2", "192.0.2.1", udp(40000, 4433, b"payload"), UDP)
TO_V6 = ip("2001:db8::2", "2001:db8::1", udp(40000, 4433, b"payload"), UDP)
PACKET = "packet"


def alone(data: bytes, linktype: int = 1, wirelen: int | None = None) -> Run:
    """What the engine makes of one frame."""
    return run(pcap([Frame(0, data, wirelen)], linktype))


def fate(data: bytes, linktype: int = 1, wirelen: int | None = None) -> str:
    """`packet` if the frame leads to TO_V4 or TO_V6, else the counter it ended in."""
    done = alone(data, linktype, wirelen)
    (counter,) = done.ledger.undecoded + done.ledger.no_destination or {PACKET: 1}
    for packet in done.packets:
        assert (packet.sport, packet.dport, packet.payload_len) == (40000, 4433, 7)
        assert packet.ip_len == len(TO_V6 if packet.version == 6 else TO_V4)
    assert done.ledger.packets == (counter == PACKET)
    return counter
