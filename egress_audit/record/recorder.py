"""The recorder's process: makes the sandbox, watches one session in it, and closes the record.

It holds every descriptor of the evidence from the start, and no privilege once the sandbox stands.
"""

import os
import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from egress_audit.errors import EgressAuditError
from egress_audit.evidence.bundle import BundleWriter
from egress_audit.evidence.event_kinds import VERSION
from egress_audit.evidence.events import EventsWriter, Value
from egress_audit.evidence.lines import one_line
from egress_audit.evidence.pcapng_writer import CaptureInterface, PcapngWriter
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Process, Role
from egress_audit.record.attempts import Attempts
from egress_audit.record.builder import setup_of
from egress_audit.record.ending_signals import ENDING, heeded
from egress_audit.record.exercise import Exercise
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import DnsPolicy, InternetSettings
from egress_audit.record.ladder import climb, shield
from egress_audit.record.leavings import Leavings
from egress_audit.record.losses import LO, NO_INTERFACE, note_losses
from egress_audit.record.on_host import blindness_of, network_of, own_addresses
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.passthrough import OpenNetwork, OpenWire
from egress_audit.record.phases import ReportedPhases
from egress_audit.record.plan import CommandFailed, Prepared
from egress_audit.record.private_place import Private
from egress_audit.record.privileges import become, die_with
from egress_audit.record.probe import DOMAIN, SENTINEL4, SENTINEL6, Expected, probes
from egress_audit.record.processes import Processes
from egress_audit.record.progress import Limits, Outcome, Status
from egress_audit.record.publish import Publisher
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.senders import Senders
from egress_audit.record.session import Session
from egress_audit.record.setup import ADDRESS4, ADDRESS6, HOSTNAME
from egress_audit.record.syscalls import raise_descriptor_limit
from egress_audit.record.traffic import Traffic
from egress_audit.record.watcher import Watcher, watcher_of
from egress_audit.record.way_on import probed_resolvers, resolvers_of, way_on
from egress_audit.record.wire import INTERFACE, LINKTYPE_RAW

GATHERED = 1 << 20
"""Bytes of events that wait at most until they are written together."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What looks at one sandbox."""

    processes: Processes
    attempts: Attempts
    files: OpenedFiles
    leavings: Leavings
    senders: Senders
    traffic: Traffic
    calls: Watcher
    phases: ReportedPhases


class Recorder:
    """One recording, from nothing to the last line of its record."""

    def __init__(
        self,
        prepared: Prepared,
        writer: BundleWriter,
        on_tick: Callable[[Status], None],
        on_output: Callable[[bytes], None],
        caller: int,
    ) -> None:
        """caller: pid of our parent, with which we end."""
        self._caller = caller
        self._prepared = prepared
        self._plan = prepared.plan
        self._writer = writer
        self._on_tick = on_tick
        self._on_output = on_output
        self._events = EventsWriter(writer.events, gather=GATHERED)
        self._resolvers = resolvers_of(prepared.plan)
        self._began_ns = 0
        self._open: OpenNetwork | None = None
        self._ended_by: list[int] = []
        """Signals that came before there was a session which they could end."""

    def record(self) -> dict[str, object]:
        """Records; returns what the caller needs to close the bundle, or that nothing was begun.

        Unblocks the signals of ENDING. Raises EgressAuditError.
        """
        for number in heeded(ENDING):
            signal.signal(number, lambda number, frame: self._ended_by.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        asked = probed_resolvers(self._plan)
        before = probes("before", asked, ipv6=self._plan.ipv6)
        after = probes("after", asked, ipv6=self._plan.ipv6)
        told, tell = os.pipe()
        publisher = Publisher(self._plan.publish) if self._plan.publish else None
        bundle = os.path.realpath(self._writer.path)  # While links still lead there.
        sandbox = climb(setup_of(self._prepared, bundle, before, after, tell, publisher))
        os.close(tell)
        try:
            if self._ended_by:
                return {"interrupted": True}
            if self._plan.network is Network.OPEN and sandbox.rung.sees_all:
                self._open = way_on(self._prepared)
                sandbox.wire = OpenWire(sandbox.wire, self._open)
            become(self._prepared.user)
            die_with(self._caller)
            shield(sandbox)
            if publisher is not None and not sandbox.rung.sees_all:
                publisher.close()  # The program's own server stands on the host there.
                publisher = None
            outcome = self._recorded(sandbox, before, after, told, publisher)
        except EgressAuditError:
            with suppress(EgressAuditError):  # A full disk: as much as there is room for.
                self._events.flush()
            raise
        finally:
            sandbox.close()
            os.close(told)
            if publisher is not None:
                publisher.close()
        return {
            "rung": sandbox.rung.value,
            "network": network_of(sandbox.rung, self._plan.network).value,
            "exit_status": outcome.exit_status,
            "ended_by": outcome.ended_by,
        }

    def _recorded(
        self,
        sandbox: Sandbox,
        before: tuple[Expected, ...],
        after: tuple[Expected, ...],
        told: int,
        publisher: Publisher | None,
    ) -> Outcome:
        raise_descriptor_limit()  # Not before the sandbox stands: the program keeps its own.
        capture = PcapngWriter(
            self._writer.capture, _interfaces(sandbox), headers_only=self._plan.headers_only
        )
        self._began_ns = time.time_ns()
        self._begin(sandbox)
        watched = self._watched(sandbox, capture)
        session = Session(
            sandbox,
            watched.calls,
            watched.traffic,
            watched.processes,
            watched.senders,
            capture,
            self._write,
            self._limits(),
            lambda: self._flush(capture),
            phases=watched.phases,
            exercise=self._exercise(told),
            publisher=publisher,
            on_tick=self._on_tick,
        )
        for number in heeded(ENDING):
            signal.signal(number, lambda number, frame: session.interrupt(number))
        for early in self._ended_by:
            session.interrupt(early)
        watched.leavings.note_environment()
        outcome = session.run(before, after)
        if outcome.failed_errno:
            raise CommandFailed(
                os.strerror(outcome.failed_errno), where=self._plan.command[0], hint="nothing ran"
            )
        watched.phases.read()
        watched.phases.finish()
        for path in watched.leavings.fifos_changed():
            watched.attempts.reached(path)
        watched.attempts.finish()
        watched.leavings.note_files(watched.files, session.working, session.impatience())
        self._end(sandbox, capture, watched.traffic)
        sandbox.order(quit=True)
        return outcome

    def _watched(self, sandbox: Sandbox, capture: PcapngWriter) -> "Watched":
        """Everything that looks at the sandbox, each joined to those it needs."""
        leavings = Leavings(self._prepared, sandbox, self._write)
        processes = Processes(lambda process: self._met(process, leavings), time.time_ns)
        processes.declare(sandbox.init, Role.RECORDER)
        attempts = Attempts(self._write)
        private = Private.of(sandbox.inside, (layer.shown for layer in leavings.layers))
        files = OpenedFiles(self._began_ns, private)
        senders = Senders(lambda process, ends: calls.mismatch(process, ends))
        traffic = Traffic(
            sandbox.wire,
            sandbox.loopback,
            capture,
            senders,
            processes,
            (self._open or self._internet()) if sandbox.rung.sees_all else None,
            self._write,
            time.time_ns,
        )
        calls = watcher_of(sandbox, self._plan, processes, senders, attempts, files, traffic.drain)
        phases = ReportedPhases(sandbox.inside, self._write)
        return Watched(processes, attempts, files, leavings, senders, traffic, calls, phases)

    def _begin(self, sandbox: Sandbox) -> None:
        words = sandbox.mounted.words
        own = [ADDRESS4, ADDRESS6] if self._plan.ipv6 else [ADDRESS4]
        if not sandbox.rung.sees_all:
            own = own_addresses()
        self._write(
            "begin",
            version=VERSION,
            rung=sandbox.rung.value,
            network=network_of(sandbox.rung, self._plan.network).value,
            recorder="run",
            command=one_line(self._prepared.shown),
            hostname=HOSTNAME if sandbox.rung.sees_all else socket.gethostname(),
            own_addresses=own,
            resolvers=list(self._resolvers) if sandbox.rung.sees_all else [],
            home=str(words.get("home", self._plan.home)),
            cannot_see=blindness_of(sandbox.rung, self._plan.network),
        )

    def _internet(self) -> Internet:
        plan = self._plan
        settings = InternetSettings(
            mode=plan.network,
            dns=DnsPolicy(plan.dns),
            ipv6=plan.ipv6,
            resolvers=frozenset(self._resolvers),
            swallow=frozenset({SENTINEL4, SENTINEL6, ADDRESS4, ADDRESS6}),
            swallow_suffix=DOMAIN,
        )
        if plan.answer_range is not None:
            settings = replace(settings, answer_range4=plan.answer_range)
        return Internet(settings, random.Random(os.urandom(16)))

    def _exercise(self, output: int) -> Exercise | None:
        expect = self._prepared.expect
        if self._plan.exercise is None or expect is None:
            return None
        return Exercise(output, expect, self._on_output)

    def _limits(self) -> Limits:
        return Limits(
            observe_s=self._plan.observe_s,
            ready=self._prepared.ready is not None,
        )

    def _met(self, process: Process, leavings: Leavings) -> None:
        leavings.executed(process.exe)
        self._write(
            "process",
            id=process.id,
            pid=process.pid,
            start_time=process.start_time,
            exe=process.exe,
            cmdline=None if isinstance(process.cmdline, Absent) else process.cmdline,
            parent=None if isinstance(process.parent, Absent) else process.parent,
            role=process.role.value,
        )

    def _write(self, event: str, *, at_ns: int = 0, **fields: Value) -> None:
        """Writes an event of now, or of a moment ago."""
        self._events.write(event, at_ns or time.time_ns(), **fields)

    def _flush(self, capture: PcapngWriter) -> None:
        """Frames before the events that speak of them: a record cut short names none that is not
        there."""
        capture.flush()
        self._events.flush()

    def _end(self, sandbox: Sandbox, capture: PcapngWriter, traffic: Traffic) -> None:
        """Losses, names, and the last line."""
        note_losses(sandbox, capture, traffic, self._write, self._began_ns)
        if traffic.unattributed:
            self._write("unattributed-count", count=traffic.unattributed)
        for text in traffic.limits():
            self._write("cannot-see", text=text)
        self._write("end")
        self._flush(capture)


def _interfaces(sandbox: Sandbox) -> list[CaptureInterface]:
    if not sandbox.rung.sees_all:
        return [CaptureInterface(NO_INTERFACE, LINKTYPE_RAW)]
    return [CaptureInterface(INTERFACE, sandbox.wire.linktype), CaptureInterface(LO, LINKTYPE_RAW)]
