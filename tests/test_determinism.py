"""Same evidence, same bytes: whatever the time zone, the locale, the hash seed and the folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CAPTURE = ROOT / "captures" / "ray-start-head.pcap"


def report(form: str, folder: Path, **environment: str) -> bytes:
    """What `replay` prints of a copy of the capture in `folder`, under this environment."""
    folder.mkdir(exist_ok=True)
    copy = folder / CAPTURE.name
    shutil.copy(CAPTURE, copy)
    done = subprocess.run(
        [sys.executable, "-m", "egress_audit", "replay", str(copy), "--format", form],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 10, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_report_does_not_depend_on_where_and_when_it_is_made(form: str, tmp_path: Path) -> None:
    here = report(form, tmp_path / "here", TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="0")
    there = report(
        form, tmp_path / "there", TZ="Asia/Kathmandu", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="77"
    )
    assert here == there


def test_a_report_depends_on_the_evidence(tmp_path: Path) -> None:
    whole = report("json", tmp_path / "whole")
    copy = tmp_path / "other" / CAPTURE.name
    copy.parent.mkdir()
    copy.write_bytes(CAPTURE.read_bytes()[:-60])
    done = subprocess.run(
        [sys.executable, "-m", "egress_audit", "replay", str(copy), "--format", "json"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout != whole
