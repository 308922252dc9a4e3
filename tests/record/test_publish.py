"""Ports of the host that lead inside: the recorder's end and the relay, over real loopback.

Here both ends stand in one network, so the published port lies on another address of loopback; the
last test has a sandbox between them.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import EgressAuditError
from egress_audit.model.audit import Direction
from egress_audit.model.run import Role
from egress_audit.record import publish as module
from egress_audit.record.publish import Publisher, relay
from tests.builders.programs import python
from tests.builders.recorded_runs import Way, both_users, place, run_at, usual_way

pytestmark = pytest.mark.opens_sockets

OUTSIDE = "127.0.0.2"
"""Where the host's clients connect, in these tests."""
INSIDE = "127.0.0.1"
SECONDS = 10.0
MANY = 60
LARGE = 5_000_000


class Published:
    """A server, its port published, and the relay between."""

    def __init__(self, server: socket.socket, publisher: Publisher) -> None:
        self.server = server
        self.publisher = publisher
        ((self._listener, self.port),) = publisher.listeners.values()

    def client(self) -> socket.socket:
        """A client of the host, handed inside."""
        made = socket.create_connection((OUTSIDE, self.port), SECONDS)
        self.publisher.accept(self._listener.fileno())
        return made

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A client, and the server's end of its connection."""
        client = self.client()
        served, _ = self.server.accept()
        served.settimeout(SECONDS)
        return client, served


@contextmanager
def publishing(server: socket.socket) -> Iterator[Published]:
    publisher = Publisher((server.getsockname()[1],))
    orders = publisher.theirs.dup()
    thread = threading.Thread(target=relay, args=(orders,), daemon=True)
    thread.start()
    try:
        yield Published(server, publisher)
    finally:
        publisher.close()
        thread.join(SECONDS)
        orders.close()
    assert not thread.is_alive()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HOST", OUTSIDE)


@pytest.fixture
def published(elsewhere: None) -> Iterator[Published]:
    with socket.create_server((INSIDE, 0), backlog=2 * MANY) as server:
        server.settimeout(SECONDS)
        with publishing(server) as made:
            yield made


def received(end: socket.socket) -> bytes:
    """Everything until the other end is shut."""
    parts = []
    while part := end.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def test_a_question_goes_in_and_its_answer_comes_out(published: Published) -> None:
    client, served = published.pair()
    with client, served:
        client.sendall(b"question")
        assert served.recv(100) == b"question"
        served.sendall(b"answer")
        assert client.recv(100) == b"answer"


def says_all_and_is_answered(first: socket.socket, other: socket.socket) -> None:
    """One end says all that it has to, and hears the other all the same."""
    with first:
        with other:
            first.sendall(b"question")
            first.shutdown(socket.SHUT_WR)
            assert received(other) == b"question"
            other.sendall(b"answer")
        assert received(first) == b"answer"


def test_a_client_that_has_said_all_still_gets_its_answer(published: Published) -> None:
    client, served = published.pair()
    says_all_and_is_answered(client, served)


def test_a_server_that_has_said_all_still_hears_its_client(published: Published) -> None:
    client, served = published.pair()
    says_all_and_is_answered(served, client)


def test_large_transfers_both_ways_at_once_are_whole(published: Published) -> None:
    up, down = os.urandom(LARGE), os.urandom(LARGE)
    client, served = published.pair()

    def says(end: socket.socket, what: bytes) -> None:
        end.sendall(what)
        end.shutdown(socket.SHUT_WR)

    with client, served, ThreadPoolExecutor(3) as others:
        sent = [others.submit(says, client, up), others.submit(says, served, down)]
        came_in = others.submit(received, served)
        assert received(client) == down
        assert came_in.result(SECONDS) == up
        assert [one.result(SECONDS) for one in sent] == [None, None]


def test_a_client_that_reads_slowly_loses_nothing(published: Published) -> None:
    down = os.urandom(10 * LARGE)
    client, served = published.pair()
    with client, ThreadPoolExecutor(1) as others:

        def says() -> None:
            with served:
                served.sendall(down)

        sent = others.submit(says)
        with pytest.raises(TimeoutError):
            sent.result(0.3)  # Nothing in between takes all of it in.
        assert received(client) == down


def test_many_clients_at_once_each_get_their_own_answer(published: Published) -> None:
    pairs = [published.pair() for _ in range(MANY)]
    for number, (_, served) in reversed(list(enumerate(pairs))):
        served.sendall(b"for %d" % number)
    for number, (client, served) in enumerate(pairs):
        assert client.recv(100) == b"for %d" % number
        client.close()
        served.close()


def test_one_after_the_other_leaves_no_descriptor_behind(published: Published) -> None:
    def visit() -> None:
        client, served = published.pair()
        with client, served:
            client.shutdown(socket.SHUT_WR)
            served.shutdown(socket.SHUT_WR)
            assert received(client) == received(served) == b""

    visit()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        visit()
    # The last may still be on its way to be closed by the relay: two ends.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_a_client_of_a_server_that_is_not_there_sees_an_end(elsewhere: None) -> None:
    with socket.create_server((INSIDE, 0)) as nobody, publishing(nobody) as published:
        nobody.close()
        with published.client() as client:
            assert client.recv(100) == b""
        with socket.create_server((INSIDE, published.port)) as server:
            published.server = server
            client, served = published.pair()
            with client, served:
                served.sendall(b"now")
                assert client.recv(100) == b"now"


def test_a_server_of_ipv6_is_found(elsewhere: None) -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this host has no ::1")
    with server, publishing(server) as published:
        client, served = published.pair()
        with client, served:
            served.sendall(b"six")
            assert client.recv(100) == b"six"


def reset(end: socket.socket) -> None:
    """Breaks a connection off."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def test_a_client_that_breaks_off_is_an_end_for_the_server(published: Published) -> None:
    client, served = published.pair()
    with served:
        client.sendall(b"x")
        assert served.recv(1) == b"x"
        reset(client)
        with suppress(ConnectionResetError):
            assert served.recv(1) == b""


# The relay as a process of its own


@contextmanager
def forked(orders: socket.socket) -> Iterator[int]:
    """Pid of a relay."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        status = 1
        try:
            status = relay(orders)
        finally:
            os._exit(status)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_the_relay_ends_when_the_recorder_closes_its_end(elsewhere: None) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        pid = os.fork()
        if pid == 0:
            ours.close()
            signal.alarm(60)
            os._exit(relay(theirs))
        ours.close()
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_both_ends_breaking_off_at_once_end_no_other_connection(elsewhere: None) -> None:
    with socket.create_server((INSIDE, 0)) as server:
        server.settimeout(SECONDS)
        with (
            closing(Publisher((server.getsockname()[1],))) as publisher,
            forked(publisher.theirs) as relaying,
        ):
            published = Published(server, publisher)
            broken, other = published.pair(), published.pair()
            os.kill(relaying, signal.SIGSTOP)
            os.waitid(os.P_PID, relaying, os.WSTOPPED)
            for end in broken:
                reset(end)
            os.kill(relaying, signal.SIGCONT)
            client, served = other
            with client, served:
                client.sendall(b"still there")
                with suppress(ConnectionResetError):
                    assert served.recv(100) == b"still there"
                    return
        pytest.fail("the other connection was broken off too")


# The recorder's end


class StillWaits(Exception):
    """The recorder waits; no OSError, which it would take for the client's."""


def handed_inside(publisher: Publisher) -> int:
    """How many connections wait for the relay."""
    publisher.theirs.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while publisher.theirs.recv(16):
            count += 1
    return count


def test_a_port_is_published_on_loopback_alone() -> None:
    with socket.create_server((INSIDE, 0)) as free:
        port = free.getsockname()[1]
    publisher = Publisher((port,))
    try:
        ((listener, at),) = publisher.listeners.values()
        assert (listener.getsockname(), at) == ((INSIDE, port), port)
    finally:
        publisher.close()


def test_a_port_that_is_taken_is_an_error_with_a_remedy_and_leaves_the_others_free() -> None:
    with socket.create_server((INSIDE, 0)) as taken, socket.create_server((INSIDE, 0)) as free:
        port, used = free.getsockname()[1], taken.getsockname()[1]
        free.close()
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(EgressAuditError, match=f"port {used} ") as raised:
            Publisher((port, used))
        assert raised.value.where == "--publish"
        assert raised.value.hint
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        socket.create_server((INSIDE, port)).close()


def test_a_client_that_is_gone_before_it_is_accepted_does_not_stop_us(elsewhere: None) -> None:
    with socket.create_server((INSIDE, 0)) as server:
        publisher = Publisher((server.getsockname()[1],))
        try:
            (descriptor,) = publisher.listeners
            publisher.accept(descriptor)
            assert handed_inside(publisher) == 0
        finally:
            publisher.close()


def test_a_relay_that_takes_nothing_does_not_stop_the_recorder(elsewhere: None) -> None:
    def too_long(number: int, frame: object) -> None:
        raise StillWaits

    with socket.create_server((INSIDE, 0)) as server:
        publisher = Publisher((server.getsockname()[1],))
        ((descriptor, (_, port)),) = publisher.listeners.items()
        before = signal.signal(signal.SIGALRM, too_long)
        signal.alarm(2)
        try:
            for _ in range(600):
                with socket.create_connection((OUTSIDE, port), SECONDS):
                    publisher.accept(descriptor)
            signal.alarm(0)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
            waiting = handed_inside(publisher)
            publisher.close()
        assert 0 < waiting < 600


# With a sandbox between

SERVES = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from inside")
    def log_message(self, *words):
        pass
server = HTTPServer((sys.argv[1], int(sys.argv[2])), Answers)
server.handle_request()
"""

ASKS = """
import socket, sys, time
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as client:
            client.sendall(b"GET /from-the-host HTTP/1.0\\r\\n\\r\\n")
            said = b""
            while part := client.recv(1 << 16):
                said += part
    except OSError:
        said = b""
    if said:
        sys.stdout.write(said.decode())
        break
    time.sleep(0.05)
"""


def free_port() -> int:
    with socket.create_server((INSIDE, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def asked_from_the_host(way: Way, address: str) -> None:
    """A client of the host asks a server of the sandbox, and both are in the record."""
    way.must_be_possible()
    port, here = free_port(), place(way)
    words = (sys.executable, "-I", "-S", "-c", ASKS, str(port))
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as client:
        try:
            seen = run_at(here, python(SERVES, address, str(port)), publish=(port,))
            said, _ = client.communicate(timeout=30)
        finally:
            client.kill()
    assert said.endswith("from inside")
    assert seen.run.exit_status == 0
    carried = [frame for frame in seen.frames if port in frame.ports]
    assert {frame.interface for frame in carried} == {"lo"}
    (question,) = [frame for frame in carried if b"GET /from-the-host" in frame.packet]
    owner = seen.owner(question)
    assert owner is not None
    assert owner.role is Role.CLIENT
    assert not seen.out
    audit = audit_capture(str(here.bundle), "offline").audit
    # What was refused before the server was there is our own, and the program's what was between
    # bind and listen.
    (served,) = [row for row in audit.observations if not row.by_helper]
    assert (served.direction, served.from_client) == (Direction.INBOUND, True)
    assert audit.findings == ()


@both_users
def test_a_client_of_the_host_reaches_a_server_of_the_sandbox_and_is_seen(way: Way) -> None:
    asked_from_the_host(way, INSIDE)


def test_a_server_on_the_sandboxs_own_address_is_reached_too() -> None:
    asked_from_the_host(usual_way(), "10.87.0.2")
