"""`profiles` tells which claims there are, what one says, and whether one can be used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from egress_audit.judge.profile import profile_names

CLAIMS = Path(__file__).parent.parent.parent / "captures" / "profiles"


def test_the_list_names_every_profile_that_comes_with_the_program(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["profiles", "list"]) == 0
    assert run(["profiles", "list", "--format", "json"]) == 0
    text, _, rest = capsysbinary.readouterr().out.decode().partition("\n[")
    assert [row["name"] for row in json.loads("[" + rest)] == list(profile_names())
    assert all(f"  {name} " in text for name in profile_names())


def test_a_profile_is_shown_by_name_and_by_path(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["profiles", "show", "offline"]) == 0
    assert "runs offline" in capsysbinary.readouterr().out.decode()
    assert run(["profiles", "show", str(CLAIMS / "one-host.yaml"), "--format", "json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["name"] == "one-host"


def test_a_profile_that_there_is_not_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles", "show", "ofline"]) == ExitCode.USAGE
    assert "did you mean `offline`?" in capsys.readouterr().err


def test_all_profiles_that_come_with_the_program_can_be_used(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["profiles", "check", *profile_names()]) == 0
    assert b": fine" in capsysbinary.readouterr().out


def test_a_bad_profile_is_told_with_line_and_remedy_and_the_others_are_checked_all_the_same(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: n\nstatement: s\nallow: {hosts: ['*.com']}\n", encoding="utf-8")
    assert run(["profiles", "check", str(bad), "offline"]) == ExitCode.NO_AUDIT
    first, second = capsysbinary.readouterr().out.decode().splitlines()
    assert first == (f"{bad}:3: `*.com` allows a whole top-level domain (write `*.example.org`)")
    assert second == "offline: fine"


def test_a_weak_profile_is_no_error(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    weak = tmp_path / "weak.yaml"
    weak.write_text("name: n\nstatement: s\nallow: {hosts: [a.b]}\n", encoding="utf-8")
    assert run(["profiles", "check", str(weak)]) == 0
    assert b"no phase is required" in capsysbinary.readouterr().out


def test_a_name_that_no_profile_has_is_wrong_usage_of_a_check_too() -> None:
    assert run(["profiles", "check", "offline", "ofline"]) == ExitCode.USAGE


def test_the_command_is_known_without_what_it_needs() -> None:
    program = "import sys, egress_audit.cli.profiles; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
