"""Ports and conversations of this process's sockets: whose each packet is."""

import socket
from contextlib import closing

import pytest

from egress_audit.model.protocols import ICMP, TCP, UDP
from egress_audit.record import local_ports as module
from egress_audit.record.local_ports import LocalPorts, address_of, back, protocol_of
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import Ends
from tests.builders.packets import packed
from tests.builders.runs import process

pytestmark = pytest.mark.opens_sockets

INET, STREAM, DGRAM, MPTCP = socket.AF_INET, socket.SOCK_STREAM, socket.SOCK_DGRAM, 262
ONE, TWO = process(2), process(3)
HERE, FAR, FARTHER = packed("127.0.0.1"), packed("203.0.113.9"), packed("203.0.113.10")
FAR_AT_53 = SocketAddress(INET, "203.0.113.9", 53)


def ends(proto: int = TCP, port: int = 4000, target: bytes = FAR, to: int = 53) -> Ends:
    return Ends(proto, HERE, port, target, to, False)


def bound(ports: LocalPorts) -> int:
    """A port of the loopback that ONE has for datagrams."""
    with closing(socket.socket(INET, DGRAM, UDP)) as made:
        made.bind(("127.0.0.1", 0))
        return ports.note(made, ONE)


def test_what_is_sent_from_a_noted_port_is_its_owner_s() -> None:
    ports = LocalPorts()
    assert ports.owner(ends(UDP, bound(ports))) == ONE


def test_what_is_sent_from_another_port_is_nobody_s() -> None:
    ports = LocalPorts()
    assert ports.owner(ends(UDP, bound(ports) ^ 1)) is None


def test_a_socket_without_a_port_has_none_to_note() -> None:
    with socket.socket(INET, DGRAM) as made:
        assert LocalPorts().note(made, ONE) == 0


def test_a_conversation_goes_before_its_port() -> None:
    ports = LocalPorts()
    port = bound(ports)
    ports.begin(ends(UDP, port), TWO)
    assert ports.owner(ends(UDP, port)) == TWO


def test_a_conversation_with_another_place_leaves_the_port_its_owner_s() -> None:
    ports = LocalPorts()
    port = bound(ports)
    ports.begin(ends(UDP, port, FARTHER), TWO)
    assert ports.owner(ends(UDP, port)) == ONE


def test_connections_of_two_addresses_of_ours_are_two() -> None:
    ports = LocalPorts()
    ports.begin(ends(), ONE)
    ports.begin(ends()._replace(source=FARTHER), TWO)
    assert ports.owner(ends()) == ONE


def test_a_datagram_is_known_by_where_its_call_wanted_to() -> None:
    ports = LocalPorts()
    ports.told(UDP, 4000, [FAR_AT_53], ONE)
    assert ports.conversing(ends(UDP)) == ONE
    assert ports.conversing(ends(UDP, to=54)) is None


def test_an_echo_has_no_port_to_be_known_by() -> None:
    ports = LocalPorts()
    ports.told(ICMP, 4000, [FAR_AT_53], ONE)
    assert ports.conversing(ends(ICMP, to=0)) == ONE


def test_a_connect_alone_begins_no_connection() -> None:
    ports = LocalPorts()
    ports.told(TCP, 4000, [FAR_AT_53], ONE)
    assert ports.conversing(ends()) is None


def test_a_call_without_an_address_of_ip_tells_of_no_place() -> None:
    ports = LocalPorts()
    ports.told(UDP, 4000, [SocketAddress(0, "", None)], ONE)
    assert ports.conversing(ends(UDP)) is None


def test_a_conversation_that_is_forgotten_is_nobody_s() -> None:
    ports = LocalPorts()
    ports.begin(ends(), ONE)
    ports.forget(ends())
    assert ports.owner(ends()) is None


def test_forgetting_what_was_not_known_changes_nothing() -> None:
    ports = LocalPorts()
    ports.begin(ends(), ONE)
    ports.forget(back(ends()))
    assert ports.owner(ends()) == ONE


@pytest.mark.parametrize(("most", "kept"), [(2, False), (3, True)])
def test_the_oldest_conversation_goes_first(
    monkeypatch: pytest.MonkeyPatch, most: int, kept: bool
) -> None:
    monkeypatch.setattr(module, "MOST_PORTS", most)
    ports = LocalPorts()
    for port in (4000, 4001, 4002):
        ports.begin(ends(port=port), ONE)
    assert (ports.owner(ends()) is ONE) == kept
    assert ports.owner(ends(port=4002)) is ONE


def test_an_answer_goes_the_other_way() -> None:
    assert back(ends()) == Ends(TCP, FAR, 53, HERE, 4000, False)


@pytest.mark.parametrize(
    ("said", "bytes_"),
    [
        ("203.0.113.9", FAR),
        ("::ffff:203.0.113.9", FAR),
        ("2001:db8::9", packed("2001:db8::9")),
        ("fe80::1%2", packed("fe80::1")),
    ],
)
def test_an_address_is_that_of_the_packets(said: str, bytes_: bytes) -> None:
    assert address_of(SocketAddress(INET, said, 53)) == bytes_


def test_a_socket_sends_packets_of_its_protocol() -> None:
    with socket.socket(INET, DGRAM, UDP) as made:
        assert protocol_of(made) == UDP


def test_a_multipath_socket_sends_tcp() -> None:
    try:
        made = socket.socket(INET, STREAM, MPTCP)
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    with made:
        assert protocol_of(made) == TCP
