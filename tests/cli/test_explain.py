"""`explain` shows what stands behind a finding."""

import json
from pathlib import Path

import click
import pytest

from egress_audit.cli.explain import files_and_frames, frame_numbers
from egress_audit.cli.main import run
from egress_audit.errors import ExitCode

CAPTURES = Path(__file__).parent.parent.parent / "captures"
TALKING = str(CAPTURES / "hf-hubname.pcap")
BUNDLE = str(CAPTURES / "run-plant-doublefork-post.bundle")


def test_numbers_ranges_and_lists_can_be_mixed() -> None:
    assert frame_numbers(("7", "1-3", "9,2")) == [7, 1, 2, 3, 9]


@pytest.mark.parametrize("word", ["0", "x", "3-1", "-1", "", "1-", "1-99999999999"])
def test_what_names_no_frame_is_wrong_usage(word: str) -> None:
    with pytest.raises(click.UsageError):
        frame_numbers((word,))


def test_a_frame_is_shown_with_its_flow_and_names(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["explain", TALKING, "8"]) == 0
    shown = capsysbinary.readouterr().out.decode()
    assert shown.startswith("Frame 8 ")
    assert "10.77.0.2" in shown
    assert "huggingface.co (tls-sni, frame 8)" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_a_frame_of_a_bundle_is_shown_with_its_process(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(["explain", BUNDLE, "1-19", "--format", "json"]) == 0
    senders = [frame["processes"] for frame in json.loads(capsysbinary.readouterr().out)]
    roles = {lineage[0]["role"] for lineage in senders if lineage}
    assert {"probe", "target"} <= roles
    assert all(lineage[-1]["role"] == "recorder" for lineage in senders if lineage)


def test_frames_can_be_had_as_json(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["explain", TALKING, "1,8", "--format", "json"]) == 0
    first, second = json.loads(capsysbinary.readouterr().out)
    assert (first["frame"], second["frame"]) == (1, 8)
    assert first["flow"]["resp_p"] == 53


def test_a_frame_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", TALKING, "172"]) == ExitCode.USAGE
    assert "1 to 171" in capsys.readouterr().err


def test_the_first_word_is_the_capture_and_the_others_are_frames() -> None:
    assert files_and_frames(["7", "1-3", "9"], False) == (["7"], ["1-3", "9"])


def test_with_merge_the_last_numbers_are_the_frames() -> None:
    words = ["a.pcap", "7", "b.pcap", "1-3", "4,5"]
    assert files_and_frames(words, True) == (["a.pcap", "7", "b.pcap"], ["1-3", "4,5"])


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("words", [["a.pcap"], ["1"]])
def test_a_capture_and_a_frame_are_needed(words: list[str], merge: bool) -> None:
    with pytest.raises(click.UsageError):
        files_and_frames(words, merge)


def test_a_frame_of_merged_captures_says_where_it_is_from(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    other = str(CAPTURES / "law-names-disagree.pcap")
    assert run(["explain", "--merge", TALKING, other, "18"]) == 0
    assert "frame 8 of hf-hubname.pcap" in capsysbinary.readouterr().out.decode()
    assert run(["explain", "--merge", TALKING, other, "18", "--format", "json"]) == 0
    (frame,) = json.loads(capsysbinary.readouterr().out)
    assert (frame["frame"], frame["origin"]) == (18, "frame 8 of hf-hubname.pcap")
