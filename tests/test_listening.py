"""A capture is heard batch by batch: each packet has its flow, each name its flow as well."""

import io

from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.flows.datagrams import Kind
from egress_audit.listening import USUAL_BOUNDS, Bounds, Listening
from egress_audit.names.udp import KINDS
from tests.builders.captures import (
    client_hello,
    client_hello_message,
    dns_query,
    pcap,
    tcp_session,
    udp_exchange,
)
from tests.builders.quic import crypto, initial

HERE, THERE = ("10.0.0.2", 40000), ("203.0.113.9", 443)
FRAMES = [
    *udp_exchange(HERE, ("10.0.0.1", 53), dns_query("hub.example")),
    *tcp_session(HERE, THERE, client_hello("hub.example")),
]


def heard(bounds: Bounds = USUAL_BOUNDS) -> tuple[Listening, int]:
    """What was heard of FRAMES, and how many packets were handed on."""
    source = source_of("made", Window(io.BytesIO(pcap(FRAMES))))
    assert source is not None
    listening = Listening(source, bounds)
    return listening, sum(len(packets) for packets, _ in listening.batches())


def test_every_packet_is_handed_on_with_its_flow() -> None:
    listening, packets = heard()
    assert packets == listening.ledger.packets == len(FRAMES)
    assert len(listening.table) == 2


def test_names_are_heard_in_their_flows() -> None:
    listening, _ = heard()
    said = {flow: [name.host for name in names] for flow, names in listening.hearing.names.flows()}
    assert said == {0: ["hub.example"], 1: ["hub.example"]}


def test_past_the_bound_of_flows_packets_are_counted() -> None:
    listening, _ = heard(Bounds(max_flows=1))
    assert listening.table.evicted == len(FRAMES)


def test_names_over_udp_are_heard_and_what_is_unread_there_is_counted() -> None:
    frames = udp_exchange(HERE, ("10.0.0.1", 4433), initial(crypto(client_hello_message("a.b"))))
    frames += udp_exchange(HERE, ("10.0.0.1", 5353), b"no message")
    source = source_of("made", Window(io.BytesIO(pcap(frames))))
    assert source is not None
    listening = Listening(source, USUAL_BOUNDS)
    assert sum(len(packets) for packets, _ in listening.batches()) == 2
    assert [name.host for name in listening.hearing.names.names_of(0)] == ["a.b"]
    assert {why: list(flows) for why, flows in listening.datagrams.unread_in.items()} == {
        "mDNS, malformed": [1]
    }


def test_every_kind_of_datagram_that_is_chosen_has_its_reader() -> None:
    assert {str(kind) for kind in Kind} == KINDS
