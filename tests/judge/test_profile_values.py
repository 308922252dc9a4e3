"""The readers of single values that profiles alone hold: what each takes, and what it refuses."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from egress_audit import yaml_values
from egress_audit.errors import ProfileInvalid
from egress_audit.judge import profile_values as read
from egress_audit.yaml_tree import Item, table_of

Reader = Callable[[Item], object]


def value(reader: Reader, text: str) -> object:
    return reader(table_of(f"key: {text}", "p", ProfileInvalid).entries["key"])


def refusal(reader: Reader, text: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        value(reader, text)
    return str(caught.value)


@pytest.mark.parametrize("word", ["simulated", "name"])
def test_a_scope_that_only_the_tool_gives_out_is_no_word_for_profiles(word: str) -> None:
    assert word not in read.SCOPE_WORDS
    assert {"any", "loopback", "metadata-service"} <= set(read.SCOPE_WORDS)


def test_categories_are_those_of_the_operator_table() -> None:
    table = Path(read.__file__).parent.parent / "lists" / "operators.csv"
    with table.open(encoding="utf-8", newline="") as file:
        assert {row["category"] for row in csv.DictReader(file)} == set(read.CATEGORIES)


@pytest.mark.parametrize("pattern", ["example.org", "*.example.org", "localhost", "_x.a-b.io"])
def test_a_host_is_exact_or_a_suffix(pattern: str) -> None:
    assert value(read.allowed_host, f"'{pattern}'") == pattern


def test_a_whole_top_level_domain_can_be_denied_but_not_allowed() -> None:
    assert value(yaml_values.host, "'*.cn'") == "*.cn"
    assert "a whole top-level domain" in refusal(read.allowed_host, "'*.com'")


@pytest.mark.parametrize("text", ["0.0.0.0/0", "'::/0'"])
def test_a_prefix_that_covers_everything_is_refused(text: str) -> None:
    assert "covers every address" in refusal(read.prefix, text)


def test_what_needs_the_catalogue_must_be_empty() -> None:
    assert value(read.nothing_yet, "[]") == ()
    assert "needs the endpoint catalogue, which this version does not carry" in refusal(
        read.nothing_yet, "[telemetry]"
    )
