"""Manifests: what they must say, and nothing that they say is believed beyond its bounds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.errors import ListUnreadable
from egress_audit.update.manifest import MOST_LIST_OCTETS, manifest_of

GOOD: dict[str, Any] = {
    "file": "operators.csv",
    "name": "operators",
    "date": "2026-11-21",
    "licence": "CC-BY-4.0",
    "attribution": "nobody",
    "size": 10,
    "sha256": "0" * 64,
}


def text(*entries: object, number: object = 1) -> bytes:
    return json.dumps({"egress_audit_lists": number, "lists": list(entries)}).encode()


def test_a_list_is_offered_with_its_size_and_hash() -> None:
    more = {"rows": 3, "origin": [{"from": "Ω"}]}
    (one,) = manifest_of(text(GOOD | more), "here")
    assert (one.file, one.size, one.sha256, one.date) == (
        "operators.csv", 10, "0" * 64, "2026-11-21",
    )  # fmt: skip
    assert not one.is_packed
    assert one.entry == GOOD | more


def test_a_packed_list_is_fetched_as_its_gzip() -> None:
    (one,) = manifest_of(text(GOOD | {"packed": "operators.csv.gz", "packed_size": 5}), "here")
    assert (one.fetched, one.fetched_size, one.is_packed) == ("operators.csv.gz", 5, True)
    assert one.entry == GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../operators.csv"},
        {"file": "/etc/passwd"},
        {"file": "unheard-of.csv"},
        {"file": 7},
        {"file": ["operators.csv"]},
        {"sha256": "0" * 63},
        {"sha256": "G" * 64},
        {"size": 0},
        {"size": -1},
        {"size": True},
        {"size": "10"},
        {"size": MOST_LIST_OCTETS + 1},
        {"date": "yesterday"},
        {"date": "20261121"},
        {"date": "2026-W47-6"},
        {"date": None},
        {"licence": 7},
        {"packed": "../x.gz", "packed_size": 5},
        {"packed": "operators.csv.gz"},
        {"origin": 5},
        {"origin": "text"},
        {"origin": ["text"]},
        {"rows": "many"},
        {"attribution": "\ud800"},
        {"version": ["\ud800"]},
    ],
    ids=str,
)
def test_a_list_that_says_it_otherwise_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ListUnreadable) as raised:
        manifest_of(text(GOOD | change), "here")
    assert raised.value.where == "here"
    assert raised.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, text(), text(7), text(GOOD, GOOD), text(number=2)],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ListUnreadable):
        manifest_of(content, "here")


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x), max_leaves=5))
def test_no_value_crashes_the_reader(value: object) -> None:
    for key in GOOD:
        try:
            manifest_of(text(GOOD | {key: value}), "here")
        except ListUnreadable:
            continue
