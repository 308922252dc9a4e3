"""What a program may call where nothing but its calls keeps it in: itself, and nobody else."""

import socket
from contextlib import suppress

import pytest

from egress_audit.record.filter import RET_ALLOW, RET_NOTIFY
from egress_audit.record.filter import program as program_of
from egress_audit.record.run import Recorded, record
from egress_audit.record.syscalls import AUDIT_ARCH, NUMBERS
from tests.builders.programs import FALLS_BACK_FROM_IO_URING, JOINS_GROUPS, SENDMMSG, python
from tests.builders.recorded_runs import Way, needs_namespaces, place, seen_at
from tests.builders.uplink import A_CALLS_WAY, behind_uplink, by_calls, run_behind_uplink
from tests.reference.classic_bpf import answer, seccomp_data

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

TRIES_TO_LEAVE_ITS_INTERFACE = """
with socket.socket() as one:
    tell(one=tried(one.setsockopt, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"up0\\0"),
         none=tried(one.setsockopt, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"\\0"))
with socket.create_server(("0.0.0.0", 0)) as server:
    with socket.create_connection(("127.0.0.1", server.getsockname()[1])) as client:
        accepted, _ = server.accept()
        bound = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        tell(accepted=bound.decode())
"""


CALLS_THE_PORT = """
def call():
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
def datagram():
    udp("127.0.0.1", int(sys.argv[1]))
tell(stream=tried(call), datagram=tried(datagram))
"""


FULL_BACKLOG = """
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(0)
def knock():
    try:
        socket.create_connection(server.getsockname()).close()
    except OSError:
        pass
for _ in range(20):
    threading.Thread(target=knock, daemon=True).start()
time.sleep(0.3)
began = time.monotonic()
with socket.create_server(("127.0.0.1", 0)) as other:
    socket.create_connection(other.getsockname(), 5).close()
tell(seconds=time.monotonic() - began)
os._exit(0)
"""


SENDS_MORE_BESIDE_THAN_IS_READ = """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
    beside = [(socket.IPPROTO_IP, 4, bytes(5000))]
    tell(came=tried(out.sendmsg, [b"x"], beside, 0, ("9.9.9.9", 9)))
"""

SENDS_ON_A_PIPE = """
import ctypes
ends = os.pipe()
ctypes.CDLL(None).sendto(ends[1], b"x", 1, 0, None, 0)
"""

LOOKS_FOR_ITSELF = """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
    tell(came=tried(asker.connect, ("8.8.8.8", 80)))
"""


@by_calls
def test_a_socket_cannot_be_taken_off_the_loopback_interface(way: Way) -> None:
    told = run_behind_uplink(python(TRIES_TO_LEAVE_ITS_INTERFACE), way)[0].told
    assert told == {"one": "EPERM", "none": "EPERM", "accepted": "lo\0"}


@by_calls
def test_a_server_of_the_host_on_loopback_cannot_be_used_as_a_way_out(way: Way) -> None:
    made = place(way)

    def run() -> tuple[Recorded, bool]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            port = str(server.getsockname()[1])
            done = record(made.plan(python(CALLS_THE_PORT, port)), made.bundle)
            with suppress(BlockingIOError):
                server.accept()
                return done, True
            return done, False

    (done, was_reached), left = behind_uplink(run, by_root=way.by_root)
    told = seen_at(made, done).told
    assert (told, was_reached, left) == (
        {"stream": "ECONNREFUSED", "datagram": "ECONNREFUSED"},
        False,
        [],
    )


def test_a_full_backlog_lets_nobody_else_wait() -> None:
    assert run_behind_uplink(python(FULL_BACKLOG), A_CALLS_WAY)[0].told["seconds"] < 1


def test_a_send_that_cannot_be_carried_out_is_an_attempt_all_the_same() -> None:
    seen, left = run_behind_uplink(python(SENDS_MORE_BESIDE_THAN_IS_READ), A_CALLS_WAY)
    assert (seen.told["came"], left) == ("EMSGSIZE", [])
    (attempt,) = seen.attempts("sendmsg")
    assert attempt.denied == "EFAULT"


def test_a_send_on_what_is_no_socket_is_no_attempt() -> None:
    seen, _ = run_behind_uplink(python(SENDS_ON_A_PIPE), A_CALLS_WAY)
    assert seen.attempts("sendto") == []


def test_a_route_probe_is_answered_and_sends_nothing() -> None:
    seen, left = run_behind_uplink(python(LOOKS_FOR_ITSELF), A_CALLS_WAY)
    assert (seen.told["came"], left) == ("done", [])
    (attempt,) = seen.attempts("connect")
    assert attempt.asks_for_route


def test_io_uring_is_refused_and_its_place_taken_by_calls_that_are_seen() -> None:
    seen, left = run_behind_uplink(python(FALLS_BACK_FROM_IO_URING), A_CALLS_WAY)
    assert left == []
    assert [a.outcome for a in seen.attempts("io_uring_setup")] == ["fell-back"]


def test_joining_a_group_is_refused_as_the_kernel_would_report_it() -> None:
    seen, left = run_behind_uplink(python(JOINS_GROUPS), A_CALLS_WAY)
    assert left == []
    (attempt,) = seen.attempts("setsockopt")
    assert (attempt.address, attempt.denied) == ("239.7.7.7", "ENODEV")


def test_many_datagrams_of_one_call_are_counted_each_with_its_length() -> None:
    program = SENDMMSG.replace("[203, 0, 113, last]", "[127, 0, 0, 1]").replace(
        '"!H", 5000', '"!H", PORT'
    )
    program = (
        """
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
PORT = server.getsockname()[1]
"""
        + program
        + """
tell(heard=[server.recv(10).decode() for _ in range(3)],
     lengths=[struct.unpack_from("=I", many, 56 + 64 * number)[0] for number in range(3)])
"""
    )
    told = run_behind_uplink(python(program), A_CALLS_WAY)[0].told
    assert told == {"sent": 3, "heard": ["mm", "mm", "mm"], "lengths": [2, 2, 2]}


def test_many_datagrams_to_the_outside_are_refused_at_the_first() -> None:
    seen, left = run_behind_uplink(python(SENDMMSG), A_CALLS_WAY)
    assert (seen.told["sent"], left) == (-1, [])
    assert [a.denied for a in seen.attempts("sendmmsg")] == ["ENETUNREACH"]


def test_a_protocol_that_opens_connections_of_its_own_is_refused() -> None:
    program = "tell(came=tried(lambda: socket.socket(socket.AF_INET, 1, 262).close()))"
    seen, _ = run_behind_uplink(python(program), A_CALLS_WAY)
    assert seen.told["came"] == "EPROTONOSUPPORT"
    assert [a.denied for a in seen.attempts("socket")] == ["EPROTONOSUPPORT"]


def test_the_flags_of_a_socket_are_those_that_were_asked_for() -> None:
    program = """
import fcntl
def flags(kind):
    number = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
    made = syscall(number, 2, kind, 0)
    return [not os.get_blocking(made), bool(fcntl.fcntl(made, fcntl.F_GETFD) & 1)]
tell(plain=flags(1), both=flags(1 | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC))
"""
    told = run_behind_uplink(python(program), A_CALLS_WAY)[0].told
    assert told == {"plain": [False, False], "both": [True, True]}


def test_a_program_with_too_many_files_is_told_so() -> None:
    program = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
many = []
def fill():
    while True:
        many.append(socket.socket())
came = tried(fill)
many.clear()
tell(came=came)
"""
    assert run_behind_uplink(python(program), A_CALLS_WAY)[0].told == {"came": "EMFILE"}


def test_a_send_that_would_connect_is_refused() -> None:
    program = """
with socket.socket() as one:
    tell(came=tried(one.sendto, b"x", 0x20000000, ("9.9.9.9", 443)))
"""
    seen, left = run_behind_uplink(python(program), A_CALLS_WAY)
    assert (seen.told["came"], left) == ("ENOTSUP", [])
    assert [(a.address, a.wants_out) for a in seen.attempts("sendto")] == [("9.9.9.9", True)]


def test_only_a_filter_that_was_asked_to_puts_sockets_and_all_sends_before_us() -> None:
    kind = "x86_64"
    for name, arguments in (("socket", (2, 1, 0)), ("sendto", (3, 0, 0, 0, 0, 0))):
        data = seccomp_data(NUMBERS[kind][name], AUDIT_ARCH[kind], arguments)
        assert answer(program_of(kind), data) == RET_ALLOW
        assert answer(program_of(kind, sockets=True), data) == RET_NOTIFY
