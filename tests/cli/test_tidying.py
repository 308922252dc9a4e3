"""However a run ends, its temporary folder goes and the terminal is as it was."""

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, TextIO

import pytest

from egress_audit.cli.tidying import ended_tidily, place_for, terminal_kept
from egress_audit.errors import EgressAuditError, ExitCode
from egress_audit.record.descendants import children
from tests.builders.recorded_runs import usual_way


def test_evidence_that_nobody_asked_to_keep_is_gone_afterwards() -> None:
    with place_for(None) as place:
        Path(place).mkdir()
        Path(place, "capture.pcapng").touch()
        private = Path(place).parent
        assert private.stat().st_mode & 0o777 == 0o700
    assert not private.exists()


def test_it_is_gone_after_an_error_too() -> None:
    with pytest.raises(KeyboardInterrupt), place_for(None) as place:
        raise KeyboardInterrupt
    assert not Path(place).parent.exists()


def test_it_is_gone_where_every_process_is_told_to_end() -> None:
    before = set(children(os.getpid()))
    with place_for(None) as place:
        (tidier,) = set(children(os.getpid())) - before
        os.kill(tidier, signal.SIGTERM)
    assert not Path(place).parent.exists()


def test_where_no_temporary_folder_can_be_made_a_place_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(EgressAuditError, match="--bundle"), place_for(None):
        pytest.fail("there is no such folder")


@pytest.mark.opens_sockets
def test_a_run_that_is_killed_at_any_moment_leaves_no_temporary_folder(tmp_path: Path) -> None:
    usual_way().must_be_possible()
    command = [sys.executable, "-m", "egress_audit", "run", "--", "sleep", "30"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    random = Random(7)
    for _ in range(8):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            time.sleep(random.uniform(0.0, 1.2))
            run.kill()
        deadline = time.monotonic() + 10
        while list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not list(tmp_path.iterdir())


@pytest.mark.opens_sockets
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_at_any_moment_has_a_verdict_or_says_that_there_is_none(
    tmp_path: Path, number: signal.Signals
) -> None:
    usual_way().must_be_possible()
    command = [sys.executable, "-m", "egress_audit", "run", "--", "sleep", "30"]
    random = Random(7)
    for _ in range(8):
        with subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as run:
            # Before there is a bundle, Python itself may be interrupted.
            while not list(tmp_path.glob("*/bundle")):
                time.sleep(0.01)
            time.sleep(random.uniform(0.0, 0.5))
            os.killpg(run.pid, number)
            said = run.communicate()[1]
        assert b"Traceback" not in said
        assert run.returncode in (ExitCode.INCONCLUSIVE, ExitCode.NO_AUDIT, -number)


def test_a_folder_that_was_asked_for_stays(tmp_path: Path) -> None:
    with place_for(str(tmp_path / "kept")) as place:
        Path(place).mkdir()
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_takes_the_way_of_an_interruption(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), ended_tidily():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_process_that_was_forked_meanwhile_is_ended_by_it() -> None:
    with ended_tidily():
        pid = os.fork()
        if pid == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM


def test_nohup_stays_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_tidily():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


class Ends(NamedTuple):
    """A terminal from both sides."""

    ours: int
    theirs: TextIO

    def shown(self) -> bytes:
        """What was written to it, as it came."""
        ready, _, _ = select.select([self.ours], [], [], 0)
        return os.read(self.ours, 4096) if ready else b""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "r") as stream, Path(os.devnull).open() as nothing:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, nothing)
        yield Ends(ours, stream)
    os.close(ours)


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_terminal_left_raw_echoes_again(
    name: str, terminal: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, name, terminal.theirs)
    before = termios.tcgetattr(terminal.theirs)
    with terminal_kept():
        raw = termios.tcgetattr(terminal.theirs)
        raw[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(terminal.theirs, termios.TCSANOW, raw)
    assert termios.tcgetattr(terminal.theirs)[3] == before[3]


def test_what_a_program_left_begun_on_a_terminal_is_ended(
    terminal: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal.theirs)
    with terminal_kept():
        assert terminal.shown() == b""
    shown = terminal.shown()
    assert shown.startswith(b"\x18")
    for end in (b"\x1b[?1049l", b"\x1b[0m", b"\x1b[?25h", b"\x1b]104\x1b\\", b"\x1b]110\x1b\\"):
        assert end in shown


def test_a_terminal_that_knows_no_sequences_gets_none(
    terminal: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal.theirs)
    monkeypatch.setenv("TERM", "dumb")
    with terminal_kept():
        pass
    assert terminal.shown() == b""


def test_a_pipe_has_no_settings(terminal: Ends) -> None:
    with terminal_kept():
        pass
    assert terminal.shown() == b""
