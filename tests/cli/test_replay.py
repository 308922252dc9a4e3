"""`replay` as a person meets it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from tests.builders.recordings import asked, bundle, connected

CAPTURES = Path(__file__).parent.parent.parent / "captures"
SILENT = str(CAPTURES / "hf-deepseek_v3-local.pcap")
TALKING = str(CAPTURES / "hf-hubname.pcap")
ALL_SIX = "whole-run,no-drops,single-host,exercised,all-interfaces,unfiltered"


def test_a_capture_of_a_hub_download_violates_offline(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["replay", TALKING]) == ExitCode.VIOLATED
    shown = capsysbinary.readouterr().out.decode()
    assert shown.startswith("VIOLATED")
    flat = " ".join(shown.split())
    assert (
        "this capture asked for huggingface.co (19 A and 19 AAAA questions) "
        "and opened 19 TLS connections to it"
    ) in flat


def test_silence_is_inconclusive(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["replay", SILENT]) == ExitCode.INCONCLUSIVE
    assert capsysbinary.readouterr().out.startswith(b"INCONCLUSIVE")


def test_silence_with_all_six_assertions_holds(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["replay", SILENT, "--assert", ALL_SIX]) == ExitCode.HOLDS
    flat = b" ".join(capsysbinary.readouterr().out.split())
    assert b"HOLDS, on these assertions; 0 frames: the proof rests on what you assert" in flat


def test_all_is_short_for_the_six(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(["replay", SILENT, "--assert", ALL_SIX, "--format", "json"])
    spelled = capsysbinary.readouterr().out
    run(["replay", SILENT, "--assert", "all", "--format", "json"])
    assert capsysbinary.readouterr().out == spelled


def test_words_may_be_apart_by_spaces_or_repeated(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    first, *others = ALL_SIX.split(",")
    arguments = ["--assert", first, "--assert", " ".join(others)]
    assert run(["replay", SILENT, *arguments]) == ExitCode.HOLDS
    assert capsysbinary.readouterr().out.startswith(b"HOLDS")


@pytest.mark.parametrize(
    "arguments",
    [["--assert", ""], ["--asserted-by", "me"], ["-o", SILENT], ["--flows", "-"]],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(SILENT).read_bytes()
    assert run(["replay", SILENT, *arguments]) == ExitCode.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert Path(SILENT).read_bytes() == before


def test_a_full_disk_is_no_verdict_and_no_crash() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "egress_audit", "replay", TALKING],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=CAPTURES.parent,
            check=False,
        )
    assert done.returncode == ExitCode.NO_AUDIT
    assert b"Traceback" not in done.stderr


def test_flows_are_put_behind_what_a_file_held_before(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n", encoding="utf-8")
    with log.open("a", encoding="utf-8") as stream:
        flows = ["--flows", "-", "-o", str(tmp_path / "report")]
        command = [sys.executable, "-m", "egress_audit", "replay", TALKING, *flows]
        subprocess.run(command, stdout=stream, check=False)
    first, *others = log.read_text(encoding="utf-8").splitlines()
    assert first == "before"
    assert len(others) == len(list(audit_capture(TALKING).flow_records())) > 0


def test_who_asserts_when_and_why_stands_in_the_document(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    who = ["--asserted-by", "the duty officer", "--asserted-on", "2026-11-21", "--because", "I saw"]
    run(["replay", SILENT, "--assert", "no-drops", *who, "--format", "json"])
    document = json.loads(capsysbinary.readouterr().out)
    (assertion,) = document["audit"]["assertions"]
    assert (assertion["who"], assertion["when"], assertion["why"]) == (
        "the duty officer",
        "2026-11-21",
        "I saw",
    )


def test_the_report_can_go_to_a_file(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "report.txt"
    assert run(["replay", TALKING, "-o", str(out)]) == ExitCode.VIOLATED
    assert capsysbinary.readouterr().out == b""
    assert out.read_text().startswith("VIOLATED")


def test_a_report_that_cannot_be_written_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "no" / "such" / "folder")
    assert run(["replay", TALKING, "-o", out]) == ExitCode.NO_AUDIT
    assert out in capsys.readouterr().err


def test_every_flow_is_one_line_of_json(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    out = tmp_path / "flows.jsonl"
    run(["replay", TALKING, "--flows", str(out), "--format", "json"])
    document = json.loads(capsysbinary.readouterr().out)
    flows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(flows) == document["audit"]["coverage"]["flows"] == 38
    tls = [flow for flow in flows if flow["proto"] == 6]
    assert len(tls) == 19
    assert all(
        {"host": "huggingface.co", "source": "tls-sni"}.items() <= flow["names"][0].items()
        for flow in tls
    )


def test_own_addresses_can_be_given(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run(["replay", TALKING, "--local", "10.77.0.2", "--format", "json"])
    own = json.loads(capsysbinary.readouterr().out)["audit"]["own_addresses"]
    assert own == {"how": "given", "prefixes": ["10.77.0.2/32"]}


def test_an_own_address_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", TALKING, "--local", "10.77.0.300"]) == ExitCode.USAGE
    assert "10.77.0.300" in capsys.readouterr().err


def test_an_unknown_profile_is_wrong_usage_and_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["replay", TALKING, "--profile", "ofline"]) == ExitCode.USAGE
    assert "offline" in capsys.readouterr().err


def test_a_capture_cut_in_the_middle_is_audited_as_far_as_it_goes(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(TALKING).read_bytes()[:5000])
    assert run(["replay", str(cut), "--format", "json"]) == ExitCode.VIOLATED
    audit = json.loads(capsysbinary.readouterr().out)["audit"]
    assert len(audit["coverage"]["damage"]) == 1
    assert any(spot["id"] == "damage" and spot["material"] for spot in audit["blind_spots"])


def piped(content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "egress_audit", "replay", "-", *arguments],
        input=content,
        capture_output=True,
        cwd=CAPTURES.parent,
        check=False,
    )


def test_a_piped_capture_is_judged_like_the_file() -> None:
    done = piped(Path(TALKING).read_bytes(), "--format", "json")
    assert done.returncode == ExitCode.VIOLATED
    audit = json.loads(done.stdout)["audit"]
    expected = json.loads(Path(TALKING).with_suffix(".json").read_text())
    assert audit == expected


def test_an_empty_pipe_is_no_capture() -> None:
    done = piped(b"")
    assert done.returncode == ExitCode.NO_AUDIT
    assert done.stdout == b""
    assert b"is empty" in done.stderr


# Bundles


def test_a_bundle_is_judged_by_its_folder(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = bundle(tmp_path / "quiet")
    assert run(["replay", str(made)]) == ExitCode.HOLDS
    shown = capsysbinary.readouterr().out.decode()
    assert shown.startswith('HOLDS  "offline"  program\n')
    assert all(len(line) <= 100 for line in shown.splitlines())


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_the_same_bundle_gives_the_same_bytes_under_any_name(
    form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = bundle(tmp_path / "talking", [*asked(), *connected()])
    copied = shutil.copytree(made, tmp_path / "archive" / "of another name")
    documents = []
    for folder in (made, made, copied):
        assert run(["replay", str(folder), "--format", form]) == ExitCode.VIOLATED
        documents.append(capsysbinary.readouterr().out)
    assert documents[0] == documents[1] == documents[2]


@pytest.mark.parametrize("option", ["-o", "--flows"])
def test_nothing_is_written_into_the_bundle_that_is_judged(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bundle(tmp_path / "quiet")
    assert run(["replay", str(made), option, str(made / "report")]) == ExitCode.USAGE
    assert "lies in the bundle" in capsys.readouterr().err
    assert not (made / "report").exists()


def test_beside_the_bundle_a_report_may_be_written(tmp_path: Path) -> None:
    made = bundle(tmp_path / "quiet")
    assert run(["replay", str(made), "-o", str(tmp_path / "report")]) == ExitCode.HOLDS


def test_a_folder_that_is_no_bundle_is_no_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", str(tmp_path)]) == ExitCode.NO_AUDIT
    assert capsys.readouterr().err.count("\n") == 1


def test_the_capture_of_a_bundle_is_better_judged_with_its_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = str(CAPTURES / "run-grey-udp-connect.bundle")
    run(["replay", f"{bundle}/capture.pcapng"])
    assert "replay its folder" in capsys.readouterr().err
    run(["replay", bundle])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_finding_is_explained_by_the_users_catalogue_in_every_format(
    form: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    capture, theirs = "rule-ea013-denied-purpose.pcap", CAPTURES / "catalogues"
    arguments = [str(CAPTURES / capture), "--catalogue", str(theirs), "--format", form]
    assert run(["replay", *arguments]) == ExitCode.VIOLATED
    flat = b" ".join(capsysbinary.readouterr().out.replace(b"\\_", b"_").split())
    for told in (
        b"who: Acme server; at the other end: Acme (SE)",
        b"why: telemetry",
        b"how to switch it off: ACME_QUIET=1",
    ):
        assert told in flat
