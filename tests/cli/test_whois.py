"""`whois` answers from the lists. Sockets and resolvers are closed to these tests, as to all."""

import json
import re
from pathlib import Path

import pytest

from egress_audit.cli.main import run
from egress_audit.errors import ExitCode
from tests.builders.catalogues import file_text

MANUAL = Path(__file__).parent.parent.parent / "docs" / "whois.md"

Captured = pytest.CaptureFixture[bytes]


@pytest.mark.parametrize("what", ["ollama.com:443", "8.8.8.8", "AS15169"])
def test_a_host_an_address_and_an_as_are_told_without_opening_a_socket(
    capsysbinary: Captured, what: str
) -> None:
    assert run(["whois", what]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert lines[0].startswith(what.partition(":")[0])
    assert len(lines) > 5
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("what", ["nobody.example", "192.0.2.1", "AS64500"])
def test_what_no_list_knows_is_an_answer_too(capsysbinary: Captured, what: str) -> None:
    assert run(["whois", what]) == 0
    assert b"Not in the" in capsysbinary.readouterr().out


def test_the_answer_can_be_had_as_json(capsysbinary: Captured) -> None:
    assert run(["whois", "ollama.com", "--format", "json"]) == 0
    record = json.loads(capsysbinary.readouterr().out)
    assert record["kind"] == "host"
    assert "ollama-recommendations" in [entry["id"] for entry in record["endpoints"]]


def test_the_answer_can_be_had_as_markdown(capsysbinary: Captured) -> None:
    assert run(["whois", "AS15169", "--format", "markdown"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"# AS15169\n\n## Autonomous system\n")


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["https://a.example"], ["AS0"]])
def test_what_is_no_host_address_or_as_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["whois", *arguments]) == ExitCode.USAGE
    assert capsys.readouterr().err


def test_endpoints_of_ones_own_are_told_too(capsysbinary: Captured, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(file_text(), encoding="utf-8")
    assert run(["whois", "stats.acme.example", "--catalogue", str(tmp_path)]) == 0
    assert b"Acme server: telemetry" in capsysbinary.readouterr().out


@pytest.mark.parametrize(("option", "name"), [("--catalogue", "a.yaml"), ("--lists", "a.mmdb")])
def test_a_list_of_ones_own_that_is_none_is_no_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, name: str
) -> None:
    (tmp_path / name).write_text("nothing of the kind", encoding="utf-8")
    assert run(["whois", "8.8.8.8", option, str(tmp_path / name)]) == ExitCode.NO_AUDIT
    assert name in capsys.readouterr().err


def test_an_escape_in_the_question_does_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["whois", "a\x1b[2J.example"]) == ExitCode.USAGE
    assert "\x1b" not in capsys.readouterr().err


def test_the_manual_shows_what_is_printed(capsysbinary: Captured) -> None:
    shown = re.search(r"```console\n\$ egress-audit (.*)\n([^`]*)```", MANUAL.read_text("utf-8"))
    assert shown
    assert run(shown[1].split()) == 0
    assert capsysbinary.readouterr().out.decode() == shown[2]
