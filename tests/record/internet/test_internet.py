"""Every packet has its answer, or the reason why it has none."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS
from scapy.layers.inet import ICMP as SCAPY_ICMP
from scapy.layers.inet import IP
from scapy.layers.inet import UDP as SCAPY_UDP

from egress_audit.errors import WrongUsage
from egress_audit.model.run import Network
from egress_audit.record.internet.fragments import MAX_DATAGRAMS
from egress_audit.record.internet.internet import TAKEN, Internet
from egress_audit.record.internet.settings import InternetSettings
from tests.builders.packets import (
    FRAGMENT,
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    fragment,
    icmp,
    ip,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from tests.builders.tcp_client import heard

A, B, RESOLVER = "10.87.0.2", "93.184.216.34", "10.87.0.1"
A6, B6 = "fd00:e6e4::2", "2606:2800::1"
QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\7example\3com\0\0\1\0\1"
SEALED = InternetSettings(mode=Network.SEALED, resolvers=frozenset({RESOLVER}))
SIMULATED = InternetSettings()


def answers(packet: bytes, settings: InternetSettings = SIMULATED) -> list[bytes]:
    """What a fresh internet says to one packet."""
    return Internet(settings).answer(packet, 0)


def reasons(packet: bytes, settings: InternetSettings = SIMULATED) -> dict[str, int]:
    """Why a fresh internet says nothing to one packet."""
    internet = Internet(settings)
    assert internet.answer(packet, 0) == []
    return dict(internet.unanswered)


def icmp_of(packet: bytes) -> tuple[int, int]:
    """Type and code of an ICMP message of ours, of either version."""
    at = 20 if packet[0] >> 4 == 4 else 40
    return packet[at], packet[at + 1]


@pytest.mark.parametrize("resolver", [RESOLVER, "8.8.8.8"])
def test_any_address_answers_dns(resolver: str) -> None:
    internet = Internet(SIMULATED)
    (packet,) = internet.answer(ip(A, resolver, udp(4000, 53, QUERY), UDP), 0)
    layer = IP(packet)
    assert (layer.src, layer.dst) == (resolver, A)
    assert (layer[SCAPY_UDP].sport, layer[SCAPY_UDP].dport) == (53, 4000)
    assert DNS(bytes(layer[SCAPY_UDP].payload)).an[0].rdata == "198.18.0.1"
    assert internet.names == {"198.18.0.1": "example.com"}
    assert internet.new_names() == [("example.com", "198.18.0.1")]
    assert internet.new_names() == []


def test_a_view_of_a_buffer_is_as_good_as_bytes() -> None:
    packet = ip(A, B, icmp(8), ICMP)
    assert Internet(SIMULATED).answer(memoryview(packet), 0) == answers(packet)


def test_datagrams_are_taken_in_silence_and_counted() -> None:
    assert reasons(ip(A, B, udp(1, 443, bytes(1200)), UDP)) == {TAKEN: 1}
    assert reasons(ip(A, B, udp(1, 2, length=7), UDP)) == {"malformed: UDP header": 1}
    assert reasons(ip(A, B, udp(1, 2, length=9), UDP)) == {"malformed: UDP header": 1}


def test_a_clock_and_stun_are_answered() -> None:
    assert answers(ip(A, B, udp(123, 123, b"\x23" + bytes(47)), UDP))
    binding = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
    assert answers(ip(A6, B6, udp(5000, 3478, binding), UDP))


def test_pings_come_back() -> None:
    assert icmp_of(answers(ip(A, B, icmp(8), ICMP))[0]) == (0, 0)
    assert icmp_of(answers(ip(A6, B6, icmp(128), ICMPV6))[0]) == (129, 0)


def test_other_protocols_and_messages_are_counted() -> None:
    assert reasons(ip(A, B, bytes(12), 132)) == {"protocol 132": 1}
    assert reasons(ip(A, B, icmp(13), ICMP)) == {"icmp: no echo request": 1}
    assert reasons(ip(A, "224.0.0.251", udp(5353, 5353, QUERY), UDP)) == {
        "multicast or broadcast": 1
    }


def test_fragments_are_put_together_before_they_are_answered() -> None:
    internet = Internet(SIMULATED)
    body = icmp(8, payload=bytes(28))
    pieces = [
        ipv4(A, B, body[at : at + 16], ICMP, fragment_offset=at, more_fragments=at < 16)
        for at in range(0, 36, 16)
    ]
    pieces[1] = ipv4(A, B, body[16:32], ICMP, fragment_offset=16, more_fragments=True)
    assert [len(internet.answer(piece, 0)) for piece in pieces] == [0, 0, 1]
    assert internet.unanswered == {"fragment: waits for others": 2}


def test_a_fragment_of_a_fragment_goes_no_deeper() -> None:
    lone = fragment(0, more=False)
    nested = ipv6(A6, B6, udp(1, 2), UDP, [(FRAGMENT, lone)] * 3)
    assert reasons(nested) == {"fragment: of a fragment": 1}


@pytest.mark.parametrize("settings", [SIMULATED, SEALED])
def test_sentinels_are_swallowed_whatever_comes(settings: InternetSettings) -> None:
    swallowing = InternetSettings(
        mode=settings.mode, swallow=frozenset({B, B6}), resolvers=frozenset({RESOLVER})
    )
    for packet in (
        ip(A, B, tcp(1, 2), TCP),
        ip(A, B, udp(1, 53, QUERY), UDP),
        ip(A, B, icmp(8), ICMP),
        ip(A6, B6, tcp(1, 2), TCP),
    ):
        assert reasons(packet, swallowing) == {"swallowed": 1}


def test_names_of_our_probes_are_swallowed_in_both_modes() -> None:
    for mode in (Network.SEALED, Network.SIMULATED):
        settings = InternetSettings(
            mode=mode, swallow_suffix="example.com", resolvers=frozenset({RESOLVER})
        )
        assert reasons(ip(A, RESOLVER, udp(1, 53, QUERY), UDP), settings) == {"swallowed": 1}


def test_sealed_resets_connections() -> None:
    (packet,) = answers(ip(A, B, tcp(1, 2, "S", 7), TCP), SEALED)
    assert heard(packet)[:3] == ("RA", 0, 8)
    assert reasons(ip(A, B, tcp(1, 2, "R"), TCP), SEALED) == {"tcp: RST of no connection": 1}


def test_sealed_has_no_ports() -> None:
    assert icmp_of(answers(ip(A, B, udp(1, 443), UDP), SEALED)[0]) == (3, 3)
    assert icmp_of(answers(ip(A6, B6, udp(1, 443), UDP), SEALED)[0]) == (1, 4)
    assert icmp_of(answers(ip(A, B, udp(1, 53, QUERY), UDP), SEALED)[0]) == (3, 3)


def test_sealed_resolvers_fail_at_once() -> None:
    internet = Internet(SEALED)
    (packet,) = internet.answer(ip(A, RESOLVER, udp(1, 53, QUERY), UDP), 0)
    answer = DNS(bytes(IP(packet)[SCAPY_UDP].payload))
    assert (answer.rcode, answer.qd[0].qname) == (2, b"example.com.")
    assert internet.names == {}


def test_sealed_refuses_pings_and_other_protocols() -> None:
    assert icmp_of(answers(ip(A, B, icmp(8), ICMP), SEALED)[0]) == (3, 10)
    assert icmp_of(answers(ip(A, B, bytes(12), 132), SEALED)[0]) == (3, 2)
    assert icmp_of(answers(ip(A6, B6, bytes(12), 132), SEALED)[0]) == (4, 1)


@pytest.mark.parametrize("settings", [SIMULATED, SEALED])
def test_nothing_is_said_to_an_error(settings: InternetSettings) -> None:
    quoted = icmp(3, 3, ip(A, B, udp(1, 2), UDP))
    assert reasons(ip(A, B, quoted, ICMP), settings) == {"icmp: an error": 1}


def test_without_ipv6_its_packets_are_unreachable() -> None:
    settings = InternetSettings(ipv6=False)
    assert icmp_of(answers(ip(A6, B6, tcp(1, 2), TCP), settings)[0]) == (1, 0)
    assert icmp_of(answers(ip(A6, B6, udp(1, 53, QUERY), UDP), settings)[0]) == (1, 4)
    assert answers(ip(A, B, tcp(1, 2), TCP), settings)


def test_a_refused_packet_stands_in_the_refusal() -> None:
    packet = ip(A, B, udp(1, 443, b"secret"), UDP)
    (answer,) = answers(packet, SEALED)
    assert bytes(IP(answer)[SCAPY_ICMP].payload) == packet


@pytest.mark.parametrize(
    "settings",
    [
        InternetSettings(mode=Network.OPEN),
        InternetSettings(answer_range4="everywhere"),
        InternetSettings(answer_range6="10.0.0.0/8"),
        InternetSettings(answer_range4="fd00::/64"),
        InternetSettings(swallow=frozenset({"nowhere"})),
        InternetSettings(reflexive4="::1"),
        InternetSettings(mtu=1000),
    ],
)
def test_settings_that_mean_nothing_are_wrong_usage(settings: InternetSettings) -> None:
    with pytest.raises(WrongUsage):
        Internet(settings)


GOOD = (
    ip(A, B, tcp(1, 80, "S"), TCP),
    ip(A6, B6, tcp(1, 80, "S"), TCP),
    ip(A, B, tcp(1, 80, "PA", 1, 1, b"GET / HTTP/1.1\r\n\r\n"), TCP),
    ip(A, B, udp(1, 53, QUERY), UDP),
    ip(A6, B6, udp(1, 53, QUERY), UDP),
    ip(A, B, udp(1, 3478, b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)), UDP),
    ip(A, B, udp(123, 123, b"\x23" + bytes(47)), UDP),
    ip(A6, B6, icmp(128, payload=b"x"), ICMPV6),
    ipv4(A, B, udp(1, 2, bytes(8)), UDP, more_fragments=True),
    ipv6(A6, B6, udp(1, 2), UDP, [(FRAGMENT, fragment(8, more=False))]),
)
MUTATIONS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), max_size=4)
INTERNETS = [
    Internet(settings)
    for settings in (SIMULATED, SEALED, InternetSettings(ipv6=False, max_connections=3))
]


@given(st.sampled_from(GOOD), MUTATIONS, st.integers(0, 120), st.integers(0, 10**10))
def test_mutated_packets_never_raise(
    packet: bytes, mutations: list[tuple[int, int]], cut: int, now_ns: int
) -> None:
    mutated = bytearray(packet)
    for at, byte in mutations:
        mutated[at % len(mutated)] = byte
    for internet in INTERNETS:
        for raw in (bytes(mutated), bytes(mutated[:cut])):
            told = internet.answer(raw, now_ns) + internet.due(now_ns)
            assert all(answer[0] >> 4 in (4, 6) for answer in told)


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(raw: bytes) -> None:
    for internet in INTERNETS:
        for packet in (raw, b"\x45" + raw, b"\x60" + raw):
            internet.answer(packet, 0)


def test_every_packet_without_an_answer_is_counted_once() -> None:
    internet = Internet(SIMULATED)
    packets = [ip(A, B, udp(1, 443), UDP), b"", ip(A, "224.0.0.1", udp(1, 2), UDP)]
    for packet in packets:
        assert internet.answer(packet, 0) == []
    assert internet.unanswered.total() == len(packets)


@pytest.mark.parametrize(
    ("packet", "what"),
    [
        (ip(A, B, udp(1, 443, bytes(1200)), UDP), TAKEN),
        (ip(A, B, bytes(12), 132), "protocol 132"),
    ],
)
def test_what_a_real_server_might_have_answered_is_a_limit(packet: bytes, what: str) -> None:
    internet = Internet(SIMULATED)
    internet.answer(packet, 0)
    internet.answer(packet, 0)
    assert internet.limits() == [f"what the simulated network did not answer: {what} (2)"]


@pytest.mark.parametrize(
    "packet",
    [
        ip(A, RESOLVER, udp(4000, 53, QUERY), UDP),
        ip(A, B, tcp(1, 80, "S"), TCP),
        ip(A, B, tcp(1, 80, "R"), TCP),
        ip(A, "224.0.0.251", udp(5353, 5353, QUERY), UDP),
        b"",
    ],
    ids=["DNS", "SYN", "RST", "mDNS", "nothing"],
)
def test_what_is_answered_or_would_be_by_nobody_is_no_limit(packet: bytes) -> None:
    internet = Internet(SIMULATED)
    internet.answer(packet, 0)
    assert internet.limits() == []


def test_names_beyond_the_last_address_are_a_limit() -> None:
    internet = Internet(InternetSettings(answer_range4="203.0.113.1/32"))
    for host in (b"\1a", b"\1b"):
        query = b"\0\7\1\0\0\1" + bytes(6) + host + b"\0\0\1\0\1"
        internet.answer(ip(A, B, udp(1, 53, query), UDP), 0)
    (limit,) = internet.limits()
    assert limit.endswith(": questions when no address was left (1)")


def test_fragments_that_gave_way_to_others_are_a_limit() -> None:
    internet = Internet(SIMULATED)
    whole = udp(1, 2, bytes(40))
    for ident in range(MAX_DATAGRAMS + 1):
        internet.answer(ipv4(A, B, whole[:16], UDP, more_fragments=True, identification=ident), 0)
    (limit,) = internet.limits()
    assert limit.endswith(": fragmented datagrams given up for newer ones (1)")


def test_invented_addresses_lie_in_the_ranges_that_were_asked_for() -> None:
    internet = Internet(InternetSettings(answer_range4="203.0.113.0/24"))
    internet.answer(ip(A, B, udp(1, 53, QUERY), UDP), 0)
    assert [ip_address(text) for text in internet.names] == [ip_address("203.0.113.1")]
