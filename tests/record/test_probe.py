"""Probes: what they say, where they go, and how they are told again."""

import os
import select
import socket

import pytest
from scapy.layers.dns import DNS

from egress_audit.addresses import Scope, scope_of
from egress_audit.record.netlink import Links
from egress_audit.record.packet_ends import ends_of
from egress_audit.record.probe import (
    DOMAIN,
    SENTINEL4,
    SENTINEL6,
    SENTINEL_PORT,
    Expected,
    probes,
    send,
)
from egress_audit.record.syscalls import CLONE_NEWNET
from egress_audit.record.tun import TUN_NODE, open_tun
from tests.builders import packets as p
from tests.builders.namespaces import in_child

RESOLVERS = ("10.87.0.1", "fd00:e6e4::1")


def four(when: str = "before") -> tuple[Expected, ...]:
    return probes(when, RESOLVERS, ipv6=True)


def test_a_round_has_each_way_over_each_version() -> None:
    ways = {(probe.by, probe.version, probe.target, probe.port) for probe in four()}
    assert ways == {
        ("address", 4, SENTINEL4, SENTINEL_PORT),
        ("address", 6, SENTINEL6, SENTINEL_PORT),
        ("name", 4, RESOLVERS[0], 53),
        ("name", 6, RESOLVERS[1], 53),
    }


def test_without_ipv6_none_goes_over_it() -> None:
    made = probes("after", RESOLVERS, ipv6=False)
    assert [(probe.when, probe.version) for probe in made] == [("after", 4), ("after", 4)]


def test_no_two_probes_have_the_same_nonce() -> None:
    nonces = {probe.nonce for probe in (*four(), *four("after"))}
    assert len(nonces) == 8
    assert {len(bytes.fromhex(nonce)) for nonce in nonces} == {16}


@pytest.mark.parametrize("address", [SENTINEL4, SENTINEL6])
def test_the_addresses_of_probes_belong_to_nobody(address: str) -> None:
    assert scope_of(address) is Scope.DOCUMENTATION


def test_the_names_of_probes_cannot_exist() -> None:
    assert DOMAIN.endswith(".invalid")


@pytest.mark.parametrize(("version", "kind"), [(4, 1), (6, 28)])
def test_a_probe_by_name_is_a_question_for_its_nonce(version: int, kind: int) -> None:
    probe = next(made for made in four() if (made.by, made.version) == ("name", version))
    asked = DNS(probe.payload)
    question = asked.qd[0] if isinstance(asked.qd, list) else asked.qd
    assert (asked.qr, asked.rd, asked.qdcount) == (0, 1, 1)
    assert (question.qname.decode(), question.qtype) == (f"{probe.nonce}.{DOMAIN}.", kind)


@pytest.mark.parametrize("number", range(4))
def test_a_probe_is_found_in_its_own_packet_and_in_no_other(number: int) -> None:
    made = four()
    packet = p.ipv4("10.87.0.2", "192.0.2.253", p.udp(40_000, 9, made[number].payload), p.UDP)
    assert [probe.is_in(packet) for probe in made] == [place == number for place in range(4)]


@pytest.mark.opens_sockets
def test_a_probe_that_cannot_be_sent_is_counted() -> None:
    assert in_child(lambda: send(four()), namespaces=CLONE_NEWNET) == 4


@pytest.mark.opens_sockets
@pytest.mark.skipif(not os.access(TUN_NODE, os.R_OK | os.W_OK), reason="no TUN device for us")
def test_probes_that_are_sent_leave_by_the_way_out() -> None:
    made = four()

    def left() -> tuple[int, list[bytes]]:
        tun = open_tun("eg0")
        with Links() as links:
            links.no_link_local("eg0")
            links.address("eg0", "10.87.0.2", 32)
            links.address("eg0", "fd00:e6e4::2", 128)
            links.up("eg0", txqlen=100)
            links.route("0.0.0.0/0", "eg0")
            links.route("::/0", "eg0")
        failed, packets = send(made), []
        while select.select([tun], [], [], 0.2)[0]:
            packets.append(os.read(tun, 65_535))
        return failed, packets

    failed, packets = in_child(left, namespaces=CLONE_NEWNET)
    assert failed == 0
    found = {probe.nonce: packet for packet in packets for probe in made if probe.is_in(packet)}
    for probe in made:
        ends = ends_of(found[probe.nonce])
        assert ends is not None
        family = socket.AF_INET if probe.version == 4 else socket.AF_INET6
        assert ends.target == socket.inet_pton(family, probe.target)
        assert ends.target_port == probe.port
