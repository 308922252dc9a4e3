"""The beginnings of flows: the same name in any order of segments, and bounded memory."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egress_audit.decode.ledger import Ledger
from egress_audit.flows import assembly, heads
from egress_audit.flows.head import MAX_CRUMBS, MAX_DNS_SEGMENTS, MAX_SEGMENTS
from egress_audit.flows.heads import (
    Heads,
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
)
from tests.builders.engine import opened, packets_of

CLIENT, SERVER = ("10.0.0.2", 40000), ("192.0.2.1", 443)
HELLO = client_hello("example.com", post_quantum=True)
ISN = (1 << 32) - 700


@dataclass(slots=True)
class Heard:
    """What readers made of the heads of a capture."""

    names: list[str] = field(default_factory=list)
    offered: int = 0
    heads: Heads = field(default_factory=Heads)


def heard(frames: Sequence[Frame], block: int = 1 << 16) -> Heard:
    """Offers every head to the readers, as audit.py does."""
    done, table, counted = Heard(), FlowTable(), Ledger()
    for batch in opened(pcap(frames), block):
        packets = packets_of(batch, counted)
        assigned = table.add(packets)
        for head in done.heads.take(packets, assigned):
            done.offered += 1
            readings = [read_head(stream, dns=head.dns) for stream in head.streams]
            for reading in readings:
                done.names += [said.host for said in reading.spoken]
            head.midway = readings[0].hungry
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


def answer(ack: int) -> Frame:
    """A SYN of the server that acknowledges a client's."""
    wire = tcp(443, 40000, "SA", 7, ack % (1 << 32))
    return Frame(0, ethernet(ipv4(SERVER[0], CLIENT[0], wire, TCP)))


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


def test_segments_that_agree_speak_one_name() -> None:
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
    done = heard([syn(), *(piece(at, at + 1) for at in range(700))], block)
    assert done.offered == MAX_CRUMBS
    assert done.heads.unread == {"longer than is read": 1}


@pytest.mark.parametrize("block", [100, 1 << 16])
def test_a_hello_in_crumbs_is_read(block: int) -> None:
    done = heard([syn(), *(piece(at, at + 20) for at in range(0, len(HELLO), 20))], block)
    assert (done.names, done.heads.unread) == (["example.com"], {})


@pytest.mark.parametrize("block", [100, 1 << 16])
def test_a_stream_whose_beginning_never_comes_is_given_up_and_counted(block: int) -> None:
    done = heard([syn(), *(piece(at, at + 10) for at in range(100, 900, 10))], block)
    assert sum(done.heads.unread.values()) == 1


@pytest.mark.parametrize("block", [100, 1 << 16])
@pytest.mark.parametrize("late", [1, 2, 15])
def test_a_long_hello_in_small_segments_is_read_if_any_of_them_comes_late(
    block: int, late: int
) -> None:
    pieces = [piece(at, at + 40) for at in range(0, len(HELLO), 40)]
    for lost in range(len(pieces) - late):
        order = [*pieces[:lost], *pieces[lost + 1 : lost + 1 + late], pieces[lost]]
        done = heard([syn(), *order, *pieces[lost + 1 + late :]], block)
        assert (done.names, done.heads.unread) == (["example.com"], {})


@pytest.mark.parametrize("block", [100, 1 << 16])
def test_a_hello_of_which_a_segment_never_comes_is_given_up_and_counted(block: int) -> None:
    pieces = [piece(at, at + 40) for at in range(0, len(HELLO), 40)]
    done = heard([syn(), *pieces[:18], *pieces[19:36], pieces[18], *pieces[36:]], block)
    assert (done.names, done.heads.unread) == ([], {"longer than is read": 1})


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


def test_a_reset_brings_no_bytes() -> None:
    assert heard([syn(), segment(ISN + 1, HELLO, "R")]).offered == 0


CONNECT = b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"
HARMLESS = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*, text/plain, x/y\r\n\r\n"
FAR_AWAY = 5_000_000


def requests(names: list[str]) -> set[str]:
    """The hosts, ports left out."""
    return {name.partition(":")[0] for name in names}


@pytest.mark.parametrize("block", [100, 1 << 16])
class TestWhereAStreamBegins:
    """Whether the packets come one by one or together."""

    def test_a_later_syn_does_not_move_the_beginning(self, block: int) -> None:
        later = [segment(FAR_AWAY, b"", "S"), segment(FAR_AWAY + 1, HARMLESS)]
        done = heard([syn(), segment(ISN + 1, CONNECT), *later], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.conflicting == 1

    def test_a_syn_sent_again_is_no_contradiction(self, block: int) -> None:
        done = heard([syn(), syn(), segment(ISN + 1, CONNECT), syn()], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.conflicting == 0

    def test_a_side_that_begins_many_times_is_counted_once(self, block: int) -> None:
        frames = [segment(ISN + 1000 * number, b"", "S") for number in range(5)]
        assert heard(frames, block).heads.conflicting == 1

    def test_a_syn_after_data_does_not_hide_them(self, block: int) -> None:
        later = [segment(FAR_AWAY, b"", "S"), segment(FAR_AWAY + 1, HARMLESS)]
        done = heard([segment(1_000, CONNECT), *later], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.conflicting == 1

    def test_a_syn_recorded_after_its_data_is_no_contradiction(self, block: int) -> None:
        done = heard([segment(ISN + 1, CONNECT), syn()], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.conflicting == 0

    @pytest.mark.parametrize("late", ["front", "lost"])
    @pytest.mark.parametrize("handshake", ["syn behind", "answer before", "answer behind"])
    def test_a_stream_read_behind_its_beginning_is_not_read(
        self, block: int, handshake: str, late: str
    ) -> None:
        data = [segment(ISN + 4, CONNECT[3:]), segment(ISN + 1, CONNECT[:3])]
        data = data if late == "front" else data[:1]
        told = [syn()] if handshake == "syn behind" else [answer(ISN + 1)]
        frames = [*told, *data] if handshake == "answer before" else [*data, *told]
        assert heard(frames, block).heads.unread["a segment is missing"] == 1

    @pytest.mark.parametrize("told", ["syn", "answer"])
    def test_a_stream_read_from_the_beginning_that_is_told_late_is_read(
        self, block: int, told: str
    ) -> None:
        late = [syn()] if told == "syn" else [answer(ISN + 1)]
        done = heard([segment(ISN + 1, CONNECT), *late], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.unread == {}

    @pytest.mark.parametrize("number", [0, 1])
    def test_a_request_in_front_of_what_was_read_is_read_whatever_its_number(
        self, block: int, number: int
    ) -> None:
        behind = segment(number + len(CONNECT), b"\1\2\3\4 no words of any protocol")
        done = heard([behind, segment(number, CONNECT)], block)
        assert "evil.example" in requests(done.names)

    def test_an_answer_that_lies_hides_no_beginning(self, block: int) -> None:
        data = [segment(ISN + 4, CONNECT[3:]), segment(ISN + 1, CONNECT[:3])]
        done = heard([answer(ISN + 4), answer(ISN + 1), answer(ISN + 4), *data], block)
        assert done.heads.unread["a segment is missing"] == 1

    def test_a_byte_in_front_of_the_stream_does_not_hide_what_it_says(self, block: int) -> None:
        data = [
            segment(ISN + 1, CONNECT[:20]),
            segment(ISN, b"\0"),
            segment(ISN + 21, CONNECT[20:]),
        ]
        done = heard([answer(ISN + 1), *data], block)
        assert done.heads.unread["a segment is missing"] == 1

    def test_a_head_with_a_hole_that_begins_elsewhere_too_is_counted_once(self, block: int) -> None:
        data = [segment(ISN + 4, CONNECT[3:9]), segment(ISN + 20, CONNECT[19:])]
        assert heard([answer(ISN + 1), *data], block).heads.unread == {"a segment is missing": 1}

    def test_an_answer_to_a_connection_that_says_nothing_hides_nothing(self, block: int) -> None:
        assert heard([answer(ISN + 1)], block).heads.unread == {}

    def test_a_second_life_of_a_connection_that_never_closed_is_not_silent(
        self, block: int
    ) -> None:
        first = tcp_session(CLIENT, SERVER, CONNECT, b"ok")
        open_ended = [frame for frame in first if not frame.data[47] & 0x05]
        second = [segment(FAR_AWAY, b"", "S"), segment(FAR_AWAY + 1, HARMLESS)]
        done = heard([*open_ended, *second], block)
        assert "evil.example" in requests(done.names)
        assert done.heads.conflicting > 0

    def test_a_second_life_after_the_close_is_a_flow_of_its_own(self, block: int) -> None:
        frames = tcp_session(CLIENT, SERVER, CONNECT, b"ok")
        second = [segment(FAR_AWAY, b"", "S"), segment(FAR_AWAY + 1, HARMLESS)]
        done = heard([*frames, *second], block)
        assert requests(done.names) >= {"evil.example", "localhost"}
        assert done.heads.conflicting == 0


@pytest.mark.parametrize("block", [100, 1 << 16])
class TestASecondReadingAfterTheHeadIsRead:
    """Whether the packets come one by one or together."""

    def test_other_bytes_with_the_same_numbers_are_a_contradiction(self, block: int) -> None:
        again = segment(ISN + 1, CONNECT)
        done = heard([syn(), segment(ISN + 1, HARMLESS), again, again], block)
        assert done.heads.conflicting == 1

    def test_the_same_bytes_sent_again_are_none(self, block: int) -> None:
        again = segment(ISN + 1, HARMLESS)
        more = segment(ISN + 1 + len(HARMLESS), CONNECT)
        assert heard([syn(), again, again, more], block).heads.conflicting == 0

    @pytest.mark.parametrize(("at", "conflicting"), [(-9, 1), (0, 1), (20, 1), (-70, 0)])
    def test_it_may_begin_before_or_behind_the_beginning(
        self, block: int, at: int, conflicting: int
    ) -> None:
        other = segment(ISN + 1 + at, b"x" * 70)
        done = heard([syn(), segment(ISN + 1, HARMLESS), other], block)
        assert done.heads.conflicting == conflicting

    def test_the_zero_of_a_keep_alive_is_none(self, block: int) -> None:
        probe = segment(ISN + len(HARMLESS), b"\0")
        done = heard([syn(), segment(ISN + 1, HARMLESS), probe], block)
        assert done.heads.conflicting == 0

    def test_a_byte_that_is_no_keep_alive_is_one(self, block: int) -> None:
        probe = segment(ISN + 20, b"\0")
        done = heard([syn(), segment(ISN + 1, HARMLESS), probe], block)
        assert done.heads.conflicting == 1

    def test_beginnings_beyond_the_bound_are_counted(
        self, block: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(assembly, "MAX_PRINTS", 1)
        frames = [segment(1, HARMLESS, port=port) for port in (1_000, 1_001, 1_002)]
        frames += [segment(1, CONNECT, port=port) for port in (1_000, 1_001, 1_002)]
        done = heard(frames, block)
        assert (done.heads.conflicting, done.heads.unremembered) == (1, 2)


def test_numbers_that_come_round_after_four_gigabytes_are_no_second_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembly, "GONE_ROUND", 3_000)
    upper = [segment(ISN + 1 + (3 << 30) + at, bytes(1_000)) for at in range(0, 3_000, 1_000)]
    begun = [syn(), segment(ISN + 1, HARMLESS)]
    round_again = segment(ISN + 1, CONNECT)
    assert heard([*begun, *upper, round_again]).heads.conflicting == 0
    assert heard([*begun, *upper[1:], round_again]).heads.conflicting == 1


@pytest.mark.parametrize(("end", "unread"), [(20, 1), (None, 0)])
def test_a_dns_stream_that_stops_inside_a_message_is_counted(end: int | None, unread: int) -> None:
    query = over_tcp(dns_query("host.example"))
    done = heard([syn(), segment(ISN + 1, (query * 2)[: len(query) + (end or len(query))], far=53)])
    assert sum(done.heads.unread.values()) == unread


@pytest.mark.parametrize(("early", "read_from"), [(True, 0), (False, 21)])
def test_what_comes_in_front_of_what_was_read_is_read_too(early: bool, read_from: int) -> None:
    message = over_tcp(dns_query("host.example"))
    at = 1_000 + (-len(message) if early else len(message))
    frames = [segment(1_000, message, far=53), segment(at, message, far=53)]
    table, kept, seen = FlowTable(), Heads(), []
    for batch in opened(pcap(frames), 1 << 16):
        packets = packets_of(batch, Ledger())
        for head in kept.take(packets, table.add(packets)):
            seen.append((head.read_from, head.heard > 0))
            head.read_from, head.heard = 21, 1
            kept.settle(head, hungry=True)
    assert seen == [(0, False), (read_from, not early)]


SECOND = client_hello("second.example", post_quantum=True)


@pytest.mark.parametrize("block", [100, 1 << 16])
class TestWhatBeginsBehindAHeadThatIsDone:
    """Whether the packets come one by one or together."""

    def test_a_second_hello_is_read(self, block: int) -> None:
        behind = [segment(ISN + 1 + len(HELLO), SECOND)]
        done = heard([syn(), segment(ISN + 1, HELLO), *behind], block)
        assert (done.names, done.heads.unread) == (["example.com", "second.example"], {})

    def test_it_may_come_in_several_segments(self, block: int) -> None:
        at = ISN + 1 + len(HELLO)
        cut = [segment(at + begin, SECOND[begin : begin + 300]) for begin in range(0, 2000, 300)]
        done = heard([syn(), segment(ISN + 1, HELLO), *cut], block)
        assert (done.names, done.heads.unread) == (["example.com", "second.example"], {})

    def test_it_may_come_behind_bytes_of_a_body(self, block: int) -> None:
        body = [segment(ISN + 1 + at, b"data" * 100) for at in range(0, 20_000, 400)]
        done = heard([syn(), *body, segment(ISN + 20_001, SECOND), *body[:3]], block)
        assert (done.names, done.heads.unread) == (["second.example"], {})

    def test_the_first_one_sent_again_is_read_once(self, block: int) -> None:
        again = segment(ISN + 1, HELLO)
        for begin in ([syn()], []):
            done = heard([*begin, again, again, again], block)
            assert done.names == ["example.com"]

    def test_one_that_never_ends_is_said_to_be_unfinished(self, block: int) -> None:
        behind = segment(ISN + 1 + len(HELLO), SECOND[:900])
        done = heard([syn(), segment(ISN + 1, HELLO), behind], block)
        assert done.heads.unread == {"never completed": 1}

    def test_behind_a_syn_that_reuses_the_ports_another_name_is_heard(self, block: int) -> None:
        first = [syn(), segment(ISN + 1, HELLO)]
        second = [segment(FAR_AWAY, b"", "S"), segment(FAR_AWAY + 1, SECOND)]
        done = heard([*first, *second], block)
        assert done.names == ["example.com", "second.example"]
        assert done.heads.conflicting == 1


PIECES = st.tuples(
    st.sampled_from((ISN, 1_000, FAR_AWAY)),
    st.sampled_from((b"", CONNECT, HARMLESS, HELLO, SECOND)),
    st.sampled_from((0, 0, 30)),
    st.sampled_from((40, 2_000)),
)


@settings(max_examples=60)
@example([(1_000, CONNECT, 0, 40), (ISN, CONNECT, 0, 2_000), (1_000, b"", 0, 40)])
@example([(ISN, HARMLESS, 0, 40), (ISN, CONNECT, 0, 40), (ISN, HARMLESS, 0, 2_000)])
@given(st.lists(PIECES, min_size=2, max_size=8))
def test_what_is_heard_and_contradicted_does_not_hang_on_the_size_of_a_block(
    pieces: list[tuple[int, bytes, int, int]],
) -> None:
    frames = [
        segment(start + 1 + skip, said[skip : skip + size]) if said else segment(start, b"", "S")
        for start, said, skip, size in pieces
    ]
    one, two, all_at_once = (heard(frames, block) for block in (100, 700, 1 << 16))
    for done in (two, all_at_once):
        assert (done.names, done.heads.conflicting) == (one.names, one.heads.conflicting)
        assert done.heads.unread == one.heads.unread
