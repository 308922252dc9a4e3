"""What the judge may look at: who the subject is, what was contacted, how old a list is."""

from dataclasses import replace

import pytest

from egress_audit.judge.case import is_link_maintenance
from egress_audit.model.audit import Direction, OwnAddresses
from egress_audit.model.destination import Absent
from egress_audit.model.run import Run
from tests.builders.cases import (
    ADDRESS_LIST,
    DAY_NS,
    LAN,
    LOOPBACK,
    OUTSIDE,
    START_NS,
    case,
    contact,
    question,
    rest,
)
from tests.builders.runs import RESOLVER, run


def test_without_owners_the_subject_is_the_capture_and_never_the_model() -> None:
    assert case().subject == "this capture"


def test_with_owners_the_subject_is_the_program() -> None:
    assert case(owners_known=True).subject == "the program"


def test_contacts_are_what_went_out_or_stayed_between_our_own() -> None:
    rows = [contact(direction=direction) for direction in Direction]
    there = case(*rows, question(), rest(global_=1))
    assert [seen.direction for seen in there.contacts()] == ["outbound", "internal"]


def test_inbound_is_what_the_far_side_began_answered_or_not() -> None:
    there = case(*[contact(direction=direction) for direction in Direction])
    assert [seen.direction for seen in there.inbound()] == ["inbound", "received"]


def test_answered_is_of_them_what_ours_sent_packets_to() -> None:
    there = case(*[contact(OUTSIDE, direction=direction) for direction in Direction])
    assert [seen.direction for seen in there.answered()] == ["inbound"]


@pytest.mark.parametrize(("noted", "answered"), [(run(), 1), (Absent.NOT_APPLICABLE, 0)])
def test_over_loopback_only_a_record_tells_of_a_client(noted: Run | Absent, answered: int) -> None:
    there = case(contact(LOOPBACK, direction=Direction.INBOUND), run=noted)
    assert len(list(there.answered())) == answered


def test_questions_and_summed_rows_stand_apart() -> None:
    there = case(question(), contact(), rest(global_=1))
    assert [seen.id for seen in there.questions()] == [1]
    assert [seen.id for seen in there.rest()] == [3]


def test_a_lists_age_is_its_distance_from_the_end_of_the_evidence() -> None:
    day = replace(ADDRESS_LIST, date="2026-11-20")
    at_midnight = case(last_ts_ns=START_NS // DAY_NS * DAY_NS)
    assert at_midnight.list_age_ns(day) == DAY_NS
    assert at_midnight.list_age_ns(replace(day, date="2026-11-22")) == DAY_NS


def test_where_nothing_has_a_time_nothing_has_an_age() -> None:
    assert case(last_ts_ns=Absent.NOT_FOUND).list_age_ns(ADDRESS_LIST) is Absent.NOT_APPLICABLE


OWN = OwnAddresses("given", ("10.0.0.2/32", "fd00:7::2/128", "2001:db8:5::/48"))


@pytest.mark.parametrize("kind", [135, 136])
@pytest.mark.parametrize("neighbour", ["fd00:7::1", "2001:db8:5::9"])
def test_a_kernel_looks_for_its_neighbours_at_their_own_addresses(
    kind: int, neighbour: str
) -> None:
    assert is_link_maintenance(contact(neighbour, proto=58, far_p=kind), OWN)


def test_a_guess_of_our_address_makes_nobody_a_neighbour() -> None:
    guessed = replace(OWN, how="guessed")
    assert not is_link_maintenance(contact("fd00:7::1", proto=58, far_p=135), guessed)


@pytest.mark.parametrize(("address", "kind"), [("fd00:7:0:1::1", 135), ("fd00:7::1", 134)])
def test_no_kernel_sends_anything_else_beyond_the_addresses_of_the_link(
    address: str, kind: int
) -> None:
    assert not is_link_maintenance(contact(address, proto=58, far_p=kind), OWN)


@pytest.mark.parametrize("kind", [130, 131, 132, 133, 134, 135, 136, 137, 143])
def test_neighbour_discovery_and_mld_stay_on_the_link(kind: int) -> None:
    assert is_link_maintenance(contact("ff02::1", proto=58, far_p=kind), OWN)


def test_a_long_message_is_no_maintenance() -> None:
    told = contact("fe80::bad", proto=58, far_p=136, pkts_out=1, ip_bytes_out=640)
    assert not is_link_maintenance(told, OWN)
    assert is_link_maintenance(replace(told, ip_bytes_out=72), OWN)


@pytest.mark.parametrize(
    ("group", "proto", "kind", "octets"),
    [("ff02::16", 58, 143, 236), ("224.0.0.22", 2, 0, 32 + 20 * 8)],
)
def test_a_report_of_many_groups_is_long(group: str, proto: int, kind: int, octets: int) -> None:
    told = contact(group, proto=proto, far_p=kind, pkts_out=1, ip_bytes_out=octets)
    assert is_link_maintenance(told, OWN)
    assert not is_link_maintenance(replace(told, ip_bytes_out=octets * 4), OWN)
    elsewhere = {58: "ff02::1", 2: "224.0.0.1"}[proto]
    assert not is_link_maintenance(replace(told, far_h=elsewhere), OWN)


@pytest.mark.parametrize(("proto", "asks"), [(17, True), (6, True), (1, False), (132, False)])
def test_only_where_the_dns_is_read_is_a_port_that_of_our_resolver(proto: int, asks: bool) -> None:
    seen = contact(RESOLVER, far_p=53, proto=proto)
    assert case(seen, run=run()).is_own_resolver(seen) is asks


@pytest.mark.parametrize(
    ("address", "proto", "kind"),
    [
        ("ff02::1", 58, 128),
        ("ff0e::1", 58, 135),
        ("169.254.10.10", 2, 0),
        ("2001:db8::1", 58, 135),
        ("169.254.169.254", 2, 0),
        (LOOPBACK, 58, 135),
        ("224.0.0.22", 17, 130),
        (OUTSIDE, 2, 0),
        (LAN, 2, 0),
    ],
)
def test_anything_else_is_judged(address: str, proto: int, kind: int) -> None:
    assert not is_link_maintenance(contact(address, proto=proto, far_p=kind), OWN)
