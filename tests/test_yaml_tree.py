"""YAML as a tree with lines, and what is refused before anything is built from it."""

from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError, ProfileInvalid
from egress_audit.yaml_tree import (
    MAX_BYTES,
    MAX_DEPTH,
    Listing,
    Table,
    Word,
    refused,
    table_of,
    text_of,
    yaml_files,
)


def refusal(text: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        table_of(text, "p.yaml", ProfileInvalid)
    return str(caught.value)


def test_every_value_knows_its_line() -> None:
    table = table_of("a: 1\nb:\n  - x\n  - {c: y}\n", "p.yaml", ProfileInvalid)
    listing = table.entries["b"]
    assert isinstance(listing, Listing)
    assert [item.where for item in listing.items] == ["p.yaml:3", "p.yaml:4"]
    assert isinstance(listing.items[1], Table)
    assert table.key_places == {"a": "p.yaml:1", "b": "p.yaml:2"}


def test_norway_stays_norway() -> None:
    assert table_of("a: NO", "p", ProfileInvalid).entries["a"] == Word("p:1", "NO", "bool")


def test_a_key_twice_is_refused_at_its_second_place() -> None:
    assert refusal("a: 1\nb: 2\na: 3\n") == (
        "p.yaml:3: `a` stands here a second time (leave one of them out)"
    )


def test_the_same_key_in_two_mappings_is_no_duplicate() -> None:
    assert set(table_of("a: {x: 1}\nb: {x: 2}\n", "p", ProfileInvalid).entries) == {"a", "b"}


def test_a_key_that_is_a_list_is_refused() -> None:
    assert refusal("? [a]\n: 1\n") == "p.yaml:1: a key must be a word (write `key: value`)"


def test_an_alias_is_refused() -> None:
    assert refusal("a: &x [1]\nb: *x\n").startswith("p.yaml:2: alias *x")


def test_a_billion_laughs_are_refused_at_the_first() -> None:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert refusal("\n".join(lines)).startswith("p.yaml:2: alias *a0")


def test_nesting_up_to_the_bound_is_read() -> None:
    lists = MAX_DEPTH - 1
    assert table_of(f"a: {'[' * lists}{']' * lists}", "p", ProfileInvalid).entries


def test_nesting_past_the_bound_is_refused() -> None:
    assert "nested deeper than 10" in refusal(f"a: {'[' * 100_000}")


def test_two_documents_are_refused() -> None:
    assert "expected a single document" in refusal("a: 1\n---\nb: 2\n")


@pytest.mark.parametrize("text", ["- a\n", "a\n"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert refusal(text) == (
        "p.yaml:1: the file must be a mapping of keys to values (write `key: value`)"
    )


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert refusal(text) == "p.yaml:1: the file is empty (write `key: value`)"


def test_broken_yaml_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb: [1\nc: 2\n").startswith("p.yaml:3: no YAML: ")


def test_a_control_character_is_refused() -> None:
    assert refusal("a: \0").startswith("p.yaml: no YAML: ")


def test_a_tag_builds_no_object() -> None:
    item = table_of("a: !!python/object/apply:os.system [id]", "p", ProfileInvalid).entries["a"]
    assert isinstance(item, Listing)


class Other(EgressAuditError):
    """Of another kind of file."""


def test_what_is_refused_is_an_error_of_the_kind_of_file_that_is_read() -> None:
    table = table_of("a: [1]\nb: {c: 1}", "o", Other)
    items = [table, *table.entries.values()]
    assert [type(refused(item, "no")) for item in items] == [Other, Other, Other]
    with pytest.raises(Other):
        table_of("[", "o", Other)


def test_a_file_without_a_reader_is_refused_with_its_hint(tmp_path: Path) -> None:
    with pytest.raises(Other, match=r"cannot be read: no such file.*\(look around\)"):
        text_of(tmp_path / "missing", Other, "look around")


def test_a_file_too_long_is_refused_and_one_as_long_as_may_be_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(text_of(path, Other)) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(Other, match="at most 256 KiB"):
        text_of(path, Other)


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: 1\nb: \xfc".encode("latin-1"))
    with pytest.raises(Other, match="yaml:2: not UTF-8"):
        text_of(path, Other)


def test_the_files_of_a_folder_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    two, one = tmp_path / "2.yml", tmp_path / "1.yaml"
    for path in (two, one, tmp_path / "0.txt"):
        path.write_text("", encoding="utf-8")
    assert yaml_files([tmp_path, one], ProfileInvalid) == [one, two]


def test_folders_below_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.yaml").write_text("", encoding="utf-8")
    with pytest.raises(ProfileInvalid, match=r"holds no \.yaml file"):
        yaml_files([tmp_path], ProfileInvalid)
