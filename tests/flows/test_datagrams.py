"""Of all datagrams those leave the columns in which a name may be; on any port, and no other."""

from collections.abc import Sequence

import pytest

from egress_audit.decode.ledger import Ledger
from egress_audit.flows.datagrams import Datagram, Datagrams, Kind
from egress_audit.flows.table import FlowTable
from egress_audit.names.gquic import PLAIN_VERSIONS
from egress_audit.names.quic_protection import SALTS
from tests.builders.captures import Frame, dns_answer, dns_query, pcap, udp_exchange
from tests.builders.engine import SMALLEST_BLOCK, opened, packets_of
from tests.builders.quic import DRAFT_29, V1, V2, initial

CLIENT = ("10.0.0.2", 40000)
INITIAL = initial(b"\1")
HELLO = b"\x16\xfe\xfd" + bytes(10) + b"\1" + bytes(20)
TWO_MESSAGES = b"\x16\xfe\xfd" + bytes(8) + b"\0\x18\x14" + bytes(11) + b"\1" + bytes(11)
"""A record of an empty message that is early, and the beginning of a hello."""
ALERT = b"\x15\xfe\xfd" + bytes(9) + b"\2\1\0"


def taken(frames: Sequence[Frame], sate_after: int = 99) -> list[Datagram]:
    """The datagrams of a capture, a frame at a time; flow 0 is sated once so many were taken."""
    found: list[Datagram] = []
    table, wanted = FlowTable(), Datagrams(SALTS, PLAIN_VERSIONS)
    for batch in opened(pcap(frames), SMALLEST_BLOCK):
        packets = packets_of(batch, Ledger())
        for datagram in wanted.take(packets, table.add(packets)):
            found.append(datagram)
            if len(found) == sate_after:
                wanted.sate(0)
    return found


def kind_of(payload: bytes, port: int = 4433) -> Kind | None:
    """What a single datagram to some port is taken for; None if it is not taken."""
    kinds = [found.kind for found in taken(udp_exchange(CLIENT, ("192.0.2.1", port), payload))]
    return kinds[0] if kinds else None


def test_every_datagram_of_the_dns_is_handed_on() -> None:
    frames = udp_exchange(CLIENT, ("192.0.2.1", 53), dns_query("a.example"), b"answer")
    frames += udp_exchange(CLIENT, ("192.0.2.1", 443), b"not the dns")
    assert [(d.kind, d.frame, d.by_orig, d.complete) for d in taken(frames)] == [
        (Kind.DNS, 1, True, True),
        (Kind.DNS, 2, False, True),
    ]


@pytest.mark.parametrize(
    ("payload", "port", "kind"),
    [
        (b"\xc3\x1a\x2a\x3a\x4a", 443, Kind.OTHER_QUIC),
        (b"\xc3\x1a\x2a\x3a\x4a", 4433, None),
        (b"\xc3\x1a\x2a\x3a", 443, None),
        (b"\xc3\0\0\0\0 negotiation", 443, None),
        (b"\xc0\x65\x64\x44\x64", 443, Kind.OTHER_QUIC),
        (b"\xbf\x65\x64\x44\x64 media", 443, None),
        (b"\x43\x1a\x2a\x3a\x4a short header", 443, None),
    ],
)
def test_a_version_that_nobody_knows_is_taken_at_the_port_of_quic(
    payload: bytes, port: int, kind: Kind | None
) -> None:
    assert kind_of(payload, port) is kind


def test_a_datagram_that_was_cut_says_so() -> None:
    (frame,) = udp_exchange(CLIENT, ("192.0.2.1", 53), bytes(100))
    (datagram,) = taken([Frame(0, frame.data[:60], len(frame.data))])
    assert (len(datagram.payload), datagram.complete) == (18, False)


@pytest.mark.parametrize(
    ("port", "kind"),
    [
        (5353, Kind.MDNS),
        (5355, Kind.LLMNR),
        (137, Kind.NETBIOS),
        (1900, Kind.SSDP),
        (443, None),
        (3478, None),
    ],
)
def test_what_ports_say_is_taken(port: int, kind: Kind | None) -> None:
    assert kind_of(b"x", port) is kind


@pytest.mark.parametrize("kin", [5353, 5355, 137, 1900])
def test_what_is_sent_to_a_resolver_from_a_port_of_the_kin_is_of_the_dns(kin: int) -> None:
    (frame,) = udp_exchange(("10.0.0.2", kin), ("192.0.2.1", 53), b"x")
    assert [datagram.kind for datagram in taken([frame])] == [Kind.DNS]


@pytest.mark.parametrize("version", [V1, V2, DRAFT_29])
@pytest.mark.parametrize("port", [443, 4433, 53])
def test_an_initial_is_taken_on_any_port(version: int, port: int) -> None:
    assert kind_of(initial(b"\1", version=version), port) is Kind.QUIC


FORCED = b"\xc3\x1a\x2a\x3a\x4a\x08" + bytes(1194)
"""Of 1200 octets, to a connection ID of 8."""


@pytest.mark.parametrize("version", [b"\x0a\x0a\x0a\x0a", b"\xfa\x1a\x2a\x3a"])
@pytest.mark.parametrize("port", [443, 4433])
def test_so_is_one_that_forces_a_negotiation_of_the_version(version: bytes, port: int) -> None:
    assert kind_of(FORCED[:1] + version + FORCED[5:], port) is Kind.QUIC
    assert kind_of(FORCED[:5] + b"\x14" + FORCED[6:], port) is Kind.QUIC


@pytest.mark.parametrize(
    "payload",
    [
        FORCED[:-1],
        b"\xd3" + FORCED[1:],
        FORCED[:1] + b"\x1a\x2a\x3a\x4b" + FORCED[5:],
        FORCED[:5] + b"\x07" + FORCED[6:],
        FORCED[:5] + b"\x15" + FORCED[6:],
    ],
)
def test_what_forces_none_or_is_no_clients_initial_is_taken_at_the_port_of_quic_alone(
    payload: bytes,
) -> None:
    assert kind_of(payload) is None
    assert kind_of(payload, 443) is Kind.OTHER_QUIC


@pytest.mark.parametrize("version", [b"Q044", b"Q046"])
def test_a_long_header_of_googles_is_taken_on_any_port(version: bytes) -> None:
    assert kind_of(b"\xc3" + version + bytes(20)) is Kind.GQUIC


@pytest.mark.parametrize("version", [b"Q043", b"Q024", b"Q035"])
def test_an_old_header_of_googles_is_taken_on_any_port(version: bytes) -> None:
    assert kind_of(b"\x0d" + bytes(8) + version + bytes(20)) is Kind.GQUIC


@pytest.mark.parametrize(
    "payload",
    [
        b"\x40" + INITIAL[1:],
        INITIAL[:4],
        b"\xc0\0\0\0\0" + bytes(20),
        b"\xc0\x1a\x2a\x3a\x4a" + bytes(20),
        b"\xff" * 30,
        b"\x0d" + bytes(8) + b"Q0x3" + bytes(20),
        b"\x0d" + bytes(8) + b"Q043",
        b"\x0c" + bytes(8) + b"Q043" + bytes(20),
    ],
)
def test_what_names_no_known_version_of_quic_is_not_taken(payload: bytes) -> None:
    assert kind_of(payload) is None


@pytest.mark.parametrize("version", [b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc", b"\1\0"])
def test_a_hello_of_dtls_is_taken_on_any_port(version: bytes) -> None:
    assert kind_of(HELLO[:1] + version + HELLO[3:]) is Kind.DTLS


def question(octets: bytes) -> bytes:
    """A query of the DNS with this ID, and flags after it."""
    return octets + dns_query("a-long-enough-name.example")[len(octets) :]


RECORD_LIKE = [*(question(bytes((kind, 0xFE))) for kind in range(20, 27)), question(b"\x17\1\0\0")]
"""Questions that begin as records do; the last one does not ask for recursion."""


@pytest.mark.parametrize("payload", RECORD_LIKE)
@pytest.mark.parametrize(
    ("port", "kind"),
    [
        (53, Kind.DNS),
        (5353, Kind.MDNS),
        (5355, Kind.LLMNR),
        (137, Kind.NETBIOS),
        (443, Kind.LIKE_DNS),
        (1900, Kind.LIKE_DNS),
        (9953, Kind.LIKE_DNS),
    ],
)
def test_a_question_whose_id_looks_like_a_record_is_one_of_the_dns(
    payload: bytes, port: int, kind: Kind
) -> None:
    assert kind_of(payload, port) is kind


@pytest.mark.parametrize("port", [53, 5353, 1900])
def test_a_hello_of_dtls_is_taken_at_the_ports_of_the_dns_too(port: int) -> None:
    assert kind_of(HELLO, port) is Kind.DTLS


def test_what_may_be_an_update_of_the_dns_is_one_at_its_port() -> None:
    assert kind_of(b"\x16\xfe\x28" + HELLO[3:], 53) is Kind.DNS


@pytest.mark.parametrize("kind", range(20, 27))
def test_one_behind_another_record_is_taken(kind: int) -> None:
    assert kind_of(bytes([kind]) + ALERT[1:] + HELLO) is Kind.DTLS


def test_one_behind_another_message_in_its_record_is_taken() -> None:
    assert kind_of(TWO_MESSAGES) is Kind.DTLS


@pytest.mark.parametrize(
    "payload",
    [
        HELLO[:13],
        HELLO[:13] + b"\2",
        TWO_MESSAGES[:12] + b"\x0c" + TWO_MESSAGES[13:25],
        b"\x17" + HELLO[1:26],
        ALERT,
        b"\x13" + HELLO[1:],
        b"\x16\3\3" + HELLO[3:],
    ],
)
def test_a_record_that_is_no_hello_of_dtls_is_not_taken(payload: bytes) -> None:
    assert kind_of(payload) is None


def test_after_its_reader_had_enough_a_flow_gives_no_more_handshakes() -> None:
    frames = udp_exchange(CLIENT, ("192.0.2.1", 4433), INITIAL) * 5
    assert len(taken(frames)) == 5
    assert len(taken(frames, sate_after=2)) == 2


def test_other_flows_and_the_dns_are_not_silenced_by_that() -> None:
    frames = udp_exchange(CLIENT, ("192.0.2.1", 53), INITIAL, b"dns") * 2
    frames += udp_exchange(CLIENT, ("192.0.2.2", 443), INITIAL)
    kinds = [(found.flow, found.kind) for found in taken(frames, sate_after=1)]
    assert kinds == [(0, Kind.QUIC), (0, Kind.DNS), (0, Kind.DNS), (1, Kind.QUIC)]


def test_tcp_is_not_looked_at() -> None:
    frame = udp_exchange(CLIENT, ("192.0.2.1", 53), INITIAL)[0]
    as_tcp = bytearray(frame.data)
    as_tcp[14 + 9] = 6
    assert taken([Frame(0, bytes(as_tcp), len(as_tcp))]) == []


@pytest.mark.parametrize(
    "payload", [dns_query("a.example"), dns_answer("a.example", ["192.0.2.1"])]
)
def test_what_has_the_header_of_a_dns_message_is_taken_on_any_port(payload: bytes) -> None:
    assert kind_of(payload, 9053) is Kind.LIKE_DNS


QUERY = dns_query("a.example")


@pytest.mark.parametrize(
    "payload",
    [
        QUERY[:12],
        QUERY[:2] + b"\x29\0" + QUERY[4:],
        QUERY[:4] + b"\0\2" + QUERY[6:],
        QUERY[:6] + b"\0\1" + QUERY[8:],
        QUERY[:8] + b"\0\1" + QUERY[10:],
        QUERY[:10] + b"\0\3" + QUERY[12:],
    ],
    ids=["cut", "update", "two questions", "an answer in a query", "authority", "three beside"],
)
def test_what_has_no_header_of_a_dns_message_is_not_taken(payload: bytes) -> None:
    assert kind_of(payload, 9053) is None
