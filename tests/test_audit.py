"""Frames in, a verdict out: what whole captures say, made packet by packet."""

import io
from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.addresses import Scope
from egress_audit.audit import Asserted, audited
from egress_audit.audited import Audited
from egress_audit.capture.pcap import PcapSource, read_header
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.classify.destination import embedded_classifier
from egress_audit.errors import WrongUsage
from egress_audit.flows import quotes
from egress_audit.judge.profile import load_profile
from egress_audit.model.audit import Audit, Direction, Kind, Verdict
from egress_audit.model.flow import NameSource
from tests.builders.captures import (
    START_NS,
    UDP,
    Frame,
    arp,
    client_hello,
    dns_answer,
    dns_query,
    ethernet,
    http_request,
    icmp,
    ip,
    ipv4,
    over_tcp,
    pcap,
    tcp,
    tcp_session,
    udp,
    udp_exchange,
)
from tests.builders.strategies import damaged_captures

OURS = ("10.0.0.2", 40000)
ALL = Asserted(("all",))
LOCAL = (ip_network("10.0.0.2"),)
CLASSIFIER = embedded_classifier()


def judged(
    frames: Sequence[Frame],
    profile: str = "offline",
    *,
    asserted: Asserted = ALL,
    local: bool = True,
) -> Audited:
    """The audit of these frames, all six assertions made and our address given."""
    raw = pcap(frames)
    header = read_header(raw)
    assert header is not None
    source = PcapSource("made.pcap", Window(io.BytesIO(raw)), header)
    return audited(
        source,
        load_profile(profile),
        embedded_classifier(),
        local=LOCAL if local else (),
        asserted=asserted,
    )


def rules(audit: Audit) -> set[str]:
    return {finding.rule for finding in audit.findings}


def material(audit: Audit) -> set[str]:
    return {spot.id for spot in audit.blind_spots if spot.material}


LOOPBACK = tcp_session(
    ("127.0.0.1", 40000), ("127.0.0.1", 8080), http_request("localhost"), b"HTTP/1.1 200 OK\r\n\r\n"
)


def test_traffic_on_loopback_alone_holds() -> None:
    audit = judged(LOOPBACK).audit
    assert (audit.verdict, material(audit)) == (Verdict.HOLDS, set())


def test_one_packet_to_the_internet_is_enough() -> None:
    frames = [*LOOPBACK, Frame(START_NS, ethernet(ip("10.0.0.2", "8.8.8.8", udp(4, 4), UDP)))]
    audit = judged(frames).audit
    assert (audit.verdict, rules(audit)) == (Verdict.VIOLATED, {"EA001"})


def test_a_question_to_a_resolver_on_loopback_is_egress_by_name() -> None:
    frames = udp_exchange(("127.0.0.1", 4), ("127.0.0.53", 53), dns_query("hub.example"))
    audit = judged(frames).audit
    assert (audit.verdict, rules(audit)) == (Verdict.VIOLATED, {"EA002"})


def test_a_question_for_localhost_is_no_egress() -> None:
    frames = udp_exchange(("127.0.0.1", 4), ("127.0.0.53", 53), dns_query("localhost"))
    assert judged(frames).audit.verdict is Verdict.HOLDS


def test_a_question_over_tcp_is_a_question() -> None:
    query = over_tcp(dns_query("hub.example")) + over_tcp(dns_query("second.example"))
    frames = tcp_session(("127.0.0.1", 4), ("127.0.0.53", 53), query)
    asked = [s.names[0].host for s in judged(frames).audit.observations if s.kind is Kind.QUESTION]
    assert asked == ["hub.example", "second.example"]


def test_a_question_over_tcp_that_is_cut_leaves_a_blind_spot() -> None:
    query = over_tcp(dns_query("localhost")) + over_tcp(dns_query("localhost"))[:-3]
    frames = tcp_session(("127.0.0.1", 4), ("127.0.0.53", 53), query)
    assert "names-unread" in material(judged(frames).audit)


def test_a_whole_question_over_tcp_leaves_none() -> None:
    frames = tcp_session(("127.0.0.1", 4), ("127.0.0.53", 53), over_tcp(dns_query("localhost")))
    assert "names-unread" not in material(judged(frames).audit)


def test_a_proxy_request_that_never_ended_still_names_its_target() -> None:
    connect = b"CONNECT hub.example:443 HTTP/1.1\r\n"
    audit = judged(tcp_session(("127.0.0.1", 4), ("127.0.0.1", 7890), connect)).audit
    assert rules(audit) == {"EA005"}


def test_an_answer_whose_question_was_not_recorded_shows_the_question() -> None:
    answer = dns_answer("hub.example", ["192.0.2.7"])
    frames = udp_exchange(("127.0.0.53", 53), ("127.0.0.1", 4), answer)
    audit = judged(frames).audit
    assert "EA002" in rules(audit)


def test_a_tunnel_through_a_local_proxy_is_judged_by_its_target() -> None:
    connect = b"CONNECT hub.example:443 HTTP/1.1\r\nHost: hub.example:443\r\n\r\n"
    frames = tcp_session(("127.0.0.1", 4), ("127.0.0.1", 7890), connect)
    audit = judged(frames).audit
    assert (audit.verdict, rules(audit)) == (Verdict.VIOLATED, {"EA005"})


def test_an_address_is_named_by_the_answer_that_led_to_it() -> None:
    question = udp_exchange(
        OURS, ("10.0.0.1", 53), dns_query("hub.example"), dns_answer("hub.example", ["192.0.2.7"])
    )
    session = tcp_session(OURS, ("192.0.2.7", 443), start_ns=START_NS + 10**9)
    contacts = {s.far_h: s for s in judged([*question, *session]).audit.observations}
    (use,) = contacts["192.0.2.7"].names
    assert (use.host, use.sources) == ("hub.example", (NameSource.DNS_ANSWER,))


def test_an_answer_that_came_later_names_nothing() -> None:
    session = tcp_session(OURS, ("192.0.2.7", 443))
    question = udp_exchange(
        OURS,
        ("10.0.0.1", 53),
        dns_query("hub.example"),
        dns_answer("hub.example", ["192.0.2.7"]),
        start_ns=START_NS + 10**9,
    )
    contacts = {s.far_h: s for s in judged([*session, *question]).audit.observations}
    assert contacts["192.0.2.7"].names == ()


def test_a_post_quantum_hello_in_two_segments_has_its_name() -> None:
    hello = client_hello("hub.example", post_quantum=True)
    assert len(hello) > 1400
    result = judged(tcp_session(OURS, ("192.0.2.7", 443), hello))
    (seen,) = result.audit.observations
    assert (seen.names[0].host, seen.tls_flows) == ("hub.example", 1)


def test_a_hello_whose_segments_arrive_in_the_wrong_order_has_its_name() -> None:
    frames = tcp_session(OURS, ("192.0.2.7", 443), client_hello("hub.example", post_quantum=True))
    frames[3], frames[4] = frames[4], frames[3]
    (seen,) = judged(frames).audit.observations
    assert seen.names[0].host == "hub.example"


def test_what_a_stranger_asked_is_not_what_we_sent() -> None:
    frames = tcp_session(
        ("192.0.2.9", 5), ("10.0.0.2", 8080), http_request("10.0.0.2"), b"HTTP/1.1"
    )
    audit = judged(frames).audit
    (seen,) = audit.observations
    assert (seen.direction, audit.verdict) == (Direction.INBOUND, Verdict.HOLDS)


def test_a_guess_of_our_address_excuses_nobody() -> None:
    frames = tcp_session(
        ("192.0.2.9", 5), ("10.0.0.2", 8080), http_request("10.0.0.2"), b"HTTP/1.1"
    )
    again = tcp_session(("192.0.2.8", 5), ("10.0.0.2", 8080), start_ns=START_NS + 10**9)
    audit = judged([*frames, *again], local=False).audit
    assert "own-addresses-guessed" in material(audit)
    assert audit.verdict is Verdict.INCONCLUSIVE


def test_the_answer_of_a_neighbour_is_not_held_to_be_ours() -> None:
    answer = ethernet(ip("fd00::1", "fd00::2", icmp(136), 58))
    audit = judged(at(answer), local=False).audit
    assert audit.own_addresses.prefixes == ("fd00::2",)
    assert audit.verdict is Verdict.INCONCLUSIVE


CHINA_TELECOM = "202.96.128.86"


@pytest.mark.parametrize("profile", ["offline", "no-china"])
def test_a_guess_never_takes_a_stranger_for_ourselves(profile: str) -> None:
    frames = udp_exchange((CHINA_TELECOM, 5), OURS, b"hello", b"a secret")
    audit = judged(frames, profile, local=False).audit
    assert audit.own_addresses.prefixes == ("10.0.0.2",)
    assert [seen.far_h for seen in audit.observations] == [CHINA_TELECOM]
    assert audit.verdict is Verdict.INCONCLUSIVE
    assert "own-addresses-guessed" in material(audit)


@pytest.mark.parametrize("profile", ["offline", "no-china"])
def test_two_own_addresses_do_not_make_their_common_far_end_ours(profile: str) -> None:
    frames = [
        *tcp_session(("10.0.0.2", 4), (CHINA_TELECOM, 443)),
        *tcp_session(("192.168.1.2", 4), (CHINA_TELECOM, 443), start_ns=START_NS + 10**9),
    ]
    audit = judged(frames, profile, local=False).audit
    assert audit.verdict is Verdict.VIOLATED
    assert {seen.far_h for seen in audit.observations} == {CHINA_TELECOM}


def test_a_verdict_that_holds_by_given_addresses_says_so() -> None:
    frames = tcp_session(("192.0.2.9", 5), OURS, http_request("10.0.0.2"), b"HTTP/1.1")
    audit = judged(frames).audit
    assert audit.headline.startswith("HOLDS, on these assertions and the own addresses you gave")


def raw_segment(
    sender: str, receiver: str, ports: tuple[int, int], flags: str, payload: bytes = b""
) -> bytes:
    return ethernet(ip(sender, receiver, tcp(*ports, flags, 1, 1, payload), 6))


def at(*packets: bytes) -> list[Frame]:
    return [Frame(START_NS + number * 1000, packet) for number, packet in enumerate(packets)]


@pytest.mark.parametrize("sender", ["10.0.0.2", "127.0.0.1"])
def test_an_answer_to_a_question_that_nobody_asked_is_egress(sender: str) -> None:
    audit = judged(at(raw_segment(sender, "8.8.8.8", (443, 5555), "SA", b"secret"))).audit
    assert audit.verdict is Verdict.VIOLATED


def test_a_refused_answer_to_a_question_that_nobody_asked_is_egress() -> None:
    ours = raw_segment("10.0.0.2", "8.8.8.8", (443, 5555), "SA", b"secret")
    refusal = raw_segment("8.8.8.8", "10.0.0.2", (5555, 443), "R")
    assert judged(at(ours, refusal)).audit.verdict is Verdict.VIOLATED


def test_a_stray_syn_does_not_turn_our_own_connection_round() -> None:
    stray = Frame(START_NS, raw_segment("8.8.8.8", "10.0.0.2", (443, 40000), "S"))
    session = tcp_session(OURS, ("8.8.8.8", 443), start_ns=START_NS + 10**9)
    assert judged([stray, *session]).audit.verdict is Verdict.VIOLATED


def test_a_guess_does_not_let_a_packet_from_loopback_out() -> None:
    frames = at(ethernet(ip("127.0.0.1", "8.8.8.8", udp(123, 40000, b"secret"), UDP)))
    assert judged(frames, local=False).audit.verdict is Verdict.VIOLATED


@pytest.mark.parametrize("ports", [(123, 40000), (5, 6)])
def test_a_packet_of_an_address_that_was_not_given_is_judged_by_where_it_goes(
    ports: tuple[int, int],
) -> None:
    frames = at(ethernet(ip("10.0.0.3", CHINA_TELECOM, udp(*ports, b"secret"), UDP)))
    audit = judged(frames, "no-china").audit
    assert audit.verdict is Verdict.VIOLATED
    assert "foreign-flows" in material(audit)


@pytest.mark.parametrize(
    "ends", [("10.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("10.0.0.2", "10.0.0.2")]
)
def test_a_packet_to_ourselves_that_went_to_another_machine_never_holds(
    ends: tuple[str, str],
) -> None:
    packet = ip(*ends, udp(40000, 9, b"x" * 1000), UDP)
    on_wire = judged(at(ethernet(packet, dst=b"\x02\0\0\0\0\x02"))).audit
    assert on_wire.verdict is Verdict.INCONCLUSIVE
    assert material(on_wire) == {"loopback-on-the-wire"}
    assert on_wire.coverage.loopback_on_wire == 1
    on_loopback = judged(at(ethernet(packet, dst=bytes(6), src=bytes(6)))).audit
    assert on_loopback.verdict is Verdict.HOLDS


def test_a_source_route_leads_where_nobody_looked() -> None:
    routed = ipv4(
        "127.0.0.1",
        "127.0.0.1",
        udp(1, 2000, b"x"),
        UDP,
        options=bytes([131, 7, 4, 8, 8, 8, 8]),
    )
    audit = judged(at(ethernet(routed))).audit
    assert material(audit) == {"source-routes"}


def test_an_icmp_error_before_what_it_answers_is_no_answer() -> None:
    ours = ipv4("10.0.0.2", "8.8.8.8", icmp(3, 3, b"secret" * 50), 1)
    theirs = ip("8.8.8.8", "10.0.0.2", udp(5, 6), UDP)
    assert judged(at(ethernet(ours), ethernet(theirs))).audit.verdict is Verdict.VIOLATED


def test_an_icmp_error_answers_no_icmp_error() -> None:
    theirs = ipv4("8.8.8.8", "10.0.0.2", icmp(3, 3, bytes(28)), 1)
    ours = ipv4("10.0.0.2", "8.8.8.8", icmp(3, 3, b"secret" * 50), 1)
    assert judged(at(ethernet(theirs), ethernet(ours))).audit.verdict is Verdict.VIOLATED


def test_more_icmp_errors_than_there_was_to_answer_are_egress() -> None:
    theirs = ip("8.8.8.8", "10.0.0.2", udp(5, 6), UDP)
    ours = [ethernet(ipv4("10.0.0.2", "8.8.8.8", icmp(3, 3, bytes(28)), 1))] * 2
    assert judged(at(ethernet(theirs), *ours)).audit.verdict is Verdict.VIOLATED


@pytest.mark.parametrize("flags", ["SA", "RA", "FA"])
def test_an_answer_from_outside_shows_that_our_question_is_missing(flags: str) -> None:
    frames = at(raw_segment("8.8.8.8", "10.0.0.2", (443, 40000), flags))
    assert material(judged(frames).audit) == {"one-way"}


def test_datagrams_of_a_server_that_nobody_asked_are_one_way() -> None:
    frames = at(ethernet(ip("8.8.8.8", "10.0.0.2", udp(443, 40000, b"x"), UDP)))
    assert material(judged(frames).audit) == {"one-way"}


def test_an_error_that_quotes_a_packet_of_ours_shows_that_it_is_missing() -> None:
    quoted = ip("10.0.0.2", "8.8.8.8", udp(5, 6), UDP)
    frames = at(ethernet(ipv4("8.8.8.8", "10.0.0.2", icmp(3, 3, quoted), 1)))
    assert material(judged(frames).audit) == {"answers-unprompted"}


@pytest.mark.parametrize("sender", ["10.0.0.1", "10.0.0.2", "8.8.8.8"])
def test_so_it_does_once_we_have_sent_something_else(sender: str) -> None:
    other = ip("10.0.0.2", "10.0.0.9", udp(5, 6), UDP)
    quoted = ip("10.0.0.2", "8.8.8.8", udp(5, 6), UDP)
    frames = at(ethernet(other), ethernet(ipv4(sender, "10.0.0.2", icmp(3, 1, quoted), 1)))
    assert "answers-unprompted" in material(judged(frames).audit)


def test_an_error_of_our_own_kernel_alone_does_not_hold() -> None:
    quoted = ip("10.0.0.2", "8.8.8.8", tcp(40000, 443, "S"), 6)
    frames = at(ethernet(ipv4("10.0.0.2", "10.0.0.2", icmp(3, 1, quoted), 1)))
    assert material(judged(frames).audit) == {"answers-unprompted"}


def test_an_error_that_quotes_what_is_in_the_capture_is_no_blind_spot() -> None:
    sent = ip("127.0.0.1", "127.0.0.1", udp(40000, 9), UDP)
    frames = at(ethernet(sent), ethernet(ipv4("127.0.0.1", "127.0.0.1", icmp(3, 3, sent), 1)))
    assert judged(frames).audit.verdict is Verdict.HOLDS


def errors_of(*ends: tuple[str, str]) -> list[Frame]:
    """A datagram from each sender to its receiver, and the error that comes back."""
    frames: list[bytes] = []
    for sender, receiver in ends:
        probe = ip(sender, receiver, udp(5, 9), UDP)
        frames += [ethernet(probe), ethernet(ipv4(receiver, sender, icmp(3, 3, probe), 1))]
    return at(*frames)


@pytest.mark.parametrize(("ours", "material_too"), [(False, set()), (True, {"answers-unprompted"})])
def test_of_quotes_beyond_the_bound_only_those_told_to_us_may_be_of_what_is_missing(
    ours: bool, material_too: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotes, "MAX_QUOTES", 1)
    strangers = [(f"192.0.2.{number}", "10.0.0.2") for number in range(5)]
    frames = errors_of(*([(ends[1], ends[0]) for ends in strangers] if ours else strangers))
    assert material(judged(frames).audit) == material_too


def test_our_icmp_error_to_a_stranger_is_no_egress() -> None:
    probe = ip("192.0.2.9", "10.0.0.2", udp(5, 9), UDP)
    error = ipv4("10.0.0.2", "192.0.2.9", icmp(3, 3, probe[:28]), 1)
    frames = [Frame(START_NS, ethernet(probe)), Frame(START_NS + 1, ethernet(error))]
    assert judged(frames).audit.verdict is Verdict.HOLDS


def test_an_icmp_error_to_somebody_who_never_spoke_is() -> None:
    error = ipv4("10.0.0.2", "192.0.2.9", icmp(3, 3, bytes(28)), 1)
    audit = judged([Frame(START_NS, ethernet(error))]).audit
    assert audit.verdict is Verdict.VIOLATED


def test_a_host_name_sent_in_the_clear_names_its_address() -> None:
    frames = tcp_session(OURS, ("192.0.2.7", 80), http_request("hub.example"))
    (seen,) = judged(frames).audit.observations
    assert seen.names[0].sources == (NameSource.HTTP_HOST,)


def test_china_telecom_violates_no_china() -> None:
    audit = judged(tcp_session(OURS, ("202.96.128.86", 443)), "no-china").audit
    assert audit.verdict is Verdict.VIOLATED
    assert rules(audit) == {"EA006", "EA007"}


def test_a_chinese_cloud_abroad_is_controlled_from_china() -> None:
    audit = judged(tcp_session(OURS, ("47.74.0.1", 443)), "no-china").audit
    assert rules(audit) == {"EA007"}


def test_an_anycast_address_is_unknown_and_never_no() -> None:
    audit = judged(tcp_session(OURS, ("104.16.0.1", 443)), "no-china").audit
    assert audit.verdict is Verdict.INCONCLUSIVE
    assert {"location-unknown", "control-unknown"} <= material(audit)


def test_a_name_that_was_resolved_to_china_and_not_contacted_is_not_clean() -> None:
    frames = udp_exchange(
        OURS, ("10.0.0.1", 53), dns_query("a.example"), dns_answer("a.example", ["202.96.128.86"])
    )
    audit = judged(frames, "no-china").audit
    assert rules(audit) == {"EA006", "EA007"}


def test_every_frame_stands_in_exactly_one_counter() -> None:
    asked = ethernet(arp(), ethertype=0x0806)
    odd = ethernet(b"x" * 30, ethertype=0x88B5)
    frames = [*LOOPBACK, Frame(START_NS, asked), Frame(START_NS, odd)]
    coverage = judged(frames).audit.coverage
    assert coverage.frames == len(frames)
    assert coverage.packets == len(LOOPBACK)
    assert (coverage.no_destination, coverage.undecoded) == ({"ARP": 1}, {"ethertype 0x88b5": 1})


def test_an_arp_frame_cannot_carry_a_destination_and_an_unknown_type_can() -> None:
    asked = Frame(START_NS, ethernet(arp(), ethertype=0x0806))
    odd = Frame(START_NS, ethernet(b"x" * 30, ethertype=0x88B5))
    assert judged([*LOOPBACK, asked]).audit.verdict is Verdict.HOLDS
    assert material(judged([*LOOPBACK, odd]).audit) == {"frames-undecoded"}


def test_bytes_behind_an_arp_question_are_not_passed_over() -> None:
    more = Frame(START_NS, ethernet(arp() + b"exfil" * 30, ethertype=0x0806))
    assert material(judged([*LOOPBACK, more]).audit) == {"frames-undecoded"}


def test_a_packet_to_ourselves_stays_at_home() -> None:
    frames = tcp_session(("10.0.0.2", 4), ("10.0.0.2", 8080))
    (seen,) = judged(frames).audit.observations
    assert (seen.direction, seen.destination.scope) == (Direction.INTERNAL, Scope.LOOPBACK)


def test_two_addresses_of_ours_are_judged_by_where_they_are() -> None:
    frames = tcp_session(("10.0.0.2", 4), ("10.0.0.3", 8080))
    raw = judged(frames).audit
    assert raw.verdict is Verdict.VIOLATED


def test_an_assertion_that_is_none_is_refused_before_anything_is_read() -> None:
    with pytest.raises(WrongUsage):
        judged(LOOPBACK, asserted=Asserted(("no-drop",)))


def test_assertions_are_bound_to_the_capture() -> None:
    audit = judged(LOOPBACK).audit
    assert {a.evidence for a in audit.assertions} == {(audit.evidence[0].sha256,)}


def test_an_address_that_is_once_ours_and_once_far_makes_a_guess_no_better() -> None:
    report = ipv4("8.8.4.4", "224.0.0.22", b"\x22" + bytes(7), 2)
    frames = at(
        ethernet(report), ethernet(ip("8.8.4.4", "10.0.0.9", udp(40000, 9999, b"secret"), UDP))
    )
    audit = judged(frames, local=False).audit
    assert "own-addresses-guessed" in material(audit)


def test_a_stray_echo_reply_does_not_make_our_pings_somebody_elses() -> None:
    reply = ethernet(ipv4("8.8.8.8", "10.0.0.2", icmp(0, 0, b"x"), 1))
    pings = [ethernet(ipv4("10.0.0.2", "8.8.8.8", icmp(8, 0, b"secret"), 1))] * 3
    assert judged(at(reply, *pings)).audit.verdict is Verdict.VIOLATED


def test_one_packet_excuses_one_icmp_error_whatever_its_code() -> None:
    theirs = ethernet(ip("8.8.8.8", "10.0.0.2", udp(999, 999), UDP))
    errors = [ethernet(ipv4("10.0.0.2", "8.8.8.8", icmp(3, c, bytes(28)), 1)) for c in range(9)]
    assert judged(at(theirs, *errors)).audit.verdict is Verdict.VIOLATED
    assert judged(at(theirs, errors[0])).audit.verdict is Verdict.HOLDS


def test_who_sent_first_is_told_by_the_times_and_not_by_the_file() -> None:
    theirs = Frame(START_NS + 1000, ethernet(ip("8.8.8.8", "10.0.0.2", udp(9999, 40000), UDP)))
    ours = Frame(START_NS, ethernet(ip("10.0.0.2", "8.8.8.8", udp(40000, 9999, b"secret"), UDP)))
    assert judged([theirs, ours]).audit.verdict is Verdict.VIOLATED


def test_between_two_servers_ports_nobody_knows_who_began() -> None:
    theirs = ethernet(ip("8.8.8.8", "10.0.0.2", udp(123, 123), UDP))
    ours = ethernet(ip("10.0.0.2", "8.8.8.8", udp(123, 123, b"secret"), UDP))
    assert judged(at(theirs, ours)).audit.verdict is Verdict.VIOLATED
    assert material(judged(at(theirs)).audit) == {"one-way"}


@pytest.mark.parametrize("flags", ["SF", "SR", "SFA"])
def test_an_odd_syn_of_ours_is_a_syn_of_ours(flags: str) -> None:
    theirs = raw_segment("8.8.8.8", "10.0.0.2", (9999, 40000), "S")
    ours = raw_segment("10.0.0.2", "8.8.8.8", (40000, 9999), flags)
    assert judged(at(theirs, ours)).audit.verdict is Verdict.VIOLATED


def test_an_icmp_error_between_two_others_is_nobodys_answer() -> None:
    error = ethernet(ipv4("8.8.8.8", "192.0.2.7", icmp(3, 3, bytes(28)), 1))
    assert judged(at(error)).audit.verdict is Verdict.VIOLATED


@settings(max_examples=60)
@given(damaged_captures(), st.sampled_from(["offline", "no-china"]), st.booleans())
def test_no_damage_keeps_a_capture_from_its_verdict(data: bytes, profile: str, local: bool) -> None:
    source = source_of("damaged", Window(io.BytesIO(data)))
    if source is None:
        return
    given_addresses = LOCAL if local else ()
    result = audited(source, load_profile(profile), CLASSIFIER, local=given_addresses, asserted=ALL)
    coverage = result.audit.coverage
    counted = sum(coverage.no_destination.values()) + sum(coverage.undecoded.values())
    assert coverage.frames == coverage.packets + counted
    assert len(list(result.flow_records())) == coverage.flows
    assert result.audit.headline


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16"])
def test_a_metadata_service_of_some_cloud_leaves_no_china_open(address: str) -> None:
    audit = judged(tcp_session(OURS, (address, 80)), "no-china").audit
    assert audit.verdict is Verdict.INCONCLUSIVE
    assert {"location-unknown", "control-unknown"} <= material(audit)


def test_alibabas_metadata_service_violates_no_china() -> None:
    audit = judged(tcp_session(OURS, ("100.100.100.200", 80)), "no-china").audit
    assert rules(audit) == {"EA009"}


def test_a_metadata_service_violates_offline() -> None:
    assert rules(judged(tcp_session(OURS, ("169.254.169.254", 80))).audit) == {"EA004"}
