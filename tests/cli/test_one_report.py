"""One report: with labels, further lists, and several captures as one."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from egress_audit.report.schema import audit_schema, schema_text
from tests.builders.captures import START_NS, Frame, pcap, tcp_session
from tests.builders.recordings import bundle

CAPTURES = Path(__file__).parent.parent.parent / "captures"
TALKING = str(CAPTURES / "hf-hubname.pcap")
OTHER = str(CAPTURES / "law-names-disagree.pcap")
SILENT = str(CAPTURES / "hf-deepseek_v3-local.pcap")

Bytes = pytest.CaptureFixture[bytes]


def document(arguments: list[str], capsysbinary: Bytes) -> dict[str, Any]:
    run(["replay", *arguments, "--format", "json"])
    found: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    Draft202012Validator(json.loads(schema_text(audit_schema()))).validate(found)
    return found


def rotated(folder: Path) -> list[str]:
    """One conversation, cut into two files; the later one first."""
    frames = tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))
    paths = [folder / "later.pcap", folder / "earlier.pcap"]
    for path, part in zip(paths, (frames[3:], frames[:3]), strict=True):
        path.write_bytes(pcap(part))
    return [str(path) for path in paths]


def test_rotated_files_are_judged_like_the_file_before_it_was_cut(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(pcap(tcp_session(("10.0.0.2", 4), ("192.0.2.7", 443))))
    alone = document([str(whole)], capsysbinary)["audit"]
    merged = document(["--merge", *rotated(tmp_path)], capsysbinary)
    assert merged["audit"]["findings"] == alone["findings"]
    assert merged["audit"]["observations"] == alone["observations"]
    assert merged["envelope"]["inputs"] == ["later.pcap", "earlier.pcap"]
    assert len(merged["audit"]["evidence"]) == 2


def test_cited_frames_say_which_they_are_in_their_own_file(capsysbinary: Bytes) -> None:
    found = document(["--merge", TALKING, OTHER], capsysbinary)
    cited = {frame for each in found["audit"]["findings"] for frame in each["frames"]["first"]}
    origins = {each["frame"]: (each["input"], each["number"]) for each in found["frame_origins"]}
    assert set(origins) == cited
    assert origins[1] == (1, 1)
    assert origins[11] == (0, 1)


def test_the_report_of_merged_captures_names_each_with_its_hash(capsysbinary: Bytes) -> None:
    assert run(["replay", "--merge", TALKING, OTHER]) == ExitCode.VIOLATED
    shown = capsysbinary.readouterr().out.decode()
    watched = shown[shown.index("\nWatched") : shown.index("\nDestinations")]
    assert watched.count("sha256 ") == 2
    assert "hf-hubname.pcap" in watched
    assert "hf-hubname.pcap: 18 is 8, 27 is 17" in shown


def test_one_capture_alone_is_reported_as_ever_also_with_merge(capsysbinary: Bytes) -> None:
    shown = []
    for options in ([], ["--merge"]):
        run(["replay", TALKING, *options])
        shown.append(capsysbinary.readouterr().out)
    assert shown[0] == shown[1]


def test_a_bundle_cannot_be_merged(tmp_path: Path, capsysbinary: Bytes) -> None:
    made = str(bundle(tmp_path / "b"))
    assert run(["replay", "--merge", TALKING, made]) == ExitCode.NO_AUDIT
    assert b"judged alone" in capsysbinary.readouterr().err


@pytest.mark.parametrize("capture", [TALKING, SILENT], ids=["violated", "inconclusive"])
def test_labels_change_nothing_that_was_concluded(
    capture: str, tmp_path: Path, capsysbinary: Bytes
) -> None:
    names = tmp_path / "names.csv"
    names.write_text("address,name,role\n0.0.0.0/0,ours,loopback\n10.77.0.1,gw,own resolver\n")
    without = document([capture], capsysbinary)
    labelled = document([capture, "--names", str(names)], capsysbinary)
    assert labelled["audit"] == without["audit"]
    assert "labels" not in without
    if capture == TALKING:
        assert {"address": "10.77.0.1", "name": "gw", "role": "own resolver"} in labelled["labels"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_labels_are_told_as_no_evidence(form: str, tmp_path: Path, capsysbinary: Bytes) -> None:
    names = tmp_path / "names.csv"
    names.write_text("address,name,role\n10.77.0.1,gw-1,resolver\n")
    run(["replay", TALKING, "--names", str(names), "--format", form])
    shown = " ".join(capsysbinary.readouterr().out.decode().split())
    assert "labels for the reader, no evidence" in shown
    assert "you call it “gw-1” (resolver)" in shown


def test_malformed_names_are_refused_with_file_and_line(
    tmp_path: Path, capsysbinary: Bytes
) -> None:
    names = tmp_path / "names.csv"
    names.write_text("address,name,role\n10.77.0.1,gw\n")
    assert run(["replay", TALKING, "--names", str(names)]) == ExitCode.NO_AUDIT
    assert b"names.csv:2: " in capsysbinary.readouterr().err


def test_the_packaged_list_can_be_supplied_as_another(tmp_path: Path, capsysbinary: Bytes) -> None:
    capture, copy = tmp_path / "a.pcap", tmp_path / "mine.mmdb"
    capture.write_bytes(pcap(tcp_session(("10.0.0.2", 4), ("8.8.8.8", 443))))
    own = Path(__file__).parent.parent.parent / "egress_audit" / "lists" / "addresses.mmdb"
    copy.write_bytes(own.read_bytes())
    usual = document([str(capture)], capsysbinary)["audit"]["lists"]
    more = document([str(capture), "--lists", str(copy)], capsysbinary)["audit"]["lists"]
    assert more[1:] == usual
    assert more[0]["licence"] == "as supplied by the user"


def test_a_list_that_is_none_is_refused(tmp_path: Path, capsysbinary: Bytes) -> None:
    for path in (tmp_path / "missing.mmdb", tmp_path):
        assert run(["replay", TALKING, "--lists", str(path)]) == ExitCode.NO_AUDIT
        assert str(path).encode() in capsysbinary.readouterr().err


def test_notes_beside_merged_captures_are_named(tmp_path: Path, capsysbinary: Bytes) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap([Frame(START_NS, bytes(20))]))
    (tmp_path / "notes.txt").write_text("hello\n")
    run(["replay", "--merge", str(tmp_path)])
    assert b"notes.txt is text: not judged" in capsysbinary.readouterr().err


@pytest.mark.parametrize("files", [[TALKING], [TALKING, SILENT, "--merge"]])
@pytest.mark.parametrize(("options", "hashed"), [([], True), (["--no-hash"], False)])
def test_captures_are_hashed_unless_no_hash_is_wanted(
    files: list[str], options: list[str], hashed: bool, capsysbinary: Bytes
) -> None:
    evidence = document([*files, *options], capsysbinary)["audit"]["evidence"]
    told = [item["sha256"] != {"absent": "not-asked"} for item in evidence]
    assert told == [hashed] * (2 if "--merge" in files else 1)
