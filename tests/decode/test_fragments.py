"""Fragments: in the flow of their datagram, its payload once, in any order, and bounded."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.decode import fragments, reassembly
from tests.builders.captures import UDP, Frame, dns_query, ip, pcap, tcp, udp
from tests.builders.engine import SMALLEST_BLOCK, Decoded, decoded, flow_rows
from tests.builders.tunnels import fragment_of, in_fragments

ENDS = {4: ("10.0.0.2", "192.0.2.1"), 6: ("2001:db8::2", "2001:db8::1")}
QUESTION = dns_query("example.com", 1) + bytes(40)
SECOND = 1_000_000_000


def datagram(payload: bytes = QUESTION, version: int = 4) -> bytes:
    """A packet to port 53."""
    return ip(*ENDS[version], udp(40000, 53, payload), UDP)


def read(packets: list[bytes], block: int = 1 << 16, step_ns: int = 1000) -> Decoded:
    """What the decoder makes of packets that come at equal distances."""
    frames = [Frame(number * step_ns, data) for number, data in enumerate(packets)]
    return decoded(pcap(frames, 101, nanoseconds=True), block)


def payloads(done: Decoded) -> list[bytes]:
    """The payloads that readers are given."""
    return [packet.payload for packet in done.packets if packet.payload_len]


@pytest.mark.parametrize("version", [4, 6])
def test_the_fragment_that_completes_a_datagram_carries_its_payload(version: int) -> None:
    done = read(in_fragments(datagram(version=version), 24))
    assert payloads(done) == [QUESTION]
    assert done.packets[-1].payload == QUESTION
    assert not done.packets[-1].fragment


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("block", [SMALLEST_BLOCK, 1 << 16])
def test_every_fragment_counts_in_the_flow_of_its_datagram(version: int, block: int) -> None:
    whole = datagram(version=version)
    parts = in_fragments(whole, 24)
    done = read([parts[2], parts[1], parts[0], *parts[3:]], block)
    assert {(packet.sport, packet.dport, packet.proto) for packet in done.packets} == {
        (40000, 53, UDP)
    }
    assert done.flows.orig_pkts.tolist() == [len(parts)]
    assert done.flows.orig_ip_bytes.tolist() == [sum(map(len, parts))]


@settings(max_examples=60)
@given(st.integers(0, 1 << 30), st.sampled_from((4, 6)), st.sampled_from((SMALLEST_BLOCK, 300)))
def test_in_any_order_and_in_any_batches_it_is_the_same(
    seed: int, version: int, block: int
) -> None:
    draw = random.Random(seed)
    parts = [
        part
        for number in range(3)
        for part in in_fragments(datagram(draw.randbytes(200), version), 40, number)
    ]
    draw.shuffle(parts)
    del parts[: draw.randrange(3)]
    once, cut = read(parts), read(parts, block)
    assert once.packets == cut.packets
    assert flow_rows(once.flows) == flow_rows(cut.flows)
    assert once.ledger.partial == cut.ledger.partial


def test_fragments_that_were_put_together_lack_nothing() -> None:
    assert read(in_fragments(datagram(), 24)).ledger.partial == {}


def test_those_of_which_one_is_missing_are_counted() -> None:
    parts = in_fragments(datagram(), 24)
    done = read(parts[:-1])
    assert done.ledger.partial == {"fragment": len(parts) - 1}
    assert payloads(done) == []


def test_every_frame_is_counted_once_although_one_waits_to_the_end() -> None:
    parts = in_fragments(datagram(), 24)
    done = read(parts[1:])
    assert done.ledger.frames == done.ledger.packets == len(parts) - 1 == len(done.packets)
    assert {packet.sport for packet in done.packets} == {0}


def test_a_fragment_that_comes_twice_changes_nothing() -> None:
    parts = in_fragments(datagram(), 24)
    done = read([part for part in parts for _ in range(2)])
    assert payloads(done) == [QUESTION]
    assert done.ledger.partial == {}
    assert done.ledger.conflicting == 0


def test_the_next_datagram_may_have_the_same_identification() -> None:
    other = QUESTION[:2] + b"x" * (len(QUESTION) - 2)
    done = read([*in_fragments(datagram(), 24), *in_fragments(datagram(other), 24)])
    assert payloads(done) == [QUESTION, other]
    assert done.ledger.partial == {}


def test_fragments_that_overlap_and_differ_are_counted_once_a_datagram() -> None:
    parts = in_fragments(datagram(), 24)
    lie = fragment_of(datagram(), b"x" * 24, 24, more=True)
    done = read([parts[0], parts[1], lie, lie, *parts[2:]])
    assert done.ledger.conflicting == 1
    assert payloads(done) == [QUESTION]


def test_fragments_that_overlap_and_agree_are_not_counted() -> None:
    whole = datagram()
    longer = fragment_of(whole, whole[20:60], 0, more=True)
    done = read([longer, *in_fragments(whole, 24)])
    assert done.ledger.conflicting == 0
    assert payloads(done) == [QUESTION]


def test_two_ends_of_one_datagram_contradict_each_other() -> None:
    parts = in_fragments(datagram(), 24)
    lie = fragment_of(datagram(), b"x", 80, more=False)
    assert read([*parts[:-1], lie, parts[-1]]).ledger.conflicting == 1


def test_fragments_that_come_too_late_are_of_another_datagram() -> None:
    parts = in_fragments(datagram(), 32)
    assert len(parts) == 3
    assert payloads(read(parts, step_ns=14 * SECOND)) == [QUESTION]
    late = read(parts, step_ns=16 * SECOND)
    assert payloads(late) == []
    assert late.ledger.partial == {"fragment": 3}


def test_a_datagram_that_claims_more_than_64_kib_is_not_put_together() -> None:
    whole = datagram()
    first = fragment_of(whole, whole[20:44], 0, more=True)
    done = read([first, fragment_of(whole, bytes(48), 65_504, more=False)])
    assert done.ledger.partial == {"fragment": 2}


def test_bytes_that_the_snaplen_cut_are_missing_at_the_end_of_what_was_captured() -> None:
    parts = in_fragments(datagram(), 24)
    frames = [Frame(n, part[:30] if n == 2 else part, len(part)) for n, part in enumerate(parts)]
    (packet,) = [p for p in decoded(pcap(frames, 101)).packets if p.payload_len]
    assert (packet.payload, packet.payload_len) == (QUESTION[: 48 + 10 - 8], len(QUESTION))


def test_a_segment_in_fragments_has_its_flags_once() -> None:
    packet = ip(*ENDS[4], tcp(40000, 80, "PA", 5, 1, b"x" * 60), 6)
    done = read(in_fragments(packet, 24))
    assert payloads(done) == [b"x" * 60]
    assert [done.flows.histories[row] for row in done.flows.history.tolist()] == ["D"]


def test_waiting_is_bounded_and_what_does_not_wait_has_no_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fragments, "MAX_WAITING", 1)
    parts = in_fragments(datagram(), 24)
    done = read([*parts[1:], parts[0]])
    assert [packet.sport for packet in done.packets] == [0] * (len(parts) - 2) + [40000, 40000]
    assert payloads(done) == [QUESTION]


def test_what_is_held_is_bounded_and_what_gave_way_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reassembly, "MAX_BYTES", 8 * reassembly.OVERHEAD)
    begun = [in_fragments(datagram(), 24, number) for number in range(20)]
    done = read([parts[0] for parts in begun] + begun[0][1:] + begun[19][1:])
    assert payloads(done) == [QUESTION]
    assert done.ledger.partial["fragment"] == 19 + len(begun[0]) - 1


def test_a_hundred_thousand_fragments_of_nothing_end_and_are_all_counted() -> None:
    whole = datagram()
    one = [fragment_of(whole, bytes(8), 8 * (n % 8000), n % 65_536, more=True) for n in range(997)]
    done = read(one * 100, 1 << 20)
    assert done.ledger.frames == 99_700
    assert sum(done.ledger.partial.values()) == 99_700
