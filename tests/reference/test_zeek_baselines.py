"""States and histories held to what Zeek's published test baselines say of the same captures.

The facts are in zeek_baselines.tsv; the captures are not ours to keep, and come from `corpus` in
the folder that EGRESS_AUDIT_SHARED names. Without it the tests that need them skip.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from egress_audit.api import audit_capture
from egress_audit.model.flow import Flow

ROOT = Path(__file__).parent.parent.parent
CAPTURES = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"), "corpus", "captures")
SAID = Path(__file__).with_name("zeek_baselines.tsv")
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}
"""Zeek's words."""
UNSAID = "-"


class Row(NamedTuple):
    """One flow, each field as Zeek writes it; `-` where a baseline does not say."""

    orig_h: str
    orig_p: str
    resp_h: str
    resp_p: str
    proto: str
    conn_state: str
    missed_bytes: str
    history: str
    orig_pkts: str
    orig_ip_bytes: str
    resp_pkts: str
    resp_ip_bytes: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What Zeek says of one capture."""

    sha256: str
    trace: str
    rows: tuple[tuple[str, Row], ...]
    """Mark and flow."""

    def marked(self, beginning: str) -> list[Row]:
        """The rows whose mark begins so."""
        return [row for mark, row in self.rows if mark.startswith(beginning)]

    @property
    def capture(self) -> Path | None:
        """The capture, if it is there."""
        return next(CAPTURES.glob(f"*__{self.sha256[:10]}__*"), None)


def baselines() -> list[Baseline]:
    """Every baseline of the table."""
    found: list[Baseline] = []
    rows: list[tuple[str, Row]] = []
    for line in SAID.read_text(encoding="utf-8").splitlines()[::-1]:
        mark, *fields = line.split("\t")
        if mark == "@":
            found.append(Baseline(fields[0], fields[1], tuple(rows[::-1])))
            rows = []
        elif not line.startswith("#"):
            rows.append((mark, Row(*fields)))
    return found[::-1]


BASELINES = baselines()
HERE = [baseline for baseline in BASELINES if baseline.capture]


@cache
def flows_of(capture: Path) -> tuple[Flow, ...]:
    """Our flows of a capture."""
    return tuple(record[0] for record in audit_capture(str(capture)).flow_records())


def row_of(flow: Flow) -> Row:
    """A flow of ours in Zeek's words."""
    return Row(
        *(flow.orig_h, str(flow.orig_p), flow.resp_h, str(flow.resp_p)),
        PROTOCOLS.get(flow.proto, str(flow.proto)),
        *(flow.conn_state, str(flow.missed_bytes), flow.history or UNSAID),
        *(str(flow.orig_pkts), str(flow.orig_ip_bytes)),
        *(str(flow.resp_pkts), str(flow.resp_ip_bytes)),
    )


def not_among(rows: list[Row], flows: list[Flow]) -> list[Row]:
    """The rows that no flow of its own agrees with, in all that they say."""
    left = [row_of(flow) for flow in flows]
    missing = []
    for row in rows:
        same = (one for one in left if all(a in (UNSAID, b) for a, b in zip(row, one, strict=True)))
        agreeing = next(same, None)
        if agreeing is None:
            missing.append(row)
        else:
            left.remove(agreeing)
    return missing


def flows_here(baseline: Baseline) -> list[Flow]:
    """Our flows of the capture of a baseline that is there."""
    assert baseline.capture is not None
    return list(flows_of(baseline.capture))


def name_of(baseline: Baseline) -> str:
    return baseline.trace


@pytest.mark.parametrize("baseline", HERE, ids=name_of)
def test_states_histories_and_counts_are_zeeks(baseline: Baseline) -> None:
    outer = [flow for flow in flows_here(baseline) if not flow.encap_depth]
    assert not not_among(baseline.marked("=") + baseline.marked("ours:"), outer)


@pytest.mark.parametrize("baseline", HERE, ids=name_of)
def test_inside_a_tunnel_that_we_open_too(baseline: Baseline) -> None:
    inner = [flow for flow in flows_here(baseline) if flow.encap_depth]
    assert not inner or not not_among(baseline.marked("inner"), inner)


@pytest.mark.parametrize("baseline", HERE, ids=name_of)
def test_a_difference_that_is_pinned_is_one(baseline: Baseline) -> None:
    pinned = baseline.marked("zeek:")
    assert len(not_among(pinned, flows_here(baseline))) == len(pinned)


def test_the_table_has_baselines_of_at_least_thirty_captures() -> None:
    assert len({baseline.sha256 for baseline in BASELINES}) == len(BASELINES) >= 30


def test_every_cause_of_a_difference_is_explained() -> None:
    marks = {mark for baseline in BASELINES for mark, _ in baseline.rows}
    causes = {mark.split(":")[1] for mark in marks - {"=", "inner"}}
    said = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    assert not {cause for cause in causes if f"`{cause}`" not in said}
