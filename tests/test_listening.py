"""A capture is heard batch by batch: each packet has its flow, each name its flow as well."""

import io

from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.listening import USUAL_BOUNDS, Bounds, Listening
from tests.builders.captures import (
    UDP,
    Frame,
    client_hello,
    dns_query,
    ip,
    pcap,
    tcp_session,
    udp,
    udp_exchange,
)
from tests.builders.tunnels import in_fragments, over_ip

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


def listened(packets: list[bytes]) -> Listening:
    """A capture of IP packets, heard to its end."""
    source = source_of("made", Window(io.BytesIO(pcap([Frame(0, p) for p in packets], 101))))
    assert source is not None
    listening = Listening(source, USUAL_BOUNDS)
    for _ in listening.batches():
        pass
    return listening


def test_a_question_in_a_tunnel_and_in_fragments_is_heard_in_its_own_flow() -> None:
    question = ip("10.9.0.1", "10.9.0.2", udp(40000, 53, dns_query("hub.example")), UDP)
    listening = listened([over_ip(4, part) for part in in_fragments(question, 16)])
    said = {flow: [name.host for name in names] for flow, names in listening.hearing.names.flows()}
    assert said == {1: ["hub.example"]}


def test_a_fragment_that_waits_in_vain_is_handed_on_in_the_end() -> None:
    question = ip("10.9.0.1", "10.9.0.2", udp(40000, 53, dns_query("hub.example")), UDP)
    listening = listened(in_fragments(question, 16)[1:])
    assert len(listening.table) == 1
