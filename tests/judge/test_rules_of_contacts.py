"""Contacts with our own resolver, and what endpoints of the catalogue allow; else test_rules.py."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Direction
from egress_audit.model.destination import Absent
from tests.builders.cases import (
    case,
    claim,
    contact,
    fired,
    near,
    question,
    rest,
)
from tests.builders.runs import RESOLVER, attempt, owner, run

ASKED = {"far_p": 53, "proto": 17, "destination": near(Scope.SIMULATED)}
ITSELF = "2.0.87.10.in-addr.arpa"
WITH_COOKIE = 23
"""Bytes of an EDNS record with a cookie (RFC 7873)."""


def test_a_question_to_our_own_resolver_is_one_finding_with_its_carrier_behind_it() -> None:
    asked = question("hub.example", resolvers=(RESOLVER,))
    (found,) = findings(case(asked, contact(RESOLVER, **ASKED), run=run()))
    assert (found.rule, found.observations, found.frames) == ("EA002", (1, 2), asked.frames)


def test_a_contact_with_it_in_which_nothing_was_asked_is_a_contact_like_any_other() -> None:
    assert fired(case(contact(RESOLVER, **ASKED), run=run())) == ["EA001"]


def test_another_port_of_it_is_not_excused() -> None:
    allows = claim(hosts=("hub.example",))
    there = contact(RESOLVER, **(ASKED | {"far_p": 853}))
    assert fired(case(there, claim=allows, run=run())) == ["EA001"]


def test_where_a_host_is_allowed_the_names_it_is_asked_for_decide() -> None:
    allows = claim(hosts=("hub.example",))
    asked = contact(RESOLVER, **ASKED)
    good = question("hub.example", resolvers=(RESOLVER,))
    bad = question("bad.example", resolvers=(RESOLVER,))
    assert fired(case(good, asked, claim=allows, run=run())) == []
    assert fired(case(bad, asked, claim=allows, run=run())) == ["EA002"]


CLOSED = {"proto": 1, "far_p": 3, "pkts_out": 2, "destination": near(Scope.SIMULATED)}
BY_KERNEL = owner(how="kernel, on behalf of")


def test_the_kernels_errors_about_answers_are_no_contact_of_their_own() -> None:
    allows = claim(hosts=("hub.example",))
    asked = contact(RESOLVER, **ASKED, pkts_in=2)
    good = question("hub.example", resolvers=(RESOLVER,))
    closed = contact(RESOLVER, **CLOSED, owner=BY_KERNEL)
    assert fired(case(good, asked, closed, claim=allows, run=run())) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": owner()},
        {"owner": BY_KERNEL, "far_p": 8},
        {"owner": BY_KERNEL, "pkts_out": 3},
        {"owner": BY_KERNEL, "far_h": "10.87.0.9"},
    ],
    ids=["by the program", "no error", "more than answers", "to somebody else"],
)
def test_what_only_looks_like_them_is(changes: dict[str, Any]) -> None:
    allows = claim(hosts=("hub.example",))
    asked = contact(RESOLVER, **ASKED, pkts_in=2)
    good = question("hub.example", resolvers=(RESOLVER,))
    closed = replace(contact(RESOLVER, **CLOSED), **changes)
    assert fired(case(good, asked, closed, claim=allows, run=run())) == ["EA001"]


def test_somebody_elses_resolver_is_a_destination() -> None:
    asked = question("hub.example", resolvers=("8.8.8.8",))
    assert fired(case(asked, contact("8.8.8.8", far_p=53, proto=17), run=run())) == [
        "EA001",
        "EA002",
    ]


@pytest.mark.parametrize(
    ("host", "size"), [("sandbox", 53), ("sandbox", 53 + WITH_COOKIE), (ITSELF, 68 + WITH_COOKIE)]
)
def test_the_sandboxs_own_name_and_address_count_as_loopback(host: str, size: int) -> None:
    asked = question(host, resolvers=(RESOLVER,))
    told = contact(RESOLVER, **ASKED, pkts_out=2, ip_bytes_out=2 * size)
    assert fired(case(asked, told, run=run())) == []


@pytest.mark.parametrize(
    "more",
    [
        {"pkts_out": 2, "ip_bytes_out": 2 * (53 + WITH_COOKIE + 1)},
        {"pkts_out": 33, "ip_bytes_out": 33 * 53},
        {"proto": 6, "ip_bytes_out": 53},
    ],
    ids=["longer than a question", "more than a few", "not in datagrams"],
)
def test_what_more_is_sent_with_the_question_for_them_is_a_contact(more: dict[str, int]) -> None:
    asked = question("sandbox", resolvers=(RESOLVER,))
    told = contact(RESOLVER, **(ASKED | {"pkts_out": 1} | more))
    assert fired(case(asked, told, run=run())) == ["EA001"]


def test_beside_another_name_they_do_not_excuse_it() -> None:
    asked = question("sandbox", resolvers=(RESOLVER,))
    other = question("hub.example", resolvers=(RESOLVER,))
    assert fired(case(asked, other, contact(RESOLVER, **ASKED), run=run())) == ["EA002"]


def test_the_longest_of_them_says_how_much_may_be_sent() -> None:
    asked = [question(host, resolvers=(RESOLVER,)) for host in (ITSELF, "sandbox")]
    told = contact(RESOLVER, **ASKED, pkts_out=2, ip_bytes_out=2 * (68 + WITH_COOKIE))
    assert fired(case(*asked, told, run=run())) == []


def test_a_resolver_that_was_asked_for_any_other_name_is_a_contact() -> None:
    asked = [question(host, resolvers=(RESOLVER,)) for host in ("sandbox", "localhost")]
    told = contact(RESOLVER, **ASKED, pkts_out=2, ip_bytes_out=2 * 53)
    assert fired(case(*asked, told, run=run())) == ["EA001"]


def test_on_a_plain_capture_nobody_knows_those_names() -> None:
    assert fired(case(question("sandbox"))) == ["EA002"]


REPORT = {"proto": 2, "owner": BY_KERNEL, "destination": near(Scope.MULTICAST)}
MLD = {"proto": 58, "far_p": 143, "owner": BY_KERNEL, "destination": near(Scope.MULTICAST)}
JOINS = attempt("239.5.6.7", call="setsockopt", type="", port=Absent.NOT_APPLICABLE)


@pytest.mark.parametrize(("group", "report"), [("224.0.0.22", REPORT), ("ff02::16", MLD)])
def test_what_the_kernel_reports_of_a_group_that_the_program_joined_has_left(
    group: str, report: dict[str, Any]
) -> None:
    told = contact(group, **report)
    assert fired(case(told, run=run(attempts=(JOINS,)))) == ["EA003"]
    assert fired(case(told, run=run())) == []


def test_neighbour_discovery_is_no_report_of_a_group() -> None:
    asks = contact("ff02::1", **(MLD | {"far_p": 135}))
    assert fired(case(asks, run=run(attempts=(JOINS,)))) == []


def test_a_claim_that_allows_multicast_allows_joining_a_group() -> None:
    told = contact("224.0.0.22", **REPORT)
    allows = claim(Scope.MULTICAST)
    assert fired(case(told, claim=allows, run=run(attempts=(JOINS,)))) == []


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.RECEIVED, Direction.INTERNAL])
def test_of_the_rows_that_are_not_kept_only_what_went_out_is_a_contact(
    direction: Direction,
) -> None:
    assert fired(case(rest(direction, global_=3))) == []
    assert fired(case(rest(global_=3))) == ["EA011"]


def test_a_metadata_service_among_them_is_nothing_that_a_name_could_allow() -> None:
    allows = claim(hosts=("hub.example",))
    assert fired(case(rest(global_=3), claim=allows)) == []
    assert fired(case(rest(metadata_service=1), claim=allows)) == ["EA011"]
