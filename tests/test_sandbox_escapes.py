"""Ways out of a sandbox other than its network, each tried by a real program.

What is open in the test's own process, and on this host, stands for the host.
"""

import ctypes
import fcntl
import json
import os
import platform
import resource
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record import syscalls
from tests.builders.namespaces import in_child, links_of_the_host, mounts_of_the_host
from tests.builders.programs import TALKS_TO, python
from tests.builders.recorded_runs import (
    TOLD,
    Place,
    Seen,
    Way,
    both_rungs,
    both_users,
    every_way,
    place,
    recorded,
    run_at,
)

pytestmark = pytest.mark.opens_sockets

FARTHEST_DESCRIPTOR = 70_000
NOWHERE = {"EPERM", "EACCES", "ENOENT", "EROFS", "ESRCH", "EINVAL", "ENOSYS", "ENXIO", "ENODEV"}

OPEN_DESCRIPTORS = """
here = "/proc/self/fd/"
found = {int(name): tried(os.readlink, here + name) for name in os.listdir(here)}
tell(open=sorted(number for number, place in found.items() if place != "ENOENT"))
"""

LOOKS_AT_THE_HOST = """
host = int(sys.argv[1])
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
def traced():
    if libc.ptrace(16, host, None, None) < 0:
        raise OSError(ctypes.get_errno(), "")
tell(
    seen=[name for name in os.listdir("/proc") if name.isdecimal()],
    stat=tried(os.stat, f"/proc/{host}"),
    network=tried(os.open, f"/proc/{host}/ns/net", os.O_RDONLY),
    pidfd=tried(os.pidfd_open, host),
    kill=tried(os.kill, host, 0),
    traced=tried(traced),
    first=tried(os.open, "/proc/1/ns/net", os.O_RDONLY),
    root=tried(os.listdir, "/proc/1/root/"),
)
"""

ROBS_THE_HELPERS = """
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
tried_on, taken = set(), []
def rob(pid):
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        names = []
    place = os.pidfd_open(pid)
    for number in {*range(12), *map(int, names)}:
        try:
            mine = syscall(438, place, number, 0)
            taken.append(os.readlink(f"/proc/self/fd/{mine}"))
        except OSError:
            pass
    os.close(place)
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
        taken.append("memory")
    except OSError:
        pass
    if libc.ptrace(16, pid, None, None) == 0:
        taken.append("traced")
        libc.ptrace(17, pid, None, None)
until = time.monotonic() + 0.8
while time.monotonic() < until:
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid():
            try:
                rob(int(name))
                tried_on.add(name)
            except OSError:
                pass
tell(tried_on=len(tried_on), taken=taken)
"""

NESTED_NAMESPACE = """
def unmounted(path):
    if libc.umount2(path.encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), "")
uid = os.getuid()
made = libc.unshare(0x10000000 | 0x00020000)
tell(made=made)
for path in sys.argv[1:]:
    tell(**{path: tried(unmounted, path)})
"""

UDP = 17
QUESTION = "123401000001000000000000046576696c076578616d706c650000010001"
"""The address of evil.example, asked for (RFC 1035)."""
OWN_NETWORK = """
import fcntl
question = bytes.fromhex(sys.argv[2])
made = libc.unshare(0x10000000 | 0x40000000) if sys.argv[1] == "own" else 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    if sys.argv[1] == "own":
        fcntl.ioctl(sender, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    sender.connect(("127.0.0.1", 53))
    tell(made=made, sent=tried(sender.send, question))
"""

KERNEL_FILES = """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
             "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv4/ping_group_range",
             "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/proc/1/oom_score_adj"):
    tell(**{path: tried(lambda: os.close(os.open(path, os.O_WRONLY)))})
"""

DEVICES = """
for path in ("/dev/net/tun", "/dev/vsock", "/dev/kvm", "/dev/vhost-vsock", "/dev/vhost-net",
             "/dev/log", "/dev/mem", "/dev/kmsg"):
    tell(**{path: tried(lambda: os.close(os.open(path, os.O_RDWR)))})
"""

PRIVILEGED_CALLS = """
import fcntl
tell(
    bpf=tried(syscall, 321 if os.uname().machine == "x86_64" else 280, 0,
              struct.pack("=5I", 2, 4, 4, 1, 0).ljust(128, b"\\0"), 128),
    mount=tried(lambda: syscall(165 if os.uname().machine == "x86_64" else 40,
                                b"none", b"/mnt", b"tmpfs", 0, 0)),
    chroot=tried(os.chroot, "/tmp"),
    device=tried(os.mknod, "made", 0o020666, os.makedev(10, 200)),
    user=tried(os.setuid, 0),
    name=tried(socket.sethostname, "x"),
    pushed=tried(fcntl.ioctl, 0, 0x5412, b"x"),
    console=tried(fcntl.ioctl, 0, 0x541C, b"x"),
    wide=tried(syscall, 16 if os.uname().machine == "x86_64" else 29, 0, 0x5412 | 1 << 32, b"x"),
)
"""

SHARED_MEMORY = """
def found():
    number = libc.shmget(int(sys.argv[1]), 0, 0)
    if number < 0:
        raise OSError(ctypes.get_errno(), "")
    return number
tell(found=tried(found))
"""

KEYS = """
request = {"x86_64": 249, "aarch64": 218}[os.uname().machine]
tell(found=tried(syscall, request, b"user", sys.argv[1].encode(), None, 0))
"""

FOREIGN_CALLS = """
import mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("53b867010000bb02000000b9010000003 1d2cd805bc3".replace(" ", "")))
place = ctypes.addressof(ctypes.c_char.from_buffer(code))
tell(i386=ctypes.CFUNCTYPE(ctypes.c_int)(place)())
tell(x32=tried(syscall, 0x40000000 | 41, 2, 1, 0))
"""
"""socket(AF_INET, SOCK_STREAM, 0): number 359 by int 0x80, and number 41 with the bit of x32."""

THE_EVIDENCE = """
bundle = sys.argv[1]
def appended():
    with open(bundle + "/events.jsonl", "ab") as events:
        events.write(b"{}")
def made():
    with open(bundle + "/more", "wb"):
        pass
def swapped():
    os.rename(bundle, bundle + ".old")
tell(listed=tried(os.listdir, bundle), appended=tried(appended), made=tried(made),
     swapped=tried(swapped))
"""

PUTS_EVIDENCE_OF_ITS_OWN_IN_PLACE = """
folder = os.path.dirname(sys.argv[1])
os.rename(folder, folder + ".old")
os.makedirs(sys.argv[1])
for name in ("capture.pcapng", "events.jsonl"):
    Path(sys.argv[1], name).write_text("forged")
"""

WRITES_EVERYWHERE = """
marks = {}
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", os.environ["HOME"]):
    path = folder + "/egress-audit-mark"
    marks[folder] = tried(lambda: Path(path).write_text("x"))
tell(**marks)
"""


def all_nowhere(seen: Seen) -> bool:
    """True if every attempt that the program tells of came to an error."""
    return set(map(str, seen.told.values())) <= NOWHERE


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def host_socket(path: str) -> Iterator[None]:
    """A socket of the host to which everybody may talk."""
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(path)
        server.listen()
        if not path.startswith("\0"):
            Path(path).chmod(0o777)
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                Path(path).unlink()


@pytest.mark.parametrize("folder", ["/tmp", "/var/tmp", "/dev/shm", "/run"])
def test_sockets_in_folders_that_everybody_shares_are_not_there(folder: str) -> None:
    if not os.access(folder, os.W_OK):
        pytest.skip(f"this user has no sockets in {folder}")
    path = tempfile.mktemp(prefix="egress-audit-", dir=folder)
    with host_socket(path):
        seen = recorded(python(TALKS_TO, path, "SOCK_STREAM"))
    assert seen.told["came"] == "ENOENT"
    assert path not in seen.run.reachable_sockets


@both_users
def test_no_descriptor_of_ours_is_open_in_the_program(way: Way) -> None:
    way.must_be_possible()
    here = place(way)

    def with_descriptors() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError):  # Only root may have more.
            most = max(most, FARTHEST_DESCRIPTOR + 1)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        ours, _ = socket.socketpair()
        far = fcntl.fcntl(ours, fcntl.F_DUPFD, min(FARTHEST_DESCRIPTOR, most - 1))
        for descriptor in (ours.fileno(), far):
            os.set_inheritable(descriptor, True)
        run_at(here, python(OPEN_DESCRIPTORS))

    in_child(with_descriptors)
    assert json.loads((here.work / TOLD).read_text(encoding="utf-8"))["open"] == [0, 1, 2]


@both_users
def test_processes_of_the_host_can_neither_be_seen_nor_reached(way: Way) -> None:
    told = recorded(python(LOOKS_AT_THE_HOST, str(os.getpid() + 1_000_000)), way).told
    assert len(told.pop("seen")) == 2
    assert set(told.values()) <= NOWHERE


@both_users
def test_even_a_number_of_the_host_means_a_process_of_the_sandbox(way: Way) -> None:
    told = recorded(python(LOOKS_AT_THE_HOST, str(os.getppid())), way).told
    if os.getppid() > 2:
        assert {str(told[name]) for name in ("stat", "network", "pidfd", "kill")} <= NOWHERE


@both_rungs
def test_helpers_of_ours_can_be_neither_robbed_nor_traced(way: Way) -> None:
    seen = recorded(
        python(ROBS_THE_HELPERS), way, ready="8125", observe_s=1.2, publish=(free_port(),)
    )
    assert seen.told["tried_on"] >= 2
    assert not seen.told["taken"]


@both_rungs
def test_the_users_own_exercise_can_be_neither_robbed_nor_traced(way: Way) -> None:
    seen = recorded(python(ROBS_THE_HELPERS), way, exercise="sleep 0.5; echo so", expect="so")
    assert seen.told["tried_on"] >= 2
    assert not seen.told["taken"]
    (generate,) = [phase for phase in seen.run.phases if phase.word == "generate"]
    assert isinstance(generate.end_ns, int)


@both_users
def test_a_nested_user_namespace_uncovers_nothing(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    covers = ("/run", "/tmp", "/proc", "/etc/resolv.conf", str(here.home), str(here.bundle))
    told = run_at(here, python(NESTED_NAMESPACE, *covers)).told
    if told.pop("made") != 0:
        return  # It could not even be made.
    assert set(told.values()) <= {"EINVAL", "EPERM", "ENOENT", "EACCES"}


@both_users
def test_what_is_said_in_a_network_of_the_programs_own_is_told_to_be_unseen(way: Way) -> None:
    seen = recorded(python(OWN_NETWORK, "own", QUESTION), way)
    assert (seen.told["made"], seen.told["sent"]) == (0, 30)
    (attempt,) = [attempt for attempt in seen.attempts("connect") if attempt.port == 53]
    assert attempt.outcome == "elsewhere"


@both_users
def test_what_is_said_on_the_loopback_of_the_sandbox_is_seen(way: Way) -> None:
    seen = recorded(python(OWN_NETWORK, "shared", QUESTION), way)
    (question,) = [f for f in seen.frames if f.interface == "lo" and f.proto == UDP]
    assert question.packet.endswith(bytes.fromhex(QUESTION))
    assert "elsewhere" not in {attempt.outcome for attempt in seen.attempts()}


@both_users
def test_the_kernels_own_files_cannot_be_written(way: Way) -> None:
    assert all_nowhere(recorded(python(KERNEL_FILES), way))


@both_users
def test_devices_that_lead_elsewhere_cannot_be_opened(way: Way) -> None:
    assert all_nowhere(recorded(python(DEVICES), way))


@both_users
def test_calls_that_need_privileges_are_refused(way: Way) -> None:
    assert all_nowhere(recorded(python(PRIVILEGED_CALLS), way))


@both_users
def test_nothing_can_be_typed_into_the_terminal_of_the_host(way: Way) -> None:
    told = recorded(python(PRIVILEGED_CALLS), way).told
    assert [told[name] for name in ("pushed", "console", "wide")] == ["EPERM"] * 3


def test_shared_memory_of_the_host_is_not_there() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    key = 0xE6E5_0000 + os.getpid() % 0xFFFF
    number = libc.shmget(ctypes.c_int(key), 4096, 0o1666)
    if number < 0:
        pytest.skip("no shared memory on this host")
    try:
        assert recorded(python(SHARED_MEMORY, str(key))).told["found"] == "ENOENT"
    finally:
        libc.shmctl(number, 0, None)


def test_keys_of_the_host_are_not_there() -> None:
    numbers = {"x86_64": (248, 250), "aarch64": (217, 219)}.get(platform.machine())
    if numbers is None:
        pytest.skip("numbers of the calls are not known for this machine")
    add_key, keyctl = numbers
    name = f"egress-audit-test-{os.getpid()}".encode()
    libc = syscalls.libc()
    for keyring in (-4, -3):  # of the user, of the session
        libc.syscall(add_key, b"user", name, b"x", ctypes.c_size_t(1), keyring)
    try:
        assert libc.syscall(keyctl + 0, 10, -4, b"user", name, 0) > 0, "the host has the key"
        seen = recorded(python(KEYS, name.decode()))
        assert seen.told["found"] in ("ENOKEY", "EPERM", "ENOSYS")
    finally:
        for keyring in (-4, -3):
            found = libc.syscall(keyctl, 10, keyring, b"user", name, 0)
            if found > 0:
                libc.syscall(keyctl, 9, found, keyring)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="calls of 32-bit programs of x86-64")
def test_calls_of_foreign_architectures_do_not_exist() -> None:
    told = recorded(python(FOREIGN_CALLS)).told
    assert told["i386"] == -38
    assert told["x32"] == "ENOSYS"


@every_way
def test_the_evidence_can_be_neither_read_nor_written_from_inside(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    seen = run_at(here, python(THE_EVIDENCE, str(here.bundle)))
    assert seen.told["listed"] in ([], "EACCES", "ENOENT")
    assert seen.told["appended"] in NOWHERE
    assert seen.told["made"] in NOWHERE
    assert seen.told["swapped"] in NOWHERE | {"EBUSY"}
    assert seen.bundle.complete


def evidence_in_the_working_folder(way: Way) -> Place:
    """A place whose evidence lies where the program may write, behind a link."""
    way.must_be_possible()
    here = place(way)
    inside = here.work / "evidence"
    here.bundle.parent.rename(inside)
    (here.folder / "evidence").symlink_to(inside)
    return here


@both_users
def test_evidence_in_the_working_folder_is_covered_too(way: Way) -> None:
    here = evidence_in_the_working_folder(way)
    seen = run_at(here, python(THE_EVIDENCE, str(here.work / "evidence" / "bundle")))
    assert seen.told["listed"] in ([], "EACCES")
    assert {seen.told["appended"], seen.told["made"]} <= NOWHERE
    assert seen.told["swapped"] in NOWHERE | {"EBUSY"}
    assert seen.bundle.complete


def test_evidence_that_was_moved_with_its_folder_is_not_taken_for_ours() -> None:
    here = evidence_in_the_working_folder(Way(False, Rung.VETH))
    forged = here.work / "evidence" / "bundle"
    with pytest.raises(EgressAuditError, match="was moved while the program ran"):
        run_at(here, python(PUTS_EVIDENCE_OF_ITS_OWN_IN_PLACE, str(forged)))
    assert (forged / "events.jsonl").read_text(encoding="ascii") == "forged"


@every_way
def test_what_is_written_to_private_folders_and_home_stays_inside(way: Way) -> None:
    seen = recorded(python(WRITES_EVERYWHERE), way)
    home = str(seen.place.home)
    assert seen.told.pop("/run") in (1, "EACCES")
    assert set(seen.told.values()) == {1}
    listed = {file.path for file in seen.run.written_files}
    for folder in ("/tmp", "/var/tmp", "/dev/shm", home):
        assert not Path(folder, "egress-audit-mark").exists()
        assert f"{folder}/egress-audit-mark" in listed


def everything_of_the_host() -> dict[str, object]:
    """Links, routes, settings, mounts and groups of the host."""
    reads = (
        "net/route",
        "net/ipv6_route",
        "net/if_inet6",
        "self/cgroup",
        "sys/net/ipv4/ip_forward",
    )
    groups = Path("/sys/fs/cgroup")
    return {
        "mounts": mounts_of_the_host(),
        "links": links_of_the_host(),
        "groups": sorted(str(path) for path in groups.glob("*") if path.is_dir()),
        **{name: read for name in reads if (read := _read(f"/proc/{name}")) is not None},
    }


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return None


@every_way
def test_a_run_leaves_the_host_as_it_was(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    before = everything_of_the_host()
    run_at(here, ("true",))
    assert everything_of_the_host() == before
