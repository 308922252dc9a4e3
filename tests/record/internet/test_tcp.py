"""Many connections: found, timed, and bounded in number."""

from random import Random

from egress_audit.record.internet.dialogue import IDLE_NS
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.record.internet.tcp import MAX_TIMERS_AT_ONCE
from tests.builders.packets import TCP, ip, tcp
from tests.builders.tcp_client import CLIENT, SECOND_NS, SERVER, TcpClient

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def test_connections_differ_by_any_port() -> None:
    internet = Internet(InternetSettings())
    clients = [
        TcpClient(internet, port, sport=sport) for port in (80, 81) for sport in (40_000, 40_001)
    ]
    for client in clients:
        client.connect()
    for client in clients:
        client.send("PA", GET)
        assert client.closed


def test_sequence_numbers_come_from_the_generator_that_was_given() -> None:
    first, second, third = (
        TcpClient(Internet(InternetSettings(), Random(seed))).connect().seq for seed in (1, 1, 2)
    )
    assert first == second != third


def test_segments_of_no_connection_are_refused() -> None:
    one = TcpClient(Internet(InternetSettings()))
    assert one.send("A", ack=5)[0][:2] == ("R", 5)
    assert one.send("F")[0].flags == "RA"
    assert one.send("SA", ack=5)[0].flags == "R"
    assert one.send("SF")[0].flags == "RA"
    assert one.send("R") == []
    assert one.internet.unanswered == {"tcp: RST of no connection": 1}


def test_a_header_that_is_not_all_there_is_counted() -> None:
    internet = Internet(InternetSettings())
    assert internet.answer(ip(CLIENT, SERVER, tcp(1, 2)[:19], TCP), 0) == []
    assert internet.unanswered == {"malformed: TCP header": 1}


def test_the_connection_that_was_silent_longest_makes_room() -> None:
    internet = Internet(InternetSettings(max_connections=2))
    first, second, third = (TcpClient(internet, sport=port) for port in (1, 2, 3))
    first.connect()
    second.connect()
    first.send("PA", b"GET")
    packets = internet.answer(ip(CLIENT, SERVER, tcp(3, 80, "S"), TCP), 0)
    assert len(packets) == 2, "a RST to the second, a SYN-ACK to the third"
    assert packets[0][33] & 4
    assert packets[0][22:24] == (2).to_bytes(2, "big")
    (limit,) = internet.limits()
    assert limit.endswith(": connections reset for newer ones (1)")
    assert second.send("A")[0].flags == "R"
    assert first.send("PA", b" /")[0].flags == "A"
    assert third.send("S", seq=0)


def test_a_client_that_says_nothing_is_closed_when_it_was_idle_long_enough() -> None:
    one = TcpClient(Internet(InternetSettings()))
    one.connect()
    begin_ns = one.now_ns
    assert one.wait(299) == []
    assert one.internet.next_due_ns == begin_ns + IDLE_NS
    assert [answer.flags for answer in one.wait(1.4)] == ["FA"]


def test_a_client_that_waits_for_a_banner_gets_one() -> None:
    one = TcpClient(Internet(InternetSettings()), 25)
    one.connect()
    assert one.wait(2.9) == []
    one.wait(0.2)
    assert one.said.startswith(b"220 ")
    one.send("PA", b"EHLO me\r\n")
    assert b"\r\n421 " in one.said
    assert one.closed


def test_bytes_that_nobody_understands_are_closed_after_a_pause() -> None:
    one = TcpClient(Internet(InternetSettings()))
    one.connect()
    one.send("PA", b"\xff\xfe\xfd")
    one.wait(4)
    one.send("PA", b"\xff")
    assert one.wait(4.9) == [], "the pause begins anew with each byte"
    assert [answer.flags for answer in one.wait(0.2)] == ["FA"]


def test_one_call_looks_at_a_bounded_number_of_connections() -> None:
    internet = Internet(InternetSettings())
    for port in range(2 * MAX_TIMERS_AT_ONCE):
        internet.answer(ip(CLIENT, SERVER, tcp(port, 80, "S"), TCP), 0)
    assert len(internet.due(SECOND_NS)) == MAX_TIMERS_AT_ONCE
    assert internet.next_due_ns == SECOND_NS, "the rest is due at once"
    assert len(internet.due(SECOND_NS)) == MAX_TIMERS_AT_ONCE
    assert internet.due(SECOND_NS) == []


def test_a_mtu_bounds_the_segments_both_ways() -> None:
    answer = TcpClient(Internet(InternetSettings(mtu=1280))).connect()
    assert int.from_bytes(answer.options[2:], "big") == 1240
