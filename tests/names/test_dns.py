"""What DNS messages say, with scapy to write them and liars to bend them."""

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRROPT

from egress_audit.model.flow import NameSource
from egress_audit.names.dns import (
    MAX_QUESTIONS,
    MAX_RECORDS,
    could_begin_stream,
    is_no_stream,
    read_message,
    read_stream,
)
from egress_audit.names.dns_parts import MAX_ALIASES, MAX_SPOKEN
from egress_audit.names.reading import Reading, Spoken, Unread
from tests.builders.work import steps_of

NS, MX, SRV = 2, 15, 33
QUERY = bytes(DNS(id=7, qd=[DNSQR(qname="huggingface.co", qtype="AAAA")]))
QUESTION = Spoken("huggingface.co", NameSource.DNS_QUERY, qtype="AAAA")


def response(*records: DNSRR, ask: str = "hf.co", **sections: list[DNSRR]) -> bytes:
    return bytes(DNS(id=7, qr=1, qd=[DNSQR(qname=ask)], an=list(records), **sections))


def record(name: str, kind: str, value: str) -> DNSRR:
    return DNSRR(rrname=name, type=kind, rdata=value, ttl=60)


def header(*counts: int, flags: int = 0) -> bytes:
    return struct.pack(">6H", 7, flags, *counts)


def wire(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def raw_record(name: str, kind: int, body: bytes, class_: int = 1) -> bytes:
    return wire(name) + struct.pack(">HHIH", kind, class_, 60, len(body)) + body


def answer_of(*records: bytes, ask: str = "hf.co", qtype: int = 1) -> bytes:
    question = wire(ask) + struct.pack(">HH", qtype, 1)
    return header(1, len(records), 0, 0, flags=0x8180) + question + b"".join(records)


def owners(message: bytes) -> list[tuple[str, str | None, bool]]:
    """The names that a message speaks behind its first question, without addresses."""
    rest = read_message(message).spoken[1:]
    return [(word.host, word.qtype, word.beside) for word in rest if not word.question]


def addresses(message: bytes) -> list[tuple[str, str]]:
    return [(word.host, word.address) for word in read_message(message).spoken if word.address]


def over_tcp(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


ANSWER = response(record("hf.co", "CNAME", "cdn.net"), record("cdn.net", "A", "1.2.3.4"))


def test_a_query_speaks_its_question() -> None:
    reading = read_message(QUERY)
    assert reading.spoken == (QUESTION,)
    assert reading.marks == {"dns"}
    assert reading.unread is None


def test_a_response_speaks_the_question_that_no_capture_may_hold() -> None:
    reading = read_message(response(ask="hf.co"))
    assert reading.spoken == (Spoken("hf.co", NameSource.DNS_ANSWER, qtype="A"),)
    assert reading.marks == {"dns", "dns-response"}


def test_all_questions_of_a_message_are_spoken() -> None:
    message = bytes(DNS(qd=[DNSQR(qname="a.example"), DNSQR(qname="b.example")]))
    assert [word.host for word in read_message(message).spoken] == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "A"), (12, "PTR"), (28, "AAAA"), (65, "HTTPS"), (65400, "TYPE65400"), (0, "TYPE0")],
)
def test_a_question_type_has_its_iana_name_or_its_number(number: int, word: str) -> None:
    message = bytes(DNS(qd=[DNSQR(qname="a.example", qtype=number)]))
    assert read_message(message).spoken[0].qtype == word


def test_a_question_for_the_root_is_a_dot() -> None:
    assert read_message(bytes(DNS(qd=[DNSQR(qname=".", qtype="NS")]))).spoken[0].host == "."


def test_an_unknown_opcode_hides_no_question() -> None:
    message = QUERY[:2] + b"\x78\x70" + QUERY[4:]
    assert read_message(message).spoken == (QUESTION,)


def test_edns_is_no_name() -> None:
    message = bytes(DNS(qd=[DNSQR(qname="huggingface.co", qtype="AAAA")], ar=[DNSRROPT()]))
    assert read_message(message).spoken == (QUESTION,)


def test_an_address_is_spoken_with_its_owner() -> None:
    message = response(record("hf.co", "A", "1.2.3.4"), record("hf.co", "AAAA", "2001:DB8:0:0::1"))
    assert addresses(message) == [("hf.co", "1.2.3.4"), ("hf.co", "2001:db8::1")]


def test_a_mapped_address_is_written_with_dots() -> None:
    assert addresses(response(record("hf.co", "AAAA", "::ffff:1.2.3.4"))) == [
        ("hf.co", "::ffff:1.2.3.4")
    ]


def test_an_address_behind_aliases_is_spoken_for_every_name_of_the_chain() -> None:
    message = response(
        record("c.net", "A", "1.2.3.4"),
        record("hf.co", "CNAME", "b.net"),
        record("b.net", "CNAME", "c.net"),
    )
    assert addresses(message) == [(host, "1.2.3.4") for host in ("c.net", "b.net", "hf.co")]


def test_an_alias_of_something_else_does_not_get_the_address() -> None:
    message = response(record("x.net", "CNAME", "y.net"), record("hf.co", "A", "1.2.3.4"))
    assert addresses(message) == [("hf.co", "1.2.3.4")]


def test_an_address_behind_a_zone_that_sends_on_is_spoken_for_the_name_asked_for() -> None:
    message = response(
        record("net", "DNAME", "example"), record("a.example", "A", "1.2.3.4"), ask="a.net"
    )
    assert addresses(message) == [("a.example", "1.2.3.4"), ("a.net", "1.2.3.4")]


@pytest.mark.parametrize("asked", ["net", "anet", "a.net.other"])
def test_a_zone_sends_on_only_what_lies_below_it(asked: str) -> None:
    message = response(
        record("net", "DNAME", "example"), record("a.example", "A", "1.2.3.4"), ask=asked
    )
    assert addresses(message) == []


def test_zones_that_send_on_to_each_other_end_and_are_counted() -> None:
    zones = [record("a", "DNAME", f"z{number}.a") for number in range(20)]
    reading = read_message(response(*zones, record("a.example", "A", "1.2.3.4"), ask="x.a"))
    assert reading.unread is Unread.TRUNCATED


def test_aliases_in_a_circle_end() -> None:
    message = response(
        record("a.net", "CNAME", "b.net"),
        record("b.net", "CNAME", "a.net"),
        record("a.net", "A", "1.2.3.4"),
        ask="b.net",
    )
    assert addresses(message) == [("a.net", "1.2.3.4"), ("b.net", "1.2.3.4")]


def chain(length: int) -> list[bytes]:
    """Aliases from hf.co over a2.net, a1.net, … to a0.net."""
    names = [*(f"a{n}.net" for n in range(length)), "hf.co"]
    return [raw_record(names[n + 1], 5, wire(names[n])) for n in range(length)]


def test_more_aliases_than_we_follow_are_admitted() -> None:
    aliases = chain(MAX_ALIASES)
    reading = read_message(answer_of(*aliases, raw_record("a0.net", 1, b"\1\2\3\4")))
    assert len(reading.spoken) == MAX_ALIASES + 1
    assert reading.unread is Unread.TRUNCATED


def test_as_many_aliases_as_we_follow_are_whole() -> None:
    aliases = chain(MAX_ALIASES - 1)
    reading = read_message(answer_of(*aliases, raw_record("a0.net", 1, b"\1\2\3\4")))
    assert len(reading.spoken) == MAX_ALIASES + 1
    assert reading.unread is None


def test_addresses_beside_the_answer_are_spoken_if_the_question_leads_to_them() -> None:
    target = service(wire("cdn.net"))
    cdn = raw_record("cdn.net", 1, b"\1\2\3\4")
    both = answer_of(raw_record("hf.co", 65, target), cdn, qtype=65)
    moved = both[:6] + b"\0\1\0\0\0\1" + both[12:]
    assert addresses(moved) == [("cdn.net", "1.2.3.4"), ("hf.co", "1.2.3.4")]


def test_an_address_beside_no_answer_proves_nothing() -> None:
    address = raw_record("hf.co", 1, b"\1\2\3\4")
    answer = answer_of(address)
    beside = answer[:6] + b"\0\0\0\0\0\1" + answer[12:]
    assert (addresses(answer), unproven(answer)) == ([("hf.co", "1.2.3.4")], [])
    assert unproven(beside) == [("hf.co", "1.2.3.4", ("hf.co", "A"))]


def test_an_alias_beside_no_answer_proves_nothing() -> None:
    answer = answer_of(raw_record("hf.co", 5, wire("cdn.net")))
    beside = answer[:6] + b"\0\0\0\0\0\1" + answer[12:]
    ends = [word.source for word in read_message(beside).spoken if word.leads_to]
    assert ends == [NameSource.DNS_UNPROVEN]


def test_addresses_beside_the_answer_that_nobody_asked_for_are_not_spoken() -> None:
    message = response(ar=[record("ns.example", "A", "1.2.3.4")])
    assert addresses(message) == []
    assert owners(message) == [("ns.example", "A", True)]


def serving(kind: int, target: str, *, section: int = 0, class_: int = 1) -> bytes:
    """A response whose NS, MX or SRV record names a server, with the address of that beside."""
    front = {NS: b"", MX: b"\0\5", SRV: bytes(6)}[kind]
    counts = [0, 0, 1]
    counts[section] += 1
    question = wire("hf.co") + struct.pack(">HH", kind, 1)
    named = raw_record("hf.co", kind, front + wire(target), class_)
    glue = raw_record("srv.example", 1, b"\1\2\3\4")
    return header(1, *counts, flags=0x8180) + question + named + glue


def unproven(message: bytes) -> list[tuple[str, str | None, tuple[str, str] | None]]:
    return [
        (word.host, word.address, word.question)
        for word in read_message(message).spoken
        if word.source is NameSource.DNS_UNPROVEN
    ]


@pytest.mark.parametrize(("kind", "section"), [(NS, 0), (NS, 1), (MX, 0), (SRV, 0), (SRV, 2)])
def test_the_address_of_a_server_is_spoken_unproven(kind: int, section: int) -> None:
    word = {NS: "NS", MX: "MX", SRV: "SRV"}[kind]
    message = serving(kind, "srv.example", section=section)
    assert unproven(message) == [("srv.example", "1.2.3.4", ("hf.co", word))]
    assert owners(message) == [("srv.example", "A", True)]


@pytest.mark.parametrize(
    "message",
    [
        serving(SRV, "other.example"),
        serving(NS, "srv.example", class_=3),
        b"".join((QUERY[:2], b"\1\0", serving(NS, "srv.example")[4:])),
    ],
)
def test_other_addresses_beside_lead_nowhere(message: bytes) -> None:
    assert unproven(message) == []


def test_a_server_that_the_question_leads_to_is_proven() -> None:
    records = raw_record("hf.co", NS, wire("hf.co")), raw_record("hf.co", 1, b"\1\2\3\4")
    assert unproven(answer_of(*records)) == []
    assert addresses(answer_of(*records)) == [("hf.co", "1.2.3.4")]


@pytest.mark.parametrize("body", [b"", b"\0\0", wire("ab.c"), b"\0\5" + wire("a.b") + b"x"])
def test_a_server_whose_name_does_not_fill_its_record_is_malformed(body: bytes) -> None:
    assert read_message(answer_of(raw_record("hf.co", MX, body))).unread is Unread.MALFORMED


def test_an_address_says_which_question_it_answers() -> None:
    (_, nearest, first) = read_message(ANSWER).spoken
    assert (nearest.host, first.host) == ("cdn.net", "hf.co")
    assert nearest.question == first.question == ("hf.co", "A")


def test_an_alias_that_was_not_asked_for_vouches_for_no_address() -> None:
    message = response(record("good.example", "CNAME", "hf.co"), record("hf.co", "A", "1.2.3.4"))
    assert addresses(message) == [("hf.co", "1.2.3.4")]
    assert owners(message) == [("good.example", "CNAME", False)]


def test_a_response_without_question_speaks_the_owners_of_its_answers() -> None:
    orphan = header(0, 1, 0, 0, flags=0x8180) + raw_record("stolen.example", 1, b"\1\2\3\4")
    assert read_message(orphan).spoken == (
        Spoken("stolen.example", NameSource.DNS_ANSWER, qtype="A", owner=True),
    )


def test_the_id_of_a_message_is_told_and_a_stream_has_none() -> None:
    several = bytes(DNS(id=7, qd=[DNSQR(qname="a.b"), DNSQR(qname="c.d")]))
    assert (read_message(QUERY).transaction, read_message(several).transaction) == (7, 7)
    assert read_stream(over_tcp(QUERY)).transaction is None


def test_a_zone_above_the_question_says_nothing_more() -> None:
    message = response(ask="a.b.example", ns=[record("b.example", "NS", "ns.example")])
    assert owners(message) == []


@pytest.mark.parametrize("section", ["an", "ns", "ar"])
def test_the_owner_of_a_record_inside_a_query_is_asked_for(section: str) -> None:
    smuggled = [record("stolen.evil.example", "TXT", "x")]
    message = bytes(DNS(qr=0, qd=[DNSQR(qname="hf.co")], **{section: smuggled}))
    assert read_message(message).spoken == (
        Spoken("hf.co", NameSource.DNS_QUERY, qtype="A"),
        Spoken("stolen.evil.example", NameSource.DNS_QUERY, qtype="TXT"),
    )


def test_a_record_of_the_question_itself_is_not_asked_for_twice() -> None:
    message = bytes(DNS(qr=0, qd=[DNSQR(qname="hf.co")], ns=[record("hf.co", "NS", "x")]))
    assert len(read_message(message).spoken) == 1


@pytest.mark.parametrize("message", [QUERY, ANSWER], ids=["query", "response"])
def test_bytes_behind_a_message_are_malformed(message: bytes) -> None:
    reading = read_message(message + b"stolen")
    assert reading.spoken == read_message(message).spoken
    assert reading.unread is Unread.MALFORMED


@pytest.mark.parametrize("flags", [0, 0x0100, 0x7FFF])
def test_a_query_that_asks_nothing_is_malformed(flags: int) -> None:
    assert read_message(header(0, 0, 0, 0, flags=flags)).unread is Unread.MALFORMED


def test_names_beyond_what_one_message_may_speak_are_admitted() -> None:
    aliases = chain(MAX_ALIASES - 1)
    many = [raw_record("a0.net", 1, bytes([n % 256, n // 256, 0, 1])) for n in range(480)]
    reading = read_message(answer_of(*aliases, *many))
    assert len(reading.spoken) == MAX_SPOKEN
    assert reading.unread is Unread.TRUNCATED


def test_a_chain_of_pointers_is_followed_once() -> None:
    hops = [0xC00C, *(0xC000 | 12 + 9 + 11 + 2 * n for n in range(119))]
    chained = raw_record("", 16, b"".join(hop.to_bytes(2, "big") for hop in hops))[1:]
    question = wire("abc") + struct.pack(">HH", 1, 1)

    def reading(last: int) -> int:
        again = (0xC000 | 12 + 9 + 11 + 2 * last).to_bytes(2, "big")
        again += struct.pack(">HHIH", 16, 1, 0, 0)
        message = header(1, 511, 0, 0, flags=0x8000) + question + chained + again * 510
        read = read_message(message)
        assert read.unread is None
        assert [word.host for word in read.spoken] == ["abc"]
        return steps_of(lambda: read_message(message))

    assert reading(119) < 2 * reading(0)


def test_addresses_in_the_authority_section_are_not_spoken() -> None:
    assert addresses(response(ns=[record("ns.example", "A", "1.2.3.4")])) == []


def test_an_answer_inside_a_query_is_not_believed() -> None:
    forged = bytes(DNS(qr=0, qd=[DNSQR(qname="hf.co")], an=[record("hf.co", "A", "1.2.3.4")]))
    assert [word.source for word in read_message(forged).spoken] == [NameSource.DNS_QUERY]


def test_a_class_other_than_the_internet_has_no_addresses() -> None:
    chaos = raw_record("hf.co", 1, b"\1\2\3\4", class_=3)
    assert addresses(answer_of(chaos)) == []


def test_the_cache_flush_bit_of_mdns_changes_nothing() -> None:
    flush = raw_record("printer.local", 1, b"\1\2\3\4", class_=0x8001)
    assert addresses(answer_of(flush, ask="printer.local")) == [("printer.local", "1.2.3.4")]


def service(target: bytes, *parameters: tuple[int, bytes]) -> bytes:
    body = b"\0\1" + target
    return body + b"".join(struct.pack(">HH", key, len(value)) + value for key, value in parameters)


def test_address_hints_of_an_https_record_are_spoken_for_its_owner() -> None:
    hints = service(
        b"\0",
        (1, b"\2h2"),
        (4, IPv4Address("1.2.3.4").packed + IPv4Address("5.6.7.8").packed),
        (6, IPv6Address("2001:db8::1").packed),
    )
    found = addresses(answer_of(raw_record("hf.co", 65, hints)))
    assert found == [("hf.co", address) for address in ("1.2.3.4", "5.6.7.8", "2001:db8::1")]


def test_address_hints_for_another_target_are_spoken_for_both() -> None:
    hints = service(wire("cdn.net"), (4, b"\1\2\3\4"))
    found = addresses(answer_of(raw_record("hf.co", 64, hints)))
    assert found == [("cdn.net", "1.2.3.4"), ("hf.co", "1.2.3.4")]


@pytest.mark.parametrize(
    "lie",
    [
        raw_record("hf.co", 1, b"\1\2\3"),
        raw_record("hf.co", 28, b"\1\2\3\4"),
        raw_record("hf.co", 5, wire("cdn.net") + b"more"),
        raw_record("hf.co", 65, service(b"\0", (4, b"\1\2\3"))),
        raw_record("hf.co", 65, service(b"\0") + b"\0\4\0\x08\1\2\3\4"),
    ],
)
def test_a_record_whose_lengths_disagree_is_malformed(lie: bytes) -> None:
    reading = read_message(answer_of(raw_record("first.net", 1, b"\1\2\3\4"), lie, ask="first.net"))
    assert reading.unread is Unread.MALFORMED
    assert ("first.net", "1.2.3.4") in [(word.host, word.address) for word in reading.spoken]


def test_a_cut_message_is_truncated_and_speaks_what_stood_before() -> None:
    reading = read_message(ANSWER[:-2], complete=False)
    assert [word.host for word in reading.spoken] == ["hf.co"]
    assert reading.unread is Unread.TRUNCATED


def test_a_whole_message_that_ends_early_is_malformed() -> None:
    assert read_message(ANSWER[:-2]).unread is Unread.MALFORMED


def test_a_cut_behind_all_that_was_announced_takes_nothing() -> None:
    assert read_message(QUERY, complete=False).unread is None


@pytest.mark.parametrize(
    "noise", [b"", b"short", header(65535, 65535, 65535, 65535), header(0, 0, 0, 0) + b"tunnel"]
)
def test_what_is_no_dns_message_is_malformed_and_says_nothing(noise: bytes) -> None:
    reading = read_message(noise)
    assert reading.unread is Unread.MALFORMED
    assert not reading.spoken
    assert not reading.marks


def test_a_header_alone_is_a_message() -> None:
    reading = read_message(header(0, 0, 0, 0, flags=0x8001))
    assert reading.unread is None
    assert reading.marks == {"dns", "dns-response"}


def test_counts_that_lie_do_not_hide_what_is_there() -> None:
    message = header(65535, 65535, 65535, 65535) + QUERY[12:]
    reading = read_message(message)
    assert reading.spoken == (QUESTION,)
    assert reading.unread is Unread.MALFORMED


def test_questions_beyond_the_bound_are_admitted() -> None:
    one = wire("a.example") + b"\0\1\0\1"
    full = read_message(header(MAX_QUESTIONS, 0, 0, 0) + one * MAX_QUESTIONS)
    over = read_message(header(MAX_QUESTIONS + 1, 0, 0, 0) + one * (MAX_QUESTIONS + 1))
    assert len(full.spoken) == len(over.spoken) == MAX_QUESTIONS
    assert (full.unread, over.unread) == (None, Unread.TRUNCATED)


def test_records_beyond_the_bound_are_admitted() -> None:
    records = [raw_record("hf.co", 1, b"\1\2\3\4")] * (MAX_RECORDS + 1)
    full, over = read_message(answer_of(*records[1:])), read_message(answer_of(*records))
    assert len(full.spoken) == len(over.spoken) == MAX_RECORDS + 1
    assert (full.unread, over.unread) == (None, Unread.TRUNCATED)


def test_a_stream_speaks_all_its_messages() -> None:
    reading = read_stream(over_tcp(QUERY, ANSWER))
    assert reading.spoken == read_message(QUERY).spoken + read_message(ANSWER).spoken
    assert not reading.hungry


def test_a_stream_that_has_not_begun_is_hungry() -> None:
    assert read_stream(b"").hungry


@pytest.mark.parametrize("size", range(1, len(QUERY) + 2))
def test_a_stream_that_ends_inside_a_message_is_hungry(size: int) -> None:
    reading = read_stream(over_tcp(QUERY)[:size])
    assert reading.hungry
    assert reading.unread is None
    assert set(reading.spoken) <= {QUESTION}


def test_a_hungry_stream_speaks_the_messages_before() -> None:
    reading = read_stream(over_tcp(QUERY, ANSWER)[:-1])
    assert reading.hungry
    assert QUESTION in reading.spoken


def test_a_damaged_message_does_not_hide_the_next() -> None:
    reading = read_stream(over_tcp(b"short", QUERY))
    assert reading.spoken == (QUESTION,)
    assert reading.unread is Unread.MALFORMED


def test_another_protocol_on_the_port_does_not_stay_hungry() -> None:
    reading = read_stream(b"SSH-2.0-OpenSSH_9.6p1 Debian-4\r\n")
    assert reading.unread is Unread.MALFORMED
    assert not reading.hungry


def test_a_stream_is_read_on_from_where_a_reading_stopped() -> None:
    stream = over_tcp(QUERY, ANSWER)
    first = read_stream(stream[:-1])
    assert first.consumed == len(over_tcp(QUERY))
    assert first.spoken[: first.done] == (QUESTION,)
    rest = read_stream(stream, begin=first.consumed)
    assert rest.spoken == read_message(ANSWER).spoken
    assert rest.spoken[: len(first.spoken) - first.done] == first.spoken[first.done :]
    assert (rest.consumed, rest.done) == (len(stream), len(rest.spoken))


def test_a_stream_that_was_read_to_its_end_has_no_more_to_say() -> None:
    stream = over_tcp(QUERY)
    assert read_stream(stream, begin=len(stream)) == Reading(consumed=len(stream))


@given(st.lists(st.sampled_from([QUERY, ANSWER]), min_size=1, max_size=5), st.data())
def test_reading_on_says_what_reading_at_once_says(parts: list[bytes], data: st.DataObject) -> None:
    stream, spoken = over_tcp(*parts), list[Spoken]()
    begin = heard = size = 0
    while size < len(stream):
        size = data.draw(st.integers(size + 1, len(stream)))
        reading = read_stream(stream[:size], begin=begin)
        spoken += reading.spoken[heard:]
        begin, heard = reading.consumed, len(reading.spoken) - reading.done
    assert tuple(spoken) == read_stream(stream).spoken


def test_a_length_alone_does_not_make_a_stream_dns() -> None:
    assert could_begin_stream(over_tcp(QUERY))
    assert not could_begin_stream(over_tcp(QUERY)[:13])
    assert not could_begin_stream(b"\x17\x03" + header(65, 0, 0, 0))
    assert not could_begin_stream(b"\x17\x03" + header(1, 500, 13, 0))
    assert not could_begin_stream(b"POST / HTTP/1.1\r\n")


def test_what_no_message_begins_with_is_no_stream_once_enough_of_it_is_there() -> None:
    assert is_no_stream(b"POST / HTTP/1.1\r\n")
    assert not is_no_stream(b"POST / HTTP/1")
    assert not is_no_stream(over_tcp(QUERY))


def test_a_stream_is_read_to_its_last_message() -> None:
    full = read_stream(over_tcp(*[QUERY] * 1500))
    assert (len(full.spoken), full.unread, full.then) == (1500, None, read_stream)


@given(st.binary(), st.booleans())
def test_any_bytes_are_read_without_raising(noise: bytes, complete: bool) -> None:
    read_message(noise, complete)
    read_stream(noise)


@given(st.lists(st.integers(0, 65535), min_size=4, max_size=4), st.binary(), st.integers(0, 65535))
def test_any_bytes_behind_a_header_are_read_without_raising(
    counts: list[int], noise: bytes, flags: int
) -> None:
    read_message(header(*counts, flags=flags) + noise)


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255))
def test_a_damaged_byte_never_raises(at: int, byte: int) -> None:
    read_message(ANSWER[:at] + bytes([byte]) + ANSWER[at + 1 :])


@given(st.integers(0, len(ANSWER) - 1))
def test_a_cut_answer_says_nothing_that_the_whole_one_does_not(size: int) -> None:
    reading = read_message(ANSWER[:size], complete=False)
    assert set(reading.spoken) <= set(read_message(ANSWER).spoken)
    assert reading.unread is Unread.TRUNCATED
