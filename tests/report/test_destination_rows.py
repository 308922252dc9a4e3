"""The rows of the table of destinations."""

from dataclasses import replace

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.audit import Direction, Frames, Kind, NameUse, Observation, Owner
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Role
from egress_audit.report.destination_rows import (
    MAX_ROWS,
    WORST_SCOPES,
    count_of_rows,
    destination_rows,
    row_of,
    worst_first,
)
from tests.builders.audit_parts import CLOUDFLARE, near, observation, question
from tests.builders.audits import far_and_wide, hub_lookup
from tests.builders.endpoints import entry, known
from tests.builders.runs import owner


def order_of(*observations: Observation) -> list[int]:
    audit = replace(hub_lookup(), findings=(), observations=observations)
    return [seen.id for seen in worst_first(audit)]


def test_every_scope_has_its_rank() -> None:
    assert sorted(WORST_SCOPES) == sorted(Scope)


def test_what_a_finding_rests_on_comes_first() -> None:
    audit = far_and_wide()
    assert {seen.id for seen in worst_first(audit)[:2]} == {1, 2}
    assert [row.violates for row in destination_rows(audit)] == [True, True] + 7 * [False]


def test_outbound_comes_before_inbound() -> None:
    inbound = observation(1, direction=Direction.INBOUND, destination=CLOUDFLARE)
    assert order_of(inbound, observation(2, destination=near(Scope.LOOPBACK))) == [2, 1]


def test_the_world_comes_before_the_machine() -> None:
    loopback = observation(1, destination=near(Scope.LOOPBACK), ip_bytes_out=10**9)
    assert order_of(loopback, observation(2, destination=CLOUDFLARE)) == [2, 1]


def test_more_bytes_out_come_first() -> None:
    assert order_of(observation(1, ip_bytes_out=1), observation(2, ip_bytes_out=2)) == [2, 1]


def test_the_rest_comes_last() -> None:
    assert worst_first(far_and_wide())[-1].kind is Kind.REST


def test_the_rest_is_among_the_first_if_a_finding_rests_on_it() -> None:
    audit = far_and_wide()
    rest = worst_first(audit)[-1]
    blamed = replace(audit, findings=(replace(audit.findings[0], observations=(rest.id,)),))
    assert worst_first(blamed)[0] == rest


def test_a_long_table_is_cut() -> None:
    many = tuple(observation(number) for number in range(1, MAX_ROWS + 10))
    assert len(destination_rows(replace(hub_lookup(), observations=many))) == MAX_ROWS


def test_a_contact_shows_name_source_address_and_port() -> None:
    names = (NameUse("example.org", (NameSource.TLS_SNI, NameSource.DNS_ANSWER)),)
    row = row_of(observation(names=names, tls_flows=1), violates=False)
    assert row.far_end == (
        "example.org",
        "known by tls-sni, dns-answer",
        "203.0.113.9",
        "port 443/tcp, 1\u00a0flow (1 TLS)",
    )


def test_names_that_disagree_are_all_shown() -> None:
    names = (
        NameUse("good.example", (NameSource.HTTP_HOST,)),
        NameUse("evil.example", (NameSource.TLS_SNI, NameSource.DNS_ANSWER)),
    )
    assert row_of(observation(names=names), violates=False).far_end[:3] == (
        "good.example (http-host)",
        "evil.example (tls-sni, dns-answer)",
        "203.0.113.9",
    )


def test_of_many_names_three_are_shown_and_the_others_counted() -> None:
    names = tuple(NameUse(f"n{at}.example", (NameSource.DNS_ANSWER,)) for at in range(5))
    far_end = row_of(observation(names=names), violates=False).far_end
    assert far_end[2:5] == ("n2.example (dns-answer)", "and 2\u00a0more names", "203.0.113.9")
    exactly = row_of(observation(names=names[:3]), violates=False).far_end
    assert exactly[3] == "203.0.113.9"


@pytest.mark.parametrize(
    ("proto", "far_p", "shown"),
    [
        (1, 3, "icmp type 3"),
        (58, 128, "icmpv6 type 128"),
        (132, 9, "port 9/sctp"),
        (200, 9, "protocol 200"),
    ],
)
def test_only_protocols_with_ports_show_a_port(proto: int, far_p: int, shown: str) -> None:
    row = row_of(observation(proto=proto, far_p=far_p), violates=False)
    assert row.far_end[1] == f"{shown}, 1\u00a0flow"


def test_names_beyond_the_rows_are_counted_as_names() -> None:
    rest = observation(
        kind=Kind.REST, far_h=Absent.NOT_APPLICABLE, flows=0, rest_scopes={Scope.NAME: 47}
    )
    row = row_of(rest, violates=True)
    assert row.far_end == ("47\u00a0names past the rows that are kept",)
    assert (row.packets, row.ip_bytes) == (("10", "asked"), ())


def test_a_contact_without_a_name_begins_with_its_address() -> None:
    assert row_of(observation(), violates=False).far_end[0] == "203.0.113.9"


def test_a_protocol_without_ports_shows_none() -> None:
    seen = observation(proto=1, far_p=Absent.NOT_APPLICABLE)
    assert row_of(seen, violates=False).far_end[1] == "icmp, 1\u00a0flow"


def test_a_question_shows_what_was_asked_of_whom_and_the_answer() -> None:
    row = row_of(question(1, "example.org", answers=("198.18.0.2",)), violates=True)
    assert row.far_end == (
        "example.org",
        "asked: 1\u00a0A",
        "resolver 10.77.0.1",
        "answer 198.18.0.2",
    )


def test_a_question_that_nobody_answered_says_so() -> None:
    assert row_of(question(1, "a.b"), violates=True).far_end[-1] == "no answer with an address"


def test_direction_phase_and_process_are_told_where_known() -> None:
    owner = Owner(20, 0, "python3", Absent.NOT_FOUND, Absent.NOT_FOUND, 1, "sandbox")
    seen = observation(owner=owner, phase="load", direction=Direction.INBOUND)
    assert row_of(seen, violates=False).far_end[-1] == ("inbound, during load, by python3 (pid 20)")


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.INTERNAL])
def test_who_came_in_over_loopback_is_the_user_s_client(direction: Direction) -> None:
    seen = observation(direction=direction, destination=near(Scope.LOOPBACK))
    called = row_of(seen, violates=False).far_end[0] == "the user's client on this host"
    assert called == (direction is Direction.INBOUND)


def test_a_name_that_is_the_address_is_not_told_twice() -> None:
    names = (NameUse("203.0.113.9", (NameSource.HTTP_HOST,)),)
    assert row_of(observation(names=names), violates=False).far_end[0] == "203.0.113.9"
    assert "known by" not in str(row_of(observation(names=names), violates=False))


def test_a_contact_has_packets_and_bytes_of_both_directions() -> None:
    row = row_of(observation(), violates=False)
    assert row.packets == ("10 out", "8  in")
    assert row.ip_bytes == ("1\u00a0200", "5\u00a0300")


def test_a_question_counts_how_often_it_was_asked_and_no_bytes() -> None:
    row = row_of(question(1, "a.b", pkts_out=38), violates=False)
    assert row.packets == ("38", "asked")
    assert row.ip_bytes == ()


def test_the_first_time_is_a_day_and_a_time_of_day() -> None:
    assert row_of(observation(), violates=False).first_seen == ("2026-11-21", "10:12:03")
    assert observation().frames == Frames((3,), 1)


def cell(who: Owner) -> tuple[str, ...]:
    """The lines of a row whose owner is known."""
    return row_of(observation(owner=who), violates=False).far_end


def test_processes_alike_are_counted_and_the_kernel_sends_on_behalf() -> None:
    assert "by program (pid 1002, first of 3 processes)" in cell(owner(processes=3))
    kernels = owner(how="kernel, on behalf of")
    assert "by the kernel, on behalf of program (pid 1002)" in cell(kernels)


def test_a_long_command_loses_its_middle() -> None:
    (line,) = [text for text in cell(owner(exe="/usr/bin/" + "x" * 500)) if text.startswith("by ")]
    assert len(line) < 100 and "…" in line


def test_what_our_helpers_did_is_no_row_of_the_table() -> None:
    audit = far_and_wide()
    first, *rest = audit.observations
    ours = replace(first, owner=owner(Role.PROBE))
    without = replace(audit, observations=(ours, *rest))
    assert len(worst_first(without)) == count_of_rows(without) == len(rest)


def test_a_row_says_what_the_catalogue_knows_of_it() -> None:
    audit = hub_lookup()
    seen = replace(audit.observations[0], **known("huggingface.co", entry()))
    (row,) = destination_rows(replace(audit, observations=(seen,), endpoints=(entry(),)))
    assert "Acme: telemetry" in row.far_end
