"""Several captures as a person meets them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from egress_audit.report.schema import audits_schema, schema_text
from tests.builders.captures import pcap
from tests.builders.recordings import bundle

CAPTURES = Path(__file__).parent.parent.parent / "captures"
SILENT = str(CAPTURES / "hf-deepseek_v3-local.pcap")
TALKING = str(CAPTURES / "hf-hubname.pcap")
ALL = ["--assert", "all"]

Bytes = pytest.CaptureFixture[bytes]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_capture_stands_in_the_report(form: str, capsysbinary: Bytes) -> None:
    assert run(["replay", SILENT, TALKING, "--format", form]) == ExitCode.VIOLATED
    shown = capsysbinary.readouterr().out
    assert all(
        Path(path).name.encode() in shown.replace(b"\\_", b"_") for path in (SILENT, TALKING)
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_bytes_are_the_same_whoever_does_the_work(form: str, capsysbinary: Bytes) -> None:
    shown = []
    for jobs in ("1", "2"):
        run(["replay", SILENT, TALKING, SILENT + "x", "--format", form, "--jobs", jobs])
        shown.append(capsysbinary.readouterr().out)
    assert shown[0] == shown[1] != b""


def test_what_cannot_be_read_is_a_row_and_not_the_end(tmp_path: Path, capsysbinary: Bytes) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(b"")
    assert run(["replay", str(empty), SILENT]) == ExitCode.NO_AUDIT
    shown = capsysbinary.readouterr().out.decode()
    assert "NO AUDIT" in shown
    assert "INCONCLUSIVE" in shown
    assert str(tmp_path) not in shown


def test_a_violation_weighs_more_than_what_cannot_be_read(tmp_path: Path) -> None:
    assert run(["replay", str(tmp_path / "none"), TALKING]) == ExitCode.VIOLATED


def test_captures_that_all_hold_hold(tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(pcap([]))
    assert run(["replay", SILENT, str(other), *ALL]) == ExitCode.HOLDS


def test_the_document_holds_that_of_each_as_it_is_alone(capsysbinary: Bytes) -> None:
    run(["replay", TALKING, "--format", "json"])
    alone = json.loads(capsysbinary.readouterr().out)
    run(["replay", SILENT, TALKING, "--format", "json"])
    whole = json.loads(capsysbinary.readouterr().out)
    Draft202012Validator(json.loads(schema_text(audits_schema()))).validate(whole)
    assert whole["audits"][1] == alone
    assert whole["summary"]["exit_code"] == 10


def test_a_folder_is_judged_whole_and_what_is_no_capture_is_told(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    (tmp_path / "a.pcap").write_bytes(Path(TALKING).read_bytes())
    (tmp_path / "notes.txt").write_text("hello\n")
    bundle(tmp_path / "quiet")
    assert run(["replay", str(tmp_path), "--format", "json"]) == ExitCode.VIOLATED
    summary = json.loads(capsysbinary.readouterr().out)["summary"]
    assert [(row["name"], row["verdict"]) for row in summary["captures"]] == [
        ("a.pcap", "VIOLATED"),
        ("quiet", "HOLDS"),
    ]
    assert [each["what"] for each in summary["set_aside"]] == ["text"]


def test_the_flows_of_each_go_into_one_folder(tmp_path: Path, capsysbinary: Bytes) -> None:
    out = tmp_path / "flows"
    run(["replay", SILENT, TALKING, "--flows-dir", str(out)])
    lines = {path.name: len(path.read_text().splitlines()) for path in out.iterdir()}
    assert lines == {"hf-deepseek_v3-local.pcap.jsonl": 0, "hf-hubname.pcap.jsonl": 38}


def test_the_report_of_all_can_go_to_one_file(tmp_path: Path, capsysbinary: Bytes) -> None:
    out = tmp_path / "report"
    assert run(["replay", SILENT, TALKING, "-o", str(out)]) == ExitCode.VIOLATED
    assert out.read_text().startswith("VIOLATED")
    assert capsysbinary.readouterr().out == b""


def test_a_list_that_cannot_be_used_is_no_fault_of_a_capture(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"x" * 100)
    assert run(["replay", SILENT, TALKING, "--lists", str(broken)]) == ExitCode.NO_AUDIT
    shown = capsysbinary.readouterr()
    assert shown.out == b""
    assert b"broken.mmdb" in shown.err


def test_every_capture_is_judged_by_the_users_catalogue(capsysbinary: Bytes) -> None:
    names = ("rule-ea013-denied-purpose", "spot-purpose-undecided")
    files = [str(CAPTURES / f"{name}.pcap") for name in names]
    options = ["--catalogue", str(CAPTURES / "catalogues" / "acme.yaml"), "--jobs", "2", *ALL]
    profile = str(CAPTURES / "profiles" / "no-telemetry.yaml")
    arguments = [*files, "--profile", profile, *options, "--format", "json"]
    assert run(["replay", *arguments]) == ExitCode.VIOLATED
    rows = json.loads(capsysbinary.readouterr().out)["summary"]["captures"]
    assert [row["reason"] for row in rows] == ["EA013", "purpose-undecided"]


def test_none_is_hashed_if_no_hash_is_wanted(capsysbinary: Bytes) -> None:
    for options, hashed in (([], True), (["--no-hash"], False)):
        run(["replay", TALKING, SILENT, "--format", "json", *options])
        found = json.loads(capsysbinary.readouterr().out)
        Draft202012Validator(json.loads(schema_text(audits_schema()))).validate(found)
        told = [item["sha256"] for each in found["audits"] for item in each["audit"]["evidence"]]
        assert len(told) == 2
        assert all((sha256 != {"absent": "not-asked"}) is hashed for sha256 in told)
