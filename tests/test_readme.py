"""The README shows what the program really prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.cli.main import COMMANDS
from tests.builders.recorded_runs import needs_namespaces

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown_and_real(words: str) -> tuple[list[str], list[str]]:
    """The lines under the first command with these words in it, and those that it prints."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    command, _, shown = next(block for block in blocks if words in block).partition("\n")
    done = subprocess.run(
        [sys.executable, "-m", "egress_audit", *command.removeprefix("$ egress-audit ").split()],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 10
    return shown.splitlines(), done.stdout.decode().splitlines()


@pytest.mark.parametrize("captures", ["hf-hubname.pcap\n", "hf-hubname.pcap captures/"])
def test_the_output_in_the_readme_is_the_real_output(captures: str) -> None:
    lines, real = shown_and_real(f"captures/{captures}")
    assert len(lines) > 15
    if lines[-1] == "…":
        lines.pop()
    assert lines == real[: len(lines)]


def test_every_command_stands_in_the_readme() -> None:
    assert all(re.search(rf"`egress-audit {name}[ `]", README) for name in COMMANDS)


@pytest.mark.opens_sockets
@needs_namespaces
def test_the_run_in_the_readme_prints_what_it_really_prints() -> None:
    lines, real = shown_and_real("$ egress-audit run")
    assert lines == real[: len(lines)]


def test_what_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
