"""A claim in words says everything that its profile does."""

from pathlib import Path

import pytest

from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.judge.profile_schema import KEYS
from egress_audit.judge.profile_values import SCOPE_WORDS
from egress_audit.model.profile import ProfileKind
from egress_audit.report.claim_words import (
    KEY_MEANINGS,
    KIND_WORDS,
    SCOPE_MEANINGS,
    STRANGERS,
    claim_sections,
)

PROFILE = """\
name: n
statement: It calls home only.
kind: system
applies_to: {models: [Example-7B], runtimes: [example-server]}
scope: process-tree
allow: {scopes: [lan], hosts: [a.example.org], prefixes: [192.0.2.0/24]}
inbound: deny
require: {whole_run: false, phases: [generate, index], observe: 5m}
"""


def told(folder: Path, text: str = PROFILE) -> dict[str, str]:
    """What is said, by section and term."""
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    sections = claim_sections(read_profile(str(folder / "p.yaml")))
    return {
        f"{section.title}: {entry.term}": " ".join(entry.lines)
        for section in sections
        for entry in section.entries
    }


def test_every_scope_and_every_kind_has_its_words() -> None:
    assert set(SCOPE_MEANINGS) == set(SCOPE_WORDS)
    assert set(KIND_WORDS) == set(ProfileKind)


def test_every_list_of_the_schema_has_its_words_and_no_other() -> None:
    lists = {key for key in KEYS if key.startswith(("allow.", "deny."))}
    assert set(KEY_MEANINGS) == lists - {"allow.scopes"}


def test_what_is_allowed_is_told_with_what_it_means(tmp_path: Path) -> None:
    said = told(tmp_path)
    assert said["Allowed: lan"].startswith("private networks")
    assert said["Allowed: hosts"].startswith("a.example.org (a host counts if a DNS answer")
    assert said["Allowed: prefixes"].startswith("192.0.2.0/24 (")
    assert said["Allowed: from outside"].endswith("contradicts the claim")


def test_what_is_needed_is_told(tmp_path: Path) -> None:
    said = told(tmp_path)
    assert "Needed for HOLDS: Whole run" not in said
    assert "Needed for HOLDS: Probes" in said
    assert said["Needed for HOLDS: Phase generate"] == "an exercise gave what was expected of it"
    assert said["Needed for HOLDS: Phase index"] == "a word of its own"
    assert said["Needed for HOLDS: Watched"].startswith("at least 5")


def test_lists_are_needed_only_where_the_claim_asks_them(tmp_path: Path) -> None:
    assert "Needed for HOLDS: Lists" not in told(tmp_path)
    assert "Needed for HOLDS: Lists" in told(tmp_path, PROFILE + "deny: {located: [CN]}\n")


def test_a_claim_that_denies_nothing_says_so(tmp_path: Path) -> None:
    assert told(tmp_path)["Denied: nothing"] == "beyond what is not allowed"
    assert "Denied: nothing" not in told(tmp_path, PROFILE + "deny: {located: [CN]}\n")


def test_what_is_extended_is_put_in(tmp_path: Path) -> None:
    said = told(tmp_path, "name: mine\nextends: offline\n")
    assert "runs offline" in said["Claim: Sentence"]
    assert said["Allowed: loopback"] == "the machine itself"
    assert said["Claim: Extends"] == "offline"


def test_no_value_of_a_long_list_is_left_out(tmp_path: Path) -> None:
    hosts = [f"h{n}.example.org" for n in range(200)]
    said = told(tmp_path, f"name: n\nstatement: s\nallow: {{hosts: [{', '.join(hosts)}]}}\n")
    assert all(host in said["Allowed: hosts"] for host in hosts)


def test_a_question_is_told_with_what_would_answer_it(tmp_path: Path) -> None:
    asks = "questions:\n- {ask: 'Where does it go?', answer_by: located}\n"
    asks += "- {ask: 'Who reads it?', answer_by: cannot, text: Ask the maker.}\n"
    path = tmp_path / "p.yaml"
    path.write_text(PROFILE + asks, encoding="utf-8")
    (*_, beside) = claim_sections(read_profile(str(path)))
    assert [entry.lines for entry in beside.entries] == [
        ("Where does it go?", "Answered from what is observed (located)."),
        ("Who reads it?", "No capture can say. Ask the maker."),
    ]


@pytest.mark.parametrize("name", profile_names())
def test_a_packaged_profile_leaves_nothing_unsaid(name: str) -> None:
    for section in claim_sections(read_profile(name)):
        assert all(all(entry.lines) for entry in section.entries)
        assert "not stated" not in str(section)


def test_hosts_are_told_by_vendor_where_some_are_known() -> None:
    vendors = {"volces.com": "ByteDance (CN)", "*.volces.com": "ByteDance (CN)"}
    sections = claim_sections(read_profile("moonshot-hosted"), vendors)
    (denied,) = (section for section in sections if section.title == "Denied")
    assert denied.entries[0].lines[0] == "ByteDance (CN): volces.com, *.volces.com"
    (allowed,) = (section for section in sections if section.title == "Allowed")
    (hosts,) = (entry for entry in allowed.entries if entry.term == "hosts")
    assert hosts.lines[0].startswith(f"{STRANGERS}: moonshot.cn, ")


def test_any_beside_the_metadata_service_leaves_nothing_out(tmp_path: Path) -> None:
    both = told(tmp_path, "name: n\nstatement: s\nallow: {scopes: [any, metadata-service]}\n")
    alone = told(tmp_path, "name: n\nstatement: s\nallow: {scopes: [any]}\n")
    assert both["Allowed: any"] == "everything that is not denied"
    assert both["Allowed: metadata-service"].startswith("also a cloud's service")
    assert "but for a cloud's metadata service" in alone["Allowed: any"]
