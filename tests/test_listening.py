"""A capture is heard batch by batch: each packet has its flow, each name its flow as well."""

import io
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit import listening
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.flows import following
from egress_audit.flows.datagrams import Kind
from egress_audit.listening import USUAL_BOUNDS, Bounds, Listening
from egress_audit.model.flow import NameSource
from egress_audit.names.udp import KINDS
from tests.builders.captures import (
    TCP,
    UDP,
    Frame,
    client_hello,
    client_hello_message,
    dns_answer,
    dns_query,
    ethernet,
    http_request,
    ip,
    ipv4,
    over_tcp,
    pcap,
    tcp,
    tcp_session,
    udp,
    udp_exchange,
)
from tests.builders.engine import opened
from tests.builders.quic import crypto, initial
from tests.builders.tunnels import fragment_of, in_fragments, over_ip
from tests.names.test_tls import handshake, records, sni

HERE, THERE = ("10.0.0.2", 40000), ("203.0.113.9", 443)
FRAMES = [
    *udp_exchange(HERE, ("10.0.0.1", 53), dns_query("hub.example")),
    *tcp_session(HERE, THERE, client_hello("hub.example")),
]


def heard(bounds: Bounds = USUAL_BOUNDS) -> tuple[Listening, int]:
    """What was heard of FRAMES, and how many packets were handed on."""
    listening = Listening(opened(pcap(FRAMES)), bounds)
    return listening, sum(len(packets) for packets, _ in listening.batches())


def heard_of(frames: Sequence[Frame], block: int = 1 << 12, linktype: int = 1) -> Listening:
    """A capture that was heard to its end, in batches of so many bytes."""
    listening = Listening(opened(pcap(frames, linktype), block), USUAL_BOUNDS)
    for _ in listening.batches():
        pass
    return listening


def test_every_packet_is_handed_on_with_its_flow() -> None:
    listening, packets = heard()
    assert packets == listening.ledger.packets == len(FRAMES)
    assert len(listening.table) == 2


def test_names_are_heard_in_their_flows() -> None:
    listening, _ = heard()
    said = {
        flow: [name.host for name in names]
        for flow, names in listening.hearing.names.mentions.flows()
    }
    assert said == {0: ["hub.example"], 1: ["hub.example"]}


@pytest.mark.parametrize(("room", "unread"), [(2, {}), (1, {"too many connections to follow": 1})])
def test_connections_that_cannot_be_followed_are_counted(
    monkeypatch: pytest.MonkeyPatch, room: int, unread: dict[str, int]
) -> None:
    monkeypatch.setattr(following, "MAX_FOLLOWED", room)
    sessions = [tcp_session((HERE[0], port), THERE, http_request("a.example")) for port in (1, 2)]
    assert heard_of([frame for session in sessions for frame in session]).heads.unread == unread


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
    assert [name.host for name in listening.hearing.names.mentions.of(0)] == ["a.b"]
    assert {why: list(flows) for why, flows in listening.datagrams.unread_in.items()} == {
        "mDNS, malformed": [1]
    }


def test_every_kind_of_datagram_that_is_chosen_has_its_reader() -> None:
    assert {str(kind) for kind in Kind} == KINDS


def asked_in(packets: Sequence[bytes], step_ns: int = 1000) -> list[str]:
    """The names that were asked for in these packets."""
    frames = [Frame(number * step_ns, packet) for number, packet in enumerate(packets)]
    window = Window(io.BytesIO(pcap(frames, 101, nanoseconds=True)))
    source = source_of("made", window)
    assert source is not None
    listening = Listening(source, USUAL_BOUNDS)
    assert sum(len(batch) for batch, _ in listening.batches()) == len(packets)
    assert int(listening.table.rows.orig_pkts[: len(listening.table)].sum()) == len(packets)
    return [question.host for question in listening.hearing.names.questions()]


def question(host: str) -> bytes:
    """A packet that asks for a name."""
    return ip("10.0.0.2", "192.0.2.1", udp(40000, 53, dns_query(host)), UDP)


@pytest.mark.parametrize(("proto", "hosts"), [(17, ["a.example"]), (136, ["a.example"]), (33, [])])
def test_the_dns_is_heard_over_udp_and_udp_lite(proto: int, hosts: list[str]) -> None:
    wire = udp(4000, 53, dns_query("a.example"))
    assert asked_in([ip("10.0.0.2", "192.0.2.1", wire, proto)]) == hosts


@pytest.mark.parametrize("port", [53, 5999])
def test_messages_that_were_recorded_as_one_datagram_are_all_heard(port: int) -> None:
    hosts = ["one.example", "two.example", "ten.example"]
    wire = udp(4000, port, b"".join(map(dns_query, hosts)))
    assert asked_in([ip("10.0.0.2", "192.0.2.1", wire, UDP)]) == hosts


def test_of_fragments_that_contradict_each_other_both_readings_are_heard() -> None:
    true, false = question("one.example"), question("two.example")
    at = true.index(b"one") - 20 & ~7
    lie = fragment_of(true, false[20 + at : 20 + at + 8], at, more=True)
    assert asked_in([*in_fragments(true, 8)[:-1], lie, in_fragments(true, 8)[-1]]) == [
        "one.example",
        "two.example",
    ]


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_a_question_of_which_fragments_are_missing_is_heard_before_what_comes_later(
    block: int,
) -> None:
    asking = dns_query("one.example") + bytes(16)
    begun = in_fragments(ip("10.0.0.2", "192.0.2.1", udp(40000, 53, asking), UDP), 40)[0]
    other = in_fragments(question("two.example"), 8, 2)[1]
    answer = udp(53, 40000, dns_answer("one.example", ["192.0.2.7"]))
    packets = [begun, other, ip("192.0.2.1", "10.0.0.2", answer, UDP)]
    frames = [Frame(at * 40_000_000_000, packet) for at, packet in enumerate(packets)]
    (asked,) = heard_of(frames, block, 101).hearing.names.questions()
    assert (asked.host, asked.total, asked.frames) == ("one.example", 1, [1])


def test_of_fragments_that_agree_there_is_one_reading() -> None:
    parts = in_fragments(question("one.example"), 8)
    assert asked_in([*parts[:-1], parts[2], parts[-1]]) == ["one.example"]


def test_a_question_is_heard_although_the_rest_of_its_datagram_never_comes() -> None:
    whole = ip("10.0.0.2", "192.0.2.1", udp(40000, 53, dns_query("a.example") + bytes(64)), UDP)
    assert asked_in(in_fragments(whole, 48)[:1]) == ["a.example"]


def test_it_is_heard_once_the_wait_for_the_rest_is_over() -> None:
    whole = ip("10.0.0.2", "192.0.2.1", udp(40000, 53, dns_query("a.example") + bytes(64)), UDP)
    first = in_fragments(whole, 48)[0]
    other = in_fragments(question("b.example"), 24, identification=2)
    assert asked_in([first, *other], step_ns=20_000_000_000) == ["a.example", "b.example"]


def test_a_datagram_that_came_whole_is_not_heard_again_for_its_first_fragment_alone() -> None:
    parts = in_fragments(question("one.example"), 24)
    assert asked_in([*parts, parts[0]]) == ["one.example"]


CLIENT, SERVER = ("10.0.0.2", 40000), ("203.0.113.9", 80)
ISN = (1 << 32) - 500


def segment(offset: int, data: bytes, flags: str = "PA", port: int = SERVER[1]) -> Frame:
    """A segment of the client, so many bytes behind its SYN."""
    wire = tcp(CLIENT[1], port, flags, (ISN + offset) % (1 << 32), 1, data)
    return Frame(0, ethernet(ipv4(CLIENT[0], SERVER[0], wire, TCP)))


def spoken(frames: Sequence[Frame]) -> tuple[list[str], dict[str, int]]:
    """The names said in the first flow, and what was left unread."""
    source = source_of("made", Window(io.BytesIO(pcap(frames))))
    assert source is not None
    listening = Listening(source, USUAL_BOUNDS)
    for _ in listening.batches():
        pass
    names = listening.hearing.names.mentions.of(0)
    return [name.host for name in names], dict(listening.heads.unread)


def cut(stream: bytes, size: int, port: int = SERVER[1]) -> list[Frame]:
    """A SYN and the stream in segments of some size."""
    pieces = [(at, stream[at : at + size]) for at in range(0, len(stream), size)]
    syn = segment(0, b"", "S", port)
    return [syn, *(segment(1 + at, piece, port=port) for at, piece in pieces)]


def post(host: str, body: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (host.encode(), body)


GET = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
BODY = b"GET / HTTP/1.1\r\nHost: decoy.example\r\n\r\n" * 2500
UPLOAD = post("a.example", len(BODY)) + BODY + GET % b"b.example"
CHUNKS = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY, b"x", BODY))
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    + CHUNKS
    + b"0\r\n\r\n"
    + GET % b"b.example"
)


@pytest.mark.parametrize("stream", [UPLOAD, CHUNKED], ids=["length", "chunks"])
@pytest.mark.parametrize("size", [977, 1460, 40_000])
def test_a_request_behind_a_long_body_is_heard(stream: bytes, size: int) -> None:
    assert spoken(cut(stream, size)) == (["a.example", "b.example"], {})


def test_each_of_many_requests_is_heard() -> None:
    stream = b"".join(GET % b"%d.example" % number for number in range(300))
    names, unread = spoken(cut(stream, 100))
    assert names == [f"{number}.example" for number in range(300)]
    assert unread == {}


@pytest.mark.parametrize(
    ("begin", "message", "port"),
    [
        (b"", over_tcp(dns_query("a.example")), 5999),
        (b"EHLO me.example\r\nSTARTTLS\r\n", client_hello("a.example"), 25),
        (b"", GET % b"a.example", 80),
    ],
)
def test_a_stream_in_single_bytes_is_heard(begin: bytes, message: bytes, port: int) -> None:
    listening = heard_of(cut(begin + message, 1, port))
    assert [name.host for name in listening.hearing.names.mentions.of(0)] == ["a.example"]
    assert not listening.heads.unread
    short = heard_of(cut(begin + message[:-1], 1, port))
    assert short.heads.unread == {"never completed": 1}


QUESTIONS = {
    f"{number}.example": over_tcp(dns_query(f"{number}.example")) for number in range(3000)
}
SIZE = len(QUESTIONS["1000.example"])


@pytest.mark.parametrize("port", [53, 5999])
@pytest.mark.parametrize("size", [33, SIZE, 40 * SIZE, 1460])
def test_each_question_of_a_long_stream_of_dns_is_heard_once(port: int, size: int) -> None:
    listening = heard_of(cut(b"".join(QUESTIONS.values()), size, port), block=1 << 16)
    asked = {word.host: word.total for word in listening.hearing.names.questions()}
    assert asked == dict.fromkeys(QUESTIONS, 1)
    assert not listening.heads.unread


@pytest.mark.parametrize("port", [53, 5999])
def test_of_a_stream_of_dns_that_ends_in_a_message_the_rest_is_unread(port: int) -> None:
    stream = b"".join(QUESTIONS.values())[:-1]
    assert heard_of(cut(stream, 1460, port)).heads.unread == {"never completed": 1}


@pytest.mark.parametrize("size", [16, 90, 1460])
def test_what_is_no_dns_is_heard_on_its_port_as_on_any_other(size: int) -> None:
    stream = b"".join(GET % b"%03d.example" % number for number in range(900))
    listening = heard_of(cut(stream, size, 53))
    assert len(listening.hearing.names.mentions.of(0)) == 900
    assert not listening.heads.unread


@pytest.mark.parametrize("port", [53, 80])
def test_a_long_head_in_pieces_is_given_up_on_every_port(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nX: " + b"a" * 14_000
    assert heard_of(cut(head, 32, port)).heads.unread == {"longer than is read": 1}


def test_a_megabyte_of_requests_is_heard() -> None:
    stream = GET % b"a.example" * 26_000
    assert spoken(cut(stream + GET % b"b.example", 1460)) == (["a.example", "b.example"], {})


@settings(max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(8, 90))
def test_the_order_of_segments_changes_no_name(order: random.Random, size: int) -> None:
    stream = GET % b"a.example" + post("b.example", 200) + b"x" * 200 + GET % b"c.example"
    syn, *rest = cut(stream, size)
    for at in range(0, len(rest), 4):
        few = rest[at : at + 4]
        order.shuffle(few)
        rest[at : at + 4] = few
    names, unread = spoken([syn, *rest])
    assert (names, unread) == (["a.example", "b.example", "c.example"], {})


def test_a_capture_that_begins_in_a_body_hears_the_next_request() -> None:
    assert spoken(cut(b"\xff" * 90 + GET % b"a.example", 90)[1:])[0] == ["a.example"]


def test_a_probe_of_an_idle_connection_is_no_beginning() -> None:
    assert spoken([segment(0, b"\0"), segment(1, GET % b"a.example")])[0] == ["a.example"]


def test_requests_behind_a_lost_segment_are_heard_and_the_loss_is_counted() -> None:
    stream = b"".join(GET % b"%03d.example" % number for number in range(100))
    names, unread = spoken(cut(stream, len(GET) + 9)[:10] + cut(stream, len(GET) + 9)[11:])
    assert len(names) == 99
    assert sum(unread.values()) == 1


def test_the_hello_inside_a_tunnel_is_heard() -> None:
    tunnel = b"CONNECT a.example:443 HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * 200)
    stream = tunnel + client_hello("b.example", post_quantum=True)
    assert spoken(cut(stream, len(tunnel))) == (["a.example", "b.example"], {})


def late(begin: bytes, message: bytes, size: int = 1460) -> list[Frame]:
    """A stream in segments, and behind it a message that begins with a segment."""
    behind = [
        segment(1 + len(begin) + at, message[at : at + size]) for at in range(0, len(message), size)
    ]
    return [*cut(begin, 100), *behind]


MAIL = b"EHLO me.example\r\n" + b"NOOP\r\n" * 400
SEALED = b"\x17\x03\x03\x01\0" + bytes(256)
CHANGE = b"\x14\x03\x03\0\x01\x01"
RETRIED = client_hello("b.example", post_quantum=True)


@pytest.mark.parametrize("begin", [MAIL, SEALED * 20, b"\xff" * 300])
@pytest.mark.parametrize("size", [500, 1460])
def test_a_hello_late_in_a_stream_is_heard(begin: bytes, size: int) -> None:
    assert spoken(late(begin, RETRIED, size)) == (["b.example"], {})
    assert spoken(late(begin, RETRIED[:900], size)) == ([], {"never completed": 1})


@pytest.mark.parametrize("between", [b"", CHANGE])
def test_the_hello_that_a_server_asked_for_again_is_heard(between: bytes) -> None:
    first = client_hello("a.example")
    assert spoken(late(first, between + RETRIED)) == (["a.example", "b.example"], {})
    assert spoken(cut(first + between + RETRIED, 100)) == (["a.example", "b.example"], {})


def test_a_request_behind_bytes_that_nobody_knows_is_heard() -> None:
    assert spoken(late(b"\xff" * 90, GET % b"a.example")) == (["a.example"], {})


def test_what_looks_like_a_request_inside_a_body_is_not_heard() -> None:
    stream = post("a.example", 5_000)
    body = segment(1 + len(stream) + 100, GET % b"decoy.example")
    assert spoken([*cut(stream, 100), body]) == (["a.example"], {})


SAID = st.sampled_from(
    (
        client_hello("a.example"), RETRIED, CHANGE + client_hello("c.example"), CHANGE, SEALED,
        GET % b"d.example", post("e.example", 300) + b"x" * 300, b"NOOP\r\n", b"EHLO x\r\n", MAIL,
        b"\xff" * 90, GET, b"HTTP/1.1 200 OK\r\n\r\n", RETRIED[:700],
    )
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.lists(st.tuples(SAID, st.sampled_from((40, 700, 3_000))), min_size=2, max_size=6),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_is_heard_late_does_not_hang_on_the_size_of_a_batch(
    said: list[tuple[bytes, int]], shuffled: bool, order: random.Random
) -> None:
    frames, offset = [segment(0, b"", "S")], 1
    for message, size in said:
        pieces = range(0, len(message), size)
        frames += [segment(offset + at, message[at : at + size]) for at in pieces]
        offset += len(message)
    for at in range(1, len(frames) if shuffled else 0, 9):
        few = frames[at : at + 3]
        order.shuffle(few)
        frames[at : at + 3] = few
    one, two, all_at_once = (heard_of(frames, block) for block in (100, 2_000, 1 << 20))
    for other in (two, all_at_once):
        assert other.hearing.names.mentions.of(0) == one.hearing.names.mentions.of(0)
        assert other.heads.unread == one.heads.unread


def test_plain_mail_leaves_nothing_unread() -> None:
    assert spoken(cut(b"EHLO me.example\r\nMAIL FROM:<a@b.example>\r\n", 17)) == ([], {})


QUIC_HELLO = initial(crypto(client_hello_message("quic.example")))
RESOLVER = "10.0.0.1", 53
RESPONSE = over_tcp(dns_answer("hub.example", ["192.0.2.7"]))
WAITING = [
    *udp_exchange(HERE, RESOLVER, dns_query("hub.example")),
    *(frame for _ in range(70) for frame in udp_exchange(HERE, THERE, QUIC_HELLO)),
    *tcp_session(HERE, RESOLVER, over_tcp(dns_query("a.example")), RESPONSE),
    *tcp_session(HERE, THERE, records(handshake(sni(b"b.example"), b"\0"))),
    *tcp_session(("10.0.0.3", 40000), THERE, client_hello("c.example")),
]


@pytest.mark.parametrize("bound", [1, 2_000])
def test_how_much_waits_to_be_read_makes_no_difference(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = heard_of(WAITING)
    monkeypatch.setattr(listening, "MAX_WAITING", bound)
    hasty = heard_of(WAITING)
    assert [*hasty.hearing.names.mentions.flows()] == [*patient.hearing.names.mentions.flows()]
    assert hasty.datagrams.unread_in == patient.datagrams.unread_in
    assert hasty.heads.unread_in == patient.heads.unread_in


def test_datagrams_that_were_cut_off_at_their_headers_do_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "MOST_WAITING", 8)
    questions = udp_exchange(HERE, RESOLVER, dns_query("hub.example"))[:1] * 50
    cut = [Frame(frame.ts_ns, frame.data[:42], len(frame.data)) for frame in questions]
    hearing = Listening(opened(pcap(cut), 1 << 8), USUAL_BOUNDS)
    waiting = [len(hearing._datagrams) for _ in hearing.batches()]
    assert max(waiting) < 8 < sum(waiting)
    assert len(hearing.datagrams.unread_in["DNS, truncated"]) == 50


def test_a_stream_answers_what_a_datagram_asked_that_waits_to_be_read() -> None:
    names = heard_of(WAITING).hearing.names
    assert [name.host for name in names.answers_for("192.0.2.7")] == ["hub.example"]


GLUE = b"\3cdn\7example\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x08"


def with_glue(answer: bytes) -> bytes:
    """A response with the address of cdn.example in its additional section."""
    return answer[:10] + b"\0\1" + answer[12:] + GLUE


@pytest.mark.parametrize("ports", [(53, 53), (5399, 5400)])
@pytest.mark.parametrize(("txid", "far"), [(1, False), (2, True), (2, False)])
def test_only_of_a_response_to_what_was_not_asked_it_matters_who_wrote_its_records(
    ports: tuple[int, int], txid: int, far: bool
) -> None:
    response = with_glue(dns_answer("hub.example", ["192.0.2.7"], txid=txid))
    ends = (HERE[0], ports[0]), ("9.9.9.9", ports[1])
    hearing = heard_of(udp_exchange(*ends, dns_query("hub.example"), response)).hearing
    hearing.settle(lambda flow, by_orig: not far)
    unasked = ["cdn.example"] if txid == 2 and not far else []
    assert [asked.host for asked in hearing.names.questions()] == ["hub.example", *unasked]


@pytest.mark.parametrize(
    ("port", "source"), [(53, NameSource.DNS_ANSWER), (5335, NameSource.DNS_UNPROVEN)]
)
def test_an_answer_leads_to_its_address_from_any_port(port: int, source: NameSource) -> None:
    response = dns_answer("hub.example", ["192.0.2.7"])
    frames = udp_exchange(HERE, ("127.0.0.1", port), dns_query("hub.example"), response)
    names = heard_of(frames).hearing.names.answers_for("192.0.2.7")
    assert [(name.host, name.source) for name in names] == [("hub.example", source)]


def test_who_calls_us_from_the_port_of_the_dns_proves_no_name() -> None:
    asked = udp_exchange(HERE, RESOLVER, dns_query("hub.example"))
    stranger, service = ("203.0.113.66", 53), (HERE[0], 8080)
    called = tcp_session(stranger, service, RESPONSE)
    names = heard_of([*asked, *called]).hearing.names.answers_for("192.0.2.7")
    assert [name.source for name in names] == [NameSource.DNS_UNPROVEN]


def test_an_answer_over_tcp_of_who_was_called_proves_a_name() -> None:
    query = over_tcp(dns_query("hub.example"))
    names = heard_of(tcp_session(HERE, RESOLVER, query, RESPONSE)).hearing.names
    answers = names.answers_for("192.0.2.7")
    assert [name.source for name in answers] == [NameSource.DNS_ANSWER]


def test_a_second_reading_of_a_stream_answers_what_a_waiting_datagram_asked() -> None:
    def back(offset: int, data: bytes, flags: str = "PA") -> Frame:
        wire = tcp(RESOLVER[1], HERE[1], flags, ISN + offset, 1, data)
        return Frame(0, ethernet(ipv4(RESOLVER[0], HERE[0], wire, TCP)))

    garbled = [back(2, b"\xff" * len(RESPONSE[2:])), back(2, RESPONSE[2:]), back(0, RESPONSE[:2])]
    asked = udp_exchange(HERE, RESOLVER, dns_query("hub.example"))
    names = heard_of([*asked, back(-1, b"", "SA"), *garbled]).hearing.names
    assert [name.host for name in names.answers_for("192.0.2.7")] == ["hub.example"]


def test_a_flow_that_has_had_enough_is_not_read_though_its_datagrams_wait() -> None:
    assert [*heard_of(WAITING).datagrams.unread_in["QUIC, truncated"]] == [1]


def test_a_hello_that_is_not_plain_is_read_to_its_damage() -> None:
    whole = heard_of(WAITING)
    assert [*whole.heads.unread_in["malformed"]] == [3]
    assert [name.host for name in whole.hearing.names.mentions.of(3)] == ["b.example"]


def listened(packets: list[bytes]) -> Listening:
    """A capture of IP packets, heard to its end."""
    return heard_of([Frame(0, packet) for packet in packets], linktype=101)


def test_a_question_in_a_tunnel_and_in_fragments_is_heard_in_its_own_flow() -> None:
    question = ip("10.9.0.1", "10.9.0.2", udp(40000, 53, dns_query("hub.example")), UDP)
    listening = listened([over_ip(4, part) for part in in_fragments(question, 16)])
    said = {
        flow: [name.host for name in names]
        for flow, names in listening.hearing.names.mentions.flows()
    }
    assert said == {1: ["hub.example"]}


def test_a_fragment_that_waits_in_vain_is_handed_on_in_the_end() -> None:
    question = ip("10.9.0.1", "10.9.0.2", udp(40000, 53, dns_query("hub.example")), UDP)
    listening = listened(in_fragments(question, 16)[1:])
    assert len(listening.table) == 1
