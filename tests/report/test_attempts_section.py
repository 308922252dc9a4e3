"""Attempts without a packet, and what our own helpers sent, stand in sections of their own."""

from functools import partial
from typing import Any

from egress_audit.model.audit import Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt, Role
from egress_audit.report.attempts_section import MAX_ATTEMPTS, attempts_section, helpers_section
from egress_audit.report.section import Section
from tests.builders.audit_parts import observation
from tests.builders.audits import run_at_home
from tests.builders.runs import EXERCISER, attempt, owner, recording, run

PROGRAM = "/usr/bin/program (pid 1002)"


def section_of(*attempts: Attempt, rows: tuple[Observation, ...] = ()) -> Section | None:
    there = run(attempts=attempts)
    return attempts_section(run_at_home(there, *rows), there)


def lines_of(*attempts: Attempt, **changes: Any) -> tuple[str, ...]:
    section = section_of(*attempts, **changes)
    assert section is not None
    return section.entries[0].lines


def test_an_attempt_without_a_packet_is_told_with_its_process() -> None:
    section = section_of(attempt("1.2.3.4", count=3))
    assert section is not None
    (entry,) = section.entries
    assert entry.term == PROGRAM
    assert entry.lines == ("connect 1.2.3.4:443 (AF_INET stream), 3\xa0times: no packet",)


def test_route_probes_stand_in_one_line_with_their_count() -> None:
    probes = [attempt(f"2001:db8::{n}", type="dgram", port=53, count=2) for n in range(1, 7)]
    section = section_of(*probes, attempt("1.2.3.4"))
    assert section is not None
    assert [entry.term for entry in section.entries] == [PROGRAM, "Route probes"]
    assert section.entries[1].lines == (
        f"12\xa0connects by {PROGRAM}, to [2001:db8::1]:53, [2001:db8::2]:53, [2001:db8::3]:53, "
        "[2001:db8::4]:53 … and 2 more: no packet, no effect",
    )


def test_route_probes_of_several_processes_are_told_as_theirs() -> None:
    (line,) = lines_of(*(attempt(process=number, type="dgram") for number in (2, 77)))
    assert "2\xa0connects by 2\xa0processes, to " in line


def test_one_that_was_refused_is_no_mere_route_probe() -> None:
    (line,) = lines_of(attempt("1.2.3.4", type="raw", denied="EPERM"))
    assert line == "connect 1.2.3.4:443 (AF_INET raw): refused with EPERM"


def test_a_group_that_was_joined_is_told_as_such() -> None:
    (line,) = lines_of(attempt("239.7.7.7", call="setsockopt", type="", port=Absent.NOT_APPLICABLE))
    assert line.startswith("setsockopt 239.7.7.7 (AF_INET): group joined")


def test_what_was_refused_and_what_became_of_it_is_told() -> None:
    nowhere = Absent.NOT_APPLICABLE
    ring = attempt(
        nowhere, call="io_uring_setup", family="", type="", port=nowhere, denied="ENOSYS"
    )
    unix = attempt("/run/x", family="AF_UNIX", port=nowhere, outcome="absent")
    assert lines_of(ring, unix) == (
        "io_uring_setup: refused with ENOSYS",
        "connect /run/x (AF_UNIX stream): absent",
    )


def test_a_socket_that_the_host_can_reach_is_not_told_as_reached() -> None:
    unix = partial(attempt, "/srv/s", family="AF_UNIX", port=Absent.NOT_APPLICABLE)
    assert lines_of(unix(call="bind", outcome="reached"), unix(outcome="reached")) == (
        "bind /srv/s (AF_UNIX stream): processes of the host can reach it there",
        "connect /srv/s (AF_UNIX stream): reached",
    )
    assert section_of(unix(call="bind")) is None


def test_one_with_a_packet_is_a_destination_and_not_told_again() -> None:
    assert section_of(attempt("203.0.113.9"), rows=(observation(),)) is None


def test_serving_and_our_helpers_are_not_told() -> None:
    assert section_of(attempt(call="bind"), attempt(process=EXERCISER)) is None


def test_past_the_bound_they_are_counted() -> None:
    many = [attempt(f"1.2.3.{n}") for n in range(MAX_ATTEMPTS + 5)]
    section = section_of(*many)
    assert section is not None
    assert section.entries[-1].lines == ("and 5 more: --format json",)


def test_our_helpers_are_told_by_role_with_their_far_ends() -> None:
    theirs = observation(owner=owner(Role.EXERCISER))
    audit = run_at_home(run(), theirs, recording=recording(not_the_programs={"exerciser": 1}))
    section = helpers_section(audit, run())
    assert section is not None
    assert section.entries[0].lines == ("1\xa0flow, to 203.0.113.9:443/tcp",)


def test_without_helpers_there_is_no_such_section() -> None:
    audit = run_at_home(run(), recording=recording(not_the_programs={}))
    assert helpers_section(audit, run()) is None
