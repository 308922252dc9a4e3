"""The two questions about a destination: is it there, is it controlled from there; or unknown."""

from dataclasses import replace

import pytest

from egress_audit.addresses import NEAR, Scope
from egress_audit.model.destination import (
    Absent,
    Confidence,
    Destination,
    controlled_from,
    located_in,
)

CHINA = frozenset({"CN"})
HOST = Destination(
    scope=Scope.GLOBAL,
    located="CN",
    located_confidence=Confidence.HIGH,
    located_alt=Absent.NOT_FOUND,
    registered="CN",
    controlled="CN",
    asn=64500,
    organisation="Example",
    operator="Example",
    role="cloud",
)
"""A server on which all sources agree."""
ABROAD = replace(HOST, located="DE", registered="DE", controlled="US")


def scoped(scope: Scope, why: Absent) -> Destination:
    return Destination(scope, why, why, why, why, why, why, why, why, why)


def test_a_server_in_the_country_is_in_it() -> None:
    assert located_in(HOST, CHINA) is True


def test_a_server_elsewhere_is_not_in_the_country() -> None:
    assert located_in(ABROAD, CHINA) is False


def test_hong_kong_is_in_china_only_if_the_question_says_so() -> None:
    hong_kong = replace(HOST, located="HK")
    assert located_in(hong_kong, CHINA) is False
    assert located_in(hong_kong, {"CN", "HK"}) is True


@pytest.mark.parametrize("confidence", [Confidence.LOW, Confidence.NONE])
@pytest.mark.parametrize("host", [HOST, ABROAD])
def test_disagreement_and_anycast_are_unknown_wherever_they_point(
    confidence: Confidence, host: Destination
) -> None:
    assert located_in(replace(host, located_confidence=confidence), CHINA) is None


@pytest.mark.parametrize("why", [Absent.NOT_FOUND, Absent.NOT_LOADED, Absent.UNREADABLE])
def test_no_data_is_unknown_and_never_no(why: Absent) -> None:
    assert located_in(replace(HOST, located=why, located_confidence=why), CHINA) is None
    assert controlled_from(replace(HOST, controlled=why), CHINA) is None


def test_a_reason_for_absence_is_never_taken_for_a_country() -> None:
    missing = replace(HOST, located=Absent.NOT_FOUND, controlled=Absent.NOT_FOUND)
    assert located_in(missing, {"not-found"}) is None
    assert controlled_from(missing, {"not-found"}) is None


@pytest.mark.parametrize("scope", sorted(NEAR))
def test_what_stays_on_the_network_is_in_no_country(scope: Scope) -> None:
    near = scoped(scope, Absent.NOT_APPLICABLE)
    assert located_in(near, CHINA) is False
    assert controlled_from(near, CHINA) is False


@pytest.mark.parametrize("scope", sorted(set(Scope) - NEAR))
def test_what_leaves_the_network_without_a_country_is_unknown(scope: Scope) -> None:
    far = scoped(scope, Absent.NOT_APPLICABLE)
    assert located_in(far, CHINA) is None
    assert controlled_from(far, CHINA) is None


def test_a_synthetic_address_is_unknown() -> None:
    synthetic = scoped(Scope.SIMULATED, Absent.SYNTHETIC)
    assert located_in(synthetic, CHINA) is None
    assert controlled_from(synthetic, CHINA) is None


def test_control_follows_the_parent_and_not_the_place() -> None:
    region_abroad = replace(HOST, located="JP", registered="US")
    assert located_in(region_abroad, CHINA) is False
    assert controlled_from(region_abroad, CHINA) is True


def test_an_operator_under_another_jurisdiction_is_a_no() -> None:
    assert controlled_from(ABROAD, CHINA) is False


@pytest.mark.parametrize("role", ["cdn-front", "proxy"])
def test_behind_a_front_anybody_may_stand(role: str) -> None:
    assert controlled_from(replace(ABROAD, role=role), CHINA) is None


@pytest.mark.parametrize("role", ["cdn-front", "proxy"])
def test_a_front_that_is_itself_under_the_jurisdiction_is_a_yes(role: str) -> None:
    assert controlled_from(replace(HOST, role=role), CHINA) is True


def test_an_anycast_resolver_has_one_operator_in_many_places() -> None:
    resolver = replace(ABROAD, role="anycast-dns", located_confidence=Confidence.NONE)
    assert located_in(resolver, CHINA) is None
    assert controlled_from(resolver, CHINA) is False
