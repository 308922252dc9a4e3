"""The manual is made from the tables, or held to them: rules, blind spots, assertions, profiles."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from egress_audit.addresses import Scope
from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.errors import ExitCode
from egress_audit.judge.assertions import WORDS
from egress_audit.judge.blind_spots import Spot
from egress_audit.judge.profile import load_profile, profile_names
from egress_audit.judge.profile_schema import KEYS
from egress_audit.judge.profile_values import SCOPE_WORDS
from egress_audit.judge.rules import RULES
from egress_audit.judge.verdict import BLIND_SPOTS
from egress_audit.model.audit import Verdict
from egress_audit.model.catalogue import Purpose

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES: dict[str, Callable[[], str]] = runpy.run_path(str(ROOT / "scripts" / "write_docs.py"))[
    "PAGES"
]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of every table row by the words of its first cell that are code."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found |= dict.fromkeys(re.findall("`([^`]+)`", first), cells)
    return found


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as they are made on the web."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_script_writes(name: str) -> None:
    assert page(name) == PAGES[name](), "run scripts/write_docs.py"


@pytest.mark.parametrize("spot", BLIND_SPOTS, ids=lambda spot: spot.id)
def test_the_sentence_of_a_blind_spot_is_whole_without_those_that_it_is_about(spot: Spot) -> None:
    left = spot.text.replace(" ({what})", "").removesuffix("{what}")
    assert "{what}" not in left


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_that_is_made_has_a_hole(name: str) -> None:
    assert not re.findall(r".* [,.;:](?: .*|$)|.* \(\).*", PAGES[name](), re.MULTILINE)


def test_every_rule_has_an_anchor() -> None:
    assert {rule.id.lower() for rule in RULES} <= anchors(page("rules.md"))


def test_every_blind_spot_has_an_anchor() -> None:
    assert {spot.id for spot in BLIND_SPOTS} <= anchors(page("blind-spots.md"))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_of_the_manual_leads_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_verdicts_and_their_exit_codes_are_those_of_the_code() -> None:
    text = page("verdicts.md")
    for verdict in Verdict:
        assert f"| {verdict} | {int(verdict.exit_code)} |" in text
    for code in ExitCode:
        assert re.search(rf"\b{int(code)}\b", text)


def test_the_assertions_are_told_as_they_are_printed_and_lift_what_they_lift() -> None:
    told = rows(page("verdicts.md"))
    for word, meaning in WORDS.items():
        stated, lifts = told[word]
        assert stated == meaning
        assert lifts.rstrip(" |").split(", ") == [
            spot.id for spot in BLIND_SPOTS if spot.lifted_by == word
        ]


def test_the_manual_tells_every_key_of_a_profile_and_no_other() -> None:
    table = page("profiles.md").partition("| key |")[2].partition("| scope |")[0]
    assert set(rows(table)) == set(KEYS)


def test_the_manual_tells_every_scope_of_a_profile() -> None:
    table = page("profiles.md").partition("| scope |")[2].partition("| purpose |")[0]
    assert set(rows(table)) == set(SCOPE_WORDS) - {"any"}
    assert set(rows(table)) <= set(Scope)


def test_the_manual_tells_every_purpose_of_an_endpoint() -> None:
    table = page("profiles.md").partition("| purpose |")[2]
    assert set(rows(table)) == set(Purpose)


def test_the_example_of_a_profile_is_one(tmp_path: Path) -> None:
    example = page("profiles.md").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "hub-only.yaml").write_text(example, encoding="utf-8")
    claim = load_profile(str(tmp_path / "hub-only.yaml"))
    assert claim.statement == yaml.safe_load(example)["statement"]
    assert claim.allow.hosts == ("example.org", "*.example.org")


def test_every_profile_and_every_endpoint_has_a_section() -> None:
    assert set(profile_names()) <= anchors(page("profiles.md"))
    told = anchors(page("catalogue.md"))
    assert {entry.id for entry in packaged_catalogue()} <= told


def test_every_vendor_is_reached_from_the_index_of_the_catalogue() -> None:
    index = page("catalogue.md").partition("## What it has")[2].partition("By purpose:")[0]
    reached = {link.removeprefix("#") for link in LINK.findall(index)}
    vendors = {entry.vendor for entry in packaged_catalogue()}
    assert len(reached & anchors(page("catalogue.md"))) == len(vendors)
