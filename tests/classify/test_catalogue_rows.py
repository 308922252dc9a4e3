"""Entries as rows, and back."""

import json

import pytest

from egress_audit.classify.catalogue_rows import compiled, entry_of, row_of, rows_in
from egress_audit.model.catalogue import Entry
from tests.builders.catalogues import read_entry

FULL = read_entry(
    versions='">=1,<2"',
    seen_in='["1.4.2"]',
    hosts='["*.a.example", "b.example"]',
    prefixes="[192.0.2.0/24, '2001:db8::/32']",
    ports="[443/tcp]",
    trigger="at start",
    first="9s",
    every="4h",
    phases="[start]",
    processes="[acme]",
    sends="a name",
    switch_off='{how: QUIET=1, variables: {QUIET: "1"}, fails: [in 1.1]}',
    stamps="[~/.acme]",
    example="b.example",
    labels_only="true",
)


PROBE = read_entry(
    hosts="", prefixes="[192.0.2.0/24]", example="192.0.2.1", sends="nothing", packetless="true"
)


@pytest.mark.parametrize(
    "entry", [FULL, PROBE, read_entry(), read_entry(switch_off="{how: not at all}")]
)
def test_an_entry_survives_being_a_row_of_json(entry: Entry) -> None:
    assert entry_of(json.loads(json.dumps(row_of(entry)))) == entry
    assert [entry_of(row) for row in rows_in(compiled([entry]))] == [entry]


def test_a_row_leaves_out_what_is_as_it_is_by_default() -> None:
    assert "ports" not in row_of(read_entry())
    assert "switch" not in row_of(read_entry())


def test_the_same_entries_make_the_same_bytes_in_any_order() -> None:
    one, other = read_entry(id="a"), read_entry(id="b")
    assert compiled([one, other]) == compiled([other, one])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"vendor": "x"}]', "[", b"\xff"])
def test_what_is_no_list_of_rows_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        rows_in(text)
