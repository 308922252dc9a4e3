"""What the recorder does with a system call that waits: note, join, let go or refuse."""

import errno
from ipaddress import ip_address

from egress_audit.model.run import Process, Role
from egress_audit.record.attempts import UNKNOWN_CALLER
from egress_audit.record.file_calls import (
    AT_FDCWD,
    FOLDER_AND_PATH,
    FileCalls,
    names_nothing,
    path_of,
)
from egress_audit.record.filter import (
    AF_ALG,
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    IO_URING,
    KEYS,
    SOCK_PACKET,
    SOCK_RAW,
    SOCK_TYPE_MASK,
)
from egress_audit.record.group_joins import joined_group
from egress_audit.record.group_signal import leads_beyond, signal_tree
from egress_audit.record.notifications import (
    AF_PACKET,
    FOREIGN_ABI,
    Notification,
    SocketAddress,
    addresses_of,
    family_name,
    type_name,
)
from egress_audit.record.packet_ends import Ends
from egress_audit.record.processes import Task
from egress_audit.record.second_looks import SecondLooks
from egress_audit.record.senders import Heard
from egress_audit.record.surroundings import Surroundings
from egress_audit.record.syscalls import CAP_NET_RAW, EXHAUSTED
from egress_audit.record.unix_paths import UnixPaths
from egress_audit.record.unix_peers import UnixPeers

ANSWERED = -1
"""Instead of an errno: the call has its answer already, or will get it."""
ORDINARY = frozenset({"connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg"})
"""Calls that do what a program wanted of io_uring; opening a log file is none."""
LEADS_NOWHERE = frozenset({AF_NETLINK, AF_ALG})
"""Families that end in the kernel."""


class Calls:
    """Answers every notification of one sandbox."""

    def __init__(
        self, around: Surroundings, *, keep: int = 0, peers: UnixPeers | None = None
    ) -> None:
        """keep: capabilities left to the program, as bits; peers: finds who took a connect over a
        unix socket."""
        self._peers = peers
        self._init = around.init
        self._listener = around.listener
        self._processes = around.processes
        self._senders = around.senders
        self._attempts = around.attempts
        self._paths = UnixPaths(around.inside, around.now, around.files.private)
        self._looks = SecondLooks(
            self._paths.leads_out, lambda number: self._attempts.came_to(number, "reached")
        )
        self._file_calls = FileCalls(around.processes, around.attempts, around.files)
        self._drain = around.drain
        self._now = around.now
        self._raw_allowed = bool(keep >> CAP_NET_RAW & 1)
        self._denied_rings: dict[int, int | None] = {}
        """Process → its attempt at io_uring that was refused, until it calls something else."""
        self.handled = 0
        self.probed: set[str] = set()
        """Addresses that a probe was seen to call for, as text with port."""

    def handle(self) -> None:
        """Answers the next call that waits."""
        note = self._listener.receive()
        if note is None:
            return
        self.handled += 1
        try:
            task = self._processes.task(note.tid)
            # The first process is ours, and nobody may look into it, not even we.
            is_init = task.process.role is Role.RECORDER
            refusal = 0 if is_init else self._looked_at(note, task)
        except OSError as error:
            refusal = self._unread(note, error)
        if refusal > 0:
            self._listener.refuse(note, refusal)
        elif refusal != ANSWERED:
            self._listener.let_go(note)

    def sweep(self) -> None:
        """Settles what is known by now, though nobody calls."""
        self._looks.sweep()
        self._file_calls.sweep()
        if self._peers is not None:
            self._peers.sweep()

    def finish(self) -> None:
        """Settles what still waits: the run has ended."""
        self._looks.sweep()
        if self._peers is not None:
            self._peers.finish()

    def _unread(self, note: Notification, error: OSError) -> int:
        """What to do with a call that could not be looked at: never let go unless nobody waits.

        What we cannot read the kernel may, so it counts as one that wanted out.
        """
        if error.errno in (errno.ESRCH, errno.ENOENT):
            return 0  # Its process is being killed, or it names a folder by no open descriptor.
        if error.errno == errno.ENAMETOOLONG or names_nothing(note):
            return error.errno or errno.EFAULT  # As the kernel would say.
        self._attempts.add(self._caller(note.tid), note.name, denied=errno.EFAULT)
        return errno.EFAULT

    def _caller(self, tid: int) -> int:
        """Id of the process that calls; UNKNOWN_CALLER where that cannot be had either."""
        try:
            return self._processes.task(tid).process.id
        except OSError:
            return UNKNOWN_CALLER

    def _looked_at(self, note: Notification, task: Task) -> int:
        """Notes a call; returns the errno with which to refuse it, 0 to let it go, or ANSWERED."""
        name, process = note.name, task.process
        if name == FOREIGN_ABI:
            self._attempts.add(process.id, "socket", family="foreign ABI", denied=errno.ENOSYS)
            return errno.ENOSYS
        if name in KEYS:
            self._attempts.add(process.id, name, family="kernel keys", denied=errno.EPERM)
            return errno.EPERM
        if name == "kill":
            return self._kill(note, task)
        if name in IO_URING:
            number = self._attempts.add(process.id, name, denied=errno.ENOSYS)
            self._denied_rings[process.id] = number
            return errno.ENOSYS
        if process.id in self._denied_rings and name in ORDINARY:
            self._attempts.came_to(self._denied_rings.pop(process.id), "fell-back")
        if name in FOLDER_AND_PATH:
            self._file_calls.take(note, task)
        elif name == "socket":
            return self._socket(note, process)
        elif name == "setsockopt":
            return self._joins_group(note, process)
        elif name == "seccomp":
            self._attempts.add(process.id, name, denied=errno.EBUSY)
            return errno.EBUSY
        else:
            return self._calls(note, task)
        return 0

    def _kill(self, note: Notification, task: Task) -> int:
        """A signal to everybody, or to the caller's group: sent by us where we ourselves, and
        processes of the host, are among them."""
        meant, number = (word & 0xFFFF_FFFF for word in note.arguments[:2])
        if not leads_beyond(note.tid, meant):
            return 0
        if self._listener.still_waits(note):
            self._listener.done(note, signal_tree(self._init, task.pid, meant, number))
        return ANSWERED

    # Sockets

    def _socket(self, note: Notification, process: Process) -> int:
        family, kind = note.arguments[0] & 0xFFFF_FFFF, note.arguments[1] & SOCK_TYPE_MASK
        raw = family == AF_PACKET or kind in (SOCK_RAW, SOCK_PACKET)
        if raw and family in (AF_PACKET, AF_INET, AF_INET6):
            if self._raw_allowed:
                return 0
            refusal = errno.EPERM
        else:
            refusal = errno.EAFNOSUPPORT
        self._attempts.add(
            process.id, "socket", kind=type_name(kind), family=family_name(family), denied=refusal
        )
        return refusal

    def _joins_group(self, note: Notification, process: Process) -> int:
        self._senders.joined_group(process)
        group = joined_group(note)
        if group is not None:
            self._attempts.add(process.id, note.name, target=group)
        return 0

    def _calls(self, note: Notification, task: Task) -> int:
        """connect, bind, listen and sends: joins the socket, and notes where it wants to."""
        self._drain()
        self._looks.done(note.tid)
        if self._peers is not None:
            self._peers.done(note.tid)
        targets = tuple(target for target in addresses_of(note) if target is not None)
        if not self._listener.still_waits(note):
            return 0
        heard = self._join(note, task, targets)
        for target in targets:
            if target.family in LEADS_NOWHERE or (target.family == 0 and note.name == "connect"):
                continue  # AF_UNSPEC dissolves an association (connect(2)).
            kind = type_name(heard.kind)
            number = self._attempts.add(task.process.id, note.name, kind=kind, target=target)
            if heard.elsewhere:
                self._attempts.came_to(number, "elsewhere")
            if target.family == AF_UNIX:
                self._unix(note, target, number)
                if note.name == "connect" and self._peers is not None:
                    descriptor = note.arguments[0] & 0xFFFF_FFFF
                    self._peers.watch(task.pidfd, descriptor, note.tid, number)
            elif task.process.role is Role.PROBE:
                self.probed.add(f"{target.address} {target.port}")
        return 0

    def _join(self, note: Notification, task: Task, targets: tuple[SocketAddress, ...]) -> Heard:
        descriptor = note.arguments[0] & 0xFFFF_FFFF
        goes_out = targets if note.name != "bind" else ()
        try:
            return self._senders.heard(
                task.pidfd, descriptor, note.tid, task.process, goes_out, self._now()
            )
        except OSError as error:
            if error.errno in (*EXHAUSTED, errno.EPERM):
                raise
            return Heard(0)  # No socket, as the kernel will say.

    def _unix(self, note: Notification, target: SocketAddress, number: int | None) -> None:
        """Whether a socket with a path leads out of the tree, or others into it."""
        if not target.address or target.address.startswith("@"):
            return  # Abstract names end at the network namespace (unix(7)).
        path = path_of(note.tid, AT_FDCWD, target.address)
        if note.name == "bind":
            if self._paths.bind(note.tid, path):
                self._attempts.came_to(number, "reached")
            return
        outcome = self._paths.outcome(note.tid, path)
        if outcome:
            self._attempts.came_to(number, outcome)
        if outcome != "reached":
            self._looks.watch(note.tid, path, number)

    def mismatch(self, process: Process, ends: Ends) -> None:
        """Notes a packet that went elsewhere than its call had said when it was looked at."""
        family = AF_INET if len(ends.target) == 4 else AF_INET6
        target = SocketAddress(family, str(ip_address(ends.target)), ends.target_port)
        kind = {6: "stream", 17: "dgram"}.get(ends.proto, "raw")
        number = self._attempts.add(process.id, "connect", kind=kind, target=target)
        self._attempts.came_to(number, "time-of-check")
