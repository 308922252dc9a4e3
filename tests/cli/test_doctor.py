"""`doctor` as a person meets it."""

import json
import sys
from dataclasses import replace

import pytest

from egress_audit.cli.doctor import conclusion, diagnosis_json, diagnosis_text
from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from egress_audit.model.run import Rung
from egress_audit.record import doctor
from egress_audit.record.doctor import Check, Diagnosis
from egress_audit.record.host_facts import HostFacts
from egress_audit.record.remedies import Remedy

FACTS = HostFacts("6.12.1", "x86_64", {}, (), "", "0600", False, False, "/usr/bin/python3")
CHMOD = Remedy("mode 0600", "open it", ("sudo chmod 0666 /dev/net/tun",))
MANUALS = Remedy("a container", "start it otherwise", ("docker run \\", "  --x …"), tried=False)
FOUND = Diagnosis(
    FACTS,
    "alice",
    (
        Check("user", "user namespaces", True, "yes", "there can be a sandbox"),
        Check("tun", "TUN device", False, "no", "not rung 1", CHMOD),
        Check("mounts", "private folders", False, "no", "sockets stay", MANUALS),
        Check("proc", "/proc of its own", False, "no", "processes stay", MANUALS),
        Check("packets", "packets", False, "no", "not seen", Remedy("the kernel says: no")),
    ),
    Rung.VETH,
)


@pytest.mark.parametrize(
    ("rung", "says"),
    [
        (Rung.TUN, "rung 1 of 4 (tun): a run here can HOLD."),
        (Rung.VETH, "rung 2 of 4 (veth): a run here can HOLD."),
        (Rung.CALLS, "rung 3 of 4 (calls): attempts"),
        (Rung.POLLING, "rung 4 of 4 (polling): connections"),
    ],
)
def test_the_last_line_says_which_rung_is_reached(rung: Rung, says: str) -> None:
    found = replace(FOUND, rung=rung)
    assert diagnosis_text(found).splitlines()[-1] == conclusion(found)
    assert says in conclusion(found)
    assert ("no run here can HOLD" in conclusion(found)) is not rung.sees_all


def test_every_check_has_its_row_and_what_failed_its_reason() -> None:
    flat = " ".join(diagnosis_text(FOUND).split())
    assert "Linux 6.12.1 on x86_64; tried as alice" in flat
    assert "user namespaces yes there can be a sandbox" in flat
    assert "TUN device no not rung 1: mode 0600 1" in flat
    assert "packets no not seen: the kernel says: no" in flat


def test_a_remedy_of_several_checks_stands_once_with_its_commands_to_copy() -> None:
    lines = diagnosis_text(FOUND).splitlines()
    assert lines.count(" 2  start it otherwise (from manuals; not tried by us):") == 1
    assert "      sudo chmod 0666 /dev/net/tun" in lines
    assert lines.index("      docker run \\") + 1 == lines.index("        --x …")


def test_no_line_of_the_table_is_wider_than_a_report() -> None:
    long = replace(FOUND.checks[1], remedy=Remedy("x" * 300 + " " + "word " * 60, "y " * 200))
    found = replace(FOUND, checks=(long,))
    assert max(len(line) for line in diagnosis_text(found).splitlines()[:-1]) <= 100


@pytest.mark.parametrize("width", [80, 90, 100])
def test_the_table_fits_into_its_terminal(width: int) -> None:
    titled = replace(FOUND.checks[0], title="waiting calls taken over", meaning="word " * 30)
    found = replace(FOUND, checks=(titled, *FOUND.checks))
    lines = diagnosis_text(found, width).splitlines()
    assert max(map(len, lines)) <= width
    assert max(map(len, diagnosis_text(found).splitlines())) > 80


def test_what_a_host_says_of_itself_is_not_obeyed() -> None:
    hostile = replace(FOUND, facts=replace(FACTS, container="x\x1b[2J"), user="a\x1b[2Jb")
    assert "\x1b" not in diagnosis_text(hostile)


def test_the_same_can_be_had_as_json() -> None:
    document = json.loads(diagnosis_json(FOUND))
    assert (document["rung"], document["rung_name"], document["can_hold"]) == (2, "veth", True)
    assert document["host"]["kernel"] == "6.12.1"
    tun = next(check for check in document["checks"] if check["id"] == "tun")
    assert (tun["worked"], tun["why"], tun["tried"]) == (False, "mode 0600", True)
    assert tun["commands"] == ["sudo chmod 0666 /dev/net/tun"]
    assert "why" not in document["checks"][0]


@pytest.mark.parametrize(
    ("rung", "code"),
    [
        (Rung.TUN, ExitCode.HOLDS),
        (Rung.VETH, ExitCode.HOLDS),
        (Rung.CALLS, ExitCode.INCONCLUSIVE),
        (Rung.POLLING, ExitCode.INCONCLUSIVE),
    ],
)
def test_the_exit_code_says_whether_a_run_can_hold(
    rung: Rung,
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "diagnosis", lambda: replace(FOUND, rung=rung))
    assert run(["doctor"]) == code
    assert capfd.readouterr().out.startswith("Linux 6.12.1")


def test_other_systems_get_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert run(["doctor"]) == ExitCode.NO_AUDIT
    assert "Linux only" in capsys.readouterr().err


@pytest.mark.opens_sockets
def test_this_host_is_examined(capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor", "--format", "json"])
    document = json.loads(capfd.readouterr().out)
    assert code == (ExitCode.HOLDS if document["can_hold"] else ExitCode.INCONCLUSIVE)
