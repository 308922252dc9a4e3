"""What the sandbox's first process says of its jobs: which have begun and ended, and the last one.

A saying comes with the pid of who said it, as the kernel knows it (unix(7), SCM_CREDENTIALS).
"""

from collections.abc import Callable

from egress_audit.model.run import Role
from egress_audit.record.processes import Processes
from egress_audit.record.sandbox import Sandbox

TARGET, READY, EXERCISE, RELAY = "target", "ready", "exercise", "relay"
PROBES = {"before": "probes-before", "after": "probes-after"}
WriteEvent = Callable[..., None]


class Jobs:
    """The jobs of one sandbox."""

    def __init__(self, sandbox: Sandbox, processes: Processes, write: WriteEvent) -> None:
        self._sandbox = sandbox
        self._processes = processes
        self._write = write
        self.empty = True
        """Whether no process is alive that the program, or a use of it, has started."""
        self.started: set[str] = set()
        self.left: dict[str, int] = {}
        """Jobs that have ended, with their status; -1 if they never began."""
        self.failed_errno = 0
        """Why the command could not be executed; 0 if it was."""
        self.init_is_gone = False
        """Whether somebody has ended the first process: the kernel ends all others with it."""

    def listen(self) -> None:
        """Takes in everything that was said and waits."""
        while not self.init_is_gone and (heard := self._sandbox.told()) is not None:
            said, pid = heard
            if not said:
                self.init_is_gone = self.empty = True
            elif "hello" in said:
                self._processes.declare(pid, Role(str(said["role"])))
                self.empty = self.empty and said["hello"] in (RELAY, READY)
            elif "started" in said:
                self.started.add(str(said["started"]))
            elif "failed" in said:
                self.left[str(said["failed"])] = -1
                if said["failed"] == TARGET:
                    self.failed_errno = int(str(said["errno"]))
            elif "exited" in said:
                self._ended(str(said["exited"]), int(str(said["status"])))
            elif "empty" in said:
                self.empty = True

    def _ended(self, job: str, status: int) -> None:
        self.left[job] = status
        if job == TARGET:
            self._write("exited", status=status)
