"""Flows whose protocol hides what they carry are counted by kind, and counted again nowhere."""

import numpy as np
import pytest

from egress_audit.attribute import opaque
from egress_audit.attribute.opaque import hiding_by_port, sum_of
from egress_audit.columns import FlowColumns
from egress_audit.decode.tunnels import PROTOCOLS
from tests.builders.captures import Frame, ip, pcap, scripted, udp
from tests.builders.engine import decoded, run


def carried(proto: int, payload: bytes = bytes(8)) -> FlowColumns:
    """One flow of some protocol."""
    return decoded(pcap([Frame(0, ip("10.0.0.2", "192.0.2.1", payload, proto))], 101)).flows


def datagram(port: int) -> FlowColumns:
    """One flow of UDP to some port."""
    return carried(17, udp(40000, port, b"x"))


def hidden(
    flows: FlowColumns, read: tuple[int, ...] = (), *, named: bool = False
) -> dict[str, int]:
    """What the ports of all flows hide, but for those that were read. named: whether a name was
    said in them."""
    said = np.full(len(flows), named)
    return {kind: int(rows.sum()) for kind, rows in hiding_by_port(flows, read, said).items()}


def tunnels(flows: FlowColumns, *, named: bool = False) -> dict[str, int]:
    """What all flows tunnel. named: whether a name was said in them."""
    return opaque.tunnels(flows, np.ones(len(flows), np.bool_), np.full(len(flows), named))


@pytest.mark.parametrize(
    ("proto", "kind"), [(4, "IP in IP"), (41, "IPv6 in IP"), (47, "GRE"), (50, "ESP")]
)
def test_a_protocol_that_carries_packets_is_a_tunnel(proto: int, kind: str) -> None:
    assert tunnels(carried(proto)) == {kind: 1}


@pytest.mark.parametrize(
    ("port", "kind"), [(51820, "WireGuard"), (4789, "VXLAN"), (3544, "Teredo")]
)
def test_a_port_that_tunnels_use_is_a_tunnel(port: int, kind: str) -> None:
    assert tunnels(datagram(port)) == tunnels(datagram(port), named=True) == {kind: 1}


def test_an_ordinary_datagram_is_no_tunnel() -> None:
    assert tunnels(datagram(53)) == {}


def test_the_same_port_in_tcp_is_no_tunnel() -> None:
    flows = run(pcap(scripted(">S", server=("192.0.2.1", 51820)))).flows
    assert tunnels(flows) == {}


@pytest.mark.parametrize(
    ("port", "kind"), [(1194, "OpenVPN"), (3478, "TURN"), (4500, "ESP in TCP")]
)
def test_a_tunnel_over_tcp_is_known_by_its_port(port: int, kind: str) -> None:
    frames = scripted(">S <SA >A >PAd", server=("192.0.2.1", port))
    flows = run(pcap(frames)).flows
    assert tunnels(flows) == {kind: 1}
    assert tunnels(flows, named=True) == {}


def test_so_it_is_at_the_end_that_began_and_with_all_of_its_payload_in_the_fin() -> None:
    ends = ("192.0.2.1", 1194), ("10.0.0.2", 40000)
    for frames in (
        scripted(">S <SA >A >PAd", *ends),
        scripted(">S <SA >A >FAd", *ends[::-1]),
    ):
        assert tunnels(run(pcap(frames)).flows) == {"OpenVPN": 1}


@pytest.mark.parametrize(("proto", "found"), [(94, {"IP protocol 94": 1}), (89, {})])
def test_a_protocol_that_nobody_looks_into_may_be_a_tunnel(
    proto: int, found: dict[str, int]
) -> None:
    assert tunnels(carried(proto)) == found


@pytest.mark.parametrize("port", [1194, 3478, 4500])
def test_a_port_of_tunnels_where_nobody_spoke_carried_nothing(port: int) -> None:
    assert tunnels(run(pcap(scripted(">S <RA", server=("192.0.2.1", port)))).flows) == {}


def test_quic_hides_the_name() -> None:
    assert hidden(datagram(443)) == {"QUIC": 1}


def test_tls_does_not_hide_the_name() -> None:
    assert hidden(run(pcap(scripted(">S"))).flows) == {}


def test_encrypted_dns_hides_the_name_over_both_protocols() -> None:
    assert hidden(datagram(853)) == {"DNS over QUIC": 1}
    flows = run(pcap(scripted(">S", server=("192.0.2.1", 853)))).flows
    assert hidden(flows) == {"DNS over TLS": 1}


@pytest.mark.parametrize("port", [443, 5353, 5355, 137])
def test_a_port_hides_nothing_in_a_flow_that_was_read(port: int) -> None:
    assert hidden(datagram(port)) != {}
    assert hidden(datagram(port), read=(0,)) == {}


def test_encrypted_dns_hides_its_questions_though_its_server_is_named() -> None:
    assert hidden(datagram(853), read=(0,), named=True) == {"DNS over QUIC": 1}


def test_a_proxy_at_its_port_hides_nothing_once_it_was_heard_whom_it_was_asked_for() -> None:
    flows = run(pcap(scripted(">S", server=("192.0.2.1", 1080)))).flows
    assert hidden(flows) == {"SOCKS": 1}
    assert hidden(flows, named=True) == {}


def test_counters_are_added_by_word_in_order() -> None:
    assert list(sum_of({"b": 1, "a": 2}, {"b": 3}).items()) == [("a", 2), ("b", 4)]


def test_a_tunnel_that_was_opened_hides_nothing() -> None:
    inner = ip("10.9.0.1", "192.0.2.9", udp(1, 2), 17)
    assert tunnels(carried(4, inner)) == {}


def test_a_tunnel_of_which_a_packet_stayed_sealed_hides_something() -> None:
    inner = ip("10.9.0.1", "192.0.2.9", udp(1, 2), 17)
    frames = [Frame(0, ip("10.0.0.2", "192.0.2.1", data, 4)) for data in (inner, bytes(20))]
    assert tunnels(decoded(pcap(frames, 101)).flows) == {"IP in IP": 1}


def test_a_protocol_that_nobody_looks_into_counts_by_its_number() -> None:
    assert tunnels(carried(98)) == {"IP protocol 98": 1}


def test_the_protocols_that_are_looked_into_are_those_of_the_decoder() -> None:
    assert set(PROTOCOLS) == opaque.LOOKED_INTO
