"""Which rung is taken: the highest that this host gives, and never one that lets out unasked."""

import ctypes
import os
import struct
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError, ExitCode
from egress_audit.model.run import Network, Role, Rung
from egress_audit.record import syscalls
from egress_audit.record.run import Recorded, record
from tests.builders.namespaces import in_child
from tests.builders.programs import python
from tests.builders.recorded_runs import TOLD, Way, needs_namespaces, place, recorded, seen_at
from tests.builders.uplink import POLLING, behind_uplink

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]


@pytest.mark.parametrize("network", [Network.SEALED, Network.SIMULATED])
def test_a_program_that_is_to_stay_in_is_not_started_where_nothing_keeps_it(
    network: Network,
) -> None:
    made = place(POLLING)
    plan = made.plan(python("tell(started=True)"), network=network)
    with pytest.raises(EgressAuditError) as refused:
        behind_uplink(lambda: record(plan, made.bundle))
    assert refused.value.exit_code == ExitCode.NO_AUDIT
    assert "egress-audit doctor" in refused.value.hint
    assert not (made.work / TOLD).exists()


def test_a_host_without_user_namespaces_gets_the_rung_of_calls() -> None:
    made = place(Way(False, Rung.CALLS))

    def run() -> Recorded:
        def forbidden() -> Recorded:
            Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
            return record(made.plan(("true",), rungs=tuple(Rung)), made.bundle)

        return in_child(forbidden, namespaces=syscalls.CLONE_NEWUSER)

    seen = seen_at(made, behind_uplink(run, by_root=False)[0])
    assert seen.run.rung is Rung.CALLS
    assert any("no higher rung" in text for text in seen.run.cannot_see)


def test_a_host_that_refuses_mounts_in_its_namespaces_gets_the_rung_of_calls() -> None:
    made = place(Way(False, Rung.CALLS))
    plan = made.plan(("true",), rungs=tuple(Rung))

    def run() -> Recorded:
        number = {"x86_64": 165, "aarch64": 40}[os.uname().machine]
        load, unless_mount, forbid, allow = (
            struct.pack("=HBBI", 0x20, 0, 0, 0),
            struct.pack("=HBBI", 0x15, 0, 1, number),
            struct.pack("=HBBI", 6, 0, 0, 0x0005_0001),
            struct.pack("=HBBI", 6, 0, 0, 0x7FFF_0000),
        )
        _filter(load + unless_mount + forbid + allow, 0)
        return record(plan, made.bundle)

    seen = seen_at(made, behind_uplink(run, by_root=False)[0])
    assert seen.run.rung is Rung.CALLS


@pytest.mark.parametrize("network", [Network.SIMULATED, Network.OPEN])
def test_a_host_without_filters_lets_a_program_run_only_on_the_real_network(
    network: Network,
) -> None:
    made = place(Way(False, Rung.POLLING))
    rungs = (Rung.CALLS, Rung.POLLING)
    plan = made.plan(("true",), rungs=rungs, network=network)

    def run() -> Recorded:
        _take_the_listener()
        return record(plan, made.bundle)

    if network is Network.OPEN:
        assert behind_uplink(run, by_root=False)[0].rung is Rung.POLLING
        return
    with pytest.raises(EgressAuditError, match="nothing on this host keeps the program in"):
        behind_uplink(run, by_root=False)


def _take_the_listener() -> None:
    """A process has one listener at most (seccomp(2), EBUSY)."""
    _filter(struct.pack("=HBBI", 6, 0, 0, 0x7FFF_0000), 8)


def _filter(program: bytes, flags: int) -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    syscalls.call("seccomp", 1, flags, header)


def test_the_highest_rung_that_can_be_had_is_taken() -> None:
    way = Way(os.geteuid() == 0, Rung.VETH)
    seen = recorded(("true",), way, rungs=(Rung.VETH, Rung.CALLS, Rung.POLLING))
    assert seen.run.rung is Rung.VETH
    assert {process.role for process in seen.run.processes} >= {Role.TARGET, Role.PROBE}
