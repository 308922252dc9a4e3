"""The README shows what the program really prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from egress_audit.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def console_blocks() -> list[str]:
    return re.findall(r"```console\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("captures", ["hf-hubname.pcap\n", "hf-hubname.pcap captures/"])
def test_the_output_in_the_readme_is_the_real_output(captures: str) -> None:
    block = next(block for block in console_blocks() if f"captures/{captures}" in block)
    command, _, shown = block.partition("\n")
    arguments = command.removeprefix("$ egress-audit ").split()
    done = subprocess.run(
        [sys.executable, "-m", "egress_audit", *arguments],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 10
    real = done.stdout.decode().splitlines()
    lines = shown.splitlines()
    assert len(lines) > 15
    if lines[-1] == "…":
        lines.pop()
    assert lines == real[: len(lines)]


def test_every_command_stands_in_the_readme() -> None:
    assert all(re.search(rf"`egress-audit {name}[ `]", README) for name in COMMANDS)


@pytest.mark.opens_sockets
@pytest.mark.skipif("EGRESS_AUDIT_NO_NAMESPACES" in os.environ, reason="no sandbox on this host")
def test_the_run_in_the_readme_prints_what_it_really_prints() -> None:
    block = next(block for block in console_blocks() if block.startswith("$ egress-audit run"))
    command, _, shown = block.partition("\n")
    arguments = command.removeprefix("$ egress-audit ").split()
    done = subprocess.run(
        [sys.executable, "-m", "egress_audit", *arguments],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 10
    lines = shown.splitlines()
    assert done.stdout.decode().splitlines()[: len(lines)] == lines


def test_what_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
