"""Packets of a sandbox: each in the capture, with its owner on the occasions that matter."""

import io
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from scapy.layers.dns import DNS, DNSQR

from egress_audit.evidence.pcapng_writer import CaptureInterface, PcapngWriter
from egress_audit.model.run import Process, Role
from egress_audit.record import traffic as module
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.record.no_wire import NoLoopback
from egress_audit.record.packet_socket import Frame
from egress_audit.record.probe import probes
from egress_audit.record.processes import Processes
from egress_audit.record.senders import Senders
from egress_audit.record.syscalls import pidfd_open
from egress_audit.record.traffic import LOOPBACK, SILENCE_NS, WAY_OUT, Traffic
from tests.builders import packets as p
from tests.builders.runs import PROBER, process
from tests.reference.capture_reader import ReferenceFrame, read_capture

pytestmark = pytest.mark.opens_sockets

OUR, FAR, OTHER, RESOLVER = "10.87.0.2", "203.0.113.9", "203.0.113.10", "10.87.0.1"
FAR6 = "2001:db8::9"
ONE, TWO = process(2), process(3)
SETTINGS = InternetSettings(resolvers=frozenset({RESOLVER}))


class ListWire:
    """A way out whose frames are in a list."""

    linktype = 101

    def __init__(self) -> None:
        self.leaving: list[bytes] = []
        self.unread = 0
        """Bytes of each frame that were on the wire and could not be read."""
        self.written: list[bytes] = []
        self.empty = False
        """True: no frame holds an IP packet."""
        self.is_down = False
        """True: it takes nothing in."""

    def fileno(self) -> int:
        return -1

    def frames(self) -> Iterator[tuple[bytes, int]]:
        while self.leaving:
            frame = self.leaving.pop(0)
            yield frame, len(frame) + self.unread

    def packet_in(self, frame: bytes) -> bytes:
        return b"" if self.empty else frame

    def frame_for(self, packet: bytes) -> bytes:
        return packet

    def write(self, frame: bytes) -> bool:
        self.written.append(frame)
        return not self.is_down

    def dropped(self, pid: int) -> int:
        return 0

    def close(self) -> None:
        return


class ListLoopback(NoLoopback):
    """A loopback whose packets are in a list."""

    def __init__(self) -> None:
        self.passing: list[bytes] = []
        self.unread = 0

    def read(self) -> list[Frame]:
        frames = [Frame(data, len(data) + self.unread, False, 0x0800) for data in self.passing]
        self.passing.clear()
        return frames


class World:
    """The traffic of a sandbox, what was written of it, and sockets whose owners are known."""

    def __init__(self, stack: ExitStack, settings: InternetSettings | None) -> None:
        self._stack = stack
        self.events: list[tuple[str, dict[str, object]]] = []
        self.now_ns = 1_000_000_000
        self.stream = io.BytesIO()
        interfaces = [CaptureInterface("eg0", 101), CaptureInterface("lo", 101)]
        self.capture = PcapngWriter(self.stream, interfaces)
        self.wire, self.loopback = ListWire(), ListLoopback()
        self.senders = Senders(lambda process, ends: None)
        self.processes = Processes(lambda process: None, lambda: self.now_ns)
        self.traffic = Traffic(
            self.wire,
            self.loopback,
            self.capture,
            self.senders,
            self.processes,
            Internet(settings) if settings else None,
            lambda event, **fields: self.events.append((event, fields)),
            lambda: self.now_ns,
        )
        stack.callback(self.senders.close)

    def port_of(self, who: Process, kind: int = socket.SOCK_DGRAM, port: int = 0) -> int:
        """A port of a socket that `who` made."""
        made = self._stack.enter_context(socket.socket(socket.AF_INET, kind))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("0.0.0.0", port))
        pidfd = pidfd_open(os.getpid())
        self.senders.heard(pidfd, made.fileno(), who.pid, who, (), self.now_ns)
        os.close(pidfd)
        bound: int = made.getsockname()[1]
        return bound

    def leaves(self, *packets: bytes) -> None:
        self.wire.leaving += packets
        self.traffic.drain()

    def stays(self, *packets: bytes) -> None:
        self.loopback.passing += packets
        self.traffic.drain()

    def of(self, kind: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.events if event == kind]

    def owners(self) -> list[tuple[object, ...]]:
        return [
            tuple(fields[name] for name in ("frame", "process", "how"))
            for fields in self.of("owner")
        ]

    def captured(self) -> list[ReferenceFrame]:
        self.capture.flush()
        return read_capture(self.stream.getvalue()).frames


@pytest.fixture
def world() -> Iterator[World]:
    """A sandbox whose packets nobody answers."""
    with ExitStack() as stack:
        yield World(stack, None)


@pytest.fixture
def answering() -> Iterator[World]:
    """A sandbox whose packets our own internet answers."""
    with ExitStack() as stack:
        yield World(stack, SETTINGS)


def datagram(port: int, target: str = FAR, to: int = 4000, payload: bytes = b"") -> bytes:
    return p.ipv4(OUR, target, p.udp(port, to, payload), p.UDP)


def segment(port: int, flags: str = "S") -> bytes:
    return p.ipv4(OUR, FAR, p.tcp(port, 443, flags), p.TCP)


# The capture


def test_every_packet_is_captured_as_it_is_on_its_interface(world: World) -> None:
    out, inside = datagram(1, payload=b"out"), datagram(2, payload=b"inside")
    world.leaves(out)
    world.stays(inside)
    frames = world.captured()
    assert [(f.interface, f.data, f.ts_ns) for f in frames] == [
        (WAY_OUT, out, world.now_ns),
        (LOOPBACK, inside, world.now_ns),
    ]
    assert world.traffic.received == [1, 1]


def test_what_could_not_be_read_of_a_frame_shows_as_cut(world: World) -> None:
    out, inner = datagram(1), datagram(2)
    world.wire.unread, world.loopback.unread = 100, 10
    world.leaves(out)
    world.stays(inner)
    lengths = [(len(frame.data), frame.wirelen) for frame in world.captured()]
    assert lengths == [(len(out), len(out) + 100), (len(inner), len(inner) + 10)]


def test_a_frame_says_whose_it_is(world: World) -> None:
    world.leaves(datagram(world.port_of(ONE)))
    world.capture.flush()
    assert f"pid {ONE.pid} {ONE.exe}".encode() in world.stream.getvalue()


def test_a_drain_takes_more_than_one_reading(world: World) -> None:
    world.leaves(*[datagram(1)] * 3)
    world.stays(*[datagram(2)] * 3)
    assert world.traffic.received == [3, 3]
    assert not world.traffic.take_wire()
    assert not world.traffic.take_loopback()


# Owners


def test_the_first_packet_of_a_conversation_has_its_owner_written(world: World) -> None:
    world.leaves(datagram(world.port_of(ONE)))
    assert world.owners() == [(1, ONE.id, "seccomp")]


def test_the_packets_that_follow_have_no_owner_written(world: World) -> None:
    port = world.port_of(ONE)
    world.leaves(*[datagram(port)] * 5)
    assert len(world.owners()) == 1


def test_each_conversation_has_its_own_first_packet(world: World) -> None:
    port = world.port_of(ONE)
    world.leaves(datagram(port), datagram(port, OTHER), datagram(port, to=4001), datagram(port))
    assert [frame for frame, _, _ in world.owners()] == [1, 2, 3]


def test_the_same_ports_on_another_interface_are_another_conversation(world: World) -> None:
    port = world.port_of(ONE)
    world.leaves(datagram(port))
    world.stays(datagram(port))
    assert [frame for frame, _, _ in world.owners()] == [1, 2]


def test_each_syn_has_its_owner_written(world: World) -> None:
    port = world.port_of(ONE, socket.SOCK_STREAM)
    world.leaves(segment(port), segment(port, "A"), segment(port), segment(port, "PA"))
    assert [frame for frame, _, _ in world.owners()] == [1, 3]


@pytest.mark.parametrize(("pause_ns", "frames"), [(SILENCE_NS, [1, 2]), (SILENCE_NS - 1, [1])])
def test_after_a_silence_the_owner_is_written_again(
    world: World, pause_ns: int, frames: list[int]
) -> None:
    port = world.port_of(ONE)
    world.leaves(datagram(port))
    world.now_ns += pause_ns
    world.leaves(datagram(port))
    assert [frame for frame, _, _ in world.owners()] == frames


def test_packets_that_keep_coming_are_no_silence(world: World) -> None:
    port = world.port_of(ONE)
    for _ in range(5):
        world.now_ns += SILENCE_NS // 2
        world.leaves(datagram(port))
    assert len(world.owners()) == 1


def test_an_owner_that_changed_is_written(world: World) -> None:
    port = world.port_of(ONE)
    world.leaves(datagram(port))
    world.port_of(TWO, port=port)
    world.leaves(datagram(port), datagram(port))
    assert world.owners() == [(1, ONE.id, "seccomp"), (2, TWO.id, "seccomp")]


def test_what_is_sent_for_a_process_that_is_gone_is_the_kernel_s(world: World) -> None:
    port = world.port_of(ONE, socket.SOCK_STREAM)
    world.leaves(segment(port, "A"))
    world.processes.gone.add(ONE.id)
    world.leaves(segment(port, "FA"))
    assert world.owners() == [(1, ONE.id, "seccomp"), (2, ONE.id, "kernel, on behalf of")]


def test_conversations_past_the_number_that_is_kept_are_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONVERSATIONS", 1)
    port = world.port_of(ONE)
    world.leaves(datagram(port), datagram(port, OTHER), datagram(port))
    assert [frame for frame, _, _ in world.owners()] == [1, 2, 3]


# Packets of nobody


def test_a_packet_of_nobody_is_written_once_and_counted_each_time(world: World) -> None:
    world.leaves(datagram(1), datagram(1), datagram(1))
    assert world.of("unattributed") == [{"frame": 1}]
    assert world.traffic.unattributed == 3


def test_a_packet_with_an_owner_is_not_counted(world: World) -> None:
    world.leaves(datagram(world.port_of(ONE)))
    assert world.traffic.unattributed == 0
    assert world.of("unattributed") == []


def test_a_packet_of_nobody_that_finds_its_owner_has_it_written(world: World) -> None:
    port = world.port_of(TWO, socket.SOCK_STREAM)
    world.leaves(datagram(port))
    world.port_of(ONE, port=port)
    world.leaves(datagram(port))
    assert world.of("unattributed") == [{"frame": 1}]
    assert world.owners() == [(2, ONE.id, "seccomp")]


def test_a_frame_without_a_packet_is_nobody_s_each_time(world: World) -> None:
    world.wire.empty = True
    world.leaves(b"\xff" * 60, b"\xff" * 60)
    assert world.of("unattributed") == [{"frame": 1}, {"frame": 2}]
    assert world.traffic.unattributed == 2


def test_a_frame_without_a_packet_gets_no_answer(answering: World) -> None:
    answering.wire.empty = True
    answering.leaves(datagram(1))
    assert answering.wire.written == []


# Answers


def asks(port: int, host: str = "hub.test") -> bytes:
    query = bytes(DNS(id=7, rd=1, qd=DNSQR(qname=host, qtype="A")))
    return p.ipv4(OUR, RESOLVER, p.udp(port, 53, query), p.UDP)


def test_an_answer_is_captured_before_it_goes_in_and_has_no_owner(answering: World) -> None:
    port = answering.port_of(ONE, socket.SOCK_STREAM)
    answering.leaves(segment(port))
    (answer,) = answering.wire.written
    assert [frame.data for frame in answering.captured()] == [segment(port), answer]
    assert answer[33] & 0x12 == 0x12
    assert answering.owners() == [(1, ONE.id, "seccomp")]
    assert answering.traffic.received == [1, 0]


def test_nothing_answers_where_packets_go_on_by_themselves(world: World) -> None:
    world.leaves(segment(1))
    world.traffic.due()
    assert world.wire.written == []


def test_an_answer_that_is_not_taken_is_a_limit(answering: World) -> None:
    answering.leaves(segment(1))
    assert answering.traffic.limits() == []
    answering.wire.is_down = True
    answering.leaves(segment(2))
    assert len(answering.captured()) == 4
    assert answering.traffic.limits() == [
        "answers in the capture that the sandbox would not take: 1"
    ]


def test_what_stays_inside_is_not_answered_by_us(answering: World) -> None:
    answering.stays(segment(1))
    assert answering.wire.written == []


def test_a_name_that_got_an_address_is_written_with_its_question(answering: World) -> None:
    answering.leaves(datagram(1), asks(2))
    question = len(answering.captured()) - 1
    (name,) = answering.of("name")
    assert (name["host"], name["frame"]) == ("hub.test", question)
    assert answering.traffic.names == {str(name["address"]): "hub.test"}


def test_where_a_packet_went_is_shown_by_its_name(answering: World) -> None:
    answering.leaves(asks(2))
    (address,) = answering.traffic.names
    answering.leaves(datagram(3, address, 443))
    assert answering.traffic.destinations.packets["hub.test:443"] == 1


def test_what_is_due_is_sent_and_captured(answering: World) -> None:
    port = answering.port_of(ONE, socket.SOCK_STREAM)
    answering.leaves(segment(port))
    before = len(answering.wire.written)
    for _ in range(60):
        answering.now_ns += SILENCE_NS
        answering.traffic.due()
    assert len(answering.wire.written) > before
    assert len(answering.captured()) == 1 + len(answering.wire.written)


# Probes and what is shown


def test_a_probe_is_found_in_its_frame(world: World) -> None:
    expected = list(probes("before", (RESOLVER,), ipv6=False))
    world.traffic.expected = list(expected)
    first, second = expected
    world.leaves(datagram(1), datagram(2, second.target, 53, second.payload))
    assert (first.frame, second.frame) == (None, 2)
    assert world.traffic.expected == [first]


def test_a_probe_that_stayed_inside_is_not_found(world: World) -> None:
    (probe, *_) = probes("before", (RESOLVER,), ipv6=False)
    world.traffic.expected = [probe]
    world.stays(datagram(1, payload=probe.payload))
    assert probe.frame is None


def test_where_packets_went_is_counted(world: World) -> None:
    world.leaves(datagram(1), datagram(1), p.ipv6("fd00::2", FAR6, p.icmp(128), p.ICMPV6))
    assert world.traffic.destinations.packets == {f"{FAR}:4000": 2, FAR6: 1}


def test_where_probes_and_inner_packets_went_is_not_counted(world: World) -> None:
    prober = process(PROBER, Role.PROBE)
    world.leaves(datagram(world.port_of(prober)))
    world.stays(datagram(world.port_of(ONE)))
    assert world.traffic.destinations.packets == {}


def test_no_more_places_are_shown_than_so_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_DESTINATIONS", 1)
    world.leaves(datagram(1), datagram(1, OTHER), datagram(1))
    assert world.traffic.destinations.packets == {f"{FAR}:4000": 2}
