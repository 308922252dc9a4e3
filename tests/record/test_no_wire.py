"""Where there is no device, nothing arrives, nothing is counted, and nothing waits."""

import select

from egress_audit.record.no_wire import NoLoopback, NoWire


def test_nothing_ever_comes_out_of_no_wire() -> None:
    wire = NoWire()
    assert list(wire.frames()) == []
    assert not wire.write(b"packet")
    assert wire.dropped(1) == 0
    wire.close()


def test_a_packet_is_its_own_frame_on_no_wire() -> None:
    wire = NoWire()
    assert wire.packet_in(b"E...") == wire.frame_for(b"E...") == b"E..."
    wire.close()


def test_waiting_for_no_device_ends_with_the_time() -> None:
    wire, loopback = NoWire(), NoLoopback()
    assert not select.select([wire.fileno(), loopback.fileno()], [], [], 0.01)[0]
    wire.close()
    loopback.close()


def test_no_loopback_says_nothing_and_counts_nothing() -> None:
    loopback = NoLoopback()
    assert loopback.read() == []
    assert loopback.statistics() == (0, 0)
    loopback.close()
