"""Flows to known resolvers are counted once each, where HTTP could carry the questions."""

import numpy as np

from egress_audit.attribute.directions import far_sides
from egress_audit.attribute.own_addresses import sides_of
from egress_audit.attribute.resolver_flows import (
    asked_through_http,
    over_http,
    rows_to,
    unreadable,
)
from egress_audit.columns import FlowColumns
from tests.builders.captures import pcap, scripted
from tests.builders.engine import run


def session(port: int, address: str = "8.8.8.8") -> FlowColumns:
    """One connection to some port."""
    return run(pcap(scripted(">S <SA >A", server=(address, port)))).flows


def test_http_could_carry_questions_on_its_ports_only() -> None:
    assert over_http(session(443)).tolist() == [True]
    assert over_http(session(80)).tolist() == [True]
    assert over_http(session(22)).tolist() == [False]


def test_of_either_end() -> None:
    flows = run(pcap(scripted(">S", ("8.8.8.8", 443), ("10.0.0.2", 40000)))).flows
    assert over_http(flows).tolist() == [True]


def test_what_is_asked_at_the_ports_of_the_dns_is_read_or_counted_otherwise() -> None:
    assert unreadable(session(8080)).tolist() == [True]
    assert unreadable(session(53)).tolist() == [False]
    assert unreadable(session(853)).tolist() == [False]


def test_a_flow_is_found_by_its_far_address() -> None:
    flows = session(443)
    far = far_sides(flows, sides_of(flows, ()))
    everything = np.ones(1, np.bool_)
    found = rows_to(flows, far, ["1.1.1.1", "8.8.8.8", "::808:808"], everything)
    assert {address: rows.tolist() for address, rows in found.items()} == {"8.8.8.8": [0]}
    assert rows_to(flows, far, ["8.8.8.8"], ~everything) == {}


def test_addresses_that_end_alike_are_told_apart() -> None:
    flows = run(pcap(scripted(">S", ("fd00::2", 40000), ("2620:fe::fe", 443)))).flows
    far = far_sides(flows, sides_of(flows, ()))
    found = rows_to(flows, far, ["2620:fe::fe", "2001:db8::fe"], np.ones(1, np.bool_))
    assert list(found) == ["2620:fe::fe"]


def test_a_flow_that_is_known_twice_is_counted_once() -> None:
    rows_of = [("by address", np.array([0, 2])), ("by name", np.array([2, 2, 1]))]
    counted = asked_through_http(rows_of, np.array([True, True, True]))
    assert counted == {"by address": 2, "by name": 1}


def test_a_flow_that_does_not_matter_is_not_counted() -> None:
    assert asked_through_http([("by name", np.array([0]))], np.array([False])) == {}
