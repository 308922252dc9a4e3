"""What a sandbox is unless something else is asked for, and what may keep it from being made."""

from ipaddress import ip_address

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record.publish import SERVERS
from egress_audit.record.setup import (
    ADDRESS4,
    ADDRESS6,
    HOSTNAME,
    RESOLVER4,
    RESOLVER6,
    Mounted,
    NoDevice,
    NoFilter,
    NoNamespaces,
    Setup,
)
from egress_audit.record.tun import TUN_NODE

PLAIN = Setup((Rung.TUN,), {})


def test_a_sandbox_has_no_real_network_and_no_capability_unless_asked_for() -> None:
    assert not PLAIN.is_open
    assert PLAIN.keep == 0


def test_a_sandbox_has_both_versions_and_the_usual_device_unless_told_otherwise() -> None:
    assert PLAIN.ipv6
    assert PLAIN.tun_node == TUN_NODE


def test_without_mounts_of_its_own_the_file_system_stays_as_it_is() -> None:
    assert PLAIN.mounts() == Mounted({}, ())
    assert PLAIN.on_host() == {}
    assert PLAIN.as_root is None


def test_the_smallest_packet_that_ipv6_demands_fits() -> None:
    assert PLAIN.mtu >= 1280


@pytest.mark.parametrize("address", [ADDRESS4, ADDRESS6, RESOLVER4, RESOLVER6])
def test_an_address_of_the_sandbox_is_no_address_of_the_internet(address: str) -> None:
    assert ip_address(address).is_private
    assert not ip_address(address).is_loopback


def test_the_sandbox_is_not_its_own_resolver() -> None:
    assert not {ADDRESS4, ADDRESS6} & {RESOLVER4, RESOLVER6}


def test_a_server_on_the_sandboxs_own_address_can_be_published() -> None:
    assert ADDRESS4 in SERVERS


def test_the_name_of_the_sandbox_says_nothing_of_a_host() -> None:
    assert HOSTNAME.isalpha()


@pytest.mark.parametrize("kind", [NoNamespaces, NoDevice, NoFilter])
def test_each_hindrance_is_a_bad_input_with_a_remedy_and_can_be_told_from_the_others(
    kind: type[EgressAuditError],
) -> None:
    others = {NoNamespaces, NoDevice, NoFilter} - {kind}
    error = kind("what", where="where", hint="remedy")
    assert isinstance(error, EgressAuditError)
    assert not isinstance(error, tuple(others))
    assert (error.where, error.hint) == ("where", "remedy")
