"""Starts passt, which turns packets into ordinary sockets of the user who runs it.

Forwards nothing inwards, and neither the host's loopback nor the address of its gateway stands for
the host. Source: passt(1) of 2023-03 (Debian 12); the options used are also those of newer ones.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from egress_audit.errors import EgressAuditError
from egress_audit.record.passthrough import FramedStream
from egress_audit.record.privileges import TargetUser, die_with
from egress_audit.record.setup import RESOLVER4

MODE = "passt"
"""The name it is started by says what it is to be; pasta is the same program."""
NAMES = (MODE, "pasta")
QUIET = ("--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ra")
CLOSED = ("-t", "none", "-u", "none")
MTU = 65_520
"""What passt speaks by default."""
BUFFER_LEN = 4 << 20
PATIENCE_S = 5.0
LOOK_S = 0.002
MOST_SAID = 2000


class NoPassage(EgressAuditError):
    """This host gives us no way on to its network."""


class Passt(FramedStream):
    """A running passt; it ends when our end of its socket is closed, however that comes."""

    def __init__(self, stream: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(stream)
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def close(self) -> None:
        """Ends it and waits for it."""
        super().close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


def passt_path() -> str | None:
    """Path of the program; None if it is not installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def start_passt(user: TargetUser, *, forwards_dns: bool) -> Passt:
    """A passt that runs as a user and is ready.

    forwards_dns: whether questions to RESOLVER4 go to the first resolver of this host, whatever
    its address. Raises NoPassage.
    """
    path = passt_path()
    if path is None:
        raise NoPassage("there is no pasta", hint="install the package `passt`")
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_LEN)
    with tempfile.TemporaryDirectory(prefix="egress-audit-") as folder, theirs:
        if user.is_other:
            os.chown(folder, user.uid, user.gid)
        words = [MODE, "-f", "-F", str(theirs.fileno()), *CLOSED, *QUIET]
        if forwards_dns:
            words += ["--dns-forward", RESOLVER4]
        try:
            return Passt(ours, _ready(path, words, theirs, folder, user))
        except NoPassage:
            ours.close()
            raise


def _ready(
    path: str, words: list[str], stream: socket.socket, folder: str, user: TargetUser
) -> "subprocess.Popen[bytes]":
    """The process once it serves. Raises NoPassage with the last that it said."""
    pid_file = Path(folder, "pid")
    with Path(folder, "said").open("w+b") as said:
        process = _started(path, [*words, "-P", str(pid_file)], stream, said.fileno(), user)
        if _has_written(process, pid_file):
            return process
        process.kill()
        process.wait()
        said.seek(0)
        told = said.read().decode("utf-8", "replace")[-MOST_SAID:]
    lines = [line for line in told.splitlines() if line and "syslog" not in line]
    raise NoPassage(f"pasta did not start: {lines[-1] if lines else 'it says nothing'}", where=path)


def _started(
    path: str, words: list[str], stream: socket.socket, said: int, user: TargetUser
) -> "subprocess.Popen[bytes]":
    other = user.is_other
    try:
        return subprocess.Popen(
            words,
            executable=path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=[stream.fileno()],
            preexec_fn=partial(die_with, os.getpid()),
            process_group=0,
            user=user.uid if other else None,
            group=user.gid if other else None,
            extra_groups=user.groups if other else None,
            cwd="/",
        )
    except OSError as error:
        raise NoPassage(f"pasta cannot be started: {error.strerror}", where=path) from error


def _has_written(process: "subprocess.Popen[bytes]", pid_file: Path) -> bool:
    """True once it has written its pid, its last act before it serves; False if it ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            if pid_file.stat().st_size:
                return True
        if process.poll() is not None:
            return False
        time.sleep(LOOK_S)
    return False
