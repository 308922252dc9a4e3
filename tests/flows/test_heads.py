"""The beginnings of flows: the same name in any order of segments, and bounded memory."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.decode.ledger import Ledger
from egress_audit.decode.packets import packets_of
from egress_audit.flows import heads
from egress_audit.flows.heads import (
    MAX_DNS_SEGMENTS,
    MAX_SEGMENTS,
    Datagram,
    Heads,
    dns_datagrams,
)
from egress_audit.flows.table import FlowTable
from egress_audit.names.stream import read_head
from tests.builders.captures import (
    TCP,
    Frame,
    client_hello,
    dns_query,
    ethernet,
    ipv4,
    over_tcp,
    pcap,
    tcp,
    tcp_session,
    udp_exchange,
)
from tests.builders.engine import opened

CLIENT, SERVER = ("10.0.0.2", 40000), ("192.0.2.1", 443)
HELLO = client_hello("example.com", post_quantum=True)
ISN = (1 << 32) - 700


@dataclass(slots=True)
class Heard:
    """What readers made of the heads of a capture."""

    names: list[str] = field(default_factory=list)
    offered: int = 0
    heads: Heads = field(default_factory=Heads)
    datagrams: list[Datagram] = field(default_factory=list)


def heard(frames: Sequence[Frame], block: int = 1 << 16) -> Heard:
    """Offers every head to the readers, as audit.py does."""
    done, table, counted = Heard(), FlowTable(), Ledger()
    for batch in opened(pcap(frames), block):
        packets = packets_of(batch, counted)
        assigned = table.add(packets)
        done.datagrams += dns_datagrams(packets, assigned)
        for head in done.heads.take(packets, assigned):
            done.offered += 1
            readings = [read_head(stream, dns=head.dns) for stream in head.streams]
            for reading in readings:
                done.names += [said.host for said in reading.spoken]
            hungry, unread = readings[0].hungry or head.dns, readings[0].unread
            done.heads.settle(head, hungry=hungry, unread=unread or "")
    done.heads.finish()
    return done


def segment(seq: int, data: bytes, flags: str = "PA", port: int = 40000, far: int = 443) -> Frame:
    """A segment of the client."""
    wire = tcp(port, far, flags, seq % (1 << 32), 1, data)
    return Frame(0, ethernet(ipv4(CLIENT[0], SERVER[0], wire, TCP)))


def syn(port: int = 40000) -> Frame:
    """The SYN before a stream that begins at ISN + 1."""
    return segment(ISN, b"", "S", port)


def piece(start: int, end: int, data: bytes = HELLO) -> Frame:
    """Some bytes of the hello."""
    return segment(ISN + 1 + start, data[start:end])


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 1700), st.integers(1, 900)), max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from((100, 2000, 1 << 16)),
)
def test_a_hello_says_its_name_in_any_order_of_segments(
    extra: list[tuple[int, int]], order: random.Random, block: int
) -> None:
    cuts = [(at, at + 400) for at in range(0, len(HELLO), 400)]
    cuts += [(at, at + length) for at, length in extra if at < len(HELLO)]
    order.shuffle(cuts)
    done = heard([syn(), *(piece(*cut) for cut in cuts)], block)
    assert done.names == ["example.com"]
    assert (done.heads.conflicting, done.heads.unread) == (0, {})


def test_a_hello_on_a_syn_is_read() -> None:
    assert heard([segment(ISN, HELLO, "S")]).names == ["example.com"]


def test_a_connection_already_open_is_read_from_its_first_segment() -> None:
    assert heard([piece(0, 900), piece(900, 2000)]).names == ["example.com"]


def test_segments_that_contradict_speak_both_names() -> None:
    other = client_hello("evil.example.com"[:11], post_quantum=True)
    assert len(other) == len(HELLO)
    done = heard([syn(), piece(1000, 2000), piece(1000, 2000, other), piece(0, 1000)])
    assert done.heads.conflicting == int(other[1000:] != HELLO[1000:])
    done = heard([syn(), piece(0, 1000), piece(0, 1000, other), piece(1000, 2000)])
    assert set(done.names) == {"example.com", "evil.exampl"}
    assert done.heads.conflicting == 1


def test_segments_that_agree_do_not() -> None:
    done = heard([syn(), piece(0, 1000), piece(0, 1000), piece(1000, 2000)])
    assert (done.names, done.heads.conflicting) == (["example.com"], 0)


def test_a_reader_that_is_done_is_offered_no_more() -> None:
    frames = tcp_session(CLIENT, SERVER, HELLO + bytes(100_000))
    assert heard(frames).offered == 2


def test_a_missing_segment_is_said_to_be_missing() -> None:
    done = heard([syn(), piece(0, 500), piece(900, 2000)])
    assert (done.names, done.heads.unread) == ([], {"a segment is missing": 1})


def test_a_hello_that_never_ends_is_said_to_be_unfinished() -> None:
    assert heard([syn(), piece(0, 900)]).heads.unread == {"never completed": 1}


def test_a_hello_that_the_snaplen_cut_is_said_to_be_cut() -> None:
    whole = piece(0, 1400)
    done = heard([syn(), Frame(0, whole.data[:300], len(whole.data))])
    assert done.heads.unread == {"cut by snaplen": 1}


@pytest.mark.parametrize("block", [100, 1 << 16])
def test_a_stream_in_crumbs_is_given_up_after_its_budget(block: int) -> None:
    done = heard([syn(), *(piece(at, at + 1) for at in range(100))], block)
    assert done.offered == MAX_SEGMENTS
    assert done.heads.unread == {"longer than is read": 1}


@pytest.mark.parametrize("block", [100, 1 << 16])
def test_a_stream_whose_beginning_never_comes_is_given_up_and_counted(block: int) -> None:
    done = heard([syn(), *(piece(at, at + 10) for at in range(100, 900, 10))], block)
    assert sum(done.heads.unread.values()) == 1


def test_dns_over_tcp_may_go_on_for_long() -> None:
    queries = [over_tcp(dns_query(f"host{number}.example")) for number in range(100)]
    frames, at = [], ISN + 1
    for query in queries:
        frames.append(segment(at, query, far=53))
        at += len(query)
    names = heard(frames).names
    assert len(queries) > MAX_SEGMENTS
    assert set(names) == {f"host{number}.example" for number in range(100)}
    assert len(queries) < MAX_DNS_SEGMENTS


def test_dns_over_tcp_beyond_what_is_kept_is_counted_as_unread() -> None:
    query = over_tcp(dns_query("host.example"))
    stream = query * (100_000 // len(query))
    frames = [
        segment(ISN + 1 + at, stream[at : at + 1400], far=53) for at in range(0, 90_000, 1400)
    ]
    assert sum(heard(frames).heads.unread.values()) == 1


def test_what_is_held_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MAX_HELD", 50_000)
    frames = []
    for port in range(1_000, 1_200):
        frames += [syn(port), *(segment(ISN + 1, HELLO[:1000], port=port) for _ in range(3))]
        frames.append(segment(ISN + 1 + 1000, HELLO[1000:], port=port))
    done = heard(frames)
    assert done.names == ["example.com"] * 200
    assert done.heads._held == 0


def test_streams_with_holes_do_not_hold_memory_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heads, "MAX_HELD", 50_000)
    frames = []
    for port in range(1_000, 1_200):
        frames += [syn(port), segment(ISN + 5_000, bytes(1400), port=port)]
    table, kept = FlowTable(), Heads()
    for batch in opened(pcap(frames), 1 << 16):
        packets = packets_of(batch, Ledger())
        for head in kept.take(packets, table.add(packets)):
            kept.settle(head, hungry=True)
    assert kept._held <= 50_000 + 4 * 6_400
    assert kept.unread["longer than is read"] > 0


def test_every_datagram_of_the_dns_is_handed_on() -> None:
    frames = udp_exchange(CLIENT, ("192.0.2.1", 53), dns_query("a.example"), b"answer")
    frames += udp_exchange(CLIENT, ("192.0.2.1", 443), b"not the dns")
    assert [(d.frame, d.by_orig, d.complete) for d in heard(frames).datagrams] == [
        (1, True, True),
        (2, False, True),
    ]


def test_a_datagram_that_was_cut_says_so() -> None:
    (frame,) = udp_exchange(CLIENT, ("192.0.2.1", 53), bytes(100))
    (datagram,) = heard([Frame(0, frame.data[:60], len(frame.data))]).datagrams
    assert (len(datagram.payload), datagram.complete) == (18, False)


def test_a_reset_brings_no_bytes() -> None:
    assert heard([syn(), segment(ISN + 1, HELLO, "R")]).offered == 0
