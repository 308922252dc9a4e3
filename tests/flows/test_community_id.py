"""Community ID, against the published values of the specification's test suite."""

from ipaddress import ip_address

import pytest

from egress_audit.flows.community_id import community_id, packed
from tests.builders.captures import (
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    Frame,
    icmp,
    ip,
    pcap,
    tcp,
    udp,
)
from tests.builders.engine import flows_in

SCTP = 132
PUBLISHED = [
    (TCP, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (UDP, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (ICMP, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (SCTP, "192.168.170.8", 7, "192.168.170.56", 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    (
        *(ICMPV6, "fe80::260:97ff:fe07:69ea", 134, "ff02::1", 133),
        "1:pkvHqCL88/tg1k4cPigmZXUtL00=",
    ),
    (
        *(ICMPV6, "fe80::200:86ff:fe05:80da", 133, "ff02::2", 134),
        "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=",
    ),
    (
        *(ICMPV6, "fe80::200:86ff:fe05:80da", 136, "fe80::260:97ff:fe07:69ea", 135),
        "1:zavyT/cezQr1fmImYCwYnMXbgck=",
    ),
    (
        *(ICMPV6, "fe80::260:97ff:fe07:69ea", 136, "fe80::200:86ff:fe05:80da", 135),
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    ),
]
"""Source: the test suite of corelight/pycommunityid, as others repeat it."""
Published = tuple[int, str, int, str, int, str]


@pytest.mark.parametrize("published", PUBLISHED)
def test_a_published_flow_has_its_published_id(published: Published) -> None:
    proto, src, sport, dst, dport, expected = published
    ends = ip_address(src).packed, ip_address(dst).packed
    assert community_id(proto, *ends, sport, dport) == expected


@pytest.mark.parametrize("published", PUBLISHED)
def test_both_directions_of_a_flow_have_the_same_id(published: Published) -> None:
    proto, src, sport, dst, dport, expected = published
    ends = ip_address(dst).packed, ip_address(src).packed
    assert community_id(proto, *ends, dport, sport) == expected


@pytest.mark.parametrize("published", PUBLISHED)
def test_a_packet_of_that_flow_leads_to_it_from_the_wire(published: Published) -> None:
    proto, src, sport, dst, dport, expected = published
    payloads = {
        TCP: tcp(sport, dport),
        UDP: udp(sport, dport),
        SCTP: sport.to_bytes(2, "big") + dport.to_bytes(2, "big") + bytes(8),
    }
    payload = payloads.get(proto) or icmp(sport)
    (flow,) = flows_in(pcap([Frame(0, ip(src, dst, payload, proto))], 101))
    assert flow.community_id == expected


def test_what_no_type_answers_keeps_its_direction() -> None:
    near, far = ip_address("10.0.0.1").packed, ip_address("10.0.0.2").packed
    there = community_id(ICMP, near, far, 3, 1, one_way=True)
    assert there != community_id(ICMP, far, near, 3, 1, one_way=True)


def test_protocols_without_ports_are_hashed_without_them() -> None:
    near, far = ip_address("10.0.0.1").packed, ip_address("10.0.0.2").packed
    assert community_id(47, near, far, 0, 0) == community_id(47, near, far, 0, 9)


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_packed_in_network_order(text: str) -> None:
    address = ip_address(text)
    number = int(address)
    assert packed(address.version, number >> 64, number & (1 << 64) - 1) == address.packed
