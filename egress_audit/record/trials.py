"""What this host lets us do, found out by doing it once in a child that ends at once.

Settings say what may be forbidden; only trying says what is. Each trial is in the position in which
the sandbox would be: root first becomes the user whom the program would run as.
"""

import ctypes
import json
import os
import select
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record import filter as seccomp
from egress_audit.record import mounts, sandbox, syscalls
from egress_audit.record.builder import SHELL, setup_of
from egress_audit.record.idmap import idmapped_home
from egress_audit.record.netlink import Links
from egress_audit.record.packet_socket import open_packet_socket
from egress_audit.record.plan import RunPlan, prepared
from egress_audit.record.privileges import TargetUser, become, map_self
from egress_audit.record.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
)
from egress_audit.record.tun import TUN_NODE, make_node, open_tun

PATIENCE_S = 20.0
SCRATCH = "/run"
SECRET = b"can this be read by another process?"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial went."""

    words: str = ""
    """What went wrong, as the kernel or we say it; '' for a success."""
    errno: int = 0

    @property
    def worked(self) -> bool:
        """True for a success."""
        return not self.words


NO_SANDBOX = Trial("there is no sandbox in which to try it")


def tried(function: Callable[[], object]) -> Trial:
    """Does it in a child of its own, of which nothing stays."""
    hears, tells = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hears)
        _try(function, tells)
    os.close(tells)
    said = b""
    if select.select([hears], [], [], PATIENCE_S)[0]:
        said = os.read(hears, 65_536)
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(hears)
    os.waitpid(pid, 0)
    if not said:
        return Trial("it ended without an answer")
    return Trial(**json.loads(said))


def _try(function: Callable[[], object], tells: int) -> NoReturn:
    words: dict[str, object] | None = None
    try:
        function()
        words = {}
    except OSError as error:
        words = {"words": error.strerror or str(error), "errno": error.errno or 0}
    except EgressAuditError as error:
        # Without the hint, which often is to ask the doctor.
        words = {"words": f"{error.where}: {error.what}" if error.where else error.what}
    finally:
        if words is not None:
            os.write(tells, json.dumps(words).encode())
        os._exit(words is None)


@dataclass(frozen=True, slots=True)
class Position:
    """As whom and from where the trials are made."""

    user: TargetUser
    place: str
    """A folder; root mounts its own device node there, for one child alone."""

    def user_namespace(self) -> None:
        """A user namespace in which we are ourselves, with all capabilities."""
        self._become()
        enter(0)

    def network_namespace(self) -> None:
        """A network of our own whose loopback can be started."""
        self._become()
        enter(CLONE_NEWNET)
        with Links() as links:
            links.up("lo")

    def tun(self) -> None:
        """A TUN device in that network."""
        node = self._become(self.place)
        enter(CLONE_NEWNET)
        os.close(open_tun("eg0", node))

    def veth(self) -> None:
        """A veth pair in that network."""
        self._become()
        enter(CLONE_NEWNET)
        with Links() as links:
            links.veth("eg0", "eg1")

    def packets(self) -> None:
        """A packet socket on its loopback."""
        self.network_namespace()
        open_packet_socket("lo", cooked=True).close()

    def mounts(self) -> None:
        """Private folders, and copies of mounts."""
        self._become()
        enter(CLONE_NEWNS)
        tree = mounts.clone("/etc")
        mounts.make_read_only(tree)
        mounts.tmpfs(SCRATCH)
        place = Path(SCRATCH, "copy")
        place.mkdir()
        mounts.attach(tree, str(place))

    def own_proc(self) -> None:
        """A /proc that shows the processes of the sandbox alone."""
        self._become()
        enter(CLONE_NEWNS | CLONE_NEWPID)
        _in_child(lambda: syscalls.mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC))

    def overlay(self) -> None:
        """A copy-on-write layer over HOME, in the first sandbox that can be had."""
        words = self._sandbox_words("overlay", (Rung.TUN, Rung.VETH))
        if words.get("home") != "overlay":
            notes = words.get("notes")
            told = [str(note) for note in notes] if isinstance(notes, list) else []
            raise EgressAuditError(
                "; ".join(note for note in told if "HOME" in note) or "no overlay"
            )

    def idmapped(self) -> None:
        """HOME shown to the ordinary user as its own; for root."""
        self._own_mounts()
        idmapped_home(self.user.home, self.user.uid, self.user.gid)

    def notification(self) -> None:
        """A filter whose calls wait for an answer."""
        become(self.user)
        os.close(seccomp.install())

    def listener(self) -> None:
        """The listener of that filter, taken out of the process that has it."""
        with _filtered(self.user) as (pid, listener, _):
            os.close(_taken(pid, listener))

    def memory(self) -> None:
        """What a waiting call points to, read from outside."""
        with _filtered(self.user) as (pid, _, address):
            become(self.user)
            if syscalls.read_memory(pid, address, len(SECRET)) != SECRET:
                raise EgressAuditError("something else was read")

    def sandbox(self, rung: Rung) -> None:
        """The whole sandbox, as a run would have it."""
        self._sandbox_words("fresh", (rung,))

    def _sandbox_words(self, home: str, rungs: tuple[Rung, ...]) -> Mapping[str, object]:
        """What was made of the file system."""
        plan = prepared(RunPlan((SHELL,), folder="/", home=home, rungs=rungs))
        made = sandbox.start(setup_of(plan, "", (), (), 2))
        words = dict(made.mounted.words)
        made.close()
        return words

    def _become(self, place: str | None = None) -> str:
        """Becomes the user, and returns the path of the device; root first makes it in `place`."""
        node = TUN_NODE
        if os.geteuid() == 0 and place is not None:
            self._own_mounts()
            node = make_node(place)
        become(self.user)
        return node

    def _own_mounts(self) -> None:
        syscalls.unshare(CLONE_NEWNS)
        syscalls.mount(None, "/", None, MS_REC | MS_PRIVATE)


def enter(namespaces: int) -> None:
    """Moves this process into a user namespace and others, in which it is who it was."""
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(CLONE_NEWUSER | namespaces)
    map_self(uid, gid)
    if namespaces & CLONE_NEWNS:
        syscalls.mount(None, "/", None, MS_REC | MS_PRIVATE)
    # Else nobody outside may look into us, as nobody may into what had another user.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


def _in_child(function: Callable[[], object]) -> None:
    """Does it in a child, and raises what went wrong there."""
    trial = tried(function)
    if not trial.worked:
        raise OSError(trial.errno, trial.words)


def _taken(pid: int, descriptor: int) -> int:
    pidfd = os.pidfd_open(pid)
    try:
        return syscalls.pidfd_getfd(pidfd, descriptor)
    finally:
        os.close(pidfd)


@contextmanager
def _filtered(user: TargetUser) -> Iterator[tuple[int, int, int]]:
    """A process under the filter: its pid, its listener, and where SECRET lies in its memory."""
    secret = ctypes.create_string_buffer(SECRET)
    hears, tells = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            become(user)
            with suppress(OSError):  # With one, a Yama scope of 2 lets the recorder in.
                enter(0)
            listener = seccomp.install(files=False)
            os.write(tells, str(listener).encode())
            signal.pause()
        finally:
            os._exit(1)
    os.close(tells)
    try:
        said = os.read(hears, 32)
        if not said:
            raise EgressAuditError("no filter could be installed")
        yield pid, int(said), ctypes.addressof(secret)
    finally:
        os.close(hears)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
