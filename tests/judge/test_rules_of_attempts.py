"""An attempt that became no packet contradicts a claim as a packet does; what is none does not."""

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.headline import headline
from egress_audit.judge.rules import findings
from egress_audit.judge.verdict import blind_spots
from egress_audit.model.audit import Direction, Verdict
from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt, Network, Role
from tests.builders.cases import (
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    fired,
    near,
    question,
    rest,
)
from tests.builders.runs import EXERCISER, OWN, RESOLVER, attempt, owner, run

INVENTED = {"198.18.0.7": "hub.example"}


def tried(*attempts: Attempt, **changes: object) -> list[str]:
    return fired(case(run=run(attempts=attempts, **changes)))


def message(*attempts: Attempt, **changes: object) -> str:
    (found,) = findings(case(run=run(attempts=attempts, **changes)))
    return found.message


@pytest.mark.parametrize("call", ["connect", "sendto", "sendmsg", "sendmmsg"])
def test_an_attempt_to_an_address_outside_without_a_packet_is_a_violation(call: str) -> None:
    judged = case(run=run(attempts=(attempt(call=call),)))
    assert (fired(judged), concluded(judged).value) == (["EA012"], "VIOLATED")


def test_it_reads_as_a_clause() -> None:
    said = message(attempt("1.2.3.4"))
    assert said == "tried to reach 1.2.3.4:443 (connect, refused before it became a packet)"


def test_the_name_that_was_given_the_address_is_told_and_how_often() -> None:
    said = message(attempt("198.18.0.7", count=3), synthetic=INVENTED)
    assert "hub.example at 198.18.0.7:443 (connect 3 times," in said


def test_several_processes_that_try_the_same_are_one_finding() -> None:
    assert tried(attempt(), attempt(process=EXERCISER + 7)) == ["EA012"]


def test_a_packet_to_that_address_and_port_is_a_contact_and_no_attempt() -> None:
    assert fired(case(contact(OUTSIDE), run=run(attempts=(attempt(OUTSIDE),)))) == ["EA001"]


def test_a_packet_to_another_port_does_not_stand_for_it() -> None:
    judged = case(contact(OUTSIDE, far_p=80), run=run(attempts=(attempt(OUTSIDE),)))
    assert fired(judged) == ["EA001", "EA012"]


def test_a_packet_of_our_exerciser_does_not_stand_for_it() -> None:
    theirs = contact(OUTSIDE, owner=owner(Role.EXERCISER))
    assert fired(case(theirs, run=run(attempts=(attempt(OUTSIDE),)))) == ["EA012"]


def test_a_ping_is_matched_by_its_address_alone() -> None:
    ping = attempt(OUTSIDE, call="sendto", type="dgram", port=0)
    sent = contact(OUTSIDE, proto=1, far_p=8)
    assert fired(case(sent, run=run(attempts=(ping,)))) == ["EA001"]


def test_the_connect_of_a_datagram_socket_is_a_route_probe() -> None:
    probe = attempt("8.8.8.8", type="dgram", port=53)
    assert concluded(case(run=run(attempts=(probe,)))).value == "HOLDS"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", OWN, "0.0.0.0"]
)
def test_an_attempt_to_this_machine_is_none_to_leave_it(address: str) -> None:
    assert tried(attempt(address)) == []


def test_an_ipv4_address_in_an_ipv6_one_is_judged_as_such() -> None:
    sent = contact(OUTSIDE)
    mapped = attempt(f"::ffff:{OUTSIDE}")
    assert fired(case(sent, run=run(attempts=(mapped,)))) == ["EA001"]


@pytest.mark.parametrize("call", ["bind", "listen", "socket"])
def test_serving_is_no_attempt_to_leave(call: str) -> None:
    assert tried(attempt("0.0.0.0", call=call)) == []


def test_what_our_exerciser_tries_does_not_count() -> None:
    assert tried(attempt(process=EXERCISER)) == []


def test_a_local_address_counts_as_well() -> None:
    assert tried(attempt("192.168.1.7")) == ["EA012"]


def test_an_address_that_the_claim_allows_does_not_fire() -> None:
    there = run(attempts=(attempt("192.168.1.7"),))
    assert fired(case(run=there, claim=claim(Scope.LAN))) == []


def test_an_invented_address_is_judged_by_its_name() -> None:
    there = run(attempts=(attempt("198.18.0.7"),), synthetic=INVENTED)
    assert fired(case(run=there, claim=claim(hosts=("hub.example",)))) == []
    assert fired(case(run=there, claim=claim(hosts=("other.example",)))) == ["EA012"]
    assert fired(case(run=there, claim=claim(prefixes=("198.18.0.0/15",)))) == ["EA012"]


def test_an_address_that_an_answer_led_to_is_judged_by_its_name() -> None:
    there = run(attempts=(attempt(OUTSIDE),), network=Network.OPEN)
    asked = question("hub.example", OUTSIDE)
    assert fired(case(asked, run=there, claim=claim(hosts=("hub.example",)))) == []


def test_our_own_resolver_is_allowed_where_some_host_is() -> None:
    there = run(attempts=(attempt(RESOLVER, call="sendto", type="dgram", port=53),))
    assert fired(case(run=there, claim=claim(hosts=("hub.example",)))) == []
    assert fired(case(run=there)) == ["EA012"]


def test_beyond_the_rows_that_are_kept_the_last_row_speaks_for_it() -> None:
    assert fired(case(rest(global_=3), run=run(attempts=(attempt(),)))) == ["EA011"]


def test_a_violation_without_a_packet_has_a_headline() -> None:
    judged = case(run=run(attempts=(attempt("1.2.3.4"), attempt("1.2.3.5"))))
    line = headline(judged, Verdict.VIOLATED, findings(judged), blind_spots(judged))
    assert line == (
        "the program tried to reach 1.2.3.4:443 (connect, refused before it became a packet); and "
        "1 more destination"
    )


def test_a_contact_is_told_before_an_attempt() -> None:
    judged = case(contact(OUTSIDE), run=run(attempts=(attempt("1.2.3.4"),)))
    line = headline(judged, Verdict.VIOLATED, findings(judged), blind_spots(judged))
    assert OUTSIDE in line and "and 1 more destination" in line


def test_an_internal_contact_stands_for_its_attempt() -> None:
    own = contact(OWN, direction=Direction.INTERNAL, destination=near(Scope.LOOPBACK))
    assert fired(case(own, run=run(attempts=(attempt(OWN, port=Absent.NOT_APPLICABLE),)))) == []
