"""Unix sockets of the host are refused where they are in sight; the program's own are not."""

import socket
import time
from pathlib import Path

import pytest

from egress_audit.record.run import Recorded, record
from tests.builders.programs import python
from tests.builders.recorded_runs import Way, needs_namespaces, place, seen_at
from tests.builders.uplink import A_CALLS_WAY, behind_uplink, by_calls, run_behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

CALLS_THE_SOCKET = """
with socket.socket(socket.AF_UNIX) as client:
    tell(came=tried(client.connect, sys.argv[1].replace("@", "\\0")))
"""


MOVES_A_SOCKET = """
with socket.socket(socket.AF_UNIX) as server:
    server.bind("own.sock")
    server.listen()
os.unlink("own.sock")
os.symlink(sys.argv[1], "own.sock")
with socket.socket(socket.AF_UNIX) as client:
    tell(came=tried(client.connect, "own.sock"))
"""


@pytest.mark.parametrize("program", [CALLS_THE_SOCKET, MOVES_A_SOCKET])
def test_a_unix_socket_of_the_host_is_refused(program: str, tmp_path: Path) -> None:
    made = place(A_CALLS_WAY)
    path = made.folder / "host.sock"

    def run() -> Recorded:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            path.chmod(0o777)
            server.listen()
            time.sleep(0.05)
            return record(made.plan(python(program, str(path))), made.bundle)

    done, _ = behind_uplink(run)
    seen = seen_at(made, done)
    assert seen.told["came"] == "ECONNREFUSED"
    assert [a.denied for a in seen.attempts("connect", "AF_UNIX")] == ["ECONNREFUSED"]


def test_an_abstract_socket_of_the_host_is_refused() -> None:
    made = place(A_CALLS_WAY)

    def run() -> Recorded:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("\0egress-audit-test")
            server.listen()
            command = python(CALLS_THE_SOCKET, "@egress-audit-test")
            return record(made.plan(command), made.bundle)

    assert seen_at(made, behind_uplink(run)[0]).told["came"] == "ECONNREFUSED"


@by_calls
def test_sockets_of_the_tree_itself_can_be_called_by_path_and_by_name(way: Way) -> None:
    program = """
def call(name):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(name)
        server.listen()
        return tried(client.connect, name)
tell(path=call("own.sock"), name=call("\\0egress-audit-own"))
"""
    assert run_behind_uplink(python(program), way)[0].told == {"path": "done", "name": "done"}


def test_a_socket_that_is_not_there_is_absent() -> None:
    seen, _ = run_behind_uplink(python(CALLS_THE_SOCKET, "/nowhere/host.sock"), A_CALLS_WAY)
    assert seen.told["came"] == "ENOENT"
    assert [a.outcome for a in seen.attempts("connect")] == ["absent"]
