"""One run inside a sandbox, from the first probe to the last: the loop of the recorder.

    probes → program ( → ready → exercise ) → end of the tree, or of the time → ended → probes

What is learned is written down at once; nothing here judges.
"""

import select
import signal
import time
from collections.abc import Callable

from egress_audit.evidence.pcapng_writer import PcapngWriter
from egress_audit.model.run import Role
from egress_audit.record.exercise import Exercise
from egress_audit.record.jobs import EXERCISE, PROBES, READY, RELAY, TARGET, Jobs, WriteEvent
from egress_audit.record.phases import ReportedPhases
from egress_audit.record.probe import Expected
from egress_audit.record.processes import Processes
from egress_audit.record.progress import Limits, Outcome, Status, Step
from egress_audit.record.publish import Publisher
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.senders import Senders
from egress_audit.record.traffic import Traffic
from egress_audit.record.watcher import Watcher

GRACE_S = 5.0
"""Between SIGTERM and SIGKILL: what a program sends when it is told to end is seen too."""
PROBE_S = 5.0
TICK_S = 0.1
ONE_REQUEST_S = 1.0
"""What is sent to a whole process group comes to us directly, and passed on by our caller."""


class Session:
    """A run that is under way."""

    def __init__(
        self,
        sandbox: Sandbox,
        calls: Watcher,
        traffic: Traffic,
        processes: Processes,
        senders: Senders,
        capture: PcapngWriter,
        write_event: WriteEvent,
        limits: Limits,
        flush: Callable[[], None],
        *,
        phases: ReportedPhases | None = None,
        exercise: Exercise | None = None,
        publisher: Publisher | None = None,
        on_tick: Callable[[Status], None] = lambda status: None,
    ) -> None:
        """flush: writes the evidence that waits in memory; on_tick: called ten times a second."""
        self._sandbox = sandbox
        self._calls = calls
        self._traffic = traffic
        self._processes = processes
        self._senders = senders
        self._capture = capture
        self._write = write_event
        self._limits = limits
        self._flush = flush
        self._phases = phases
        self._exercise = exercise
        self._publisher = publisher
        self._published = set(publisher.listeners) if publisher is not None else set[int]()
        self._on_tick = on_tick
        self._poll = select.epoll()
        self._jobs = Jobs(sandbox, processes, write_event)
        self._began = 0.0
        self._program_knows = False
        self._told_to_end = -ONE_REQUEST_S
        self._next_tick = 0.0
        self.outcome = Outcome()
        self.status = Status(observe_s=limits.observe_s)

    def working(self, path: str) -> None:
        """Shows that we are busy with a file, after the run."""
        self.status.step, self.status.phase = Step.HASHING, path
        if time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + TICK_S
            self._on_tick(self.status)

    def impatience(self) -> Callable[[], bool]:
        """Tells whether somebody who was asked to wait, from now on, has had enough."""
        before = self.outcome.interruptions
        return lambda: self.outcome.interruptions > min(before, 1)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Ctrl-C: the first ends the run, the second does not wait. number: the signal that we
        got; of Ctrl-C the terminal tells the program too, if it runs, of another nobody does."""
        if number != signal.SIGINT:
            now, before = time.monotonic(), self._told_to_end
            self._told_to_end = now
            if now - before < ONE_REQUEST_S:
                return
        self.outcome.interruptions += 1
        self._program_knows = number == signal.SIGINT and self._began > 0

    # The loop

    def run(self, before: tuple[Expected, ...], after: tuple[Expected, ...]) -> Outcome:
        """Carries the whole run out. Raises EgressAuditError on a full disk."""
        for descriptor in (
            self._sandbox.control.fileno(),
            self._sandbox.wire.fileno(),
            self._sandbox.loopback.fileno(),
            self._sandbox.listener,
            *self._published,
        ):
            self._poll.register(descriptor, select.EPOLLIN)
        if self._exercise is not None:
            self._poll.register(self._exercise.output, select.EPOLLIN)
        with self._poll:
            self._probe("before", before)
            if self._start_target():
                self._watch()
            self._end_tree()
            self._probe("after", after)
            self._wait(lambda: False, 0.05)
            self._calls.finish()
        self.outcome.failed_errno = self._jobs.failed_errno
        self.outcome.exit_status = self._jobs.left.get(TARGET)
        return self.outcome

    def _wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Serves until `done()`, at most for a time; True if it was done."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or self._jobs.init_is_gone:
                return False
            self._turn(min(left, TICK_S))
        return True

    def _turn(self, seconds: float) -> None:
        """Waits for something to happen, and deals with it; what init says comes first."""
        ready = {descriptor for descriptor, _ in self._poll.poll(seconds)}
        self._jobs.listen()
        if self._jobs.init_is_gone:
            # What all others sent before the kernel ended them too; nothing can be asked now.
            self._traffic.drain()
            self._sandbox.wait_for_end()
            return
        if self._sandbox.wire.fileno() in ready:
            self._traffic.take_wire()
        if self._sandbox.loopback.fileno() in ready:
            self._traffic.take_loopback()
        if self._sandbox.listener in ready:
            self._calls.handle()
        exercise = self._exercise
        if exercise is not None and exercise.output in ready and not exercise.hear():
            self._poll.unregister(exercise.output)
        for descriptor in self._published & ready:
            assert self._publisher is not None
            self._publisher.accept(descriptor)
        if time.monotonic() >= self._next_tick:
            self._tick()

    def _tick(self) -> None:
        self._next_tick = time.monotonic() + TICK_S
        self._traffic.due()
        self._senders.sweep(time.time_ns())
        self._processes.sweep()
        self._calls.sweep()
        self._flush()
        if self._phases is not None:
            self._phases.read()
            self.status.phase = self._phases.current or self.status.phase
        status = self.status
        status.elapsed_s = time.monotonic() - self._began if self._began else 0.0
        status.processes = self._processes.alive
        status.drops = self._sandbox.dropped() or status.drops
        status.calls = self._calls.handled
        status.packets = self._capture.frames
        status.destinations = self._traffic.destinations.packets
        self._on_tick(status)

    # The steps

    def _probe(self, when: str, expected: tuple[Expected, ...]) -> None:
        self.status.step = Step.PROBING if when == "before" else Step.PROBING_AGAIN
        job = PROBES[when]
        # Where no packet is seen, nothing of a probe can be found but its call.
        self._traffic.expected = list(expected) if self._sandbox.rung.sees_all else []
        self._sandbox.order(start=job)
        self._wait(lambda: job in self._jobs.left and not self._traffic.expected, PROBE_S)
        self._traffic.drain()
        self._traffic.expected = []
        for probe in expected:
            noticed = f"{probe.target} {probe.port}" in self._calls.probed
            self._write(
                "probe",
                when=when,
                by=probe.by,
                version=probe.version,
                nonce=probe.nonce,
                frame=probe.frame,
                noticed=noticed,
            )
        self._calls.probed.clear()

    def _start_target(self) -> bool:
        """Starts the program; False if it could not be executed."""
        self.status.step = Step.STARTING
        self._sandbox.order(start=TARGET)
        self._wait(lambda: TARGET in self._jobs.started or TARGET in self._jobs.left, 30)
        if TARGET not in self._jobs.started:
            return False
        process = self._processes.first(Role.TARGET)
        if process is not None:
            self._write("exec", process=process)
            self._flush()  # Without it, a record that is cut short by a full disk says nothing.
        self._write("phase", phase="run", proof="command", edge="begin")
        self.status.step, self.status.phase = Step.RUNNING, "run"
        self._began = time.monotonic()
        return True

    def _watch(self) -> None:
        """Until the tree has ended, the time is up, or somebody has had enough."""
        limits, left, over = self._limits, self._seconds_left, self._over
        if self._publisher is not None:
            self._sandbox.order(start=RELAY)
        if limits.ready:
            self._get_ready()
        if self._exercise is not None:
            self._use(self._exercise)
        self._wait(over, left())
        by = "observed"
        if self._jobs.init_is_gone:
            by = "killed"
        elif self.outcome.interruptions:
            by = "interrupted"
        elif self._jobs.empty:
            by = "tree"
        self.outcome.ended_by = by
        self._write("watched-until", by=by)
        alive = TARGET not in self._jobs.left and not self._jobs.init_is_gone
        if alive or self._jobs.left.get(TARGET) == 0:
            self._write("phase", phase="run", proof="command", edge="end")

    def _get_ready(self) -> None:
        """Waits until the program can be used, or has failed."""
        self._write("phase", phase="ready", proof="ready", edge="begin")
        self._sandbox.order(start=READY)
        self._wait(
            lambda: READY in self._jobs.left or self._jobs.left.get(TARGET, 0) != 0 or self._over(),
            min(self._limits.ready_s, self._seconds_left()),
        )
        if self._jobs.left.get(READY) == 0:
            self._write("phase", phase="ready", proof="ready", edge="end")
        else:
            self._sandbox.order(end=READY)

    def _seconds_left(self) -> float:
        return max(self._began + self._limits.observe_s - time.monotonic(), 0.0)

    def _over(self) -> bool:
        return bool(self._jobs.empty or self.outcome.interruptions)

    def _use(self, exercise: Exercise) -> None:
        """Uses the program, if there is time, and says so if it did what was expected."""
        self.status.phase = "generate"
        self._write("phase", phase="generate", proof="exercise", edge="begin")
        if not self._over():
            self._sandbox.order(start=EXERCISE)
        self._wait(lambda: EXERCISE in self._jobs.left or self._over(), self._seconds_left())
        self._wait(lambda: False, TICK_S)
        if exercise.succeeded(self._jobs.left.get(EXERCISE)):
            self._write("phase", phase="generate", proof="exercise", edge="end")
        elif exercise.beyond:
            text = f"the last {exercise.beyond} bytes of what the exerciser printed: not searched"
            self._write("cannot-see", text=text)
        self.status.phase = "run"

    def _end_tree(self) -> None:
        """Ends what is still running: asked first, then made to; what it sends is still seen."""
        self.status.step = Step.ENDING
        if not self._jobs.empty:
            if not self._program_knows:
                self._sandbox.order(signal=int(signal.SIGTERM))
            already = self.outcome.interruptions
            self._wait(lambda: self._jobs.empty or self.outcome.interruptions > already, GRACE_S)
        if not self._jobs.empty:
            self._sandbox.order(signal=int(signal.SIGTERM))
            self._wait(lambda: self._jobs.empty, 1.0)
        if not self._jobs.empty:
            self._sandbox.order(signal=int(signal.SIGKILL))
            self._wait(lambda: self._jobs.empty, GRACE_S)
        self._traffic.drain()
        if self._jobs.empty and self._began:
            self._write("tree-ended")
