"""What wants out without a packet is an attempt all the same, with what became of it.

The verdict on each is the judge's; here stands what the record says of real programs.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt, Network
from tests.builders.programs import (
    ASKS_FOR_IO_URING,
    CONNECTS,
    EXECUTES,
    FALLS_BACK_FROM_IO_URING,
    OTHER_FAMILIES,
    OWN_LISTENER,
    RESOLVES,
    TALKS_TO,
    TALKS_TO_ITSELF,
    WRITES_TO_FIFO,
    python,
)
from tests.builders.recorded_runs import (
    Place,
    Seen,
    Way,
    both_users,
    every_way,
    place,
    recorded,
    run_at,
)

pytestmark = pytest.mark.opens_sockets

ROUTE_PROBE = """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.connect(("8.8.8.8", 53))
    tell(own=sender.getsockname()[0])
"""

ASKS_DEAD_PROXY = """
def connect():
    socket.create_connection(("127.0.0.1", 3128), 5).close()
tell(came=tried(connect))
"""

SOCKET_PAIRS = """
one, two = socket.socketpair()
one.sendall(b"x")
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
    kernel.bind((0, 0))
"""

READS_FIFO = """
os.close(os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK))
"""

OWN_SOCKET = """
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("own.sock")
"""
OWN_FIFO = """
os.chdir(sys.argv[1])
os.mkfifo("own.fifo")
os.close(os.open("own.fifo", os.O_RDWR))
"""

SENDS_BY_DATAGRAM = """
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
    tell(came=tried(lambda: (sender.sendto(b"leak", sys.argv[1]), None)[1]))
"""

BINDS_OVER_IT = """
with socket.socket(socket.AF_UNIX) as server:
    tell(bound=tried(server.bind, sys.argv[1]))
with socket.socket(socket.AF_UNIX) as client:
    tell(came=tried(client.connect, sys.argv[1]))
"""

PUTS_IT_IN_PLACE_OF_ITS_OWN = """
time.sleep(0.1)
os.chdir(os.path.dirname(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as server:
    tell(bound=tried(server.bind, "own.sock"))
os.unlink("own.sock")
os.rename(sys.argv[1], "own.sock")
with socket.socket(socket.AF_UNIX) as client:
    os.chdir("/")
    came = tried(client.connect, os.path.dirname(sys.argv[1]) + "/own.sock")
Path(sys.argv[2], "told.json").write_text(json.dumps({"bound": "done", "came": came}))
"""

FLIPS_ITS_PATH = """
own = socket.socket(socket.AF_UNIX)
own.bind("own.sock")
own.listen(4096)
place = ctypes.create_string_buffer(struct.pack("=H", 1) + b"own/000".ljust(108, b"\\0"))
going = True
def flip():
    folder = ctypes.addressof(place) + 2
    while going:
        ctypes.memmove(folder, b"out", 3)
        ctypes.memmove(folder, b"own", 3)
threading.Thread(target=flip, daemon=True).start()
sys.setswitchinterval(1e-5)
done = 0
for number in range(int(sys.argv[1])):
    ctypes.memmove(ctypes.addressof(place) + 6, b"%03d" % number, 3)
    with socket.socket(socket.AF_UNIX) as one:
        if libc.connect(one.fileno(), place, 110) == 0:
            done += 1
            libc.send(one.fileno(), b"%03d" % number, 3, 0)
going = False
tell(done=done)
"""

SETUID = ("/usr/bin/su", "/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/bin/mount")


@contextmanager
def listening(path: Path | str, kind: int = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    """A socket of the host, to which everybody may talk."""
    with closing(socket.socket(socket.AF_UNIX, kind)) as server:
        server.bind(str(path))
        if kind == socket.SOCK_STREAM:
            server.listen()
        if isinstance(path, Path):
            path.chmod(0o777)
        server.settimeout(5)
        yield server


def shared(here: Place) -> Path:
    """A folder of the host that is given to the program by --bind."""
    folder = here.folder / "shared"
    folder.mkdir()
    return folder


def only(found: list[Attempt]) -> Attempt:
    (attempt,) = found
    return attempt


@both_users
def test_a_host_socket_in_a_folder_that_is_shared_is_reached(way: Way) -> None:
    way.must_be_possible()
    here = place(way)
    path = shared(here) / "host.sock"
    with listening(path) as server:
        seen = run_at(here, python(TALKS_TO, str(path), "SOCK_STREAM"), bind=(str(path.parent),))
        server.accept()[0].close()
    assert seen.told["came"] == "done"
    attempt = only(seen.attempts("connect", "AF_UNIX"))
    assert (attempt.address, attempt.outcome) == (str(path), "reached")
    assert str(path) in seen.run.reachable_sockets


def test_a_host_socket_that_is_merely_reachable_is_listed() -> None:
    here = place()
    path = shared(here) / "host.sock"
    with listening(path):
        seen = run_at(here, ("true",), bind=(str(path.parent),))
    assert str(path) in seen.run.reachable_sockets
    assert not seen.attempts()


def test_a_host_socket_in_a_folder_that_is_not_shared_is_neither_listed_nor_there() -> None:
    here = place()
    path = shared(here) / "host.sock"
    with listening(path):
        seen = run_at(here, python(TALKS_TO, str(path), "SOCK_STREAM"))
    assert seen.told["came"] == "ENOENT"
    assert only(seen.attempts("connect", "AF_UNIX")).outcome == "absent"
    assert str(path) not in seen.run.reachable_sockets


def test_a_datagram_socket_of_the_host_is_reached_too() -> None:
    here = place()
    path = shared(here) / "log.sock"
    with listening(path, socket.SOCK_DGRAM) as server:
        command = python(SENDS_BY_DATAGRAM, str(path))
        seen = run_at(here, command, bind=(str(path.parent),))
        assert server.recv(100) == b"leak"
    assert only(seen.attempts("sendto", "AF_UNIX")).outcome == "reached"


def test_a_socket_path_that_is_not_there_is_absent() -> None:
    seen = recorded(python(TALKS_TO, "/run/dbus/system_bus_socket", "SOCK_STREAM"))
    assert seen.told["came"] == "ENOENT"
    assert only(seen.attempts("connect", "AF_UNIX")).outcome == "absent"


def test_a_socket_of_the_program_itself_has_no_outcome() -> None:
    seen = recorded(python(TALKS_TO_ITSELF))
    assert seen.told["came"] == "done"
    assert only(seen.attempts("connect", "AF_UNIX")).outcome is Absent.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("program", "bound"), [(BINDS_OVER_IT, "EADDRINUSE"), (PUTS_IT_IN_PLACE_OF_ITS_OWN, "done")]
)
def test_a_host_socket_is_not_the_programs_for_having_bound_its_path(
    program: str, bound: str
) -> None:
    here = place()
    path = shared(here) / "host.sock"
    path.parent.chmod(0o777)
    with listening(path):
        command = python(program, str(path), str(here.work))
        seen = run_at(here, command, bind=(str(path.parent),))
    assert seen.told == {"bound": bound, "came": "done"}
    assert only(seen.attempts("connect", "AF_UNIX")).outcome == "reached"


@both_users
def test_a_path_that_changes_after_our_look_is_named_when_it_reaches_the_host(way: Way) -> None:
    connects = 300
    way.must_be_possible()
    here = place(way)
    path = shared(here) / "host.sock"
    # Each connect has a path of its own, so that each can be found in the record.
    for folder, target in (("own", Path("../own.sock")), ("out", path)):
        (here.work / folder).mkdir()
        for number in range(connects):
            (here.work / folder / f"{number:03}").symlink_to(target)
    with listening(path) as server:
        server.listen(connects)
        command = python(FLIPS_ITS_PATH, str(connects))
        seen = run_at(here, command, bind=(str(path.parent),))
        server.setblocking(False)
        came = set(numbers_told(server))
    assert seen.told["done"] == connects
    reached = {
        str(attempt.address)
        for attempt in seen.attempts("connect", "AF_UNIX")
        if attempt.outcome == "reached"
    }
    # Of most the path that we saw led to the host's socket; of the others the kernel said so.
    assert came <= {address[-3:] for address in reached}


def numbers_told(server: socket.socket) -> Iterator[str]:
    """What each connection that waits at a listener has sent."""
    while True:
        try:
            accepted, _ = server.accept()
        except BlockingIOError:
            return
        with accepted:
            yield accepted.recv(10).decode()


def test_an_abstract_socket_of_the_host_is_not_there() -> None:
    name = f"egress-audit-test-{os.getpid()}"
    with listening("\0" + name):
        seen = recorded(python(TALKS_TO, "@" + name, "SOCK_STREAM"))
    assert seen.told["came"] == "ECONNREFUSED"
    assert only(seen.attempts("connect", "AF_UNIX")).address == "@" + name


def test_pairs_and_the_kernels_own_sockets_are_no_attempts() -> None:
    assert not recorded(python(SOCKET_PAIRS)).attempts()


def fifo_run(program: str) -> tuple[Seen, bytes]:
    """A program that is given a FIFO which somebody outside reads; what came there."""
    here = place()
    path = here.work / "pipe"
    os.mkfifo(path)
    path.chmod(0o666)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return run_at(here, python(program, str(path))), os.read(reader, 100)
    finally:
        os.close(reader)


def test_a_fifo_to_a_process_of_the_host_is_reached() -> None:
    seen, came = fifo_run(WRITES_TO_FIFO)
    assert came == b"leak"
    attempt = only(seen.attempts())
    assert (attempt.type, attempt.outcome) == ("fifo", "reached")
    assert attempt.address == str(seen.place.work / "pipe")


def test_a_fifo_that_is_read_is_no_attempt() -> None:
    seen, _ = fifo_run(READS_FIFO)
    assert not seen.attempts()


def test_a_fifo_of_the_program_itself_is_no_attempt() -> None:
    assert not recorded(python(OWN_FIFO, "/tmp")).attempts()


def test_one_that_it_makes_where_the_host_sees_it_may_be_read_there() -> None:
    seen = recorded(python(OWN_FIFO, "."))
    attempt = only(seen.attempts())
    assert (attempt.type, attempt.outcome) == ("fifo", "reached")


@every_way
@pytest.mark.parametrize(("folder", "outcome"), [("/tmp", Absent.NOT_APPLICABLE), (".", "reached")])
def test_a_socket_that_it_binds_is_reached_from_the_host_where_that_sees_it(
    way: Way, folder: str, outcome: object
) -> None:
    seen = recorded(python(OWN_SOCKET, folder), way)
    assert only(seen.attempts("bind")).outcome == outcome


@every_way
def test_sockets_of_other_families_are_refused_and_named(way: Way) -> None:
    seen = recorded(python(OTHER_FAMILIES), way)
    assert set(seen.told.values()) == {"EAFNOSUPPORT"}
    assert {attempt.family for attempt in seen.attempts("socket")} == set(seen.told)
    assert {attempt.denied for attempt in seen.attempts("socket")} == {"EAFNOSUPPORT"}


def test_io_uring_is_refused_and_named() -> None:
    seen = recorded(python(ASKS_FOR_IO_URING))
    assert seen.run.exit_status == 0
    attempt = only(seen.attempts())
    assert (attempt.call, attempt.denied) == ("io_uring_setup", "ENOSYS")
    assert attempt.outcome is Absent.NOT_APPLICABLE


def test_a_program_that_goes_on_without_io_uring_fell_back() -> None:
    seen = recorded(python(FALLS_BACK_FROM_IO_URING))
    assert only(seen.attempts("io_uring_setup")).outcome == "fell-back"
    assert len(seen.out) == 1


def test_a_listener_of_the_programs_own_is_refused_and_named() -> None:
    seen = recorded(python(OWN_LISTENER))
    assert seen.told == {"listener": "EBUSY", "filter": 0}
    attempt = only(seen.attempts())
    assert (attempt.call, attempt.denied) == ("seccomp", "EBUSY")


def test_the_execution_of_a_setuid_program_is_named() -> None:
    path = next((path for path in SETUID if Path(path).exists()), None)
    if path is None or not Path(path).stat().st_mode & 0o4000:
        pytest.skip("this host has no setuid program that is known")
    seen = recorded(python(EXECUTES, path, "--help"))
    attempt = only(seen.attempts("execve"))
    assert (attempt.address, attempt.outcome) == (path, "setuid")


def test_a_udp_connect_without_a_packet_asks_for_a_route() -> None:
    seen = recorded(python(ROUTE_PROBE))
    assert seen.told["own"] == "10.87.0.2"
    attempt = only(seen.attempts())
    assert attempt.asks_for_route
    assert not attempt.wants_out
    assert not seen.out


def test_a_loopback_proxy_that_is_not_there_is_an_attempt_on_loopback_alone() -> None:
    seen = recorded(python(ASKS_DEAD_PROXY))
    assert seen.told["came"] == "ECONNREFUSED"
    attempt = only(seen.attempts("connect"))
    assert (attempt.address, attempt.port) == ("127.0.0.1", 3128)
    assert not seen.out
    assert [frame.interface for frame in seen.frames if frame.ports[1] == 3128] == ["lo"]


@every_way
@pytest.mark.parametrize("target", ["203.0.113.5", "2001:db8::5"])
def test_sealed_refuses_every_connection_at_once(way: Way, target: str) -> None:
    seen = recorded(python(CONNECTS, target), way, network=Network.SEALED)
    assert seen.told["came"] == "ECONNREFUSED"
    assert seen.told["seconds"] < 2
    assert only(seen.attempts("connect")).wants_out
    assert [frame.opens for frame in seen.out] == [True]
    assert [frame.resets for frame in seen.frames if not frame.outbound] == [True]


def test_sealed_answers_no_name_and_does_so_at_once() -> None:
    seen = recorded(python(RESOLVES, "models.example"), network=Network.SEALED)
    assert isinstance(seen.told["found"], str)
    assert seen.told["seconds"] < 2
    assert not seen.run.synthetic
    assert any(b"\x06models\x07example" in frame.packet for frame in seen.out)


def test_without_ipv6_a_program_has_no_way_to_such_an_address() -> None:
    seen = recorded(python(CONNECTS, "2001:db8::5"), ipv6=False)
    assert seen.told["came"] in ("ENETUNREACH", "EADDRNOTAVAIL")
    assert only(seen.attempts("connect")).wants_out
    assert not seen.out


def test_without_ipv6_names_have_addresses_of_ipv4_alone() -> None:
    seen = recorded(python(RESOLVES, "models.example"), ipv6=False)
    assert seen.told["found"]
    assert not [address for address in seen.told["found"] if ":" in address]
