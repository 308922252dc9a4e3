"""Urgent data: which stream the server read, the capture does not tell."""

import pytest

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.table import FlowTable
from egress_audit.flows.urgent import URGENT, Urgent
from egress_audit.listening import USUAL_BOUNDS, Listening
from tests.builders.captures import TCP, UDP, Frame, ethernet, http_request, ip, pcap, tcp, udp
from tests.builders.engine import opened, packets_of

REQUEST = http_request("a.example")


def segment(flags: str, port: int = 40000, payload: bytes = b"") -> bytes:
    return ip("10.0.0.2", "192.0.2.1", tcp(port, 80, flags, 1, 1, payload), TCP)


def batch_of(*wire: bytes) -> PacketBatch:
    frames = [Frame(number, ethernet(packet)) for number, packet in enumerate(wire)]
    (batch,) = opened(pcap(frames))
    return packets_of(batch, Ledger())


@pytest.mark.parametrize("flags", ["PAU", "AU", "SAU"])
def test_a_flow_with_a_pointer_to_urgent_data_is_told_once(flags: str) -> None:
    packets, urgent = batch_of(segment("A"), segment(flags, 5), segment(flags, 5)), Urgent()
    assigned = FlowTable().add(packets)
    assert urgent.take(packets, assigned) == [int(assigned.flow[1])]
    assert urgent.take(packets, assigned) == []


@pytest.mark.parametrize("flags", ["PA", "FPU", "U", "RAU", "SAEC"])
def test_a_pointer_that_nobody_heeds_is_none(flags: str) -> None:
    packets = batch_of(segment(flags), ip("10.0.0.2", "192.0.2.1", udp(5, 5, b"\xff" * 40), UDP))
    assert Urgent().take(packets, FlowTable().add(packets)) == []


def heard(flags: str) -> Listening:
    """What is heard of a request in front of which a byte stands, with these flags."""
    parts = ((1, "S", b""), (2, flags, b"\xff"), (3, "PA", REQUEST))
    wire = [tcp(40000, 80, word, seq - (word == "S"), 1, part) for seq, word, part in parts]
    frames = [
        Frame(number, ethernet(ip("10.0.0.2", "192.0.2.1", part, TCP)))
        for number, part in enumerate(wire)
    ]
    listening = Listening(opened(pcap(frames)), USUAL_BOUNDS)
    for _ in listening.batches():
        pass
    return listening


def test_a_stream_with_an_urgent_byte_in_it_counts_as_unread() -> None:
    assert heard("PAU").heads.unread[URGENT] == 1


def test_a_stream_without_one_does_not() -> None:
    assert heard("PA").heads.unread[URGENT] == 0
