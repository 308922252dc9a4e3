"""Multicast, strangers without an address, and ICMP errors are answered by nobody."""

import pytest

from egress_audit.record.internet.packets import Packet, read_packet
from egress_audit.record.internet.unanswerable import why_unanswerable
from tests.builders.packets import ICMP, ICMPV6, UDP, icmp, ip, udp

HOST, HOST_6 = "10.87.0.2", "fd00:e6e4::2"
FAR, FAR_6 = "93.184.216.34", "2606:2800::1"


def reason(src: str, dst: str, body: bytes = b"", proto: int = UDP) -> str | None:
    """Why a packet between two addresses is not answered."""
    packet = read_packet(ip(src, dst, body or udp(1, 2), proto))
    assert isinstance(packet, Packet)
    return why_unanswerable(packet)


@pytest.mark.parametrize(("src", "dst"), [(HOST, FAR), (HOST_6, FAR_6), (HOST, "240.0.0.1")])
def test_a_datagram_between_hosts_may_be_answered(src: str, dst: str) -> None:
    assert reason(src, dst) is None


@pytest.mark.parametrize(
    ("src", "dst"),
    [
        (HOST, "224.0.0.251"),
        (HOST, "239.255.255.250"),
        (HOST, "255.255.255.255"),
        (HOST_6, "ff02::fb"),
        ("0.0.0.0", FAR),
        ("127.0.0.1", FAR),
        ("224.0.0.1", FAR),
        ("255.255.255.255", FAR),
        (HOST, "127.0.0.1"),
        (HOST, "0.0.0.0"),
        ("::", FAR_6),
        ("::1", FAR_6),
        ("ff02::1", FAR_6),
        (HOST_6, "::1"),
        (HOST_6, "::"),
    ],
)
def test_an_address_that_is_no_host_is_a_reason(src: str, dst: str) -> None:
    assert reason(src, dst) is not None


@pytest.mark.parametrize("kind", [3, 5, 11, 12, 4])
def test_an_icmp_error_is_never_answered(kind: int) -> None:
    assert reason(HOST, FAR, icmp(kind), ICMP) == "icmp: an error"


@pytest.mark.parametrize("kind", [133, 135, 136, 143])
def test_neighbours_and_routers_that_are_sought_do_not_exist(kind: int) -> None:
    assert reason(HOST_6, FAR_6, icmp(kind), ICMPV6) == "icmp: no echo request"


def test_a_ping_may_be_answered() -> None:
    assert reason(HOST, FAR, icmp(8), ICMP) is None
    assert reason(HOST_6, FAR_6, icmp(128), ICMPV6) is None
