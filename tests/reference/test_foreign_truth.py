"""The comparison with foreign truth, on truth made up here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from egress_audit.api import audit_capture
from tests.builders.captures import dns_query, pcap, udp_exchange
from tests.reference.foreign_truth import FLOWS, OCTETS, PACKETS, Score, score_of

QUERY = dns_query("a.example")
TOTAL = 28 + len(QUERY)
SAID = {
    **{"proto": "udp", "src": "192.0.2.1", "sport": 53, "dst": "10.0.0.2", "dport": 40000},
    **{"pkts_ab": 0, "pkts_ba": 1, "l3_ab": 0, "l3_ba": TOTAL},
}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One question to a resolver."""
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), QUERY)))
    return path


def scored(capture: Path, *conversations: Mapping[str, Any], **truth: list[str]) -> Score:
    """The score of the capture against truth of these conversations."""
    audited = audit_capture(str(capture))
    flows = ((flow, names) for flow, names, _, _ in audited.flow_records())
    return score_of({"conversations": list(conversations), **truth}, flows)


def test_truth_that_says_the_same_is_met_whichever_end_it_names_first(capture: Path) -> None:
    score = scored(capture, SAID, dns_qnames=["A.example"])
    assert not score.notes
    assert [score.recall(kind) for kind in (FLOWS, PACKETS, OCTETS, "dns")] == [1, 1, 1, 1]


def test_a_flow_that_is_missed_and_one_too_many_are_shown(capture: Path) -> None:
    score = scored(capture, {**SAID, "dport": 40001}, dns_qnames=["a.example"])
    assert (score.recall(FLOWS), score.precision(FLOWS)) == (0, 0)
    assert [note.split(":")[0] for note in score.notes] == ["flows, missed", "flows, not in truth"]


@pytest.mark.parametrize(("key", "kind"), [("pkts_ba", PACKETS), ("l3_ba", OCTETS)])
def test_a_count_that_differs_is_shown_with_its_flow(capture: Path, key: str, kind: str) -> None:
    score = scored(capture, {**SAID, key: 9}, dns_qnames=["a.example"])
    assert score.recall(kind) == 0
    assert "192.0.2.1" in score.notes[0]


def test_later_fragments_may_be_counted_with_a_flow(capture: Path) -> None:
    truth = {**SAID, "pkts_ba": 0, "l3_ba": 0, "frag_pkts_ba": 1, "frag_l3_ba": TOTAL}
    assert scored(capture, truth).recall(PACKETS) == 1


@pytest.mark.parametrize("doubt", [{"contested": "so"}, {"disputed_by": ["another"]}])
def test_what_is_in_doubt_counts_neither_way(capture: Path, doubt: dict[str, Any]) -> None:
    score = scored(capture, {**SAID, "pkts_ba": 9, **doubt})
    assert (score.wanted[FLOWS], score.ours[FLOWS]) == (0, 0)


def test_a_name_that_is_missed_and_one_too_many_are_shown(capture: Path) -> None:
    score = scored(capture, SAID, dns_qnames=["b.example"])
    assert (score.recall("dns"), score.precision("dns")) == (0, 0)
    assert score.notes == ["dns, missed: b.example", "dns, not in truth: a.example"]
