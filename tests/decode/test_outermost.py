"""Packets of the common form and all others stand in their places, whoever decoded them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from egress_audit.columns import FrameBatch
from egress_audit.decode.layers import COLUMNS
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.outermost import outermost
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import ICMP, TCP, UDP, Frame, arp, ethernet, icmp, ip, pcap, tcp, udp
from tests.builders.engine import opened

NEAR, FAR = "10.0.0.1", "192.0.2.1"
SEGMENT = ethernet(ip(NEAR, FAR, tcp(40000, 443, "PA", payload=b"xy"), TCP))
DATAGRAM = ethernet(ip("2001:db8::1", "2001:db8::2", udp(40000, 53, b"xy"), UDP))
PING = ethernet(ip(NEAR, FAR, icmp(8, 0), ICMP))
FRAGMENT = ethernet(ip(NEAR, FAR, udp(5, 6, b"xy"), UDP)[:6] + b"\x20\0" + bytes(40))
ARP = ethernet(arp(), 0x0806)
CUT = SEGMENT[:30]
FRAMES = (SEGMENT, PING, ARP, DATAGRAM, FRAGMENT, CUT, SEGMENT)


def batch_of(*frames: bytes) -> FrameBatch:
    """These frames, all of them cut by a byte that was on the wire."""
    whole = [Frame(n, frame, wirelen=len(frame) + 1) for n, frame in enumerate(frames)]
    return next(iter(opened(pcap(whole))))


@needs_library
@pytest.mark.parametrize(
    "frames",
    [FRAMES, FRAMES[::-1], (SEGMENT, DATAGRAM), (PING, ARP), (ARP, SEGMENT), (SEGMENT, PING)],
    ids=["all", "all, backwards", "common ones", "no common one", "no packet first", "two packets"],
)
def test_both_engines_give_the_same_packets_and_counts(frames: tuple[bytes, ...]) -> None:
    batch, counted, plainly = batch_of(*frames), Ledger(), Ledger()
    found = compiled(lambda: outermost(batch, counted)).packets
    expected = in_numpy(lambda: outermost(batch, plainly)).packets
    for name in COLUMNS:
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
        assert getattr(found, name).dtype == getattr(expected, name).dtype, name
    assert vars(counted) == vars(plainly)


@needs_library
@pytest.mark.parametrize("engine", [compiled, in_numpy])
@pytest.mark.parametrize(
    ("frame", "truncated"),
    [
        *((SEGMENT, 0), (SEGMENT[:-1], 1), (SEGMENT[:-2], 1), (SEGMENT + bytes(9), 0)),
        *((DATAGRAM, 0), (DATAGRAM[:-1], 1), (FRAGMENT[:40], 1), (PING, 0), (ARP, 0)),
    ],
)
def test_a_frame_shorter_than_its_headers_say_is_cut_whatever_the_file_says(
    engine: Callable[[Callable[[], object]], object], frame: bytes, truncated: int
) -> None:
    batch, counted = next(iter(opened(pcap([Frame(0, frame)])))), Ledger()
    engine(lambda: outermost(batch, counted))
    assert counted.truncated == truncated


def test_packets_stand_in_the_order_of_their_frames() -> None:
    packets = outermost(batch_of(*FRAMES), Ledger()).packets
    assert packets.frame.tolist() == [1, 2, 4, 5, 7]
    assert packets.proto.tolist()[:3] == [6, 1, 17]


def test_a_fragment_has_its_ip_header_at_hand() -> None:
    found = outermost(batch_of(*FRAMES), Ledger())
    (row,) = np.flatnonzero(found.packets.fragment).tolist()
    assert found.network is not None
    assert found.network.fragment[found.rows[row]]


@needs_library
def test_where_all_are_of_the_common_form_no_ip_header_is() -> None:
    batch = batch_of(SEGMENT, DATAGRAM)
    assert compiled(lambda: outermost(batch, Ledger())).network is None


def test_a_batch_without_frames_has_no_packets() -> None:
    batch = batch_of(SEGMENT)
    names = ("offset", "caplen", "wirelen", "ts_ns", "interface", "linktype")
    empty = replace(batch, **{name: getattr(batch, name)[:0] for name in names})
    assert not len(outermost(empty, Ledger()).packets)
