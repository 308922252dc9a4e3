"""Blind spots in the traffic itself; the table is walked by test_spots_of_file.py."""

from dataclasses import replace

import pytest

from egress_audit.model.audit import Direction
from tests.builders.cases import (
    ALL,
    LAN,
    LOOPBACK,
    OFFLINE,
    OUTSIDE,
    case,
    concluded,
    contact,
    spots,
)

REFUSED = contact(LOOPBACK, far_p=7890, conn_states={"REJ": 1}, direction=Direction.INTERNAL)
ANSWERED = contact(LOOPBACK, far_p=7890, direction=Direction.INTERNAL)
STRANGER = contact(OUTSIDE, direction=Direction.INBOUND)


# A local proxy or resolver that is not there


def test_a_refused_connection_to_a_port_of_this_machine_leaves_it_open() -> None:
    assert concluded(case(REFUSED, asserted="all")).value == "INCONCLUSIVE"


def test_an_unanswered_connection_to_a_port_of_this_machine_is_the_same() -> None:
    silent = replace(REFUSED, conn_states={"S0": 1})
    assert "local-service-missing" in spots(case(silent))


def test_a_service_that_was_only_starting_was_there() -> None:
    assert "local-service-missing" not in spots(case(REFUSED, ANSWERED))


def test_another_port_that_answers_proves_nothing() -> None:
    other = replace(ANSWERED, far_p=8080)
    assert spots(case(REFUSED, other))["local-service-missing"].count == 1


def test_a_refused_connection_elsewhere_is_a_finding_not_a_missing_service() -> None:
    refused = contact(LAN, conn_states={"REJ": 1})
    found = case(refused)
    assert "local-service-missing" not in spots(found)
    assert concluded(found).value == "VIOLATED"


# Which addresses are ours


def test_given_addresses_leave_no_doubt_about_who_began() -> None:
    assert "own-addresses-guessed" not in spots(case(STRANGER, own_how="given"))


def test_a_guess_that_makes_nothing_inbound_decides_nothing() -> None:
    assert "own-addresses-guessed" not in spots(case(own_how="guessed"))


def test_a_flow_that_only_the_far_side_sent_in_is_doubtful_under_a_guess() -> None:
    heard = contact(OUTSIDE, direction=Direction.RECEIVED)
    assert spots(case(heard, own_how="guessed"))["own-addresses-guessed"].material


def test_a_guess_never_makes_the_verdict_hold() -> None:
    assert concluded(case(STRANGER, own_how="guessed", asserted=ALL)).value == "INCONCLUSIVE"
    assert concluded(case(STRANGER, own_how="given", asserted=ALL)).value == "HOLDS"


# What others began


@pytest.mark.parametrize("wanted", ["allow", "deny"])
def test_inbound_flows_are_listed_only_under_report(wanted: str) -> None:
    assert "inbound-answered" not in spots(case(STRANGER, claim=replace(OFFLINE, inbound=wanted)))


def test_a_flow_that_was_not_answered_is_not_listed_as_answered() -> None:
    heard = contact(OUTSIDE, direction=Direction.RECEIVED)
    assert "inbound-answered" not in spots(case(heard))
