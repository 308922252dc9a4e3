"""A version that the user states."""

import json
from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode

CAPTURES = Path(__file__).parent.parent.parent / "captures"
TALKING = str(CAPTURES / "hf-hubname.pcap")


def stated(*words: str) -> list[str]:
    return ["replay", TALKING, *(option for word in words for option in ("--version-of", word))]


def test_it_stands_in_the_document_as_the_users_word(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    run([*stated("ollama=0.5.1", "LM Studio = 0.3"), "--format", "json"])
    versions = json.loads(capsysbinary.readouterr().out)["audit"]["versions"]
    assert [(one["product"], one["version"], one["how"]) for one in versions] == [
        ("ollama", "0.5.1", "stated"),
        ("LM Studio", "0.3", "stated"),
    ]


def test_a_report_says_whose_word_it_is(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(stated("ollama=0.5.1")) == ExitCode.VIOLATED
    assert "ollama 0.5.1, by the user" in capsysbinary.readouterr().out.decode()


def test_what_is_said_twice_is_said_once(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    run([*stated("a=1", "a=1"), "--format", "json"])
    assert len(json.loads(capsysbinary.readouterr().out)["audit"]["versions"]) == 1


@pytest.mark.parametrize("word", ["ollama", "=1", "ollama=", "a" * 101 + "=1", "a\x1b[0m=1"])
def test_what_is_no_version_of_anything_is_refused(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stated(word)) == ExitCode.USAGE
    assert "\x1b" not in capsys.readouterr().err
