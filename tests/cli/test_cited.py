"""The frames behind the findings, in a file of their own."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from tests.builders.recordings import asked, bundle, connected

CAPTURES = Path(__file__).parent.parent.parent / "captures"
TALKING = str(CAPTURES / "hf-hubname.pcap")
OTHER = str(CAPTURES / "law-names-disagree.pcap")
SILENT = str(CAPTURES / "hf-deepseek_v3-local.pcap")

Bytes = pytest.CaptureFixture[bytes]


def shown(path: str, numbers: list[int], capsysbinary: Bytes, *more: str) -> list[tuple[str, int]]:
    """Bytes and time of frames."""
    words = ",".join(map(str, numbers))
    run(["explain", *more, path, words, "--format", "json"])
    found = json.loads(capsysbinary.readouterr().out)
    return [(frame["bytes"], frame["ts_ns"]) for frame in found]


def cited(arguments: list[str], capsysbinary: Bytes) -> list[int]:
    """The frames that the findings cite."""
    run(["replay", *arguments, "--format", "json"])
    findings = json.loads(capsysbinary.readouterr().out)["audit"]["findings"]
    return sorted({frame for each in findings for frame in each["frames"]["first"]})


def test_the_frames_of_a_capture_are_those_that_are_cited(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    out = str(tmp_path / "o.pcapng")
    numbers = cited([TALKING, "--frames", out], capsysbinary)
    copied = shown(out, list(range(1, len(numbers) + 1)), capsysbinary)
    assert copied == shown(TALKING, numbers, capsysbinary)
    raw = Path(out).read_bytes()
    assert b"EA001: opened 19 TLS connections" in raw
    assert b"frame 8 of hf-hubname.pcap" in raw


def test_the_frames_of_a_bundle_keep_their_interface(tmp_path: Path, capsysbinary: Bytes) -> None:
    made = str(bundle(tmp_path / "b", [*asked(), *connected()]))
    out = str(tmp_path / "o.pcapng")
    numbers = cited([made, "--frames", out], capsysbinary)
    assert numbers
    copied = shown(out, list(range(1, len(numbers) + 1)), capsysbinary)
    assert copied == shown(made, numbers, capsysbinary)


def test_the_frames_of_merged_captures_are_of_all(tmp_path: Path, capsysbinary: Bytes) -> None:
    out = str(tmp_path / "o.pcapng")
    numbers = cited(["--merge", TALKING, OTHER, "--frames", out], capsysbinary)
    copied = shown(out, list(range(1, len(numbers) + 1)), capsysbinary)
    assert copied == shown(TALKING, numbers, capsysbinary, "--merge", OTHER)
    assert b"frame 1 of law-names-disagree.pcap" in Path(out).read_bytes()


def test_without_a_finding_there_is_a_file_without_frames(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    out = tmp_path / "o.pcapng"
    assert run(["replay", SILENT, "--frames", str(out)]) == ExitCode.INCONCLUSIVE
    assert b"holds none" in capsysbinary.readouterr().err
    assert run(["replay", str(out)]) == ExitCode.INCONCLUSIVE


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsysbinary: Bytes) -> None:
    out = str(tmp_path / "no" / "such.pcapng")
    assert run(["replay", TALKING, "--frames", out]) == ExitCode.NO_AUDIT
    assert out.encode() in capsysbinary.readouterr().err


@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark")
def test_tshark_shows_the_frames_with_their_reasons(tmp_path: Path, capsysbinary: Bytes) -> None:
    out = str(tmp_path / "o.pcapng")
    numbers = cited(["--merge", TALKING, OTHER, "--frames", out], capsysbinary)
    fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.comment", "-e", "frame.time_epoch"]
    done = subprocess.run(
        ["tshark", "-r", out, *fields], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(numbers)
    assert all("EA00" in comment for _, comment, _ in rows)
    assert "frame 1 of law-names-disagree.pcap" in rows[0][1]
