"""What one look at a first segment settles is what the readers of heads would have heard."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.compiled import library
from egress_audit.decode.ledger import Ledger
from egress_audit.flows import heads
from egress_audit.flows.glance import BLIND
from egress_audit.flows.heads import Heads
from egress_audit.listening import USUAL_BOUNDS, Listening
from tests.builders.both_engines import compiled, in_numpy
from tests.builders.captures import TCP, Frame, client_hello, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of
from tests.names.test_first_bytes import BEGINNINGS, SERVER_HELLO
from tests.names.test_plain_hello import ECH
from tests.names.test_tls import handshake, records, sni

HELLO = client_hello("a.example")
GET = b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: c.example\r\nContent-Length: 40\r\n\r\n" + b"x" * 40
STREAMS = (
    HELLO, client_hello("d.example", post_quantum=True), records(handshake()), HELLO + b"\x17" * 90,
    records(handshake(sni(b"e.example"), ECH)), records(handshake(sni(b"f.example")), 50),
    GET, POST + GET, POST[:-20], GET + b"GET / HTTP/1.1\r\n",
    *(begin.ljust(90, b"y") for begin in BEGINNINGS),
)  # fmt: skip
CLIENT, SERVER = "10.0.0.2", "203.0.113.9"
ISN = (1 << 32) - 120


def listened(capture: bytes, block: int, *, looking: bool) -> Listening:
    """A capture that was heard, with or without looking at streams before their heads begin."""
    listening = Listening(opened(capture, block), USUAL_BOUNDS)
    if not looking:
        listening.heads = Heads(BLIND)
    for _ in listening.batches():
        pass
    return listening


def outcome(listening: Listening) -> dict[str, Any]:
    """All that was heard and counted."""
    hearing, kept = listening.hearing, listening.heads
    return {
        "names": list(hearing.names.mentions.flows()),
        "tls": hearing.tls,
        "hiding": hearing.hiding,
        "unread": {reason: sorted(flows) for reason, flows in kept.unread_in.items()},
        "counts": (kept.conflicting, kept.unremembered, kept._held, hearing.names.dropped),
    }


def same(capture: bytes, block: int = 1 << 16) -> bool:
    """Whether looking first makes no difference, whichever engine looks."""
    engines = (in_numpy, compiled) if library.is_in_use() else (in_numpy,)
    first = [make(lambda: listened(capture, block, looking=True)) for make in engines]
    last = outcome(listened(capture, block, looking=False))
    return all(outcome(listening) == last for listening in first)


def segments(
    port: int, stream: bytes, size: int, order: random.Random, *, out: bool, syn: bool, moved: int
) -> list[Frame]:
    """A stream in segments, some of which come twice, change places, or say something else."""
    pieces = [(at, stream[at : at + size]) for at in range(0, len(stream), size)]
    for _ in range(moved):
        at, piece = order.choice(pieces)
        odd = order.choice((piece, piece[::-1], piece[:-1], piece + b"!", b"\0"))
        pieces.insert(order.randrange(len(pieces) + 1), (max(at - order.choice((0, 0, 5)), 0), odd))
    ends = (port, 443) if out else (443, port)
    begun = [(-1, "S", b"")] if syn else []
    sent = begun + [(at, "PA", piece) for at, piece in pieces]
    if moved > 1:
        order.shuffle(sent)
    hosts = (CLIENT, SERVER) if out else (SERVER, CLIENT)
    wires = (tcp(*ends, flags, (ISN + 1 + at) % (1 << 32), 1, piece) for at, flags, piece in sent)
    return [Frame(0, ethernet(ipv4(*hosts, wire, TCP))) for wire in wires]


FLOWS = st.tuples(
    st.sampled_from(STREAMS) | st.binary(min_size=1, max_size=60),
    st.sampled_from((2_000, 2_000, 1_000, 100, 33)),
    st.booleans(),
    st.sampled_from((True, True, False)),
    st.sampled_from((0, 0, 0, 1, 3)),
)


@settings(max_examples=200)
@given(
    st.lists(FLOWS, min_size=1, max_size=5),
    st.sampled_from((300, 3_000, 1 << 16)),
    st.sampled_from((1 << 16, 1 << 16, 70, 200)),
    st.randoms(use_true_random=False),
)
def test_looking_first_makes_no_difference(
    flows: list[tuple[bytes, int, bool, bool, int]], block: int, snaplen: int, order: random.Random
) -> None:
    queues = [
        segments(40_000 + number // 2, stream, size, order, out=out, syn=syn, moved=moved)
        for number, (stream, size, out, syn, moved) in enumerate(flows)
    ]
    frames: list[Frame] = []
    while any(queues):
        frames.append(order.choice([queue for queue in queues if queue]).pop(0))
    cut = [
        Frame(number, frame.data[:snaplen], len(frame.data)) for number, frame in enumerate(frames)
    ]
    assert same(pcap(cut), block)


@pytest.mark.parametrize("stream", STREAMS)
def test_it_makes_no_difference_to_any_stream(stream: bytes) -> None:
    chance = random.Random(3)
    for size in (33, 200, 5_000):
        for syn in (True, False):
            frames = segments(40_000, stream, size, chance, out=True, syn=syn, moved=0)
            assert same(pcap(frames))


def test_it_makes_no_difference_when_no_more_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MAX_HELD", 100)
    chance = random.Random(4)
    for stream in STREAMS:
        assert same(pcap(segments(40_000, stream, 90, chance, out=True, syn=True, moved=0)))


@pytest.mark.parametrize("stream", [HELLO, GET, POST, STREAMS[1], SERVER_HELLO])
def test_what_clients_send_and_servers_answer_needs_no_reader_of_heads(stream: bytes) -> None:
    capture = pcap(segments(40_000, stream, 1_000, random.Random(5), out=True, syn=True, moved=0))
    listening, counted = Listening(opened(capture), USUAL_BOUNDS), Ledger()
    for batch in opened(capture):
        packets = packets_of(batch, counted)
        assert not list(listening.heads.take(packets, listening.table.add(packets)))
