"""What `allow.endpoints` allows: places, or uses of them by who is known to call."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.judge.grants import Grant, grant, speaking_labels
from egress_audit.model.catalogue import Entry, Purpose
from egress_audit.model.destination import Absent
from tests.builders.endpoints import entry
from tests.builders.runs import owner, process

HOST = "api.acme.example"
NEWS = entry("acme-news", "update-check", hosts=(HOST,))
STATS = entry("acme-stats", hosts=(HOST,))
OF_ACMED = entry("acme-daemon", "update-check", hosts=(HOST,), processes=("acmed",))
ANYBODY = entry(
    "anybody", "tunnel", vendor="unknown owner", product="anything", hosts=(HOST,), labels_only=True
)
AROUND = entry(
    "around", "tunnel", vendor="unknown owner", product="any", hosts=("*.acme.example",),
    labels_only=True,
)  # fmt: skip
NOBODY = Absent.NOT_APPLICABLE
BY_ID = ("acme-news",)
BY_VENDOR, BY_PRODUCT = ("vendor:Acme",), ("product:Acme server",)
BY_PURPOSE = ("purpose:update-check",)


def granted(words: tuple[str, ...], *entries: Entry, caller: Any = NOBODY) -> str:
    return grant(HOST, entries, words, caller).name


@pytest.mark.parametrize("words", [BY_ID, BY_VENDOR, BY_PRODUCT, BY_PURPOSE])
def test_each_kind_of_word_grants_an_entry(words: tuple[str, ...]) -> None:
    assert granted(words, NEWS) == "YES"


@pytest.mark.parametrize("words", [(), ("acme-stats",), ("purpose:telemetry",), ("vendor:acme",)])
def test_no_other_word_does(words: tuple[str, ...]) -> None:
    assert granted(words, NEWS) == "NO"


def test_nothing_is_granted_that_no_entry_knows() -> None:
    assert granted(BY_PURPOSE) == "NO"
    assert granted(("purpose:tunnel", "anybody"), ANYBODY) == "NO"


def test_all_that_it_may_be_has_to_be_granted() -> None:
    assert granted(BY_PURPOSE, NEWS, STATS) == "NO"
    assert granted((*BY_PURPOSE, "acme-stats"), NEWS, STATS) == "YES"


# Labels


@pytest.mark.parametrize("words", [BY_VENDOR, BY_PRODUCT, BY_PURPOSE])
def test_a_place_of_anybodys_is_no_proof_of_a_vendor_product_or_purpose(
    words: tuple[str, ...],
) -> None:
    assert granted(words, NEWS, ANYBODY) == "NO"


def test_an_id_means_the_place_whoever_else_uses_it() -> None:
    assert granted(BY_ID, NEWS, ANYBODY) == "YES"


def test_an_id_of_one_and_the_purpose_of_another_mean_no_place() -> None:
    assert granted(("acme-stats", *BY_PURPOSE), NEWS, STATS, ANYBODY) == "NO"


@pytest.mark.parametrize("word", ["purpose:tunnel", "anybody", "vendor:unknown owner"])
def test_who_allows_the_label_too_means_it(word: str) -> None:
    assert granted((*BY_PURPOSE, word), NEWS, ANYBODY) == "YES"


def test_a_label_with_the_same_purpose_says_nothing_against_it() -> None:
    same = entry("acme-more", "update-check", hosts=(HOST,), labels_only=True)
    assert granted(BY_PURPOSE, NEWS, same) == "YES"


def test_what_is_said_of_all_names_around_it_says_nothing_of_one_that_is_known() -> None:
    assert speaking_labels(HOST, (NEWS, AROUND)) == []
    assert granted(BY_PURPOSE, NEWS, AROUND) == "YES"


@pytest.mark.parametrize("pattern", ["*.acme.example", "/^[a-z]+.acme.example$/"])
def test_it_does_where_the_entry_knows_no_more_than_a_pattern(pattern: str) -> None:
    wide = entry("acme-wide", "update-check", hosts=(pattern,))
    assert speaking_labels(HOST, (wide, AROUND)) == [AROUND]
    assert granted(BY_PURPOSE, wide, AROUND) == "NO"


@pytest.mark.parametrize("name", ["API.ACME.EXAMPLE", "api.acme.example."])
def test_a_name_is_the_same_in_capitals_and_with_a_last_dot(name: str) -> None:
    assert grant(name, (NEWS, AROUND), BY_PURPOSE, NOBODY) is Grant.YES


@pytest.mark.parametrize("words", [BY_ID, BY_PURPOSE])
def test_nor_does_what_its_own_vendor_has_for_all_names_around(words: tuple[str, ...]) -> None:
    around = entry("acme-all", "model-download", hosts=("*.acme.example",))
    assert granted(words, NEWS, around) == "YES"
    assert granted(("acme-all",), NEWS, around) == "NO"
    assert granted(words, NEWS, replace(around, vendor="Other")) == "NO"
    assert granted(words, NEWS, replace(around, hosts=(HOST,))) == "NO"


# Versions


def test_a_purpose_of_some_versions_excuses_none() -> None:
    some = entry("acme-some", "update-check", hosts=(HOST,), versions=">=2")
    assert granted(BY_PURPOSE, some) == "NO"
    assert granted(("acme-some",), some) == "YES"
    assert granted(BY_VENDOR, some) == "YES"


# Callers


@pytest.mark.parametrize("words", [BY_PRODUCT, BY_PURPOSE])
def test_a_use_is_that_of_the_programs_that_are_known(words: tuple[str, ...]) -> None:
    assert granted(words, OF_ACMED, caller=owner(exe="/opt/acmed")) == "YES"
    assert granted(words, OF_ACMED, caller=owner(exe="/usr/bin/curl")) == "NO"


@pytest.mark.parametrize("words", [("acme-daemon",), BY_VENDOR])
def test_a_place_may_be_called_by_any(words: tuple[str, ...]) -> None:
    assert granted(words, OF_ACMED, caller=owner(exe="/usr/bin/curl")) == "YES"


def test_a_use_that_names_no_program_is_of_any() -> None:
    assert granted(BY_PURPOSE, OF_ACMED, NEWS, caller=owner(exe="/usr/bin/curl")) == "YES"


def test_where_nobody_knows_who_called_none_is_another() -> None:
    assert granted(BY_PURPOSE, OF_ACMED) == "YES"


@pytest.mark.parametrize(
    ("exe", "cmdline", "answer"),
    [
        ("/usr/bin/python3", "python3 app.py", "CALLER_UNKNOWN"),
        ("/usr/bin/python3", "python3 -m acmed", "YES"),
        ("/usr/bin/python3", "python3 /opt/bin/acmed", "YES"),
        ("/usr/bin/curl", "acmed", "CALLER_UNKNOWN"),
        ("/usr/bin/curl", Absent.NOT_FOUND, "NO"),
    ],
)
def test_what_an_interpreter_runs_is_known_by_its_script_alone(
    exe: str, cmdline: str | Absent, answer: str
) -> None:
    assert granted(BY_PURPOSE, OF_ACMED, caller=owner(exe=exe, cmdline=cmdline)) == answer


def test_a_process_is_a_caller_as_an_owner_is() -> None:
    assert granted(BY_PURPOSE, OF_ACMED, caller=process(exe="/opt/acmed")) == "YES"


def test_every_purpose_can_be_named() -> None:
    for purpose in Purpose:
        assert granted((f"purpose:{purpose}",), entry("a", purpose, hosts=(HOST,))) == "YES"
