"""Tunnels that the catalogue knows, where a claim asks who or where the other end is."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from egress_audit.judge.tunnels import tunnels_entered
from egress_audit.model.audit import Observation
from egress_audit.model.claim import Deny
from tests.builders.cases import OUTSIDE, case, claim, contact, named, question
from tests.builders.endpoints import entry, known

HOST = "x.tunnel.example"
TUNNEL = entry("acme-tunnel", "tunnel", hosts=("*.tunnel.example",))
SHARE = entry("acme-share", "telemetry", hosts=("*.tunnel.example",))
CLOUD = entry("acme-cloud", "tunnel", hosts=("*.tunnel.example",), labels_only=True)
NO_BAD = claim(everything=True, deny=Deny(hosts=("bad.example",)))


def entered(*rows: Observation, claim: Any = NO_BAD) -> list[str]:
    return sorted(tunnels_entered(case(*rows, claim=claim, entries=(TUNNEL, SHARE, CLOUD))))


def at(*entries: Any) -> Observation:
    return contact(OUTSIDE, named(HOST), **known(HOST, *entries))


@pytest.mark.parametrize(
    "deny",
    [
        Deny(hosts=("bad.example",)),
        Deny(prefixes=(ip_network("192.0.2.0/24"),)),
        Deny(located=frozenset({"CN"})),
        Deny(controlled=frozenset({"CN"})),
        Deny(categories=frozenset({"state-telecom"})),
    ],
)
def test_who_is_behind_a_tunnel_can_be_whom_the_claim_denies(deny: Deny) -> None:
    assert entered(at(TUNNEL), claim=claim(everything=True, deny=deny)) == [HOST]


def test_who_is_behind_one_can_be_elsewhere_than_the_claim_allows() -> None:
    german = replace(claim(), allow=replace(claim().allow, located=frozenset({"DE"})))
    assert entered(at(TUNNEL), claim=german) == [HOST]


def test_a_claim_that_asks_for_neither_is_not_concerned() -> None:
    assert entered(at(TUNNEL), claim=claim(everything=True)) == []


def test_a_name_that_was_only_asked_for_is_no_tunnel_yet() -> None:
    assert entered(question(HOST, **known(HOST, TUNNEL))) == []


def test_a_host_that_is_called_for_something_else_as_well_is_none() -> None:
    assert entered(at(TUNNEL, SHARE)) == []


def test_a_label_on_what_anybody_rents_makes_none_of_it() -> None:
    assert entered(at(CLOUD)) == []


@pytest.mark.parametrize(
    "allowed", [{"hosts": ("*.tunnel.example",)}, {"endpoints": ("acme-tunnel",)}]
)
def test_a_tunnel_that_the_claim_allows_by_its_name_is_meant(allowed: dict[str, Any]) -> None:
    meant = claim(deny=Deny(hosts=("bad.example",)), **allowed)
    assert entered(at(TUNNEL), claim=meant) == []
