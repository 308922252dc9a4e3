"""What a program finds, and what nobody sees, where it runs on the host as it is."""

import os
import socket

import pytest

from egress_audit.model.run import Network, Rung
from egress_audit.record.on_host import (
    OWN_EVIDENCE,
    as_it_is,
    blindness_of,
    network_of,
    own_addresses,
)
from egress_audit.record.plan import prepared
from tests.builders.namespaces import in_child
from tests.builders.recorded_runs import Way, place

LOWER = (Rung.CALLS, Rung.POLLING)


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.parametrize("network", Network)
def test_every_rung_that_sees_half_says_what_it_does_not_see(rung: Rung, network: Network) -> None:
    assert bool(blindness_of(rung, network)) == (not rung.sees_all)


def test_each_lower_rung_is_blind_in_its_own_way() -> None:
    told = {tuple(blindness_of(rung, network)) for rung in LOWER for network in Network}
    assert len(told) == 3


@pytest.mark.parametrize("rung", LOWER)
def test_a_rung_without_packets_answers_nothing(rung: Rung) -> None:
    assert network_of(rung, Network.SIMULATED) is Network.SEALED
    assert network_of(rung, Network.OPEN) is Network.OPEN


def test_a_rung_with_packets_is_what_was_asked_for() -> None:
    assert {network_of(Rung.TUN, network) for network in Network} == set(Network)


def test_the_host_is_shown_as_it_is() -> None:
    made = place(Way(os.geteuid() == 0, Rung.CALLS))
    plan = prepared(made.plan(("true",)))
    words = in_child(lambda: as_it_is(plan, other_user=True))
    assert words["home"] == "real"
    assert words["stamps"] == []


def test_evidence_within_reach_of_the_program_is_told() -> None:
    made = place(Way(os.geteuid() == 0, Rung.CALLS))
    plan = prepared(made.plan(("true",)))
    for other_user in (True, False):
        notes = in_child(lambda: as_it_is(plan, other_user=other_user))["notes"]  # noqa: B023
        assert isinstance(notes, list)
        assert (OWN_EVIDENCE in notes) == (not other_user)


def test_the_addresses_of_the_host_are_addresses_without_zones() -> None:
    for text in own_addresses():
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        assert socket.inet_pton(family, text)
        assert text not in ("127.0.0.1", "::1")
