"""The readers of values that the catalogue alone holds."""

from functools import partial
from ipaddress import ip_network

import pytest

from egress_audit.classify import catalogue_values as read
from egress_audit.errors import CatalogueInvalid
from egress_audit.model.catalogue import Purpose, Switch, Verified
from tests.builders import yaml_texts
from tests.builders.yaml_texts import value

refusal = partial(yaml_texts.refusal, refused=CatalogueInvalid)


@pytest.mark.parametrize(
    "pattern",
    [
        "a.example",
        "*.a.example",
        "*.github.io",
        r"/^a\d\.b\.example$/",
        "localhost",
        "_x.a.example",
    ],
)
def test_a_host_is_exact_a_suffix_or_an_expression(pattern: str) -> None:
    assert value(read.host_pattern, f"'{pattern}'") == pattern


@pytest.mark.parametrize("pattern", ["*.com", "*.co.uk", "*.cn", "*.com.cn"])
def test_a_suffix_of_a_registry_is_refused(pattern: str) -> None:
    assert "everything that is sold below it" in refusal(read.host_pattern, f"'{pattern}'")


@pytest.mark.parametrize("pattern", [".com", "*", "*.*.example", "a.*", "*.", "192.0.2.1"])
def test_what_is_no_host_is_refused(pattern: str) -> None:
    assert "f:1: " in refusal(read.host_pattern, f"'{pattern}'")


@pytest.mark.parametrize("tail", [r"\.com", r"\.co\.uk"])
def test_an_expression_over_every_domain_is_refused(tail: str) -> None:
    assert "every domain" in refusal(read.host_pattern, f"'/^[a-z]+{tail}$/'")


@pytest.mark.parametrize("text", [r"/[a-z]\.a\.b/", r"/^a\.b\.c$", "/", r"/^([a-z]+)+\.a\.b$/"])
def test_an_expression_that_is_not_fit_is_refused(text: str) -> None:
    assert "f:1: " in refusal(read.host_pattern, f"'{text}'")


@pytest.mark.parametrize(
    "pattern",
    ["*.github.io", r"/^[a-z0-9-]+\.github\.io$/", r"/^[a-z]+\.[a-z0-9]+\.amazonaws\.com(\.cn)?$/"],
)
def test_some_patterns_fit_every_customer_of_a_platform(pattern: str) -> None:
    assert read.fits_every_customer(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["acme.github.io", "*.acme.github.io", r"/^bedrock\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/"],
)
def test_other_patterns_fit_one_customer(pattern: str) -> None:
    assert not read.fits_every_customer(pattern)


@pytest.mark.parametrize("text", ["192.0.0.0/8", "192.0.2.1", "2000::/16"])
def test_a_prefix_may_be_as_wide_as_an_allocation(text: str) -> None:
    assert value(read.prefix, f"'{text}'") == ip_network(text)


@pytest.mark.parametrize("text", ["192.0.0.0/7", "0.0.0.0/0", "2000::/15", "::/0"])
def test_a_prefix_that_is_wider_is_refused(text: str) -> None:
    assert "is wider than" in refusal(read.prefix, f"'{text}'")


@pytest.mark.parametrize("text", ["443/tcp", "53/udp", "65535/tcp"])
def test_a_port_has_its_protocol(text: str) -> None:
    assert value(read.port, text) == text


@pytest.mark.parametrize("text", ["'443'", "0/tcp", "65536/tcp", "443/TCP", "443/sctp", "0443/tcp"])
def test_what_is_no_port_is_refused(text: str) -> None:
    assert "is no port" in refusal(read.port, text)


def test_a_version_that_was_seen_can_be_compared() -> None:
    assert value(read.version, "'0.33.0-rc2'") == "0.33.0-rc2"
    assert "is no version" in refusal(read.version, "'some 0.33'")


def test_versions_are_a_set_of_bounds() -> None:
    assert value(read.specifiers, "'>=1,<2'") == ">=1,<2"
    assert "no set of versions" in refusal(read.specifiers, "'1.x'")


def test_a_purpose_and_a_proof_are_of_the_known_ones() -> None:
    assert value(read.purpose, "update-check") is Purpose.UPDATE_CHECK
    assert value(read.verified, "ran") is Verified.RAN
    assert "did you mean `telemetry`?" in refusal(read.purpose, "telemetrie")
    assert "known: " in refusal(read.verified, "guessed")


def test_a_switch_has_words_variables_and_failures() -> None:
    assert value(read.switch, "{how: so, variables: {A: '1', B: true}, fails: [in 2.0]}") == Switch(
        "so", (("A", "1"), ("B", "true")), ("in 2.0",)
    )


def test_the_words_of_a_switch_are_enough() -> None:
    assert value(read.switch, "{how: so}") == Switch("so")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("so", "a mapping with `how` is wanted"),
        ("{variables: {A: '1'}}", "a mapping with `how` is wanted"),
        ("{how: so, variable: {A: '1'}}", "did you mean `variables`?"),
        ("{how: so, variables: [A]}", "a mapping of names to values is wanted"),
        ("{how: so, variables: {A-B: '1'}}", "no name of an environment variable"),
        ("{how: so, variables: {A: [1]}}", "a value is wanted, not a list"),
        ("{how: so, fails: never}", "a list is wanted"),
    ],
)
def test_a_switch_of_another_shape_is_refused(text: str, said: str) -> None:
    assert said in refusal(read.switch, text)
