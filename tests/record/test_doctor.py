"""What this host can do is tried rung by rung."""

import os
import shutil
from pathlib import Path

import pytest

from egress_audit.model.run import Rung
from egress_audit.record.doctor import SANDBOXES, diagnosis, pasta_check, rung_of
from egress_audit.record.trials import Trial, enter, tried
from tests.builders.namespaces import in_child

pytestmark = pytest.mark.opens_sockets

needs_namespaces = pytest.mark.skipif(
    not tried(lambda: enter(0)).worked, reason="this host forbids user namespaces"
)
FAILED, WORKED = Trial("no"), Trial()
CALLS = ("notification", "listener", "memory")


def trials(**worked: bool) -> dict[str, Trial]:
    names = [*CALLS, *(asked.id for asked in SANDBOXES.values())]
    return {name: WORKED if worked.get(name.replace("-", "_")) else FAILED for name in names}


def test_the_best_sandbox_that_works_is_the_rung() -> None:
    assert rung_of(trials(sandbox_tun=True, sandbox_veth=True)) is Rung.TUN
    assert rung_of(trials(sandbox_veth=True)) is Rung.VETH


def test_without_a_sandbox_system_calls_alone_are_the_third() -> None:
    assert rung_of(trials(notification=True, listener=True, memory=True)) is Rung.CALLS


@pytest.mark.parametrize("missing", CALLS)
def test_all_three_are_needed_to_see_system_calls(missing: str) -> None:
    some = {name: name != missing for name in CALLS}
    assert rung_of(trials(**some)) is Rung.POLLING


@needs_namespaces
def test_as_we_are_this_host_can_hold() -> None:
    found = diagnosis()
    assert found.can_hold
    failed = {check.id for check in found.checks if not check.worked}
    assert failed <= {"tun", "sandbox-tun", "overlay", "idmapped", "pasta"}
    assert all(check.remedy for check in found.checks if not check.worked)


@needs_namespaces
def test_nobody_can_hold_here_too() -> None:
    rung, root = in_child(lambda: (diagnosis().rung, diagnosis().facts.as_root), as_nobody=True)
    assert rung.sees_all
    assert not root


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="asks what root can do")
def test_only_root_is_told_of_homes_for_others() -> None:
    assert "idmapped" in {check.id for check in diagnosis().checks}
    ids = in_child(lambda: {check.id for check in diagnosis().checks}, as_nobody=True)
    assert "idmapped" not in ids


@needs_namespaces
def test_a_host_without_user_namespaces_reaches_the_third_rung() -> None:
    def without_any() -> tuple[Rung, set[str]]:
        enter(0)
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
        found = diagnosis()
        return found.rung, {check.remedy.why for check in found.checks if check.remedy}

    rung, reasons = in_child(without_any, as_nobody=True)
    assert rung is Rung.CALLS
    assert "user.max_user_namespaces is 0" in reasons
    assert "there is no sandbox in which to try it" in reasons


def test_a_host_without_pasta_is_told_which_package_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    check = pasta_check()
    assert not check.worked
    assert check.remedy is not None
    assert "passt" in check.remedy.commands[0]


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("echo pasta 2024_08_21.1d6142f", "2024_08_21.1d6142f"),
        ("echo pasta unknown version", "yes"),
        ("exit 1", "yes"),
    ],
)
def test_the_version_of_pasta_is_told_if_it_says_so(
    script: str, result: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pasta"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert pasta_check().result == result
