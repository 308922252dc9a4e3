"""What cannot be meant is refused before anything is read or written."""

from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.cli.replay import replay
from egress_audit.cli.replay_options import ReplayOptions
from egress_audit.errors import ExitCode
from tests.builders.captures import pcap
from tests.builders.recordings import bundle


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which they are refused."""
    assert run(["replay", *arguments]) == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    return line


def saved(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_bytes(pcap([]))
    return [str(folder / name) for name in names]


def test_the_options_are_those_of_the_command() -> None:
    names = {parameter.name for parameter in replay.params}
    assert names == set(ReplayOptions.__dataclass_fields__)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--flows", "OUT"], "--flows-dir"),
        (["--frames", "OUT"], "--merge"),
        (["--merge", "--jobs", "2"], "--jobs"),
        (["--merge", "--flows-dir", "OUT"], "--flows OUT.jsonl"),
        (["--jobs", "0"], "0"),
    ],
)
def test_of_several_captures(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = saved(tmp_path, "a", "b")
    options = [option.replace("OUT", str(tmp_path / "OUT"), 1) for option in options]
    assert says.replace("OUT", "OUT") in refused([*files, *options], capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs", "2"], "several"),
        (["--frames", "-"], "file of its own"),
        (["--flows", "x", "--flows-dir", "y"], "one or the other"),
    ],
)
def test_of_one_capture(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refused([*saved(tmp_path, "a"), *options], capsys)


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--assert", "no-drops"], "assertion"), (["--frames", "OUT"], "same capture again")],
)
def test_what_is_bound_to_the_hash_cannot_be_had_without_it(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [option.replace("OUT", str(tmp_path / "OUT")) for option in options]
    for names in (["a"], ["a", "b"]):
        line = refused([*saved(tmp_path, *names), "--merge", "--no-hash", *options], capsys)
        assert says in line
        assert not (tmp_path / "OUT").exists()


def test_a_bundle_is_always_hashed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = str(bundle(tmp_path / "b"))
    assert "always hashed" in refused([made, "--no-hash"], capsys)
    assert "always hashed" in refused([made, *saved(tmp_path, "a"), "--no-hash"], capsys)


def test_frames_of_standard_input_would_have_to_be_read_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egress_audit.cli.replay.refuse_terminal", lambda path: None)
    line = refused(["-", "--frames", str(tmp_path / "o")], capsys)
    assert "save it to a file first" in line


@pytest.mark.parametrize("option", ["--frames", "--flows-dir", "-o"])
def test_nothing_is_written_into_a_bundle(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bundle(tmp_path / "b")
    assert "lies in the bundle" in refused([str(made), option, str(made / "x")], capsys)
    assert not (made / "x").exists()


@pytest.mark.parametrize("option", ["--frames", "--flows", "-o"])
def test_no_input_is_written_over(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture, names = saved(tmp_path, "a", "names.csv")
    for written in (capture, names):
        before = Path(written).read_bytes()
        assert "overwrite" in refused([capture, "--names", names, option, written], capsys)
        assert Path(written).read_bytes() == before
