"""Each variable has one meaning."""

import re

import pytest

from egress_audit.record.known_variables import CI, CONDITIONS, ENDPOINTS, condition, endpoint


def test_no_variable_is_in_two_tables() -> None:
    tables = [*CI, *CONDITIONS, *ENDPOINTS]
    assert len(tables) == len(set(tables))


def test_every_meaning_is_one_line() -> None:
    assert not [text for text in (*CONDITIONS.values(), *ENDPOINTS.values()) if "\n" in text]


ONLY_SOMETIMES = re.compile(r"\b(?:no|not|nothing|alone)\b")
WITH_A_VALUE = re.compile(r"with [a-zA-Z0-9]+[, ]|.* when one is set$|.*, which reads ")
SET_TO_ANYTHING = {"ORT_TELEMETRY_DISABLED", "NO_UPDATE_NOTIFIER", "GH_NO_UPDATE_NOTIFIER"}
"""They do what they do whatever their value is; the first of them nothing."""


@pytest.mark.parametrize("name", sorted(CONDITIONS.keys() - SET_TO_ANYTHING - {"DO_NOT_TRACK"}))
def test_what_one_value_silences_is_not_said_of_every_value(name: str) -> None:
    # It is printed beside the value that was set: `OLLAMA_NO_CLOUD=0: …`.
    meaning = CONDITIONS[name]
    assert WITH_A_VALUE.match(meaning) or not ONLY_SOMETIMES.search(meaning)


def test_a_meaning_can_be_understood_without_the_row_above() -> None:
    assert not [text for text in (*CONDITIONS.values(), *ENDPOINTS.values()) if "the same," in text]
    assert "the same" not in {*CONDITIONS.values(), *ENDPOINTS.values()}


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "HF_ENDPOINT"])
def test_a_known_endpoint_has_a_meaning_in_either_spelling(name: str) -> None:
    assert endpoint(name, "anything")


def test_an_unknown_variable_that_names_a_server_is_an_endpoint() -> None:
    assert endpoint("ACME_BASE_URL", "https://acme.example/v1")


@pytest.mark.parametrize(
    ("name", "value"), [("ACME_BASE_URL", "secret"), ("ACME_URL_SALT", "https://x"), ("PATH", "/")]
)
def test_other_variables_mean_nothing(name: str, value: str) -> None:
    assert not endpoint(name, value)
    assert not condition(name)
