"""`profiles` tells which claims there are, what one says, and whether one can be used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from egress_audit.judge.profile import profile_names
from tests.builders.catalogues import file_text

CAPTURES = Path(__file__).parent.parent.parent / "captures"
CLAIMS = CAPTURES / "profiles"
BUNDLE = str(CAPTURES / "run-plant-doublefork-post.bundle")
TALKING = str(CAPTURES / "hf-hubname.pcap")


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


def test_a_profile_is_shown_as_markdown(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["profiles", "show", "no-china", "--format", "markdown"]) == 0
    text = capsysbinary.readouterr().out.decode()
    assert text.startswith("# no-china\n\n## Claim\n\n- **Sentence**: ")
    assert "\n## Denied: whatever is allowed\n" in text


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
    assert first == (f"{bad}:3: `*.com` allows a whole top-level domain (write `*.example.com`)")
    assert second == "offline: fine"


def test_a_folder_is_checked_file_by_file_to_its_end(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "a.yaml").write_text("name: n\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("name: b\nextends: offline\n", encoding="utf-8")
    assert run(["profiles", "check", str(tmp_path)]) == ExitCode.NO_AUDIT
    bad, good = capsysbinary.readouterr().out.decode().splitlines()
    assert bad.startswith(f"{tmp_path}/a.yaml: `statement` is missing")
    assert good == f"{tmp_path}/b.yaml: fine"


def test_a_folder_without_profiles_is_refused_as_that(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["profiles", "check", str(tmp_path), "offline"]) == ExitCode.NO_AUDIT
    empty, good = capsysbinary.readouterr().out.decode().splitlines()
    assert empty.startswith(f"{tmp_path}: holds no .yaml file (name a file")
    assert good == "offline: fine"


def test_a_weak_profile_is_no_error(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    weak = tmp_path / "weak.yaml"
    weak.write_text("name: n\nstatement: s\nallow: {hosts: [a.b]}\n", encoding="utf-8")
    assert run(["profiles", "check", str(weak)]) == 0
    assert b"no phase is required" in capsysbinary.readouterr().out


def test_a_name_that_no_profile_has_is_wrong_usage_of_a_check_too() -> None:
    assert run(["profiles", "check", "offline", "ofline"]) == ExitCode.USAGE


def test_a_draft_is_written_checked_and_not_contradicted_by_what_it_was_made_from(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    draft = str(tmp_path / "hub.yaml")
    assert run(["profiles", "new", "--from", TALKING, "--name", "hub", "-o", draft]) == 0
    assert run(["profiles", "check", draft]) == 0
    assert capsysbinary.readouterr().out.decode() == f"{draft}: fine\n"
    assert run(["replay", TALKING, "--profile", draft]) == ExitCode.INCONCLUSIVE
    assert run(["replay", str(CAPTURES / "tiktoken-default.pcap"), "--profile", draft]) == (
        ExitCode.VIOLATED
    )


def test_endpoints_of_the_user_s_own_are_known_to_a_check_and_to_a_draft(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "c.yaml").write_text(
        file_text(
            {"hosts": "[collect.exfil-test.example]", "example": "collect.exfil-test.example"}
        )
    )
    profile = tmp_path / "p.yaml"
    profile.write_text("name: n\nextends: offline\nallow: {endpoints: [acme-telemetry]}\n")
    own = ["--catalogue", str(tmp_path / "c.yaml")]
    assert run(["profiles", "check", str(profile)]) == ExitCode.NO_AUDIT
    assert run(["profiles", "check", str(profile), *own]) == 0
    assert run(["profiles", "show", str(profile), *own]) == 0
    assert run(["profiles", "new", "--from", BUNDLE, *own]) == 0
    assert "# Acme: telemetry (catalogue: acme-telemetry)" in capsysbinary.readouterr().out.decode()


def test_a_bundle_can_be_drafted_from(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert (
        run(["profiles", "new", "--from", str(CAPTURES / "run-plant-doublefork-post.bundle")]) == 0
    )
    text = capsysbinary.readouterr().out.decode()
    assert "name: python3\n" in text
    assert '- "collect.exfil-test.example"\n' in text


def test_what_nobody_knows_can_be_left_to_the_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = str(tmp_path / "exfil.yaml")
    assert run(["profiles", "new", "--from", BUNDLE, "--known-only", "--out", draft]) == 0
    assert run(["profiles", "check", draft]) == 0
    capsys.readouterr()
    assert run(["replay", BUNDLE, "--profile", draft]) == ExitCode.VIOLATED


def test_a_draft_cannot_be_written_over_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles", "new", "--from", TALKING, "-o", TALKING]) == ExitCode.USAGE
    assert "would overwrite" in capsys.readouterr().err


def test_a_draft_that_somebody_may_have_edited_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "hub.yaml"
    draft.write_text("name: edited\n", encoding="utf-8")
    assert run(["profiles", "new", "--from", TALKING, "-o", str(draft)]) == ExitCode.USAGE
    assert "is there already" in capsys.readouterr().err
    assert draft.read_text(encoding="utf-8") == "name: edited\n"


def test_a_draft_cannot_be_written_into_its_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles", "new", "--from", BUNDLE, "-o", f"{BUNDLE}/p.yaml"]) == ExitCode.USAGE
    assert "lies in the bundle" in capsys.readouterr().err


def test_a_draft_needs_a_name_that_a_profile_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profiles", "new", "--from", TALKING, "--name", "My Hub"]) == ExitCode.USAGE
    assert "is no name of a profile" in capsys.readouterr().err


def test_a_draft_of_nothing_is_no_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.pcap")
    assert run(["profiles", "new", "--from", missing]) == ExitCode.NO_AUDIT
    assert "missing.pcap" in capsys.readouterr().err


def test_the_command_is_known_without_what_it_needs() -> None:
    program = "import sys, egress_audit.cli.profiles; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
