"""Looking at tables of sockets shows what is held, and says what it misses."""

import pytest

from egress_audit.api import audit_capture
from egress_audit.errors import ExitCode
from egress_audit.model.run import Network, Rung
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
