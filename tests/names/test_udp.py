"""Datagrams go to their readers, and what is kept between two of them is bounded and counted."""

import pytest

from egress_audit.model.flow import NameSource
from egress_audit.names import udp
from egress_audit.names.reading import NOTHING, Reading
from egress_audit.names.udp import SEVERAL, UdpReaders
from tests.builders.captures import client_hello_message, dns_query
from tests.builders.dtls import body, whole
from tests.builders.quic import DCID, crypto, initial

HELLO = client_hello_message("long.example", post_quantum=True)
FIRST, SECOND = initial(crypto(HELLO[:900])), initial(crypto(HELLO[900:], 900), number=1)
SEARCH = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: ssdp:all\r\n\r\n"


def read(readers: UdpReaders, kind: str, payload: bytes, flow: int = 0) -> Reading:
    reading = readers.read(kind, (flow, True, payload, True))[0]
    assert isinstance(reading, Reading)
    return reading


def unread(readers: UdpReaders) -> dict[str, list[int]]:
    readers.finish()
    return {why: list(flows) for why, flows in readers.unread_in.items()}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("DNS", NameSource.DNS_QUERY),
        ("mDNS", NameSource.MDNS),
        ("LLMNR", NameSource.LLMNR),
        ("NetBIOS names", NameSource.NETBIOS),
    ],
)
def test_a_query_is_read_by_its_protocol(kind: str, source: NameSource) -> None:
    (spoken,) = read(UdpReaders(), kind, dns_query("a.example")).spoken
    assert (spoken.host, spoken.source) == ("a.example", source)


def test_ssdp_speaks_its_host() -> None:
    readers = UdpReaders()
    (spoken,) = read(readers, "SSDP", SEARCH).spoken
    assert (spoken.host, spoken.source) == ("239.255.255.250", NameSource.HTTP_HOST)
    assert unread(readers) == {}


def test_ssdp_without_its_end_is_unread() -> None:
    readers = UdpReaders()
    assert read(readers, "SSDP", SEARCH[:-2]).spoken
    assert unread(readers) == {"SSDP, malformed": [0]}


@pytest.mark.parametrize("size", [0, 4, 30])
def test_ssdp_that_the_recording_cut_is_truncated(size: int) -> None:
    readers = UdpReaders()
    readers.read("SSDP", (0, True, SEARCH[:size], False))
    assert unread(readers) == {"SSDP, truncated": [0]}


@pytest.mark.parametrize("payload", [b"\0\1\2", b"HELLO"])
def test_what_is_no_ssdp_says_nothing(payload: bytes) -> None:
    assert read(UdpReaders(), "SSDP", payload) == NOTHING


def test_an_unread_datagram_is_counted_with_its_flow() -> None:
    readers = UdpReaders()
    read(readers, "DNS", b"\0", flow=7)
    read(readers, "mDNS", b"\0", flow=8)
    assert unread(readers) == {"DNS, malformed": [7], "mDNS, malformed": [8]}


def test_a_hello_in_two_datagrams_is_read() -> None:
    readers = UdpReaders()
    assert read(readers, "QUIC", FIRST) == Reading(marks=frozenset({"quic"}), hungry=True)
    assert [word.host for word in read(readers, "QUIC", SECOND).spoken] == ["long.example"]
    assert unread(readers) == {}


def test_the_other_half_of_another_flow_is_not_it() -> None:
    readers = UdpReaders()
    read(readers, "QUIC", FIRST, flow=1)
    assert not read(readers, "QUIC", SECOND, flow=2).spoken
    assert unread(readers) == {"QUIC, never completed": [1, 2]}


def test_past_the_bound_of_flows_the_oldest_unfinished_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp, "MAX_FLOWS", 2)
    readers = UdpReaders()
    for flow in (1, 2, 1, 3):
        read(readers, "QUIC", FIRST, flow)
    assert unread(readers) == {
        "QUIC, too many at once": [2],
        "QUIC, never completed": [1, 3],
    }


def test_past_the_bound_of_bytes_the_oldest_unfinished_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp, "MAX_HELD", 2000)
    readers = UdpReaders()
    for flow in (1, 2, 3):
        read(readers, "QUIC", FIRST, flow)
    assert readers._held == 1800
    assert unread(readers)["QUIC, too many at once"] == [1]


def test_a_flow_that_was_read_to_its_end_goes_uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "MAX_FLOWS", 1)
    readers = UdpReaders()
    for flow in (1, 2):
        read(readers, "QUIC", FIRST, flow)
        read(readers, "QUIC", SECOND, flow)
    assert unread(readers) == {}


def test_a_flow_whose_reader_had_enough_is_not_wanted_any_more() -> None:
    readers = UdpReaders()
    ends = [readers.read("QUIC", (1, True, FIRST, True))[1] for _ in range(64)]
    assert ends == [False] * 63 + [True]
    assert readers._held == 0
    assert unread(readers) == {"QUIC, truncated": [1]}


def test_work_for_nothing_is_bounded_over_all_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "MAX_FUTILE", 3)
    readers = UdpReaders()
    foreign = initial(b"\1", keys_of=bytes(8), to=DCID)
    ends = [readers.read("QUIC", (flow, True, foreign, True))[1] for flow in range(5)]
    assert ends == [False] * 3 + [True] * 2
    assert unread(readers) == {"QUIC, truncated": [3, 4]}


@pytest.mark.parametrize("kind", ["DNS", "DNS on another port"])
def test_several_messages_at_once_are_left_to_be_cut_apart(kind: str) -> None:
    readers, query = UdpReaders(), dns_query("a.example")
    assert read(readers, kind, query * 2) is SEVERAL
    assert read(readers, kind, query * 2 + b"more") is not SEVERAL


def test_a_dns_message_on_another_port_is_read_and_what_only_begins_like_one_is_not() -> None:
    query = dns_query("a.example")
    kind, readers = "DNS on another port", UdpReaders()
    assert [spoken.host for spoken in read(readers, kind, query).spoken] == ["a.example"]
    for other in (query[:-1], query[:20], bytes(40)):
        assert read(readers, kind, other) == NOTHING
    assert unread(readers) == {}


def test_one_on_another_port_that_may_be_taken_for_a_question_could_not_be_read() -> None:
    query, readers = dns_query("a.example"), UdpReaders()
    for other in (query + b"more", query.replace(b"a\7example", b"a\7ex\0mple")):
        assert not read(readers, "DNS on another port", other).spoken
    assert unread(readers) == {"DNS on another port, malformed": [0, 0]}


LIKE_DNS = "DNS on another port"
LIKE_A_QUESTION = b"\x16\xfe\0\0\0\1\0\0\0\0\0"
"""The header of a record, up to its length, which has the counts of a question."""


def test_a_question_whose_id_looks_like_a_record_is_read() -> None:
    readers = UdpReaders()
    question = b"\x16\xfe" + dns_query("a-long-enough-name.example")[2:]
    (spoken,) = read(readers, LIKE_DNS, question).spoken
    assert (spoken.host, spoken.source) == ("a-long-enough-name.example", NameSource.DNS_QUERY)
    assert unread(readers) == {}


def test_a_hello_in_a_record_that_looks_like_a_question_is_read() -> None:
    readers = UdpReaders()
    hello = whole(body("a.example"))
    (spoken,) = read(readers, LIKE_DNS, LIKE_A_QUESTION + hello[11:]).spoken
    assert (spoken.host, spoken.source) == ("a.example", NameSource.DTLS_SNI)
    assert unread(readers) == {}


def test_half_a_hello_in_such_a_record_is_counted_as_one() -> None:
    readers = UdpReaders()
    half = whole(body("a.example"))[:60]
    assert not read(readers, LIKE_DNS, LIKE_A_QUESTION + half[11:]).spoken
    assert unread(readers) == {"DTLS, malformed": [0]}
