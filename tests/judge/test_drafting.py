"""A draft allows what was seen, by name where a name is proven, and tells what it cannot allow."""

import pytest

from egress_audit.addresses import Scope
from egress_audit.errors import WrongUsage
from egress_audit.judge.case import Case
from egress_audit.judge.drafting import (
    NO_ANSWER,
    RESOLVER,
    claiming,
    draft_name,
    draft_name_of,
    drafted,
    is_writable,
)
from egress_audit.judge.rules import findings
from egress_audit.model.audit import Direction, Observation
from egress_audit.model.draft import Draft
from egress_audit.model.flow import NameSource
from tests.builders.cases import LAN, OUTSIDE, case, contact, named, place, question, rest
from tests.builders.runs import attempt, run

ANSWER, SNI = NameSource.DNS_ANSWER, NameSource.TLS_SNI


def values(draft: Draft, key: str) -> list[str]:
    return [line.value for line in draft.lines if line.key == key]


def contradicted(judged: Case, draft: Draft) -> list[str]:
    """The rules that fire where the evidence is judged by its draft."""
    return [finding.rule for finding in findings(claiming(judged, draft.allow))]


def covered(*rows: Observation) -> Draft:
    """The draft of these rows, which contradict it no more."""
    judged = case(*rows)
    draft = drafted(judged)
    assert contradicted(judged, draft) == []
    assert draft.uncovered == ()
    return draft


def test_a_host_that_an_answer_proves_is_allowed_and_its_address_is_not() -> None:
    draft = covered(
        question("a.example", OUTSIDE), contact(OUTSIDE, named("a.example", ANSWER, SNI))
    )
    assert values(draft, "hosts") == ["a.example"]
    assert values(draft, "prefixes") == []
    (line,) = draft.lines
    assert [reason.clause.split()[0] for reason in line.reasons] == ["asked", "opened"]


def test_a_name_that_the_program_wrote_itself_allows_no_address() -> None:
    draft = covered(contact(OUTSIDE, named("a.example", SNI)))
    assert values(draft, "prefixes") == [f"{OUTSIDE}/32"]
    assert values(draft, "hosts") == ["a.example"]
    by_value = {line.value: line.note for line in draft.lines}
    assert by_value[f"{OUTSIDE}/32"] == NO_ANSWER
    assert "allows no address by itself" in by_value["a.example"]


def test_an_address_without_a_name_is_allowed_alone() -> None:
    assert values(covered(contact("2001:db8::9")), "prefixes") == ["2001:db8::9/128"]


def test_a_resolver_off_the_network_is_told_as_one() -> None:
    (line,) = covered(contact(OUTSIDE, far_p=53, proto=17)).lines
    assert line.note == RESOLVER


def test_names_that_disagree_are_both_allowed_and_it_is_said() -> None:
    draft = covered(contact(OUTSIDE, named("good.example", ANSWER), named("evil.example", SNI)))
    assert values(draft, "hosts") == ["evil.example", "good.example"]
    assert "has another name" in draft.lines[0].note


@pytest.mark.parametrize(
    ("address", "scope"),
    [(LAN, "lan"), ("169.254.169.254", "metadata-service"), ("224.0.0.251", "multicast")],
)
def test_what_is_near_is_allowed_as_a_scope(address: str, scope: str) -> None:
    draft = covered(contact(address))
    assert values(draft, "scopes") == [scope]
    assert values(draft, "prefixes") == []


def test_a_name_that_a_local_proxy_was_asked_for_is_allowed_as_a_host() -> None:
    proxied = contact("127.0.0.1", named("a.example", NameSource.HTTP_CONNECT))
    assert values(covered(proxied), "hosts") == ["a.example"]


def test_an_address_that_a_local_proxy_was_asked_for_is_allowed_as_a_prefix() -> None:
    proxied = contact("127.0.0.1", named(OUTSIDE, NameSource.HTTP_CONNECT))
    assert values(covered(proxied), "prefixes") == [f"{OUTSIDE}/32"]


def test_the_machine_itself_is_allowed_without_a_line() -> None:
    draft = covered(contact("127.0.0.1"))
    assert draft.lines == ()
    assert draft.allow.scopes == {Scope.LOOPBACK}


@pytest.mark.parametrize("host", ["*.example", "a b.example", "\\x1b.example", "1.2.3.4", "a..b"])
def test_a_name_that_no_profile_can_hold_is_told_and_not_allowed(host: str) -> None:
    judged = case(question(host))
    draft = drafted(judged)
    assert draft.lines == ()
    assert draft.uncovered == (f"asked for {host} (1 A question)",)
    assert contradicted(judged, draft) == ["EA002"]


def test_a_pattern_that_was_asked_for_allows_no_other_name() -> None:
    assert not is_writable("*.com")
    assert is_writable("xn--a.example")


def test_flows_past_the_rows_are_told_and_not_allowed() -> None:
    draft = drafted(case(rest(global_=3)))
    assert draft.uncovered == ("sent 3 further flows beyond the rows that are kept (3 global)",)


def test_what_was_answered_is_told_and_needs_no_line() -> None:
    draft = covered(contact(OUTSIDE, direction=Direction.INBOUND))
    assert draft.lines == ()
    assert len(draft.answered) == 1


def test_one_more_destination_contradicts_a_draft() -> None:
    seen = question("a.example", OUTSIDE), contact(OUTSIDE, named("a.example", ANSWER))
    draft = covered(*seen)
    assert contradicted(case(*seen, contact("203.0.113.10")), draft) == ["EA001"]
    assert contradicted(case(*seen, question("b.example")), draft) == ["EA002"]


def test_who_is_behind_a_host_is_told_as_the_lists_know_it() -> None:
    seen = contact("192.0.2.1", named("a.example", ANSWER), destination=place())
    (line,) = covered(seen).lines
    assert line.party.name == "Example"
    assert line.known


def test_what_the_evidence_hides_from_the_draft_is_told() -> None:
    rows = question("a.example", OUTSIDE), contact(OUTSIDE, named("a.example", ANSWER))
    (hidden,) = drafted(case(*rows, hidden_names={"tls-ech": 2})).unseen
    assert hidden.startswith("flows that hide the name they are for")
    assert drafted(case(*rows)).unseen == ()


def test_what_no_list_knows_is_marked() -> None:
    (line,) = covered(contact(OUTSIDE)).lines
    assert not line.known


def test_what_is_known_stands_before_what_is_not() -> None:
    known = contact("192.0.2.1", named("z.example", ANSWER), destination=place())
    unknown = contact(OUTSIDE, named("a.example", ANSWER))
    assert values(covered(unknown, known), "hosts") == ["z.example", "a.example"]


def test_an_attempt_that_became_no_packet_is_allowed_too() -> None:
    judged = case(run=run(attempts=(attempt(address="203.0.113.7", port=443),)))
    assert [finding.rule for finding in findings(judged)] == ["EA012"]
    draft = drafted(judged)
    assert values(draft, "prefixes") == ["203.0.113.7/32"]
    assert contradicted(judged, draft) == []


def test_a_name_is_made_of_the_capture_s() -> None:
    assert draft_name_of("My Run (2).pcap.gz") == "my-run-2"
    assert draft_name_of("---") == draft_name_of("-") == "draft"
    assert len(draft_name_of("a" * 300)) == 64


def test_a_name_that_no_profile_can_have_is_wrong_usage() -> None:
    assert draft_name("hub-only") == "hub-only"
    with pytest.raises(WrongUsage, match="is no name of a profile"):
        draft_name("Hub only")
