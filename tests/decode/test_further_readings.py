"""Readings of fragments beside their packets: to be read, and nothing to be counted."""

import pytest

from egress_audit.decode.further_readings import FurtherReading, Whole, packets_of_readings
from egress_audit.decode.layers import values_of
from tests.builders.captures import UDP, ip, udp

ENDS = {4: ("10.0.0.2", "192.0.2.1"), 6: ("2001:db8::2", "2001:db8::1")}
FRAGMENT_HEADER = 8


def reading(version: int, payload: bytes, captured: int, proto: int = UDP) -> FurtherReading:
    """A datagram of which only so many bytes of data are there."""
    packet = ip(*ENDS[version], udp(40000, 53, payload), proto)
    size = 20 if version == 4 else 40
    head, data = packet[:size], packet[size:]
    if version == 6:
        head = head[:6] + b"\x2c" + head[7:] + bytes([proto]) + bytes(FRAGMENT_HEADER - 1)
    return FurtherReading(Whole(head, data[:captured], len(data), 5), frame=7, depth=1, behind=9)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("captured", [40, 12])
def test_a_reading_has_the_ends_and_the_payload_of_its_datagram(
    version: int, captured: int
) -> None:
    found = packets_of_readings([reading(version, b"x" * 32, captured)])
    assert found is not None
    packets, behind = found
    assert behind.tolist() == [9]
    assert (packets.sport.tolist(), packets.dport.tolist()) == ([40000], [53])
    assert (packets.payload_len.tolist(), packets.payload_cap.tolist()) == ([32], [captured - 8])
    assert (packets.frame.tolist(), packets.depth.tolist()) == ([7], [1])
    assert packets.ts_ns.tolist() == [5]
    assert values_of(packets, 0)


def test_what_has_no_payload_is_no_reading() -> None:
    assert packets_of_readings([reading(4, b"", 8), reading(4, b"xx", 8)]) is None


def test_no_readings_are_no_packets() -> None:
    assert packets_of_readings([]) is None
