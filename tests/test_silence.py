"""The auditor is silent: no command makes a socket, shown by a kernel that would kill it for one.

A seccomp filter ends the process at its first socket(2), whatever library asks for it. The twin
shows that the filter does so.
"""

import ctypes
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
CAPTURE = str(ROOT / "captures" / "hf-hubname.pcap")
SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
"""Number of socket(2): Linux, arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h."""
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000

ARGUMENTS = {
    "replay": [
        ["replay", CAPTURE],
        ["replay", CAPTURE, "--profile", "no-china", "--format", "json"],
        ["replay", CAPTURE, "--format", "markdown", "--flows", "/dev/null"],
    ],
    "explain": [["explain", CAPTURE, "1-9"], ["explain", CAPTURE, "1", "--format", "json"]],
}
"""Every command, in the ways it can be used."""


def forbid_sockets() -> None:
    """Makes the kernel end this process at its first socket(2)."""
    number = SOCKET_CALL[platform.machine()]
    program = b"".join(
        struct.pack("HBBI", *step)
        for step in (
            (0x20, 0, 0, 0),  # load the number of the system call
            (0x15, 0, 1, number),  # is it socket?
            (0x06, 0, 0, KILL_PROCESS),
            (0x06, 0, 0, ALLOW),
        )
    )
    steps = ctypes.create_string_buffer(program)
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, filter_, 0, 0) == 0


def run_without_sockets(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Runs Python with these arguments in a process that dies at its first socket."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
        preexec_fn=forbid_sockets,
    )


linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in SOCKET_CALL,
    reason="the filter is written for Linux on x86-64 and aarch64",
)


@linux
@pytest.mark.parametrize(
    "arguments", [ways for name in COMMANDS for ways in ARGUMENTS[name]], ids=" ".join
)
def test_no_command_opens_a_socket(arguments: list[str]) -> None:
    done = run_without_sockets(["-m", "egress_audit", *arguments])
    assert done.returncode in (0, 10, 11), done.stderr.decode()
    assert done.stdout


@linux
def test_the_filter_would_end_a_command_that_opens_one() -> None:
    done = run_without_sockets(["-c", "import socket; socket.socket()"])
    assert done.returncode < 0


def test_every_command_is_tried() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)
