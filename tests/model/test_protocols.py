"""The numbers of protocols are those of the world, and no room has others."""

import socket

from egress_audit.model import protocols
from egress_audit.model.protocols import DATAGRAMS, ICMP_ERRORS, ICMP_QUOTES, WITH_PORTS


def test_they_are_those_that_the_system_knows() -> None:
    for name in ("ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP"):
        assert getattr(protocols, name) == getattr(socket, f"IPPROTO_{name}")
    assert socket.getservbyname("domain") == protocols.DNS_PORT


def test_every_protocol_of_datagrams_has_ports() -> None:
    assert set(DATAGRAMS) < set(WITH_PORTS)


def test_every_error_of_a_host_quotes() -> None:
    assert all(set(kinds) <= set(ICMP_QUOTES[proto]) for proto, kinds in ICMP_ERRORS.items())
