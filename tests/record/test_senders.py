"""Sockets of this process, and packets as they would leave: who sent which."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from egress_audit.model.run import Process, Role
from egress_audit.record import senders as module
from egress_audit.record.netlink import Links
from egress_audit.record.notifications import SocketAddress
from egress_audit.record.packet_ends import Ends, ends_of
from egress_audit.record.senders import KERNEL, PENDING_NS, SECCOMP, Heard, Sender, Senders
from egress_audit.record.syscalls import CLONE_NEWNET, pidfd_open
from tests.builders import packets as p
from tests.builders.namespaces import enter, in_child
from tests.builders.runs import process

pytestmark = pytest.mark.opens_sockets

INET, INET6, STREAM, DGRAM = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
MPTCP, RAW_ALL = 262, 255
ONE, TWO = process(2), process(3)
PROBER = process(4, role=Role.PROBE)
OUR4, FAR4, OUR6, FAR6 = "10.87.0.2", "203.0.113.9", "fd00:e6e4::2", "2001:db8::9"
TID = 7

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")


class World:
    """Senders that hear the calls of this process, and what they found amiss."""

    def __init__(self) -> None:
        self.mismatches: list[tuple[int, Ends]] = []
        self.senders = Senders(lambda process, ends: self.mismatches.append((process.id, ends)))
        self.pidfd = pidfd_open(os.getpid())

    def hears(
        self,
        made: socket.socket,
        who: Process = ONE,
        *targets: SocketAddress,
        tid: int = TID,
        now_ns: int = 0,
    ) -> Heard:
        """A call of `who` on a socket."""
        return self.senders.heard(self.pidfd, made.fileno(), tid, who, targets, now_ns)

    def sent(self, packet: bytes) -> Sender | None:
        """Who sent the packet."""
        ends = ends_of(packet)
        assert ends is not None
        return self.senders.sender(ends, packet)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.senders.close()
    os.close(made.pidfd)


@contextmanager
def bound(
    family: int = INET, kind: int = DGRAM, address: str = "127.0.0.1", proto: int = 0
) -> Iterator[tuple[socket.socket, int]]:
    """A socket with a local port, and the port."""
    with socket.socket(family, kind, proto) as made:
        made.bind((address, 0))
        yield made, made.getsockname()[1]


def datagram(port: int, source: str = "127.0.0.1", target: str = FAR4, to: int = 53) -> bytes:
    return p.ip(source, target, p.udp(port, to), p.UDP)


def segment(port: int, source: str = "127.0.0.1", target: str = FAR4, to: int = 443) -> bytes:
    return p.ip(source, target, p.tcp(port, to), p.TCP)


def at(address: str, port: int) -> SocketAddress:
    return SocketAddress(INET6 if ":" in address else INET, address, port)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# Ports that are known at the call


def test_a_packet_from_a_bound_port_is_its_owner_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


def test_a_packet_from_another_port_is_nobody_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        assert world.sent(datagram(port ^ 1)) is None


def test_a_packet_from_another_address_is_nobody_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        assert world.sent(datagram(port, source="127.0.0.2")) is None


def test_a_packet_of_another_protocol_is_nobody_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        assert world.sent(segment(port)) is None


def test_a_socket_bound_to_any_address_sends_from_each(world: World) -> None:
    with bound(address="0.0.0.0") as (made, port):
        world.hears(made)
        assert world.sent(datagram(port, source=OUR4)) == Sender(ONE, SECCOMP)


def test_a_socket_of_ipv6_sends_over_ipv4_too(world: World) -> None:
    with bound(INET6, address="::") as (made, port):
        world.hears(made)
        assert world.sent(datagram(port, source=OUR4)) == Sender(ONE, SECCOMP)
        assert world.sent(datagram(port, OUR6, FAR6)) == Sender(ONE, SECCOMP)


def test_a_socket_of_ipv6_alone_does_not_send_over_ipv4(world: World) -> None:
    with socket.socket(INET6, DGRAM) as made:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(("::", 0))
        world.hears(made)
        port = made.getsockname()[1]
        assert world.sent(datagram(port, source=OUR4)) is None
        assert world.sent(datagram(port, OUR6, FAR6)) == Sender(ONE, SECCOMP)


def test_a_socket_bound_to_a_mapped_address_sends_over_ipv4(world: World) -> None:
    with bound(INET6, address="::ffff:127.0.0.1") as (made, port):
        world.hears(made)
        assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


def test_a_socket_with_an_address_of_its_own_goes_before_one_with_any(world: World) -> None:
    with bound(address="127.0.0.1") as (special, port), socket.socket(INET, DGRAM) as general:
        special.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        general.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        general.bind(("0.0.0.0", port))
        world.hears(special, ONE)
        world.hears(general, TWO, tid=TID + 1)
        assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)
        assert world.sent(datagram(port, source=OUR4)) == Sender(TWO, SECCOMP)


def test_a_port_that_changed_hands_is_the_new_owner_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made, ONE)
        world.hears(made, TWO, tid=TID + 1)
        assert world.sent(datagram(port)) == Sender(TWO, SECCOMP)


def test_a_port_stays_its_owner_s_when_the_socket_is_closed(world: World) -> None:
    with bound(kind=STREAM) as (made, port):
        world.hears(made)
    assert world.sent(segment(port)) == Sender(ONE, SECCOMP)


def test_a_multipath_socket_sends_ordinary_tcp(world: World) -> None:
    try:
        made = socket.socket(INET, STREAM, MPTCP)
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    with made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        world.hears(made)
        assert world.sent(segment(made.getsockname()[1])) == Sender(ONE, SECCOMP)


def test_the_type_of_the_socket_comes_back(world: World) -> None:
    with bound() as (one, _), bound(kind=STREAM) as (two, _):
        assert (world.hears(one).kind, world.hears(two).kind) == (DGRAM, STREAM)


# What is no internet socket


def test_a_unix_socket_owns_no_packet(world: World) -> None:
    with socket.socket(socket.AF_UNIX, DGRAM) as made:
        assert world.hears(made).kind == DGRAM
    assert world.sent(datagram(40_000)) is None


def test_a_call_on_a_file_is_an_error_and_leaves_no_descriptor(
    world: World, tmp_path: Path
) -> None:
    with (tmp_path / "file").open("wb") as made:
        before = descriptors()
        for _ in range(10):
            with pytest.raises(OSError, match="non-socket"):
                world.senders.heard(world.pidfd, made.fileno(), TID, ONE, (), 0)
        assert descriptors() == before


def test_a_descriptor_that_is_not_open_is_an_error(world: World) -> None:
    with pytest.raises(OSError, match="pidfd_getfd"):
        world.senders.heard(world.pidfd, 0xFFFF_FFFF, TID, ONE, (), 0)


# Sockets of a network that the program made for itself


def test_a_socket_of_the_network_of_the_probes_is_here(world: World) -> None:
    with socket.socket(INET, DGRAM) as probe, bound() as (made, port):
        world.hears(probe, PROBER)
        assert not world.hears(made, ONE, tid=TID + 1).elsewhere
        assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


def test_a_socket_of_another_network_is_elsewhere_and_has_no_port_of_ours() -> None:
    def found() -> tuple[bool, Sender | None]:
        made = World()
        with socket.socket(INET, DGRAM) as probe:
            made.hears(probe, PROBER)
        enter(CLONE_NEWNET)
        with Links() as links:
            links.up("lo")
        with bound() as (socket_there, port):
            return made.hears(socket_there).elsewhere, made.sent(datagram(port))

    assert in_child(found) == (True, None)


def test_where_no_probe_has_called_nothing_is_elsewhere() -> None:
    def found() -> bool:
        made = World()
        enter(CLONE_NEWNET)
        with socket.socket(INET, DGRAM) as socket_there:
            return made.hears(socket_there).elsewhere

    assert in_child(found) is False


# Ports that are chosen while the call is carried out


def test_a_port_that_is_chosen_in_the_call_is_found_when_its_packet_comes(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 9))
        made.connect(("127.0.0.1", 9))
        packet = datagram(made.getsockname()[1], target="127.0.0.1", to=9)
        assert world.sent(packet) == Sender(ONE, SECCOMP)
        assert world.mismatches == []


def test_a_packet_that_comes_before_the_port_is_chosen_is_not_taken_for_it(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 9))
        assert world.sent(datagram(40_000)) is None
        made.connect(("127.0.0.1", 9))
        packet = datagram(made.getsockname()[1], target="127.0.0.1", to=9)
        assert world.sent(packet) == Sender(ONE, SECCOMP)


@pytest.mark.parametrize(
    "packet",
    [
        p.ipv4(OUR4, "224.0.0.22", bytes(16), 2),
        p.ipv6(OUR6, "ff02::16", p.icmp(143), p.ICMPV6),
        p.ipv4(OUR4, FAR4, p.icmp(3, 3, bytes(28)), p.ICMP),
        p.ipv4(OUR4, "203.0.113.10", bytes(64), p.UDP, fragment_offset=1480),
    ],
    ids=["igmp", "mld", "icmp error", "later fragment"],
)
def test_a_packet_without_a_port_is_not_that_of_a_socket_without_one(
    world: World, packet: bytes
) -> None:
    with socket.socket(INET, DGRAM) as made, socket.socket(INET6, DGRAM) as other:
        world.hears(made, ONE, at(FAR4, 53))
        world.hears(other, TWO, at(FAR6, 53), tid=TID + 1)
        assert world.sent(packet) is None
        assert world.mismatches == []


def test_a_packet_that_went_elsewhere_than_its_call_had_said_is_told(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 9))
        made.connect(("127.0.0.1", 10))
        packet = datagram(made.getsockname()[1], target="127.0.0.1", to=10)
        assert world.sent(packet) == Sender(ONE, SECCOMP)
    ((who, ends),) = world.mismatches
    assert (who, ends.target, ends.target_port) == (ONE.id, p.packed("127.0.0.1"), 10)


def test_the_port_counts_as_much_as_the_address(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 9))
        made.connect(("127.0.0.1", 9))
        world.sent(datagram(made.getsockname()[1], target="127.0.0.2", to=9))
    assert len(world.mismatches) == 1


@contextmanager
def sharing_a_port(world: World) -> Iterator[int]:
    """Connections of ONE and TWO from one port to ports 9 and 10 wait for their SYN."""
    with socket.socket(INET, STREAM) as one, socket.socket(INET, STREAM) as two:
        world.hears(one, ONE, at("127.0.0.1", 9))
        world.hears(two, TWO, at("127.0.0.1", 10), tid=TID + 1)
        port = 0
        for made in (one, two):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(("127.0.0.1", port))
            port = made.getsockname()[1]
        yield port


@pytest.mark.parametrize(("to", "who"), [(9, ONE), (10, TWO)])
def test_of_connections_that_share_a_port_each_is_known_by_its_target(
    world: World, to: int, who: Process
) -> None:
    with sharing_a_port(world) as port:
        packet = p.ip("127.0.0.1", "127.0.0.1", p.tcp(port, to, "S"), p.TCP)
        assert world.sent(packet) == Sender(who, SECCOMP)
    assert world.mismatches == []


@pytest.mark.parametrize(("flags", "told"), [("R", 0), ("S", 1)])
def test_only_the_first_segment_can_contradict_a_connect(
    world: World, flags: str, told: int
) -> None:
    with sharing_a_port(world) as port:
        world.sent(p.ip("127.0.0.1", FAR4, p.tcp(port, 443, flags), p.TCP))
    assert len(world.mismatches) == told


def on_loopback(port: int, to: int, flags: str = "A") -> bytes:
    return p.ip("127.0.0.1", "127.0.0.1", p.tcp(port, to, flags), p.TCP)


def test_of_live_connections_that_share_a_port_each_keeps_its_later_segments(world: World) -> None:
    with sharing_a_port(world) as port:
        for to in (9, 10):
            world.sent(on_loopback(port, to, "S"))
        later = [world.sent(on_loopback(port, to)) for to in (9, 10)]
    assert later == [Sender(ONE, SECCOMP), Sender(TWO, SECCOMP)]


def test_a_connection_whose_syn_nobody_saw_is_that_of_its_port_s_last_caller(world: World) -> None:
    with sharing_a_port(world) as port:
        world.senders.sweep(1)
        assert world.sent(on_loopback(port, 11)) == Sender(TWO, SECCOMP)


def test_a_connection_that_is_accepted_later_is_not_that_of_who_once_called_there(
    world: World,
) -> None:
    with bound(kind=STREAM) as (made, port):
        world.hears(made, ONE, at("127.0.0.1", 9))
        world.sent(on_loopback(port, 9, "S"))
        world.hears(made, TWO, tid=TID + 1)
        world.sent(on_loopback(9, port, "S"))
        assert world.sent(on_loopback(port, 9, "SA")) == Sender(TWO, SECCOMP)


def test_a_syn_that_is_sent_again_contradicts_nobody_else_s_connect(world: World) -> None:
    with sharing_a_port(world) as port:
        world.sent(on_loopback(port, 9, "S"))
        assert world.sent(on_loopback(port, 9, "S")) == Sender(ONE, SECCOMP)
    assert world.mismatches == []


def test_a_reset_is_sent_for_the_connection_that_it_answers(world: World) -> None:
    with sharing_a_port(world) as port:
        for to in (9, 10):
            world.sent(on_loopback(port, to, "S"))
        assert world.sent(on_loopback(9, port, "RA")) == Sender(ONE, KERNEL)


@pytest.mark.parametrize(("to", "told"), [(53, 0), (54, 1)])
def test_a_datagram_of_a_socket_that_had_its_port_can_contradict_its_call(
    world: World, to: int, told: int
) -> None:
    with bound() as (made, port):
        world.hears(made, ONE, at(FAR4, 53))
        assert world.sent(datagram(port, to=to)) == Sender(ONE, SECCOMP)
    assert len(world.mismatches) == told


def test_a_sweep_before_the_packet_does_not_hide_that_it_went_elsewhere(world: World) -> None:
    with bound() as (made, port):
        world.hears(made, ONE, at(FAR4, 53))
        world.senders.sweep(1)
        world.sent(datagram(port, to=54))
    assert len(world.mismatches) == 1


def test_a_call_of_which_no_packet_came_in_time_is_contradicted_by_none(world: World) -> None:
    with bound() as (made, port):
        world.hears(made, ONE, at(FAR4, 53))
        world.senders.sweep(PENDING_NS + 1)
        world.sent(datagram(port, to=54))
    assert world.mismatches == []


def test_what_a_connected_socket_sends_contradicts_no_other_call_on_it(world: World) -> None:
    with bound() as (made, port):
        world.hears(made, ONE, at(FAR4, 53))
        world.hears(made, TWO, at(FAR4, 54), tid=TID + 1)
        world.hears(made, ONE)  # Its connect is over, and no datagram came of it yet.
        assert world.sent(datagram(port, to=53)) == Sender(ONE, SECCOMP)
    assert world.mismatches == []


def test_each_datagram_of_one_call_may_go_to_another_of_its_targets(world: World) -> None:
    with bound() as (made, port):
        world.hears(made, ONE, at(FAR4, 53), at(FAR4, 54))
        for to in (53, 54, 55):
            world.sent(datagram(port, to=to))
    assert [ends.target_port for _, ends in world.mismatches] == [55]


def test_a_call_whose_port_is_known_holds_no_descriptor(world: World) -> None:
    with bound() as (made, _):
        before = descriptors()
        world.hears(made, ONE, at(FAR4, 53))
        assert descriptors() == before


def test_a_bind_to_a_shared_port_takes_no_packet_from_a_call_that_named_its_place(
    world: World,
) -> None:
    with socket.socket(INET, DGRAM) as other, bound(address="0.0.0.0") as (made, port):
        for one in (other, made):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        world.hears(other, TWO)
        other.bind(("0.0.0.0", port))
        world.hears(made, ONE, at(FAR4, 53), tid=TID + 1)
        assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


@pytest.mark.parametrize("said", ["::ffff:127.0.0.1", "0.0.0.0", "::"])
def test_other_words_for_the_same_place_are_no_mismatch(world: World, said: str) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at(said, 9))
        made.connect(("127.0.0.1", 9))
        world.sent(datagram(made.getsockname()[1], target="127.0.0.1", to=9))
    assert world.mismatches == []


def test_one_of_many_targets_is_enough(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 8), at("127.0.0.1", 9))
        made.connect(("127.0.0.1", 9))
        world.sent(datagram(made.getsockname()[1], target="127.0.0.1", to=9))
    assert world.mismatches == []


def test_a_call_without_a_target_cannot_be_contradicted(world: World) -> None:
    with socket.socket(INET, STREAM) as made:
        world.hears(made)
        made.listen()
        assert world.sent(segment(made.getsockname()[1])) == Sender(ONE, SECCOMP)
    assert world.mismatches == []


def test_a_packet_of_another_protocol_is_not_that_of_the_call(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made, ONE, at("127.0.0.1", 9))
        made.connect(("127.0.0.1", 9))
        assert world.sent(segment(made.getsockname()[1])) is None
    assert world.mismatches == []


def test_the_next_call_of_a_thread_ends_the_waiting_for_the_one_before(world: World) -> None:
    with socket.socket(INET, DGRAM) as made, bound() as (other, _):
        before = descriptors()
        world.hears(made)
        world.hears(other, TWO, tid=TID + 1)
        assert descriptors() == before + 1
        world.hears(other)
        assert descriptors() == before


def test_the_next_call_of_a_thread_reads_the_port_of_the_one_before(world: World) -> None:
    with socket.socket(INET, DGRAM) as first, bound() as (second, _):
        world.hears(first, ONE)
        first.connect(("127.0.0.1", 9))
        port = first.getsockname()[1]
        world.hears(second, TWO)
    assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


def test_a_sweep_reads_the_ports_that_are_known_by_now(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        world.hears(made)
        made.connect(("127.0.0.1", 9))
        port = made.getsockname()[1]
        world.senders.sweep(1)
    assert world.sent(datagram(port)) == Sender(ONE, SECCOMP)


def test_a_sweep_lets_a_socket_go_that_got_no_port(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        before = descriptors()
        world.hears(made, now_ns=5)
        world.senders.sweep(5 + PENDING_NS)
        assert descriptors() == before + 1
        world.senders.sweep(6 + PENDING_NS)
        assert descriptors() == before


def test_closing_lets_every_socket_go(world: World) -> None:
    with socket.socket(INET, DGRAM) as made:
        before = descriptors()
        world.hears(made)
        world.senders.close()
        assert descriptors() == before


# Fragments


def later_fragment(source: str = "127.0.0.1", target: str = FAR4) -> bytes:
    return p.ipv4(source, target, bytes(64), p.UDP, fragment_offset=1480)


def test_a_later_fragment_follows_its_first(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        world.sent(datagram(port))
        assert world.sent(later_fragment()) == Sender(ONE, SECCOMP)


def test_a_later_fragment_to_another_place_is_nobody_s(world: World) -> None:
    with bound() as (made, port):
        world.hears(made)
        world.sent(datagram(port))
        assert world.sent(later_fragment(target="203.0.113.10")) is None


# Packets of the kernel


def quoting(packet: bytes, source: str, target: str) -> bytes:
    """An error about a packet that came in (port unreachable)."""
    if ":" in source:
        return p.ipv6(source, target, p.icmp(1, 4, packet[:64]), p.ICMPV6)
    return p.ipv4(source, target, p.icmp(3, 3, packet[:28]), p.ICMP)


def test_an_error_is_sent_for_the_process_whose_port_it_speaks_of(world: World) -> None:
    with bound(address="0.0.0.0") as (made, port):
        world.hears(made)
        came_in = p.ipv4(FAR4, OUR4, p.udp(53, port), p.UDP)
        assert world.sent(quoting(came_in, OUR4, FAR4)) == Sender(ONE, KERNEL)


def test_an_ipv6_error_is_sent_for_the_process_whose_port_it_speaks_of(world: World) -> None:
    with bound(INET6, address="::") as (made, port):
        world.hears(made)
        came_in = p.ipv6(FAR6, OUR6, p.udp(53, port), p.UDP)
        assert world.sent(quoting(came_in, OUR6, FAR6)) == Sender(ONE, KERNEL)


def test_an_error_about_a_port_of_nobody_is_nobody_s(world: World) -> None:
    with bound(address="0.0.0.0") as (made, port):
        world.hears(made)
        came_in = p.ipv4(FAR4, OUR4, p.udp(port ^ 1, port ^ 1), p.UDP)
        assert world.sent(quoting(came_in, OUR4, FAR4)) is None


@pytest.mark.parametrize("length", [0, 8, 20, 22, 23])
def test_an_error_that_quotes_too_little_is_nobody_s(world: World, length: int) -> None:
    with bound(address="0.0.0.0") as (made, port):
        world.hears(made)
        came_in = p.ipv4(FAR4, OUR4, p.udp(53, port), p.UDP)[:length]
        assert world.sent(quoting(came_in, OUR4, FAR4)) is None


@pytest.mark.parametrize("family", [INET, INET6])
def test_a_reset_from_a_closed_port_is_sent_for_who_asked_there(world: World, family: int) -> None:
    here = "127.0.0.1" if family == INET else "::ffff:127.0.0.1"
    with bound(family, STREAM, here) as (made, port):
        world.hears(made)
        answer = p.ipv4("127.0.0.1", "127.0.0.1", p.tcp(1, port, "RA"), p.TCP)
        assert world.sent(answer) == Sender(ONE, KERNEL)


def test_an_ipv6_reset_is_sent_for_who_asked_there(world: World) -> None:
    with bound(INET6, STREAM, "::") as (made, port):
        world.hears(made)
        assert world.sent(p.ipv6("::1", "::1", p.tcp(1, port, "R"), p.TCP)) == Sender(ONE, KERNEL)


@pytest.mark.parametrize("proto", [p.TCP, p.UDP, 132])
def test_a_packet_of_nobody_to_a_port_that_somebody_has_here_stays_nobody_s(
    world: World, proto: int
) -> None:
    with (
        bound(kind=STREAM, address="0.0.0.0") as (one, port),
        bound(address="0.0.0.0") as (two, at),
    ):
        world.hears(one)
        world.hears(two, tid=TID + 1)
        for to in (port, at):
            body = p.tcp(1, to, "S") if proto == p.TCP else p.udp(1, to, bytes(8))
            assert world.sent(p.ipv4(OUR4, FAR4, body, proto)) is None


IGMP_REPORT = p.ipv4(OUR4, "224.0.0.22", bytes(16), 2)
MLD_REPORT = p.ipv6(OUR6, "ff02::16", p.icmp(143), p.ICMPV6, [(0, p.extension_body())])


@pytest.mark.parametrize("report", [IGMP_REPORT, MLD_REPORT], ids=["igmp", "mld"])
def test_a_group_report_is_sent_for_who_joined(world: World, report: bytes) -> None:
    world.senders.joined_group(ONE)
    assert world.sent(report) == Sender(ONE, KERNEL)


@pytest.mark.parametrize("report", [IGMP_REPORT, MLD_REPORT], ids=["igmp", "mld"])
def test_a_group_report_without_a_join_is_nobody_s(world: World, report: bytes) -> None:
    assert world.sent(report) is None


def test_who_joined_a_group_does_not_own_datagrams(world: World) -> None:
    world.senders.joined_group(ONE)
    assert world.sent(datagram(40_000)) is None


# Raw sockets


@needs_root
def test_a_raw_socket_owns_packets_of_its_protocol_alone(world: World) -> None:
    with socket.socket(INET, socket.SOCK_RAW, 89) as made:
        assert world.hears(made).kind == socket.SOCK_RAW
    assert world.sent(p.ipv4(OUR4, FAR4, bytes(24), 89)) == Sender(ONE, SECCOMP)
    assert world.sent(p.ipv4(OUR4, FAR4, bytes(24), 90)) is None


@needs_root
def test_a_raw_socket_that_writes_headers_owns_what_nobody_else_does(world: World) -> None:
    with bound() as (known, port), socket.socket(INET, socket.SOCK_RAW, RAW_ALL) as made:
        world.hears(known, TWO)
        world.hears(made, ONE, tid=TID + 1)
        assert world.sent(datagram(port ^ 1)) == Sender(ONE, SECCOMP)
        assert world.sent(datagram(port)) == Sender(TWO, SECCOMP)


@needs_root
def test_a_packet_socket_owns_what_nobody_else_does(world: World) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as made:
        world.hears(made)
    assert world.sent(datagram(40_000)) == Sender(ONE, SECCOMP)


def test_a_ping_socket_owns_the_echoes_with_its_identifier() -> None:
    def told() -> tuple[Sender | None, Sender | None, Sender | None]:
        Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{os.getgid()} {os.getgid()}")
        world = World()
        with socket.socket(INET, DGRAM, socket.IPPROTO_ICMP) as made:
            made.bind(("0.0.0.0", 0))
            world.hears(made)
            identifier = struct.pack("!HH", made.getsockname()[1], 1)
            other = struct.pack("!HH", made.getsockname()[1] ^ 1, 1)
        echo = p.ipv4(OUR4, FAR4, p.icmp(8, rest=identifier), p.ICMP)
        later = p.ipv4(OUR4, FAR4, bytes(64), p.ICMP, fragment_offset=1480)
        stranger = p.ipv4(OUR4, "203.0.113.10", p.icmp(8, rest=other), p.ICMP)
        return world.sent(echo), world.sent(later), world.sent(stranger)

    own = Sender(ONE, SECCOMP)
    assert in_child(told, namespaces=CLONE_NEWNET) == (own, own, None)


@pytest.mark.parametrize(("most", "held"), [(3, 3), (100, 5)])
def test_no_more_sockets_without_a_port_are_held_than_so_many(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int, held: int
) -> None:
    monkeypatch.setattr(module, "MOST_PENDING", most)
    with socket.socket() as made:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for tid in range(5):
            world.hears(made, tid=tid + 1)
        assert len(list(Path("/proc/self/fd").iterdir())) - before == held
