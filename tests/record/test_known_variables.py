"""Each variable has one meaning."""

import pytest

from egress_audit.record.known_variables import CI, CONDITIONS, ENDPOINTS, condition, endpoint


def test_no_variable_is_in_two_tables() -> None:
    tables = [*CI, *CONDITIONS, *ENDPOINTS]
    assert len(tables) == len(set(tables))


def test_every_meaning_is_one_line() -> None:
    assert not [text for text in (*CONDITIONS.values(), *ENDPOINTS.values()) if "\n" in text]


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
