"""The auditor is silent, whatever it is asked to do.

`replay`, `explain` and `lists` make no socket at all: a kernel that would kill them for one shows
it. Only `lists update --from URL` does, and no other command so much as loads the room that can.

`run` and `doctor` need sockets: pairs between their own processes, and in namespaces that they
made netlink and packet sockets. What holds of each of their processes: it asks no resolver,
anywhere; in the network that it was started in it connects, binds and sends by no socket but those
of AF_UNIX; and no packet leaves. Only a run's probes send by IPv4 and IPv6, inside the sandbox.
What the audited program does with its own sockets is another matter.
"""

import ctypes
import hashlib
import json
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from egress_audit.cli.main import COMMANDS
from egress_audit.model.run import Rung
from tests.builders.address_lists import merged_bytes
from tests.builders.recorded_runs import PATH, Way, needs_namespaces, place
from tests.builders.uplink import behind_uplink

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
    "whois": [
        ["whois", "huggingface.co"],
        ["whois", "8.8.8.8", "--format", "json"],
        ["whois", "AS15169"],
    ],
    "profiles": [
        ["profiles", "list"],
        ["profiles", "show", "no-china", "--format", "json"],
        ["profiles", "check", "offline"],
        ["profiles", "new", "--from", CAPTURE],
    ],
    "lists": [["lists", "show"], ["lists", "lookup", "8.8.8.8", "10.0.0.1", "--format", "json"]],
}
"""Every command that makes no socket, in the ways it can be used; of `lists` all but `update`, of
which more below."""
SANDBOXED = {
    "run": [
        ["run", "--observe", "5s", "--", "true"],
        ["run", "--observe", "5s", "--network", "sealed", "--home", "fresh", "--", "true"],
        ["run", "--no-ipv6", "--exercise", "echo so", "--expect", "so", "--", "sleep", "0.5"],
    ],
    "doctor": [["doctor"], ["doctor", "--format", "json"]],
}
"""Every command that makes sandboxes."""


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


def run_without_sockets(
    arguments: list[str], data: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs Python with these arguments in a process that dies at its first socket.

    data: the user's data folder, if not their own.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(os.environ) | ({"XDG_DATA_HOME": str(data)} if data else {}),
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
    "arguments", [ways for known in ARGUMENTS.values() for ways in known], ids=" ".join
)
def test_no_command_opens_a_socket(arguments: list[str]) -> None:
    done = run_without_sockets(["-m", "egress_audit", *arguments])
    assert done.returncode in (0, 10, 11), done.stderr.decode()
    assert done.stdout


@linux
def test_the_filter_would_end_a_command_that_opens_one() -> None:
    done = run_without_sockets(["-c", "import socket; socket.socket()"])
    assert done.returncode < 0


@linux
@pytest.mark.parametrize("what", ["import", "update"])
def test_lists_are_taken_from_files_without_a_socket(tmp_path: Path, what: str) -> None:
    content = merged_bytes("JP")
    known = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    words = {"name": "addresses", "date": "2026-12-01", "licence": "none", "attribution": ""}
    manifest = {
        "egress_audit_lists": 1,
        "lists": [{"file": "addresses.mmdb", **known, **words}],
    }
    (tmp_path / "addresses.mmdb").write_bytes(content)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    given = {"import": [str(tmp_path / "addresses.mmdb")], "update": ["--from", str(tmp_path)]}
    done = run_without_sockets(["-m", "egress_audit", "lists", what, *given[what]], tmp_path)
    assert done.returncode == 0, done.stderr.decode()


@linux
def test_the_filter_would_end_an_update_from_a_server() -> None:
    url = "http://127.0.0.1:9/"
    done = run_without_sockets(["-m", "egress_audit", "lists", "update", "--from", url])
    assert done.returncode < 0


LOADED = """
import sys
from egress_audit.cli.main import run
run(sys.argv[1:])
gone = [name for name in sys.modules if name.startswith(("egress_audit.update", "urllib.request"))]
sys.exit(f"loaded: {gone}" if gone else 0)
"""


@pytest.mark.parametrize(
    "arguments",
    [["lists", "update"], *(ways[0] for ways in ARGUMENTS.values()), ["run", "--help"], ["--help"]],
    ids=" ".join,
)
def test_no_command_loads_the_room_that_goes_online(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_command_is_tried() -> None:
    assert {*ARGUMENTS, *SANDBOXED} == set(COMMANDS)
    assert not set(ARGUMENTS) & set(SANDBOXED)


# Commands that make sandboxes

MARK = "socket-event"
HOOK = f"""
import os, sys
names = ("connect", "connect_ex", "sendto", "sendmsg", "bind", "getaddrinfo", "gethostbyname",
         "gethostbyaddr", "getnameinfo")
names = frozenset("socket." + name for name in names)
def hook(event, arguments):
    if event in names:
        try:
            network = os.stat("/proc/thread-self/ns/net").st_ino
        except OSError:
            network = 0
        family = int(getattr(arguments[0], "family", -1)) if arguments else -1
        line = f"{MARK} {{os.getpid()}} {{network}} {{event}} {{family}} {{arguments[1:]!r}}\\n"
        os.write(2, line.encode())
sys.addaudithook(hook)
"""
"""An audit hook in every Python process that a command becomes; forks inherit it, and a descriptor
that it cannot write to ends them."""
RESOLVING = ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")


@dataclass(frozen=True, slots=True)
class Event:
    """A use of a socket or resolver, by a process of ours."""

    network: int
    """Inode of its network namespace; 0 if it could not be had."""
    name: str
    family: int
    said: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a command."""

    status: int
    said: str
    network: int
    """Where it was started."""
    events: tuple[Event, ...]
    left: int
    """Packets that left."""

    def outside(self) -> list[Event]:
        """Events in the network where it was started, or in one that is not known."""
        return [event for event in self.events if event.network in (0, self.network)]


_heard: dict[str, Heard] = {}


def is_open(path: Path) -> bool:
    """Whether others may pass through all folders on the way."""
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in path.parents)


def heard(way: Way, *words: str) -> Heard:
    """Runs Python with these words where packets would be seen, and listens; once for all tests."""
    if not way.by_root and not is_open(Path(sys.executable).resolve()):
        pytest.skip("this Python lies in a folder that is closed to an ordinary user")
    key = f"{way} {words}"
    if key not in _heard:
        here = place(way)
        (here.work / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
        environment = {"PATH": PATH, "HOME": str(here.home), "PYTHONPATH": str(here.work)}

        def run() -> tuple[int, str, str, int]:
            done = subprocess.run(
                [sys.executable, *words],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            network = Path("/proc/self/ns/net").stat().st_ino
            return done.returncode, done.stdout, done.stderr, network

        (status, said, errors, network), left = behind_uplink(run, by_root=way.by_root)
        events = tuple(
            Event(int(where), name.removeprefix("socket."), int(family), rest)
            for line in errors.splitlines()
            if line.startswith(MARK + " ")
            for _, _, where, name, family, rest in [line.split(" ", 5)]
        )
        _heard[key] = Heard(status, said + errors, network, events, len(left))
    return _heard[key]


def command(way: Way, arguments: list[str]) -> Heard:
    """A command of ours that came to its end."""
    way.must_be_possible()
    found = heard(way, "-m", "egress_audit", *arguments)
    assert found.status in (0, 10, 11), found.said
    return found


def each_command(test: Callable[[Way, list[str]], None]) -> Callable[[Way, list[str]], None]:
    """Tries it with every command that makes sandboxes, as root and as an ordinary user."""
    ways = [ways for known in SANDBOXED.values() for ways in known]
    test = pytest.mark.parametrize("arguments", ways, ids=" ".join)(test)
    users = dict.fromkeys((os.geteuid() == 0, False))
    test = pytest.mark.parametrize("way", [Way(one, Rung.VETH) for one in users], ids=str)(test)
    return linux(pytest.mark.opens_sockets(test))


@each_command
def test_no_process_of_a_command_asks_a_resolver(way: Way, arguments: list[str]) -> None:
    assert not [e for e in command(way, arguments).events if e.name in RESOLVING]


@each_command
def test_no_process_of_a_command_uses_a_socket_of_the_network_it_was_started_in(
    way: Way, arguments: list[str]
) -> None:
    assert {event.family for event in command(way, arguments).outside()} <= {socket.AF_UNIX}


@each_command
def test_what_a_command_sends_in_its_own_namespaces_are_probes_alone(
    way: Way, arguments: list[str]
) -> None:
    internet = [
        event
        for event in command(way, arguments).events
        if event.family in (socket.AF_INET, socket.AF_INET6)
    ]
    assert {event.name for event in internet} <= {"sendto"}
    assert bool(internet) == (arguments[0] == "run")


@each_command
def test_no_packet_of_a_command_leaves(way: Way, arguments: list[str]) -> None:
    assert command(way, arguments).left == 0


@each_command
def test_the_hook_hears_the_processes_inside_too(way: Way, arguments: list[str]) -> None:
    found = command(way, arguments)
    inside = {event.family for event in found.events if event not in found.outside()}
    assert {socket.AF_NETLINK, socket.AF_PACKET} <= inside


@linux
@needs_namespaces
@pytest.mark.opens_sockets
@pytest.mark.parametrize(
    ("source", "name", "family", "leaves"),
    [
        ("socket.socket(2, 2).sendto(b'x', ('203.0.113.5', 9))", "sendto", 2, True),
        ("socket.socket(10, 2).sendto(b'x', ('2001:db8::5', 9))", "sendto", 10, True),
        ("socket.socket(2, 2).connect(('203.0.113.5', 9))", "connect", 2, False),
        ("socket.getaddrinfo('127.0.0.1', 9)", "getaddrinfo", -1, False),
    ],
)
def test_a_command_that_was_not_silent_would_be_heard(
    source: str, name: str, family: int, leaves: bool
) -> None:
    found = heard(Way(os.geteuid() == 0, Rung.VETH), "-c", f"import os, socket\n{source}")
    assert found.status == 0, found.said
    assert [(event.name, event.family) for event in found.outside()] == [(name, family)]
    assert bool(found.left) is leaves


@linux
@needs_namespaces
@pytest.mark.opens_sockets
def test_a_fork_of_a_command_would_be_heard() -> None:
    source = "import os, socket\nif not os.fork(): socket.socket(2, 2).connect(('203.0.113.5', 9))"
    found = heard(Way(os.geteuid() == 0, Rung.VETH), "-c", source + "\nelse: os.wait()")
    assert [event.name for event in found.outside()] == ["connect"]
