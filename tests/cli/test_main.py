"""How the command line leaves: every ending has its exit code, none looks like another."""

import os
import subprocess
import sys
from collections.abc import Callable
from errno import EIO
from pathlib import Path
from shutil import copy

import pytest

from egress_audit import __version__
from egress_audit.cli.main import COMMANDS, Commands, run
from egress_audit.errors import ExitCode
from tests.builders.both_engines import compiled, in_numpy, needs_library

ROOT = Path(__file__).parent.parent.parent
SILENT = str(ROOT / "captures" / "hf-deepseek_v3-local.pcap")
TALKING = str(ROOT / "captures" / "hf-hubname.pcap")
HEAVY = (
    *("numpy", "rich", "yaml", "maxminddb", "tabulate", "scapy", "ctypes"),
    *("egress_audit.api", "egress_audit.record.run"),
)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        f"import sys; from egress_audit.cli.main import run; run({arguments!r}); "
        f"sys.exit(any(name in sys.modules for name in {HEAVY!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@needs_library
@pytest.mark.parametrize(("engine", "told"), [(compiled, "compiled"), (in_numpy, "numpy alone")])
def test_the_version_says_what_reads_captures(
    engine: Callable[[Callable[[], int]], int],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert engine(lambda: run(["--version"])) == 0
    assert f"(hot path: {told})" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["profiles"],
        ["lists"],
        ["nonsense"],
        ["replay"],
        ["replay", SILENT, "--frobnicate"],
        ["replay", SILENT, "--format", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_leaves_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "Options:" not in told


def test_help_keeps_within_eighty_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ([], *([name] for name in COMMANDS)):
        assert run([*command, "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_an_unreadable_input_leaves_with_12_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(tmp_path / "missing.pcap")]) == ExitCode.NO_AUDIT
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert "missing.pcap" in shown.err


def test_an_unknown_assertion_leaves_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", SILENT, "--assert", "hole-run"]) == ExitCode.USAGE
    assert "whole-run" in capsys.readouterr().err


def test_a_reader_that_left_is_neither_a_crash_nor_a_verdict() -> None:
    command = f"'{sys.executable}' -m egress_audit replay '{TALKING}' --format json; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 1 > /dev/null"],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    code = done.stderr.decode().split()[-1]
    assert code in ("10", "12"), done.stderr.decode()
    assert b"Traceback" not in done.stderr


WORDS_WITHOUT_ROOM = [
    ["--help"],
    ["replay", "--help"],
    ["--version"],
    ["whois", "AS45102"],
    ["lists", "lookup", "10.0.0.1"],
    ["replay", SILENT],
    ["replay", TALKING, "--format", "json"],
]
"""Help, answers that fit into the buffer of a stream, and a report that does not."""


@pytest.mark.parametrize("arguments", WORDS_WITHOUT_ROOM, ids=" ".join)
def test_words_that_find_no_room_are_no_crash(arguments: list[str]) -> None:
    # With it what is written never waits in a buffer, where most people have one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "egress_audit", *arguments]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert done.returncode == ExitCode.NO_AUDIT
    assert done.stderr.count(b"\n") == 1


def test_an_error_that_finds_no_room_leaves_with_its_code() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "egress_audit", "replay", "--nothing"]
        done = subprocess.run(command, stderr=full, check=False)
    assert done.returncode == ExitCode.USAGE


@pytest.mark.parametrize("stdout", ["", ">&-"])
@pytest.mark.parametrize("stderr", ["2>/dev/full", "2> >(exec true)"])
def test_a_remark_that_nobody_takes_is_no_crash(tmp_path: Path, stdout: str, stderr: str) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    # The reader of the second kind has gone once the shell has waited for it.
    script = f'exec 2>/dev/null; exec {stderr}; wait "$!"; exec "$@" {stdout}'
    words = [sys.executable, "-m", "egress_audit", "lists", "update", "--from", str(tmp_path)]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == ExitCode.NO_AUDIT


def test_files_that_the_system_does_not_open_are_no_crash(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.pcap" for number in range(40)]
    for file in files:
        copy(TALKING, file)
    script = 'ulimit -n 30; exec "$@"'
    words = [sys.executable, "-m", "egress_audit", "replay", "--merge", *map(str, files)]
    command = ["bash", "-c", script, "bash", *words]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == ExitCode.NO_AUDIT
    assert b"Too many open files" in done.stderr
    assert b"Traceback" not in done.stderr


def test_processes_that_the_system_does_not_give_are_no_crash() -> None:
    # 16 descriptors are enough for one process, and too few for the pipes to four.
    script = 'ulimit -n 16; exec "$@"'
    words = [sys.executable, "-m", "egress_audit", "replay", "--jobs", "4"]
    files = sorted((ROOT / "captures").glob("hf-*.pcap"))[:4]
    command = ["bash", "-c", script, "bash", *words, *map(str, files)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == ExitCode.NO_AUDIT
    assert b"Too many open files" in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_error_that_is_no_lack_of_room_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(EIO, "of something else")

    monkeypatch.setattr(Commands, "get_command", broken)
    with pytest.raises(OSError, match="of something else"):
        run(["replay", "x"])


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\rb", "a\u202eb", "a\u200bb", "a\nb", "a\udcffb"])
def test_a_file_name_cannot_steer_the_terminal(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["replay", str(tmp_path / name)], ["replay", SILENT, f"--{name}"]):
        assert run(arguments) in (ExitCode.NO_AUDIT, ExitCode.USAGE)
        (line,) = capsys.readouterr().err.removesuffix("\n").split("\n")
        assert line.isprintable()
