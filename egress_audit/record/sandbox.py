"""The sandbox: namespaces in which nothing can leave but through a device that we read.

    recorder ── fork ──▶ builder: new namespaces, links, mounts ── fork ──▶ init (pid 1 inside)

The builder lives in the new user and network namespaces and in the host's pid namespace; it makes
everything while it still may, hands the recorder the open devices, and waits. When the recorder
dies, the builder dies with it, then init, then the kernel ends every process of the sandbox.
"""

import json
import os
import signal
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record.construction import MOST_DESCRIPTORS, build
from egress_audit.record.descendants import end_own
from egress_audit.record.host_tree import build_on_host
from egress_audit.record.init import LONGEST_MESSAGE
from egress_audit.record.inside import Inside
from egress_audit.record.no_wire import NoLoopback, NoWire
from egress_audit.record.packet_socket import PacketSocket
from egress_audit.record.setup import Mounted, NoDevice, NoFilter, NoNamespaces, Setup
from egress_audit.record.syscalls import pidfd_getfd
from egress_audit.record.wire import INSIDE_MAC, OUTSIDE_MAC, TunWire, VethWire, Wire

SO_PASSCRED, SCM_CREDENTIALS = 16, 2
CREDENTIALS = struct.Struct("=iII")
PATIENCE_S, PAUSE_S = 30, 0.002


@dataclass(slots=True)
class Sandbox:
    """A sandbox in which nothing has been started yet."""

    rung: Rung
    wire: Wire
    loopback: PacketSocket | NoLoopback
    listener: int
    """Readable when a call waits, or when it is time to look."""
    control: socket.socket
    builder: int
    """Host pid of the process that made it."""
    init: int
    """Host pid of its first process."""
    inside: Inside
    """Its file system."""
    mounted: Mounted
    inherits: bool = False
    """Whether processes that init leaves behind come to this process, which has no others."""
    has_ended: bool = False
    """Whether the builder has ended and been waited for: then init and all others are gone too."""

    def order(self, **words: object) -> None:
        """Tells init what to do: `start=NAME`, `signal=NUMBER` or `quit=True`."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.control.send(json.dumps(words).encode())

    def told(self) -> tuple[dict[str, object], int] | None:
        """What somebody inside said, and the host pid of who said it; None if nothing waits.

        An empty saying means that init is gone: `wait_for_end` then waits for the others.
        """
        try:
            raw, ancillary, _, _ = self.control.recvmsg(
                LONGEST_MESSAGE, socket.CMSG_SPACE(CREDENTIALS.size), socket.MSG_DONTWAIT
            )
        except BlockingIOError:
            return None
        except ConnectionResetError:
            raw, ancillary = b"", []
        return (json.loads(raw) if raw else {}), _pid_of(ancillary)

    def dropped(self) -> int | None:
        """Frames that left and never reached us, exactly; None if nobody is left who could say."""
        if self.has_ended:
            return None
        try:
            return self.wire.dropped(self.init)
        except (FileNotFoundError, ProcessLookupError):
            return None

    def close(self) -> None:
        """Ends every process of the sandbox and waits for it; the devices go with it."""
        if not self.has_ended:
            self._end()
        self.wire.close()
        self.loopback.close()
        self.control.close()
        self.inside.close()
        for descriptor in self.mounted.descriptors:
            os.close(descriptor)
        os.close(self.listener)

    def _end(self) -> None:
        if not self.rung.sees_all:
            self.order(quit=True)
            self.control.shutdown(socket.SHUT_RDWR)
            self.wait_for_end()
            return
        for number in (self.builder, self.init):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.builder, 0)

    def wait_for_end(self) -> None:
        """Waits for a builder whose init is gone: until the kernel, or the builder where there is
        no pid namespace, has ended all that init leaves behind."""
        deadline = time.monotonic() + PATIENCE_S
        with suppress(ChildProcessError):
            while not os.waitpid(self.builder, os.WNOHANG)[0]:
                if time.monotonic() >= deadline:
                    return
                time.sleep(PAUSE_S)
        self.has_ended = True
        if self.inherits:
            end_own(PATIENCE_S)  # Of a builder that was killed.


def _pid_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SCM_CREDENTIALS):
            pid: int = CREDENTIALS.unpack(data[: CREDENTIALS.size])[0]
            return pid
    return 0


def start(setup: Setup) -> Sandbox:
    """Makes a sandbox. Raises NoNamespaces, NoDevice, or another EgressAuditError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
    recorder = os.getpid()
    builder = os.fork()
    if builder == 0:
        ours.close()
        if not setup.rungs[0].sees_all:
            build_on_host(setup, setup.rungs[0], theirs, recorder)
        build(setup, theirs, recorder)
    theirs.close()
    made = None
    try:
        made = _received(ours, builder)
    finally:
        if made is None:
            ours.close()
            with suppress(ProcessLookupError):
                os.kill(builder, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(builder, 0)
    return made


def _received(control: socket.socket, builder: int) -> Sandbox:
    """Takes the devices from the builder, and the listener out of init."""
    control.settimeout(PATIENCE_S)
    said, descriptors, _ = _hear(control)
    _raise_if_failed(said)
    rung = Rung(str(said["rung"]))
    wire, loopback = _devices(rung, descriptors)
    mounted, folders, _ = _hear(control)
    _raise_if_failed(mounted)
    said, _, init = _hear(control)
    _raise_if_failed(said)
    listener = _listener(rung, init, int(str(said["listener"])))
    inside = Inside.of(init)
    control.send(b"{}")
    control.settimeout(None)
    view = Mounted(mounted, tuple(folders))
    return Sandbox(rung, wire, loopback, listener, control, builder, init, inside, view)


def _devices(rung: Rung, descriptors: list[int]) -> tuple[Wire, PacketSocket | NoLoopback]:
    if not rung.sees_all:
        return NoWire(), NoLoopback()
    loopback = PacketSocket(descriptors[1])
    if rung is Rung.VETH:
        return VethWire(PacketSocket(descriptors[0]), INSIDE_MAC, OUTSIDE_MAC), loopback
    return TunWire(descriptors[0]), loopback


def _listener(rung: Rung, init: int, number: int) -> int:
    """The filter's listener; without a filter, a descriptor that can always be read."""
    if rung is Rung.POLLING:
        always, end = os.pipe2(os.O_CLOEXEC)
        os.close(end)
        return always
    pidfd = os.pidfd_open(init)
    try:
        return pidfd_getfd(pidfd, number)
    except OSError as error:
        kind = NoNamespaces if rung.sees_all else NoFilter
        raise kind(
            f"the filter's listener cannot be taken: {error.strerror}",
            hint="Linux 5.6 or newer; a Yama scope of 3 forbids it",
        ) from error
    finally:
        os.close(pidfd)


def _hear(control: socket.socket) -> tuple[dict[str, object], list[int], int]:
    """A message with descriptors and sender. Raises EgressAuditError if nobody is there."""
    room = socket.CMSG_SPACE(4 * MOST_DESCRIPTORS) + socket.CMSG_SPACE(CREDENTIALS.size)
    try:
        raw, ancillary, _, _ = control.recvmsg(LONGEST_MESSAGE, room, socket.MSG_CMSG_CLOEXEC)
    except TimeoutError as error:
        raise EgressAuditError("the sandbox was not ready in time") from error
    except ConnectionResetError:
        raw, ancillary = b"", []
    if not raw:
        raise EgressAuditError("the sandbox ended while it was made")
    descriptors: list[int] = []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors += struct.unpack(f"={len(data) // 4}i", data[: len(data) // 4 * 4])
    return json.loads(raw), descriptors, _pid_of(ancillary)


def _raise_if_failed(said: Mapping[str, object]) -> None:
    failed = said.get("failed")
    if failed is None:
        return
    kinds = {kind.__name__: kind for kind in (NoNamespaces, NoDevice, NoFilter)}
    kind = kinds.get(str(failed), EgressAuditError)
    raise kind(str(said["what"]), where=str(said["where"]), hint=str(said["hint"]))
