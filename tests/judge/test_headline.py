"""The verdict as one sentence with a subject."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.judge.case import Case
from egress_audit.judge.headline import headline
from egress_audit.judge.rules import findings
from egress_audit.judge.verdict import blind_spots, verdict
from egress_audit.model.audit import Direction
from egress_audit.model.flow import NameSource
from tests.builders.audit_parts import SECOND_NS
from tests.builders.cases import (
    LOOPBACK,
    NO_CHINA,
    OFFLINE,
    OUTSIDE,
    SILENCE,
    case,
    contact,
    interface,
    named,
    place,
    question,
)
from tests.builders.runs import run

ASSERTED = "HOLDS, on these assertions"
KNOWN: dict[str, Any] = {
    "probes": 1,
    "phases": ("load", "generate"),
    "owners_known": True,
    "drops": 0,
}


def told(judged: Case) -> str:
    found, spots = findings(judged), blind_spots(judged)
    return headline(judged, verdict(found, spots), found, spots)


def test_a_name_that_was_asked_for_and_contacted_is_one_sentence() -> None:
    hub = "huggingface.co"
    asked = question(hub, "198.18.0.2", questions={"A": 19, "AAAA": 19})
    opened = contact("198.18.0.2", named(hub), flows=19, tls_flows=19, conn_states={"RSTR": 19})
    assert told(case(asked, opened)) == (
        "this capture asked for huggingface.co (19 A and 19 AAAA questions) "
        "and opened 19 TLS connections to it"
    )


def test_a_name_that_was_only_asked_for() -> None:
    assert told(case(question("a.example"))) == "this capture asked for a.example (1 A question)"


def test_an_address_without_a_name() -> None:
    there = "this capture opened 1 connection to 203.0.113.9:443 (documentation)"
    assert told(case(contact(OUTSIDE))) == there


def test_ports_of_one_address_are_told_without_one_of_them() -> None:
    refused = contact(OUTSIDE, id=2, far_p=853, conn_states={"REJ": 1})
    assert told(case(contact(OUTSIDE), refused)) == (
        "this capture opened 1 connection to 203.0.113.9 (documentation), and tried to open 1 more"
    )


def test_the_port_is_told_that_the_connection_went_to() -> None:
    datagram = contact(OUTSIDE, id=2, proto=17, far_p=500)
    there = "this capture opened 1 connection to 203.0.113.9:443 (documentation)"
    assert told(case(datagram, contact(OUTSIDE))) == there


def test_addresses_of_one_name_are_told_by_the_name() -> None:
    first = contact(OUTSIDE, named("a.example"))
    second = contact("203.0.113.10", named("a.example"), id=2)
    assert told(case(first, second)) == (
        "this capture opened 2 connections to a.example (documentation)"
    )


def test_the_program_is_the_subject_only_where_owners_are_known() -> None:
    assert told(case(contact(OUTSIDE), owners_known=True)).startswith("the program opened")


def test_further_destinations_are_counted_and_resolvers_are_not() -> None:
    resolver = contact("8.8.8.8", far_p=53, proto=17)
    rows = (question("a.example"), resolver, contact(OUTSIDE), contact("203.0.113.10"))
    assert told(case(*rows[:2])) == "this capture asked for a.example (1 A question)"
    assert told(case(*rows)).endswith("; and 2 more destinations")


def test_a_resolver_is_told_where_there_is_nothing_else() -> None:
    resolver = contact("8.8.8.8", far_p=53, proto=17)
    assert told(case(resolver)).startswith("this capture sent 10 UDP packets to 8.8.8.8:53")


def test_a_denied_place_is_told_with_what_was_done() -> None:
    beijing = contact("45.9.0.1", destination=place(located="CN"))
    assert told(case(beijing, claim=NO_CHINA)).endswith(", located in CN")


def test_a_denied_place_is_told_behind_question_and_contact() -> None:
    beijing = place(located="CN")
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(beijing,))
    opened = contact("45.9.0.1", named("a.example"), destination=beijing)
    assert told(case(asked, opened, claim=NO_CHINA)) == (
        "this capture asked for a.example (1 A question) and opened 1 connection to it, "
        "located in CN"
    )


def test_a_name_through_a_proxy_is_told_with_the_proxy() -> None:
    there = contact(LOOPBACK, named("a.example", NameSource.HTTP_CONNECT), far_p=7890)
    told_so = "this capture spoke to a.example (http-connect) through 127.0.0.1:7890"
    assert told(case(there)) == told_so


def test_an_answered_stranger_is_not_told_as_opened_by_us() -> None:
    stranger = contact(OUTSIDE, direction=Direction.INBOUND)
    judged = case(stranger, claim=replace(OFFLINE, inbound="deny"))
    assert told(judged).startswith("this capture answered 1 connection from 203.0.113.9")


def test_an_answered_datagram_is_no_connection() -> None:
    stranger = contact(OUTSIDE, direction=Direction.INBOUND, proto=17, flows=2)
    judged = case(stranger, claim=replace(OFFLINE, inbound="deny"))
    assert told(judged).startswith("this capture answered 2 UDP flows from 203.0.113.9")


def test_doubt_that_assertions_could_lift_says_so() -> None:
    assert told(case()).startswith("this capture shows nothing against the claim, and cannot prove")
    assert told(case()).endswith(" blind spots, which only assertions could lift")


def test_doubt_that_no_assertion_lifts_is_named() -> None:
    doubt = told(case(truncated=1, asserted="all"))
    assert doubt.endswith(": 1 blind spot, of which no assertion lifts snaplen-cut")


def test_a_command_that_failed_is_told_as_such() -> None:
    failed = case(run=run(exit_status=2), owners_known=True, phases=())
    assert told(failed).endswith("its command ended with 2, so it may not have done its work")


def test_what_was_not_shown_of_a_command_that_did_not_fail_is_told_in_full() -> None:
    assert "phases: 2" in told(case(run=run(), owners_known=True, phases=()))


def ended_early(ended_by: str) -> str:
    """The headline of a run of 12 seconds where the claim asks for a minute."""
    seen = run(observed_ns=12 * SECOND_NS, ended_by=ended_by, phases=())
    return told(case(run=seen, owners_known=True, truncated=1))


def test_a_run_that_the_user_ended_says_so_first() -> None:
    assert "is no proof: it was ended by the user after 12.0 s; and " in ended_early("interrupted")


@pytest.mark.parametrize(
    ("observed_ns", "shown"),
    [
        (6_999_999, "0.006 s"),
        (9_999_999_999, "9.999 s"),
        (59_999_999_999, "59.9 s"),
        (30 * SECOND_NS, "30.0 s"),
    ],
)
def test_nothing_was_watched_for_longer_than_it_was(observed_ns: int, shown: str) -> None:
    seen = run(observed_ns=observed_ns, ended_by="interrupted", phases=())
    assert f"after {shown}" in told(case(run=seen, owners_known=True, truncated=1))


def test_a_run_that_we_ended_says_what_was_not_seen() -> None:
    assert "ended by the user" not in ended_early("observed")


def test_what_holds_on_assertions_says_so() -> None:
    assert told(case(asserted="all")) == f"{ASSERTED}; nothing in 418 frames contradicts it"


def test_what_holds_on_silence_says_what_the_proof_rests_on() -> None:
    silent = replace(case(asserted="all"), coverage=SILENCE)
    assert told(silent) == f"{ASSERTED}; 0 frames: the proof rests on what you assert"


def test_what_holds_by_itself_mentions_no_assertion() -> None:
    ours = case(interfaces=(interface(capture_filter="", drops=0),), **KNOWN)
    assert headline(ours, verdict([], []), [], []) == "nothing in 418 frames contradicts it"
