"""YAML as a tree with lines, and what is refused before anything is built from it."""

import pytest

from egress_audit.errors import ProfileInvalid
from egress_audit.judge.profile_yaml import MAX_DEPTH, Listing, Table, Word, table_of


def refusal(text: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        table_of(text, "p.yaml")
    return str(caught.value)


def test_every_value_knows_its_line() -> None:
    table = table_of("a: 1\nb:\n  - x\n  - {c: y}\n", "p.yaml")
    listing = table.entries["b"]
    assert isinstance(listing, Listing)
    assert [item.where for item in listing.items] == ["p.yaml:3", "p.yaml:4"]
    assert isinstance(listing.items[1], Table)
    assert table.key_places == {"a": "p.yaml:1", "b": "p.yaml:2"}


def test_norway_stays_norway() -> None:
    assert table_of("a: NO", "p").entries["a"] == Word("p:1", "NO", "bool")


def test_a_key_twice_is_refused_at_its_second_place() -> None:
    assert refusal("a: 1\nb: 2\na: 3\n") == "p.yaml:3: `a` stands here a second time"


def test_the_same_key_in_two_mappings_is_no_duplicate() -> None:
    assert set(table_of("a: {x: 1}\nb: {x: 2}\n", "p").entries) == {"a", "b"}


def test_a_key_that_is_a_list_is_refused() -> None:
    assert refusal("? [a]\n: 1\n") == "p.yaml:1: a key must be a word"


def test_an_alias_is_refused() -> None:
    assert refusal("a: &x [1]\nb: *x\n").startswith("p.yaml:2: alias *x")


def test_a_billion_laughs_are_refused_at_the_first() -> None:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert refusal("\n".join(lines)).startswith("p.yaml:2: alias *a0")


def test_nesting_up_to_the_bound_is_read() -> None:
    lists = MAX_DEPTH - 1
    assert table_of(f"a: {'[' * lists}{']' * lists}", "p").entries


def test_nesting_past_the_bound_is_refused() -> None:
    assert "nested deeper than 10" in refusal(f"a: {'[' * 100_000}")


def test_two_documents_are_refused() -> None:
    assert "expected a single document" in refusal("a: 1\n---\nb: 2\n")


@pytest.mark.parametrize("text", ["- a\n", "a\n"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert refusal(text) == "p.yaml:1: a profile is a mapping of keys to values"


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert refusal(text) == "p.yaml: the profile is empty"


def test_broken_yaml_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb: [1\nc: 2\n").startswith("p.yaml:3: no YAML: ")


def test_a_control_character_is_refused() -> None:
    assert refusal("a: \0").startswith("p.yaml: no YAML: ")


def test_a_tag_builds_no_object() -> None:
    item = table_of("a: !!python/object/apply:os.system [id]", "p").entries["a"]
    assert isinstance(item, Listing)
