"""Addresses from which the recording machine itself sent."""

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import numpy as np
import pytest

from egress_audit.capture.window import BLOCK
from egress_audit.decode import sent_here
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import UDP, Frame, ethernet, ip, pcap, sll, sll2, udp
from tests.builders.engine import SMALLEST_BLOCK, decoded
from tests.builders.links import ppi

ENGINES = [pytest.param(compiled, marks=needs_library), in_numpy]
US, STRANGER = "10.0.0.5", "192.0.2.9"
HERE, ELSEWHERE = bytes(6), b"\x02\0\0\0\0\x02"
PACKET = ip(STRANGER, US, udp(5000, 6000, b"x"), UDP)
SLL, SLL2, PPI = 113, 276, 192


def cooked(header: bytes, at: int, *, sort: int, device: int, device_at: int) -> bytes:
    """A cooked frame with a packet type and a device type of its own."""
    changed = bytearray(header)
    changed[at] = sort
    changed[device_at : device_at + 2] = device.to_bytes(2, "big")
    return bytes(changed)


def in_sll(sort: int, device: int = 1) -> bytes:
    return cooked(sll(PACKET), 1, sort=sort, device=device, device_at=2)


def in_sll2(sort: int, device: int = 1) -> bytes:
    return cooked(sll2(PACKET), 10, sort=sort, device=device, device_at=8)


def sent_by(
    frames: Sequence[bytes], linktype: int, address: str = STRANGER, block: int = BLOCK
) -> bool:
    """Whether an address counts as one from which this machine sent."""
    data = pcap([Frame(n, data) for n, data in enumerate(frames)], linktype)
    known = ip_address(address)
    low = np.array([int(known) & (1 << 64) - 1], np.uint64)
    high = np.array([int(known) >> 64], np.uint64)
    version = np.array([known.version], np.uint8)
    return bool(decoded(data, block).sent_here.among(version, high, low)[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("frame", "linktype"),
    [
        (in_sll(4), SLL),
        (in_sll2(4), SLL2),
        (in_sll(0, 772), SLL),
        (in_sll2(0, 772), SLL2),
        (ethernet(PACKET, src=HERE, dst=HERE), 1),
        (ppi(ethernet(PACKET, src=HERE, dst=HERE), 1), PPI),
    ],
)
def test_what_is_outgoing_or_on_the_loopback_was_sent_by_this_machine(
    engine: Callable[[Callable[[], bool]], bool], frame: bytes, linktype: int
) -> None:
    assert engine(lambda: sent_by([frame], linktype))
    assert not engine(lambda: sent_by([frame], linktype, US))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("frame", "linktype"),
    [
        (in_sll(0), SLL),
        (in_sll(3), SLL),
        (in_sll2(0), SLL2),
        (in_sll2(1), SLL2),
        (ethernet(PACKET, src=HERE, dst=ELSEWHERE), 1),
        (ethernet(PACKET, src=ELSEWHERE, dst=HERE), 1),
        (PACKET, 101),
    ],
)
def test_what_came_in_or_does_not_say_was_not(
    engine: Callable[[Callable[[], bool]], bool], frame: bytes, linktype: int
) -> None:
    assert not engine(lambda: sent_by([frame], linktype))


def test_beyond_the_bound_any_address_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_here, "MAX_SENDERS", 1)
    others = [sll2(ip(f"192.0.2.{n}", US, udp(1, 2, b"x"), UDP)) for n in (1, 2)]
    sent = [cooked(each, 10, sort=4, device=1, device_at=8) for each in others]
    assert not sent_by(sent[:1], SLL2, US)
    assert sent_by(sent, SLL2, US)


@pytest.mark.parametrize("block", [SMALLEST_BLOCK, BLOCK])
def test_what_came_in_before_it_left_was_passed_on(block: int) -> None:
    assert not sent_by([in_sll2(0), in_sll2(4)], SLL2, block=block)
    assert not sent_by([in_sll(3), in_sll(4), in_sll(4)], SLL, block=block)
    assert sent_by([in_sll2(4), in_sll2(0)], SLL2, block=block)


def test_the_loopback_passes_nothing_on() -> None:
    assert sent_by([in_sll2(0), in_sll2(0, 772)], SLL2)
    assert sent_by([in_sll2(0, 772), in_sll2(4)], SLL2)


def test_who_came_beyond_the_bound_counts_once_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_here, "MAX_CAME", 1)
    other = cooked(
        sll2(ip("192.0.2.1", US, udp(1, 2, b"x"), UDP)), 10, sort=0, device=1, device_at=8
    )
    assert not sent_by([in_sll2(0), other, in_sll2(4)], SLL2)
    assert sent_by([other, in_sll2(0), in_sll2(4)], SLL2)
