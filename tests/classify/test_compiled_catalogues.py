"""A compiled catalogue from elsewhere is held to what is asked of YAML files."""

import json
from pathlib import Path
from typing import Any

import pytest

from egress_audit.classify.catalogue_files import COMPILED
from egress_audit.classify.catalogue_rows import compiled, row_of
from egress_audit.classify.compiled_catalogues import refuse_unfit
from egress_audit.errors import CatalogueInvalid
from tests.builders.catalogues import read_entry

FULL = read_entry(
    versions='">=1,<2"',
    prefixes="[192.0.2.0/24, '2001:db8::/32']",
    ports="[443/tcp]",
    first="9s",
    every="4h",
    switch_off='{how: QUIET=1, variables: {QUIET: "1"}, fails: [in 1.1]}',
    labels_only="true",
    note="in words",
)


def written(folder: Path, text: str) -> Path:
    path = folder / "catalogue.json"
    path.write_text(text, encoding="utf-8")
    return path


def rows_text(*rows: object) -> str:
    """Rows as the compiler writes them."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def refusal(folder: Path, *rows: object) -> str:
    with pytest.raises(CatalogueInvalid) as caught:
        refuse_unfit(written(folder, rows_text(*rows)))
    assert caught.value.where
    return str(caught.value).removeprefix(f"{folder}/")


def changed(**values: Any) -> dict[str, Any]:
    return {**row_of(read_entry()), **values}


def test_the_packaged_catalogue_would_be_taken() -> None:
    refuse_unfit(COMPILED)


def test_what_the_compiler_makes_is_taken(tmp_path: Path) -> None:
    refuse_unfit(written(tmp_path, compiled([FULL, read_entry(id="other", product="B")])))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"hosts": ["*.com"]}, "catalogue.json:2: `*.com` matches everything"),
        ({"hosts": ["*.github.io"], "example": "a.github.io"}, "customers of that platform"),
        ({"prefixes": ["0.0.0.0/0"]}, "is wider than /8"),
        ({"hosts": "stats.acme.example"}, "a list is wanted"),
        ({"hosts": ["/(a+)+\\.acme\\.example$/"]}, "not fit to be tried on names"),
        ({"example": "other.example"}, "is not matched by"),
        ({"purpose": "harmless"}, "`harmless` is not possible here"),
        ({"purpose": None}, "is not possible here"),
        ({"excuses": True}, "unknown key `excuses`"),
        ({"first_ns": 5}, "is not what the compiler makes"),
        ({"first_ns": "soon"}, "`soon` is no duration"),
        ({"ports": []}, "is not what the compiler makes"),
        ({"switch": {"how": "X", "variables": [["A", "1", "2"]]}}, "a mapping of names"),
        ({"trigger": [[[[[[[[[[["at start"]]]]]]]]]]]}, "lists in lists without end"),
    ],
)
def test_an_entry_that_a_file_could_not_have_is_refused(
    tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    assert says in refusal(tmp_path, changed(**values))


@pytest.mark.parametrize("key", ["vendor", "product", "purpose", "source", "example"])
def test_what_every_entry_has_is_missed(tmp_path: Path, key: str) -> None:
    row = changed()
    del row[key]
    assert f"`{key}` is missing" in refusal(tmp_path, row)


def test_entries_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    assert "catalogue.json:3: the id" in refusal(tmp_path, changed(), changed(product="B"))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "[" * 100_000, '[{"id": 1}]', json.dumps([row_of(read_entry())])],
)
def test_what_no_compiler_wrote_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CatalogueInvalid, match="made for another version"):
        refuse_unfit(written(tmp_path, text))


def test_a_key_that_stands_twice_hides_nothing(tmp_path: Path) -> None:
    text = compiled([read_entry()]).replace('{"id":', '{"id":"hidden","id":')
    with pytest.raises(CatalogueInvalid, match="is not what the compiler makes"):
        refuse_unfit(written(tmp_path, text))


def test_octets_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xff")
    with pytest.raises(CatalogueInvalid, match="cannot be read"):
        refuse_unfit(path)
