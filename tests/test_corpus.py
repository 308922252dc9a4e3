"""Captures that nobody here made, held to truth that other programs made of them.

They are below the folder that EGRESS_AUDIT_SHARED names, as `corpus/{captures,truth}`; without it
these tests skip. Here half of them are read; `make corpus` reads all. What differs and may is
explained in docs/differences.md.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from tests.reference.foreign_truth import FLOWS, OCTETS, PACKETS, Score, score_of

CORPUS = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"), "corpus")
HALF = sorted(CORPUS.glob("truth/*[02468ace]__*.json"))
"""Truth files, by the last digit of the sha256 in their names."""

pytestmark = pytest.mark.skipif(not HALF, reason="no foreign captures on this machine")


@cache
def scored() -> Score:
    """The score of that half."""
    score = Score()
    for path in HALF:
        truth = json.loads(path.read_text(encoding="utf-8"))
        audited = audit_capture(str(CORPUS / "captures" / path.stem))
        flows = ((flow, names) for flow, names, _, _ in audited.flow_records())
        score.add(score_of(truth, flows), path.stem)
    return score


def differences(kind: str) -> str:
    """What differs in this, for people."""
    return "\n".join(note for note in scored().notes if f": {kind}" in note)


@pytest.mark.parametrize(
    ("kind", "recall"),
    [
        (FLOWS, 0.995),
        (PACKETS, 0.995),
        (OCTETS, 0.995),
        ("dns", 0.98),
        ("sni", 0.98),
        ("http", 0.98),
        ("quic", 0.95),
    ],
)
def test_what_other_programs_found_is_found(kind: str, recall: float) -> None:
    assert scored().wanted[kind] > 0
    assert scored().recall(kind) >= recall, differences(kind)


@pytest.mark.parametrize(
    ("kind", "precision"),
    [(FLOWS, 0.995), ("dns", 0.99), ("sni", 0.99), ("http", 0.99), ("quic", 0.99)],
)
def test_little_is_found_that_other_programs_did_not_find(kind: str, precision: float) -> None:
    assert scored().precision(kind) >= precision, differences(kind)
