"""Which versions of a product are known for a sender."""

from typing import Any

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Role
from egress_audit.model.versions import ProductVersion
from egress_audit.product_versions import (
    MOST_ALIKE,
    KnownVersions,
    is_same_version,
    product_name,
    speaks_of,
)
from tests.builders.endpoints import entry
from tests.builders.runs import process, ran, run

RUNTIME = entry("ort", product="onnxruntime", processes=("onnxruntime", "chromadb"))
SERVER = entry("ollama", product="Ollama server", processes=("ollama",))
PYTHON, OTHER = "/usr/bin/python3", "/usr/bin/other"
RUN = run(processes=(process(2, exe=PYTHON), process(3, exe=OTHER), process(4, exe=PYTHON)))


def of(*known: ProductVersion, entry: Any = RUNTIME, exe: str = PYTHON) -> list[str]:
    return [str(one.version) for one in KnownVersions(known, RUN).of(entry, exe)]


def test_what_was_seen_in_the_sender_is_known_of_it() -> None:
    assert of(ran("onnxruntime", "1.20")) == ["1.20"]


def test_what_was_seen_in_another_program_is_not_known_of_the_sender() -> None:
    assert of(ran("onnxruntime", "1.20"), exe=OTHER) == []


def test_every_process_of_the_same_executable_counts() -> None:
    assert of(ran("onnxruntime", "1.20"), ran("onnxruntime", "1.31", processes=(4,))) == [
        "1.20", "1.31",
    ]  # fmt: skip


def test_a_distribution_of_another_name_is_known_by_its_module() -> None:
    assert of(ran("onnxruntime-gpu", "1.20", modules=("onnxruntime",))) == ["1.20"]


def test_a_program_that_brings_the_product_along_has_versions_of_its_own() -> None:
    assert of(ran("chromadb", "0.4")) == []


def test_the_first_words_of_a_product_are_enough_where_they_are_its_program() -> None:
    assert of(ran("ollama", "0.29", "stated"), entry=SERVER, exe="/usr/bin/ollama") == ["0.29"]
    assert of(ran("Ollama", "0.29", "stated"), entry=entry(product="Ollama server")) == []


def test_what_is_stated_is_known_of_any_sender() -> None:
    assert of(ran("onnxruntime", "1.20", "stated"), exe="") == ["1.20"]


def test_what_was_seen_goes_before_what_is_stated() -> None:
    assert of(ran("onnxruntime", "1.20", "stated"), ran("onnxruntime", "1.31")) == ["1.31"]


def test_a_product_without_a_version_is_seen_and_not_known() -> None:
    assert of(ran("onnxruntime")) == [str(Absent.NOT_FOUND)]


def test_only_what_the_recorder_saw_is_seen() -> None:
    assert KnownVersions((ran("onnxruntime"),), RUN).are_seen(RUNTIME)
    assert not KnownVersions((ran("onnxruntime", "1.20", "stated"),), RUN).are_seen(RUNTIME)
    assert not KnownVersions((ran("numpy"),), RUN).are_seen(RUNTIME)


def test_nothing_is_known_of_nothing() -> None:
    assert not KnownVersions()
    assert of() == []


def test_a_record_of_more_versions_than_anybody_has_tells_none() -> None:
    rows = [ran("onnxruntime", f"1.{number}") for number in range(MOST_ALIKE + 1)]
    assert len(of(*rows[:-1])) == MOST_ALIKE
    assert of(*rows) == []


def test_what_only_a_helper_of_ours_loaded_was_not_seen_in_the_program() -> None:
    helped = run(processes=(process(2, Role.EXERCISER),))
    assert not KnownVersions((ran("onnxruntime"),), helped).are_seen(RUNTIME)


@pytest.mark.parametrize("text", ["LM Studio", "lm_studio", " lm.studio", "LM-Studio"])
def test_products_are_compared_without_their_spelling(text: str) -> None:
    assert product_name(text) == "lm-studio"


@pytest.mark.parametrize(
    ("runtime", "changes"),
    [
        ("acme server", {}),
        ("Acme-Server", {"processes": ("acmed",)}),
        ("acmed", {"processes": ("acmed",)}),
        ("acme", {}),
    ],
)
def test_a_runtime_names_its_callers(runtime: str, changes: dict[str, Any]) -> None:
    assert speaks_of([runtime], entry(**changes))


@pytest.mark.parametrize(
    ("runtime", "changes"),
    [("acm", {}), ("", {}), ("acme", {"processes": ("acmed",)}), ("server", {})],
)
def test_a_runtime_does_not_name_those_of_others(runtime: str, changes: dict[str, Any]) -> None:
    assert not speaks_of([runtime], entry(**changes))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.2", "v1.2.0"), ("0.33.0-rc2", "0.33rc2"), ("1.16.0", "1.16.0+17"), ("", "")],
)
def test_versions_that_are_written_otherwise_are_the_same(one: str, other: str) -> None:
    assert is_same_version(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.2", "1.20"), ("1.0", "10"), ("1.2", "1.2rc1"), ("1.2", ""), ("0.1", "0.10")],
)
def test_versions_that_differ_are_not(one: str, other: str) -> None:
    assert not is_same_version(one, other)
