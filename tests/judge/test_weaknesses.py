"""What makes a claim weak, each with the claim beside it that is not."""

from pathlib import Path

import pytest

from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.judge.weaknesses import weaknesses
from egress_audit.model.profile import Weakness

STRONG = """\
name: strong
statement: It stays.
source: its manual
allow: {scopes: [loopback]}
inbound: report
require: {whole_run: true, probes: true, phases: [run], observe: 60s}
holds_means: this
holds_does_not_mean: that
"""


def found(folder: Path, text: str) -> tuple[Weakness, ...]:
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    return weaknesses(read_profile(str(folder / "p.yaml")))


def replaced(line: str, by: str) -> str:
    assert f"{line}\n" in STRONG
    return STRONG.replace(f"{line}\n", f"{by}\n" if by else "")


def test_a_strong_claim_has_none(tmp_path: Path) -> None:
    assert found(tmp_path, STRONG) == ()


ALLOW = "allow: {scopes: [loopback]}"
REQUIRE = "require: {whole_run: true, probes: true, phases: [run], observe: 60s}"


@pytest.mark.parametrize(
    ("line", "by", "said"),
    [
        (REQUIRE, "require: {observe: 60s}", "a program that did nothing"),
        (REQUIRE, "require: {phases: [run]}", "no time of watching"),
        (REQUIRE, "require: {phases: [run], observe: 1s, whole_run: false}", "need not cover"),
        (REQUIRE, "require: {phases: [run], observe: 1s, probes: false}", "no probe packet"),
        (ALLOW, "allow: {scopes: [any]}", "no capture could contradict"),
        (ALLOW, "allow: {scopes: [global], hosts: [a.b]}", "the whole internet"),
        (ALLOW, "allow: {prefixes: [64.0.0.0/7]}", "more than any one operator"),
        (ALLOW, "allow: {prefixes: ['2000::/15']}", "more than any one operator"),
        (ALLOW, "allow: {scopes: [loopback], hosts: [a.b]}", "no resolver is"),
        (ALLOW, "allow: {endpoints: ['vendor:Ollama']}", "no resolver is"),
        (ALLOW, "allow: {scopes: [lan], endpoints: ['purpose:tunnel']}", "whatever they are sent"),
        ("inbound: report", "inbound: allow", "nobody is told"),
        ("source: its manual", "", "where the sentence stands"),
        ("holds_means: this", "", "what HOLDS would mean"),
        ("holds_does_not_mean: that", "", "leave open"),
    ],
)
def test_what_is_weak_is_said_once_and_with_a_remedy(
    tmp_path: Path, line: str, by: str, said: str
) -> None:
    (weakness,) = found(tmp_path, replaced(line, by))
    assert said in weakness.what
    assert weakness.remedy


@pytest.mark.parametrize(
    "allow",
    [
        "allow: {scopes: [lan], hosts: [a.b]}",
        "allow: {hosts: [a.b], prefixes: [192.0.2.53]}",
        "allow: {prefixes: [64.0.0.0/8, '2000::/16']}",
    ],
)
def test_what_only_looks_alike_is_not_weak(tmp_path: Path, allow: str) -> None:
    assert found(tmp_path, replaced(ALLOW, allow)) == ()


def test_everything_but_what_is_denied_is_not_weak(tmp_path: Path) -> None:
    denies = "allow: {scopes: [any]}\ndeny: {located: [CN]}"
    assert found(tmp_path, replaced(ALLOW, denies)) == ()


def test_a_weakness_has_the_line_of_its_key_or_the_file_if_it_is_not_set(tmp_path: Path) -> None:
    (set_weak,) = found(tmp_path, replaced("inbound: report", "inbound: allow"))
    assert set_weak.where == f"{tmp_path / 'p.yaml'}:5"
    (left_out,) = found(tmp_path, replaced("source: its manual", ""))
    assert left_out.where == str(tmp_path / "p.yaml")


@pytest.mark.parametrize("name", ["offline", "no-china"])
def test_the_plain_claims_are_not_weak(name: str) -> None:
    assert name in profile_names()
    assert weaknesses(read_profile(name)) == ()


WORDS = "statement: It stays near.\nholds_means: this\n"


@pytest.mark.parametrize(
    ("child", "said"),
    [
        ("allow: {scopes: [lan]}\n", ["`statement`", "`holds_means`"]),
        ("deny: {located: [CN]}\nstatement: It stays near.\n", ["`holds_means`"]),
        (f"allow: {{scopes: [lan]}}\n{WORDS}", []),
        ("require: {observe: 5m}\n", []),
    ],
)
def test_a_sentence_that_was_taken_over_is_of_what_another_file_allows(
    tmp_path: Path, child: str, said: list[str]
) -> None:
    (tmp_path / "base.yaml").write_text(STRONG, encoding="utf-8")
    weak = found(tmp_path, f"name: child\nextends: ./base.yaml\n{child}")
    assert [one.what.partition(" ")[0] for one in weak] == said
    assert all(one.where == f"{tmp_path / 'p.yaml'}:3" for one in weak)
