"""Packets of a machine to itself: on its loopback interface, or on a wire all the same."""

from collections.abc import Callable, Sequence

import pytest

from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import (
    ICMP,
    TCP,
    UDP,
    Frame,
    Interface,
    Section,
    ethernet,
    icmp,
    ip,
    ipv4,
    null,
    pcap,
    pcapng,
    sll,
    sll2,
    tcp,
    udp,
)
from tests.builders.engine import SMALLEST_BLOCK, decoded
from tests.builders.links import LINKS, pktap, ppi

ENGINES = [pytest.param(compiled, marks=needs_library), in_numpy]
HERE, ELSEWHERE, GROUP = bytes(6), b"\x02\0\0\0\0\x02", b"\x01\0\x5e\0\0\xfb"
US, LOOP = "10.0.0.5", "127.0.0.1"
TO_ITSELF = (
    *((US, LOOP), (LOOP, LOOP), (LOOP, US), (LOOP, "192.0.2.1"), ("127.0.0.1", "127.255.0.9")),
    *((US, US), ("::1", "::1"), ("2001:db8::5", "::1"), ("2001:db8::5", "2001:db8::5")),
    ("2001:db8::5", "::ffff:127.0.0.1"),
)
TO_OTHERS = (
    *((US, "192.0.2.1"), (US, "126.255.255.255"), ("128.0.0.1", US), ("0.0.0.1", US)),
    *(("2001:db8::5", "2001:db8::1"), ("2001:db8::5", "2001:db8::7f00:1"), ("fe80::1", "::2")),
    ("2001:db8::5", "::127.0.0.1"),
)
STAYS = ip(LOOP, LOOP, udp(40000, 9, b"x" * 1000), UDP)
STAYS_SIX = ip("::1", "::1", tcp(40000, 9), TCP)
SAYS_NOTHING = (12, 14, 101, 109, 117, 226, 239)


def astray(frames: Sequence[bytes], linktype: int = 1, block: int = 1 << 16) -> int:
    return decoded(
        pcap([Frame(n, data) for n, data in enumerate(frames)], linktype), block
    ).ledger.astray


def datagram(ends: tuple[str, str]) -> bytes:
    return ip(*ends, udp(40000, 9, b"x" * 1000), UDP)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ends", TO_ITSELF, ids=" to ".join)
def test_a_packet_to_itself_in_a_frame_to_another_machine_was_on_a_wire(
    engine: Callable[[Callable[[], int]], int], ends: tuple[str, str]
) -> None:
    frame = ethernet(datagram(ends), dst=ELSEWHERE)
    assert engine(lambda: astray([frame])) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ends", TO_ITSELF, ids=" to ".join)
def test_the_same_in_a_frame_of_the_loopback_interface_was_not(
    engine: Callable[[Callable[[], int]], int], ends: tuple[str, str]
) -> None:
    assert engine(lambda: astray([ethernet(datagram(ends), dst=HERE, src=HERE)])) == 0


@pytest.mark.parametrize("ends", TO_OTHERS, ids=" to ".join)
def test_a_packet_to_others_is_not_counted_here(ends: tuple[str, str]) -> None:
    assert astray([ethernet(datagram(ends), dst=ELSEWHERE)]) == 0


@pytest.mark.parametrize(
    "frame",
    [
        ethernet(STAYS, dst=GROUP, src=HERE),
        ethernet(STAYS, dst=b"\xff" * 6, src=HERE),
        ethernet(STAYS, dst=HERE, src=ELSEWHERE),
        ethernet(STAYS, vlans=[5], dst=ELSEWHERE),
        ethernet(STAYS_SIX, dst=ELSEWHERE),
        ethernet(ip(LOOP, LOOP, icmp(8, 0), ICMP), dst=ELSEWHERE),
        ethernet(ipv4(LOOP, LOOP, udp(1, 2), UDP, more_fragments=True), dst=ELSEWHERE),
        ethernet(ipv4(LOOP, LOOP, bytes(8), UDP, fragment_offset=8), dst=ELSEWHERE),
    ],
    ids=["group", "all", "sender", "VLAN", "IPv6", "ICMP", "first fragment", "later fragment"],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_any_address_of_ethernet_and_any_packet_tells(
    engine: Callable[[Callable[[], int]], int], frame: bytes
) -> None:
    assert engine(lambda: astray([frame])) == 1


@pytest.mark.parametrize("packet", [STAYS, STAYS_SIX], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(("device", "count"), [(1, 1), (512, 1), (65534, 1), (772, 0), (0xFFFF, 0)])
def test_the_device_type_of_a_cooked_capture_tells(packet: bytes, device: int, count: int) -> None:
    assert astray([sll(packet, device=device)], 113) == count
    assert astray([sll2(packet, device=device)], 276) == count


@pytest.mark.parametrize("linktype", SAYS_NOTHING)
def test_a_link_type_that_does_not_say_accuses_nobody(linktype: int) -> None:
    assert astray([LINKS[linktype](STAYS)], linktype) == 0


@pytest.mark.parametrize(("linktype", "big_endian"), [(0, False), (108, True)])
def test_the_loopback_of_bsd_macos_and_windows_has_a_link_type_of_its_own(
    linktype: int, big_endian: bool
) -> None:
    assert astray([null(STAYS, big_endian=big_endian)], linktype) == 0


@pytest.mark.parametrize("linktype", [9, 51, 105, 127])
def test_a_link_that_is_never_that_of_loopback_tells_by_itself(linktype: int) -> None:
    assert astray([LINKS[linktype](STAYS)], linktype) == 1


@pytest.mark.parametrize("wrapped", [pktap, ppi])
def test_a_header_of_the_capturing_system_leaves_it_to_the_one_behind_it(
    wrapped: Callable[..., bytes],
) -> None:
    linktype = {pktap: 258, ppi: 192}[wrapped]
    assert astray([wrapped(ethernet(STAYS, dst=ELSEWHERE), 1)], linktype) == 1
    assert astray([wrapped(ethernet(STAYS, dst=HERE, src=HERE), 1)], linktype) == 0
    assert astray([wrapped(null(STAYS), 0)], linktype) == 0


def test_each_interface_of_a_capture_tells_of_its_own_frames() -> None:
    kinds = (Interface(1), Interface(101), Interface(113))
    frames = (ethernet(STAYS, dst=ELSEWHERE), STAYS, sll(STAYS, device=1))
    items = [Frame(n, data, interface=n) for n, data in enumerate(frames)]
    assert decoded(pcapng([Section(items, kinds)])).ledger.astray == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("block", [SMALLEST_BLOCK, 100, 1 << 16])
def test_those_among_others_are_counted_wherever_the_capture_is_cut(
    engine: Callable[[Callable[[], int]], int], block: int
) -> None:
    others = [ethernet(datagram(ends)) for ends in (*TO_OTHERS, *TO_ITSELF)]
    left = ethernet(ip(LOOP, LOOP, icmp(8, 0), ICMP), dst=ELSEWHERE)
    wire = [ethernet(datagram(ends), dst=ELSEWHERE) for ends in TO_ITSELF]
    frames = [frame for pair in zip(others, [*wire, left] * 2, strict=False) for frame in pair]
    expected = len(others)
    assert engine(lambda: astray(frames, block=block)) == expected


def test_what_is_inside_of_a_tunnel_is_told_by_the_tunnel() -> None:
    carried = ip(US, "192.0.2.1", STAYS, 4)
    assert astray([ethernet(carried, dst=ELSEWHERE)]) == 0
