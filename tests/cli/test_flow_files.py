"""Each capture's flows have a file of their own."""

from pathlib import Path

import click
import pytest

from egress_audit.cli.flow_files import flow_paths, make_folder
from egress_audit.errors import EgressAuditError


def test_flows_are_called_as_their_captures_are(tmp_path: Path) -> None:
    found = flow_paths(str(tmp_path), ["a/x.pcap", "b/y.pcapng"])
    assert found == [str(tmp_path / "x.pcap.jsonl"), str(tmp_path / "y.pcapng.jsonl")]


def test_names_that_collide_get_a_number(tmp_path: Path) -> None:
    found = flow_paths(str(tmp_path), ["a/x", "b/x", "c/X", "x-2"])
    names = [Path(path or "").name for path in found]
    assert names == ["x.jsonl", "x-2.jsonl", "X-3.jsonl", "x-2-2.jsonl"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.pcap.jsonl").write_text("mine")
    with pytest.raises(click.UsageError, match="is there already"):
        flow_paths(str(tmp_path), ["x.pcap"])


def test_without_a_folder_nobody_writes() -> None:
    assert flow_paths(None, ["a", "b"]) == [None, None]


def test_the_folder_is_made_or_the_error_says_where(tmp_path: Path) -> None:
    make_folder(str(tmp_path / "new"))
    make_folder(str(tmp_path / "new"))
    assert (tmp_path / "new").is_dir()
    with pytest.raises(EgressAuditError, match="cannot be written"):
        make_folder(str(tmp_path / "no" / "such"))
