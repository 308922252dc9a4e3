"""Every packet of the sandbox: written to the capture, joined to its process, and answered.

The capture's first interface is the way out, the second the sandbox's own loopback. What leaves is
read from the wire; what our side of it answers is written to the capture too, before it goes in.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from egress_audit.evidence.pcapng_writer import PcapngWriter
from egress_audit.model.run import Process, Role
from egress_audit.record.internet.internet import Internet
from egress_audit.record.no_wire import NoLoopback
from egress_audit.record.packet_ends import Ends, ends_of
from egress_audit.record.packet_socket import PacketSocket
from egress_audit.record.passthrough import OpenNetwork
from egress_audit.record.probe import Expected
from egress_audit.record.processes import Processes
from egress_audit.record.senders import KERNEL, Sender, Senders
from egress_audit.record.wire import Wire

WAY_OUT, LOOPBACK = 0, 1
"""Interfaces of the capture."""
SILENCE_NS = 1_000_000_000
"""After as much the owner of a conversation is written again: its ports may be others' by then."""
MOST_CONVERSATIONS = 200_000
MOST_ROUNDS = 64
MOST_DESTINATIONS = 1000

Conversation = tuple[int, Ends]
WriteEvent = Callable[..., None]


class Destinations:
    """What the live view shows: where packets went, with how many."""

    def __init__(self) -> None:
        self.packets: dict[str, int] = {}

    def count(self, label: str) -> None:
        """One more packet to this place."""
        if label in self.packets or len(self.packets) < MOST_DESTINATIONS:
            self.packets[label] = self.packets.get(label, 0) + 1


class Traffic:
    """The packets of one sandbox."""

    def __init__(
        self,
        wire: Wire,
        loopback: PacketSocket | NoLoopback,
        capture: PcapngWriter,
        senders: Senders,
        processes: Processes,
        internet: Internet | OpenNetwork | None,
        write_event: WriteEvent,
        now: Callable[[], int],
    ) -> None:
        """internet: what answers; None where nothing does."""
        self._wire = wire
        self._loopback = loopback
        self._capture = capture
        self._senders = senders
        self._processes = processes
        self._internet = internet
        self._write = write_event
        self._now = now
        self._owners: OrderedDict[Conversation, tuple[int, str, int]] = OrderedDict()
        """Conversation → (process or 0, how, time of its last packet)."""
        self._comments: dict[int, str] = {}
        self._labels: dict[tuple[bytes, int], str] = {}
        self.expected: list[Expected] = []
        """Probes that have not been found yet."""
        self.names: dict[str, str] = {}
        self.unattributed = self._untaken = 0
        self.received = [0, 0]
        """Frames read, by interface; our own answers are not among them."""
        self.destinations = Destinations()

    def drain(self) -> None:
        """Reads everything that is on the way out and on the loopback, and answers it."""
        for _ in range(MOST_ROUNDS):
            if not (self.take_wire() | self.take_loopback()):
                return

    def take_wire(self) -> bool:
        """Reads what leaves, and what came back for it; True if there was anything."""
        count = 0
        for frame, wire_len in self._wire.frames():
            count += 1
            self._leaves(frame, wire_len)
        self.received[WAY_OUT] += count
        arrived = self._internet.arrived() if isinstance(self._internet, OpenNetwork) else []
        self._answer(arrived)
        return count > 0 or bool(arrived)

    def take_loopback(self) -> bool:
        """Reads what stays inside; True if there was anything."""
        frames = self._loopback.read()
        for frame in frames:
            self._owned(LOOPBACK, frame.data, frame.data, frame.wire_len)
        self.received[LOOPBACK] += len(frames)
        return bool(frames)

    def limits(self) -> list[str]:
        """What was not answered that the real network might have, or never came in; in words."""
        told = [] if self._internet is None else self._internet.limits()
        untaken = f"answers in the capture that the sandbox would not take: {self._untaken}"
        return [*told, untaken] if self._untaken else told

    def due(self) -> None:
        """Sends what our side of the wire sends by itself: repetitions, greetings, ends."""
        if self._internet is not None:
            self._answer(self._internet.due(self._now()))
            self._note_names(self._internet, 0)

    def _leaves(self, frame: bytes, wire_len: int) -> None:
        packet = self._wire.packet_in(frame)
        number = self._owned(WAY_OUT, frame, packet, wire_len)
        for probe in self.expected:
            if probe.is_in(packet):
                probe.frame = number
                self.expected.remove(probe)
                break
        if self._internet is None or not packet:
            return
        answers = self._internet.answer(packet, self._now())
        if answers:
            self._answer(answers)
            self._note_names(self._internet, number)

    def _note_names(self, internet: Internet | OpenNetwork, frame: int) -> None:
        """Writes which names have an address now; frame: of the question, 0 if it is not known."""
        for host, address in internet.new_names():
            self.names[address] = host
            self._write("name", host=host, address=address, frame=frame)

    def _answer(self, packets: Iterable[bytes]) -> None:
        for packet in packets:
            frame = self._wire.frame_for(packet)
            self._capture.write(WAY_OUT, self._now(), frame, outbound=False)
            self._untaken += not self._wire.write(frame)

    def _owned(self, interface: int, frame: bytes, packet: bytes, wire_len: int) -> int:
        """Writes a frame with its process beside it; returns its number."""
        now = self._now()
        ends = ends_of(packet)
        sender = self._senders.sender(ends, packet) if ends is not None else None
        comment = self._comment(sender.process) if sender else ""
        probe = sender is not None and sender.process.role is Role.PROBE
        number = self._capture.write(
            interface,
            now,
            frame,
            outbound=True,
            comment=comment,
            whole=probe,
            wire_len=wire_len,
        )
        if sender is None:
            self.unattributed += 1
        if ends is None:
            self._write("unattributed", frame=number)
        else:
            self._note_owner(interface, ends, sender, number, now)
        return number

    def _note_owner(
        self, interface: int, ends: Ends, sender: Sender | None, frame: int, now: int
    ) -> None:
        """Writes who owns a conversation when that is new, or may be."""
        process, how = (sender.process.id, sender.how) if sender else (0, "")
        if process and process in self._processes.gone:
            how = KERNEL
        conversation = (interface, ends._replace(opens=False))
        known = self._owners.get(conversation)
        self._owners[conversation] = (process, how, now)
        if interface == WAY_OUT and (sender is None or sender.process.role is not Role.PROBE):
            self._count(ends)
        same = known is not None and known[:2] == (process, how) and now - known[2] < SILENCE_NS
        if same and not ends.opens:
            return
        if known is None and len(self._owners) > MOST_CONVERSATIONS:
            self._owners.popitem(last=False)
        if process:
            self._write("owner", frame=frame, process=process, how=how)
        else:
            self._write("unattributed", frame=frame)

    def _count(self, ends: Ends) -> None:
        end = (ends.target, ends.target_port)
        label = self._labels.get(end)
        if label is None:
            address = str(ip_address(ends.target))
            place = self.names.get(address, address)
            label = f"{place}:{ends.target_port}" if ends.target_port else place
            if len(self._labels) < MOST_CONVERSATIONS:
                self._labels[end] = label
        self.destinations.count(label)

    def _comment(self, process: Process) -> str:
        text = self._comments.get(process.id)
        if text is None:
            text = f"pid {process.pid} {process.exe}".rstrip()
            if process.role is not Role.TARGET:
                text += f" (egress-audit's own: {process.role.value})"
            self._comments[process.id] = text
        return text
