"""The readers of single values that profiles alone hold: what each takes, and what it refuses."""

import csv
from pathlib import Path

import pytest

import egress_audit.yaml_values as yaml_values
from egress_audit.judge import profile_values as read
from egress_audit.model.destination import role_of
from tests.builders.yaml_texts import refusal, value


@pytest.mark.parametrize("word", ["simulated", "name"])
def test_a_scope_that_only_the_tool_gives_out_is_no_word_for_profiles(word: str) -> None:
    assert word not in read.SCOPE_WORDS
    assert {"any", "loopback", "metadata-service"} <= set(read.SCOPE_WORDS)


def test_categories_are_those_of_the_operator_table() -> None:
    table = Path(read.__file__).parent.parent / "lists" / "operators.csv"
    with table.open(encoding="utf-8", newline="") as file:
        table_words = {row["category"] for row in csv.DictReader(file)}
    assert {role_of(word) for word in table_words} == set(read.CATEGORIES)


@pytest.mark.parametrize("word", ["cdn", "cdn-front"])
def test_both_words_for_a_cdn_are_the_role_of_its_addresses(word: str) -> None:
    assert value(read.category, word) == "cdn-front"


def test_a_category_that_no_operator_has_is_refused() -> None:
    assert "known: " in refusal(read.category, "origin")


@pytest.mark.parametrize("pattern", ["example.org", "*.example.org", "localhost", "_x.a-b.io"])
def test_a_host_is_exact_or_a_suffix(pattern: str) -> None:
    assert value(read.allowed_host, f"'{pattern}'") == pattern


def test_a_whole_top_level_domain_can_be_denied_but_not_allowed() -> None:
    assert value(yaml_values.host, "'*.cn'") == "*.cn"
    assert "a whole top-level domain" in refusal(read.allowed_host, "'*.com'")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("*.co.uk", "every domain that is sold below it"),
        ("*.github.io", "every customer of a platform"),
        ("*.amazonaws.com", "every customer of a platform"),
        ("*.vercel.app", "every customer of a platform"),
    ],
)
def test_names_that_anybody_gets_can_be_denied_but_not_allowed(pattern: str, why: str) -> None:
    assert value(yaml_values.host, f"'{pattern}'") == pattern
    assert why in refusal(read.allowed_host, f"'{pattern}'")


@pytest.mark.parametrize("pattern", ["*.example.co.uk", "acme.github.io", "*.acme.github.io"])
def test_a_name_below_such_a_suffix_is_allowed(pattern: str) -> None:
    assert value(read.allowed_host, f"'{pattern}'") == pattern


@pytest.mark.parametrize("text", ["0.0.0.0/0", "'::/0'"])
def test_a_prefix_that_covers_everything_is_refused(text: str) -> None:
    assert "covers every address" in refusal(read.prefix, text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ollama-update", "ollama-update"),
        ("'vendor: Hugging Face'", "vendor:Hugging Face"),
        ("product:Ollama server", "product:Ollama server"),
        ("purpose:update-check", "purpose:update-check"),
    ],
)
def test_an_endpoint_is_an_entry_or_all_of_a_vendor_or_product(text: str, word: str) -> None:
    assert value(read.endpoint, text) == read.Placed(word, "")


@pytest.mark.parametrize("text", ["Ollama", "owner:Ollama", "'vendor:'", "a.example.org"])
def test_what_can_name_no_entry_of_the_catalogue_is_refused(text: str) -> None:
    assert f"`{text.strip(chr(39))}` is no entry of the catalogue" in refusal(read.endpoint, text)


def test_an_endpoint_remembers_its_line() -> None:
    placed = value(read.endpoint, "ollama-update")
    assert isinstance(placed, read.Placed)
    assert placed.where.endswith(":1")


def test_the_same_endpoint_twice_is_refused() -> None:
    assert "`a` stands here a second time" in refusal(yaml_values.each(read.endpoint), "[a, a]")


def test_an_unknown_purpose_of_endpoints_is_refused_with_the_nearest() -> None:
    told = refusal(read.endpoint, "purpose:updates-check")
    assert "`updates-check` is no purpose (did you mean `update-check`?)" in told
