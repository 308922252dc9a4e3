"""Whom the program asks, whom the probes ask, and how long packets are, by network."""

import os
import shutil
from ipaddress import ip_address

import pytest

from egress_audit.model.run import Network
from egress_audit.record.passthrough import SWALLOWED
from egress_audit.record.plan import RunPlan
from egress_audit.record.probe import probes
from egress_audit.record.setup import RESOLVER4, RESOLVER6
from egress_audit.record.way_on import mtu_of, probed_resolvers, resolvers_of
from tests.builders.fake_internet import SERVER4, STUB, on_a_host

OPEN, SIMULATED = (
    RunPlan(("true",), network=network) for network in (Network.OPEN, Network.SIMULATED)
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a host")


def test_our_side_answers_names_and_probes_where_nothing_leaves() -> None:
    assert resolvers_of(SIMULATED) == probed_resolvers(SIMULATED) == (RESOLVER4, RESOLVER6)


@needs_root
@pytest.mark.opens_sockets
def test_an_open_run_asks_the_resolver_of_the_host() -> None:
    assert on_a_host(lambda host: resolvers_of(OPEN)) == (SERVER4,)


@needs_root
@pytest.mark.opens_sockets
def test_an_open_run_asks_us_where_only_the_host_can_ask_its_resolver() -> None:
    assert on_a_host(lambda host: resolvers_of(OPEN), resolver=STUB) == (RESOLVER4,)


def test_no_probe_of_an_open_run_goes_to_anybody() -> None:
    sent = probes("before", probed_resolvers(OPEN), ipv6=True)
    assert len(sent) == 4
    assert {ip_address(probe.target).packed for probe in sent} == SWALLOWED


def test_packets_are_of_ordinary_length_where_nothing_leaves() -> None:
    assert mtu_of(SIMULATED) == 1500


@pytest.mark.skipif(shutil.which("passt") is None, reason="needs the package passt")
def test_packets_are_as_long_as_passt_takes_them() -> None:
    assert mtu_of(OPEN) == 65_520
