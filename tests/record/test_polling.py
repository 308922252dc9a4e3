"""Looking at tables of sockets shows what is held, and says what it misses."""

import os
import subprocess
import sys
import time

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import ExitCode
from egress_audit.model.run import Network, Role, Rung
from egress_audit.record import polling as module
from egress_audit.record.attempts import Attempts
from egress_audit.record.polling import Polling
from egress_audit.record.processes import Processes
from tests.builders.programs import python
from tests.builders.recorded_runs import needs_namespaces
from tests.builders.uplink import POLLING, run_behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

HOLDS_A_CONNECTION = """
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with socket.socket() as out:
            out.setblocking(False)
            out.connect_ex(("9.9.9.9", 443))
            time.sleep(0.5)
"""

LISTENS = """
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(server.getsockname()[1] for server in held), flush=True)
sys.stdin.read()
"""


def test_polling_sees_connections_that_are_held() -> None:
    seen, _ = run_behind_uplink(python(HOLDS_A_CONNECTION), POLLING, network=Network.OPEN)
    assert seen.run.rung is Rung.POLLING
    found = {(a.call, a.address, a.port) for a in seen.attempts()}
    assert ("connect", "9.9.9.9", 443) in found
    assert {call for call, _, _ in found} == {"connect", "listen", "accept"}
    assert audit_capture(str(seen.bundle.path)).audit.verdict.exit_code == ExitCode.VIOLATED


def test_polling_says_that_it_misses_and_can_never_acquit() -> None:
    seen, _ = run_behind_uplink(("sleep", "0.2"), POLLING, network=Network.OPEN)
    assert any("1 of 1000" in text for text in seen.run.cannot_see)
    assert audit_capture(str(seen.bundle.path)).audit.verdict.exit_code == ExitCode.INCONCLUSIVE


def test_no_socket_is_left_out_because_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SEEN", 1)
    seen: set[object] = set()
    processes = Processes(lambda process: None, time.time_ns)
    attempts = Attempts(lambda event, **fields: seen.add(fields["port"]))
    command = (sys.executable, "-c", LISTENS)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        ports = {int(port) for port in child.stdout.readline().split()}
        processes.declare(child.pid, Role.TARGET)
        Polling(os.getpid(), processes, attempts).handle()
        child.stdin.close()
    processes.close()
    assert seen == ports and len(ports) == 3
