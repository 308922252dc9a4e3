"""Every golden capture, drafted: its draft is a profile, and the capture does not contradict it."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.addresses import parse_prefix
from egress_audit.api import audit_capture, draft_profile, profile_of
from egress_audit.judge.drafting import claiming, drafted
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Verdict
from tests.builders.captures import Frame, dns_query, udp_exchange
from tests.builders.cases import contact
from tests.builders.golden import CAPTURES
from tests.builders.scenes import OURS, STRANGER, US, exchange, later, raw, session, written

DESCRIBED: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(CAPTURES.glob("*.yaml"))
}
NOT_SEEN = "198.51.100.250"
"""An address that no golden capture has."""


def own(name: str) -> list[Any]:
    return [parse_prefix(text) for text in DESCRIBED[name]["local"]]


@cache
def draft_of(name: str) -> str:
    return draft_profile(str(CAPTURES / DESCRIBED[name]["capture"]), local=own(name))


def replayed(name: str, profile: Path) -> Verdict:
    path = str(CAPTURES / DESCRIBED[name]["capture"])
    return audit_capture(path, str(profile), local=own(name)).audit.verdict


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_capture_does_not_contradict_its_draft(name: str, tmp_path: Path) -> None:
    (tmp_path / "draft.yaml").write_text(draft_of(name), encoding="utf-8")
    assert profile_of(str(tmp_path / "draft.yaml")).claim.holds_means
    assert replayed(name, tmp_path / "draft.yaml") is not Verdict.VIOLATED


@pytest.mark.parametrize("name", DESCRIBED)
def test_one_more_destination_contradicts_the_draft(name: str) -> None:
    path = str(CAPTURES / DESCRIBED[name]["capture"])
    case = audit_capture(path, local=own(name)).case
    allow = drafted(case).allow
    stranger = contact(NOT_SEEN, id=len(case.observations) + 1)
    more = replace(case, observations=(*case.observations, stranger))
    assert not findings(claiming(case, allow))
    assert [finding.rule for finding in findings(claiming(more, allow))] == ["EA001"]


def test_a_longer_capture_with_one_more_destination_contradicts_the_draft(tmp_path: Path) -> None:
    seen = [*exchange(US, ("10.0.0.1", 53), dns_query("a.example")), *session(US, (STRANGER, 443))]
    more = session((OURS, 40001), (NOT_SEEN, 443))
    verdicts = [judged(tmp_path, seen, frames) for frames in (seen, [*seen, *more])]
    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.VIOLATED]


def judged(folder: Path, drafted_from: list[Frame], replayed_with: list[Frame]) -> Verdict:
    first, second, profile = folder / "a.pcap", folder / "b.pcap", folder / "p.yaml"
    first.write_bytes(written(later(drafted_from)))
    second.write_bytes(written(later(replayed_with)))
    local = [parse_prefix(OURS)]
    profile.write_text(draft_profile(str(first), local=local), encoding="utf-8")
    return audit_capture(str(second), str(profile), local=local).audit.verdict


def test_the_same_capture_gives_the_same_draft() -> None:
    name = "law-names-disagree"
    assert draft_profile(str(CAPTURES / f"{name}.pcap"), local=own(name)) == draft_of(name)


def test_a_draft_tells_nothing_of_where_the_capture_lies(tmp_path: Path) -> None:
    copy = tmp_path / "hf-hubname.pcap"
    copy.write_bytes((CAPTURES / copy.name).read_bytes())
    assert draft_profile(str(copy), local=own("hf-hubname")) == draft_of("hf-hubname")


LABELS = st.lists(
    st.text(st.sampled_from("ab*#:-'\"\\ \n\t[]{}&!|>%@`,\x00\x1b\x7f"), min_size=1, max_size=12),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LABELS.map(".".join), min_size=1, max_size=3))
def test_whatever_is_asked_for_the_draft_can_be_used_and_allows_nothing_else(
    hosts: list[str],
) -> None:
    frames = [
        frame
        for host in hosts
        for frame in udp_exchange(US, ("10.0.0.1", 53), dns_query(host), link=raw)
    ]
    local = [parse_prefix(OURS)]
    with TemporaryDirectory() as folder:
        capture, profile = Path(folder, "a.pcap"), Path(folder, "p.yaml")
        capture.write_bytes(written(later(frames)))
        text = draft_profile(str(capture), local=local)
        profile.write_text(text, encoding="utf-8")
        audit = audit_capture(str(capture), str(profile), local=local).audit
    told = "contradicts the draft all the same" in text
    assert (audit.verdict is Verdict.VIOLATED) is told
    assert set(audit.claim.allow.hosts) <= {host.lower() for host in hosts}
    assert not audit.claim.allow.everything


def test_a_name_of_control_characters_stays_what_it_is(tmp_path: Path) -> None:
    question = dns_query("a\n- b.example")
    frames = udp_exchange(US, ("10.0.0.1", 53), question, link=raw)
    assert judged(tmp_path, later(frames), later(frames)) is Verdict.VIOLATED
    text = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert "contradicts the draft all the same" in text
    assert "hosts:" not in text
