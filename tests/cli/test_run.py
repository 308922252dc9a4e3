"""`run` as a person meets it, with a stand-in where a program would be recorded."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egress_audit.cli.main import run
from egress_audit.cli.run import environment_of_the_user
from egress_audit.errors import EgressAuditError, ExitCode
from egress_audit.model.run import Network
from egress_audit.record import run as recording
from egress_audit.record.plan import CommandFailed, RunPlan
from tests.builders.bundles import write_bundle

ROOT = Path(__file__).parent.parent.parent

OPTIONS = [
    *("profile", "network", "observe", "ready", "exercise", "expect", "home", "user", "cwd"),
    *("env-file", "publish", "bind", "bundle", "format", "output", "flows", "answer-range"),
    *("dns", "no-ipv6", "snaplen", "catalogue", "version-of"),
]


class Recording:
    """Stands in for `record`: keeps the plan, and leaves a bundle of a run that sent nothing."""

    def __init__(self) -> None:
        self.plans: list[RunPlan] = []
        self.bundles: list[Path] = []
        self.effect: Callable[[], None] = lambda: None

    def __call__(self, plan: RunPlan, bundle: str, **callbacks: Any) -> None:
        self.plans.append(plan)
        self.bundles.append(Path(bundle))
        self.effect()
        write_bundle(Path(bundle))

    @property
    def plan(self) -> RunPlan:
        (plan,) = self.plans
        return plan


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recording:
    stand_in = Recording()
    monkeypatch.setattr(recording, "record", stand_in)
    return stand_in


@pytest.mark.usefixtures("recorded")
def test_a_stated_version_stands_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    run(["run", "--version-of", "ollama=0.5.1", "--", "server"])
    assert "ollama 0.5.1, by the user" in capsys.readouterr().out


def test_everything_behind_two_dashes_is_the_command(recorded: Recording) -> None:
    run(["run", "--observe", "5m", "--", "server", "--profile", "fast", "--", "-o", "x"])
    assert recorded.plan.command == ("server", "--profile", "fast", "--", "-o", "x")
    assert recorded.plan.observe_s == 300.0


def test_everything_behind_the_first_word_is_the_command(recorded: Recording) -> None:
    run(["run", "--no-ipv6", "server", "--no-ipv6", "--help"])
    assert recorded.plan.command == ("server", "--no-ipv6", "--help")


def test_the_defaults_are_those_of_a_plan(recorded: Recording) -> None:
    run(["run", "--", "server"])
    plain = RunPlan(("server",), environment=environment_of_the_user())
    assert recorded.plan == plain


def test_every_option_reaches_the_plan(recorded: Recording, tmp_path: Path) -> None:
    words = (
        "--network simulated --observe 500ms --ready 8080 --exercise ask --expect yes --home real "
        f"--user me --cwd /srv --env-file env --publish 8080 --publish 81 --bind {tmp_path} "
        "--answer-range 100.64.0.0/10 --dns servfail --no-ipv6 --snaplen headers"
    )
    run(["run", *words.split(), "--", "server"])
    assert recorded.plan == RunPlan(
        ("server",),
        network=Network.SIMULATED,
        observe_s=0.5,
        ready="8080",
        exercise="ask",
        expect="yes",
        home="real",
        user="me",
        folder="/srv",
        env_file="env",
        publish=(8080, 81),
        bind=(str(tmp_path),),
        dns="servfail",
        answer_range="100.64.0.0/10",
        ipv6=False,
        headers_only=True,
        environment=environment_of_the_user(),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--observe", "60", "true"],
        ["--network", "none", "true"],
        ["--network", "sealed", "--dns", "nxdomain", "true"],
        ["--network", "open", "--answer-range", "10.0.0.0/8", "true"],
        ["--answer-range", "fd00::/64", "true"],
        ["--answer-range", "10.0.0.0/33", "true"],
        ["--answer-range", "127.0.0.0/8", "true"],
        ["--answer-range", "169.254.0.0/16", "true"],
        ["--answer-range", "0.0.0.0/8", "true"],
        ["--answer-range", "239.0.0.0/8", "true"],
        ["--answer-range", "240.0.0.0/8", "true"],
        ["--publish", "0", "true"],
        ["--publish", "65536", "true"],
        ["--publish", "web", "true"],
        ["--home", "none", "true"],
        ["--snaplen", "64", "true"],
        ["--flows", "-", "true"],
        ["--profile", "ofline", "true"],
        ["--bundle", "b", "-o", "b/report.txt", "true"],
        ["--nonsense", "true"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_wrong_usage_and_starts_nothing(
    arguments: list[str], recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", *arguments]) == ExitCode.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not recorded.plans


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "no/such/folder/report.txt"],
        ["-o", "."],
        ["--flows", "no/such/flows.jsonl"],
        ["--profile", "no/such.yaml"],
        ["--bind", "no/such/path"],
        ["--catalogue", "no/such.yaml"],
    ],
    ids=" ".join,
)
def test_what_could_not_be_used_in_the_end_is_found_before_anything_starts(
    arguments: list[str],
    recorded: Recording,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["run", *arguments, "--", "true"]) == ExitCode.NO_AUDIT
    (line,) = capsys.readouterr().err.splitlines()
    assert arguments[1] in line
    assert not recorded.plans


def test_a_device_is_a_place_for_a_report_where_nobody_may_make_files(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != Path("/dev"))
    assert run(["run", "--output", "/dev/null", "--", "true"]) != ExitCode.NO_AUDIT
    assert recorded.plans
    assert run(["run", "--output", "/dev/nil", "--", "true"]) == ExitCode.NO_AUDIT
    assert "you may not make a file in /dev " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["no-such-command"], "no-such-command: no such command"),
        (["/"], "is a folder"),
        (["--cwd", "/no/such/folder", "true"], "/no/such/folder: is no folder"),
        (["/etc/passwd"], "/etc/passwd: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_cannot_be_executed_is_no_audit(
    command: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", *command]) == ExitCode.NO_AUDIT
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert says in line


def test_the_verdict_is_the_exit_code_and_the_report_all_of_standard_output(
    recorded: Recording, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code = run(["run", "--format", "json", "--", "/usr/bin/llama-server"])
    document = json.loads(capfdbinary.readouterr().out)
    assert code == ExitCode[document["audit"]["verdict"]]
    assert document["envelope"]["inputs"] == ["program"]


def test_evidence_that_is_not_kept_is_gone(recorded: Recording) -> None:
    run(["run", "--", "true"])
    (bundle,) = recorded.bundles
    assert not bundle.parent.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CommandFailed("x"), EgressAuditError("x")])
def test_it_is_gone_too_when_there_is_no_audit(
    error: BaseException, recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    recorded.effect = fails
    assert run(["run", "--", "true"]) == ExitCode.NO_AUDIT
    assert not recorded.bundles[0].parent.exists()
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_bundle_that_is_kept_is_named_with_how_to_judge_it_again(
    recorded: Recording, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "my bundle")
    first = run(["run", "--bundle", folder, "--", "true"])
    shown = capfd.readouterr()
    *_, verdict, line = shown.err.splitlines()
    assert re.fullmatch(r"egress-audit: [A-Z]+ \(exit code \d+\)", verdict)
    assert line.endswith(f"egress-audit replay '{folder}'")
    assert run(["replay", folder]) == first
    assert capfd.readouterr().out == shown.out


def test_evidence_that_is_not_kept_is_told_with_how_to_keep_it(
    recorded: Recording, capfd: pytest.CaptureFixture[str]
) -> None:
    run(["run", "--", "true"])
    assert "--bundle DIR" in capfd.readouterr().err.splitlines()[-1]


def test_the_report_and_the_flows_can_go_to_files(
    recorded: Recording, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report, flows = tmp_path / "report.md", tmp_path / "flows.jsonl"
    outputs = ["-o", str(report), "--flows", str(flows), "--format", "markdown"]
    run(["run", *outputs, "--", "true"])
    assert capfd.readouterr().out == ""
    assert report.stat().st_size
    assert flows.exists()


def test_a_run_that_will_hardly_hold_is_told_so_at_once(
    recorded: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["run", "--observe", "1s", "--", "true"])
    assert "asks for 1:00 of watching" in capsys.readouterr().err


def test_other_systems_get_one_clear_line(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert run(["run", "--", "true"]) == ExitCode.NO_AUDIT
    (line,) = capsys.readouterr().err.splitlines()
    assert "Linux only" in line
    assert not recorded.plans


def test_a_variable_that_we_set_for_ourselves_is_not_the_programs() -> None:
    script = (
        "from egress_audit.cli.run import environment_of_the_user as e; import os; "
        "os.environ.setdefault('OPENBLAS_NUM_THREADS', '1'); "
        "print(e().get('OPENBLAS_NUM_THREADS'), e().get('MINE'))"
    )
    plain = {"PATH": os.environ["PATH"], "MINE": "yes"}
    for given, seen in (({}, "None yes"), ({"OPENBLAS_NUM_THREADS": "1"}, "1 yes")):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**plain, **given},
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode().strip() == seen


def test_the_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--help"]) == 0
    shown = capsys.readouterr().out
    assert not [option for option in OPTIONS if f"--{option} " not in shown]
