"""What the catalogue knows of each observation, and when it is asked at all."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit import endpoints
from egress_audit.addresses import Scope
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.endpoints import endpoint_words, entries_of, recognised
from egress_audit.judge.case import Tried
from egress_audit.judge.grants import Grant, grant
from egress_audit.model.audit import Direction, Match, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import AppliesTo, Claim
from egress_audit.model.destination import Absent
from egress_audit.model.flow import Name, NameSource
from egress_audit.model.run import Attempt, Network, Phase, Role, Run
from egress_audit.model.versions import ProductVersion
from egress_audit.record.attempts import MOST_ATTEMPTS
from tests.builders.cases import (
    ADDRESS_LIST,
    LAN,
    LOOPBACK,
    OFFLINE,
    OUTSIDE,
    START_NS,
    claim,
    contact,
    named,
    near,
    network,
    question,
)
from tests.builders.endpoints import entry
from tests.builders.runs import EXERCISER, attempt, owner, phase, process, ran, run

HOST = "stats.acme.example"
HOUR_NS = 3_600_000_000_000
STATS = entry()
NEWS = entry("acme-news", "update-check", processes=("acme-app",), first_ns=HOUR_NS)
SWITCHED = entry("acme-switched", processes=("acme-app",))
THERE = entry("acme-there", hosts=(), prefixes=(network("203.0.113.0/24"),), ports=("53/udp",))


def asking(
    *rows: Observation,
    entries: tuple[Entry, ...] = (STATS,),
    claim: Claim = OFFLINE,
    run: Run | Absent = Absent.NOT_APPLICABLE,
    versions: tuple[ProductVersion, ...] = (),
) -> Any:
    catalogue = Catalogue.of(entries, (ADDRESS_LIST,))
    return recognised(rows, claim, run, lambda: catalogue, versions)


def matches(row: Observation, *entries: Entry, **changes: Any) -> tuple[Match, ...]:
    (seen,) = asking(row, entries=entries or (STATS,), **changes).observations
    found: tuple[Match, ...] = seen.endpoints
    return found


BY_NAME = (Match(HOST, ("acme-stats",)),)


@pytest.mark.parametrize(
    "row",
    [
        question(HOST),
        contact(OUTSIDE, named(HOST)),
        contact(LOOPBACK, named(HOST, NameSource.HTTP_CONNECT)),
        contact(
            "198.18.0.9", named(HOST, NameSource.SANDBOX_DNS), destination=near(Scope.SIMULATED)
        ),
    ],
    ids=["asked", "said", "through a proxy", "invented"],
)
def test_a_name_is_recognised_wherever_it_was_heard(row: Observation) -> None:
    assert matches(row) == BY_NAME


def test_another_name_is_not() -> None:
    assert matches(question("acme.example")) == ()


def test_an_address_is_recognised_with_its_port() -> None:
    assert matches(contact(OUTSIDE, proto=17, far_p=53), THERE) == (
        Match(OUTSIDE, ("acme-there",)),
    )
    assert matches(contact(OUTSIDE), THERE) == ()


def test_an_address_that_was_seen_at_another_port_before_is_recognised_at_its_own() -> None:
    row = contact(OUTSIDE, far_p=53, proto=17)
    found = asking(replace(row, far_p=443), row, row, entries=(THERE,)).observations
    assert [bool(seen.endpoints) for seen in found] == [False, True, True]


def test_a_name_beside_an_address_that_nothing_fits_is_recognised() -> None:
    stranger, known = contact(OUTSIDE), contact(OUTSIDE, named(HOST))
    found = asking(stranger, known, stranger).observations
    assert [bool(seen.endpoints) for seen in found] == [False, True, False]


def test_what_has_no_ports_fits_no_entry_with_one() -> None:
    assert matches(contact(OUTSIDE, proto=1, far_p=8), THERE) == ()


def test_the_port_of_a_carrier_is_not_that_of_the_name_it_is_asked_for() -> None:
    secure = entry(ports=("443/tcp",))
    proxied = contact(LOOPBACK, named(HOST, NameSource.HTTP_CONNECT), far_p=7890)
    assert matches(proxied, secure) == BY_NAME
    assert matches(contact(OUTSIDE, named(HOST), far_p=7890), secure) == ()


def test_the_port_of_who_came_in_says_nothing() -> None:
    came = contact(OUTSIDE, proto=17, far_p=50000, direction=Direction.INBOUND)
    assert matches(came, THERE) == (Match(OUTSIDE, ("acme-there",)),)


def test_an_address_that_our_dns_invented_is_nobodys() -> None:
    invented = contact(OUTSIDE, proto=17, far_p=53, destination=near(Scope.SIMULATED))
    assert matches(invented, THERE) == ()


def test_an_address_in_place_of_a_name_is_looked_up_as_one() -> None:
    proxied = contact(LOOPBACK, named(OUTSIDE, NameSource.HTTP_CONNECT), far_p=7890)
    assert matches(proxied, THERE) == (Match(OUTSIDE, ("acme-there",)),)


def test_each_name_and_the_address_are_matched_by_themselves() -> None:
    there = contact(OUTSIDE, named(HOST), named("b.example"), proto=17, far_p=53)
    assert matches(there, STATS, THERE) == (*BY_NAME, Match(OUTSIDE, ("acme-there",)))


def test_several_that_fit_are_narrowed_by_the_process() -> None:
    by_app = question(HOST, owner=owner(exe="/opt/acme-app"))
    assert matches(by_app, replace(STATS, processes=("acmed",)), NEWS) == (
        Match(HOST, ("acme-news",)),
    )


@pytest.mark.parametrize(("after_ns", "ids"), [(1, ("acme-stats",)), (HOUR_NS, None)])
def test_several_that_fit_are_narrowed_by_the_time_of_the_run(
    after_ns: int, ids: tuple[str, ...] | None
) -> None:
    later = question(HOST, owner=owner(), last_ts_ns=START_NS + after_ns)
    (match,) = matches(later, STATS, replace(NEWS, processes=()), run=run())
    assert match.one_of == (ids or ("acme-stats", "acme-news"))


def test_a_process_that_starts_late_is_as_late_as_the_program() -> None:
    late = process(pid=1002, start_time=5002, first_ns=START_NS + HOUR_NS)
    by_late = question(HOST, owner=owner(), last_ts_ns=START_NS + HOUR_NS)
    (match,) = matches(by_late, STATS, replace(NEWS, processes=()), run=run(processes=(late,)))
    assert match.one_of == ("acme-stats", "acme-news")


BY_PHASE = (replace(STATS, phases=("generate",)), replace(NEWS, phases=("start",), processes=()))
IN_START = {"phase": "start", "first_ts_ns": START_NS, "last_ts_ns": START_NS + 1}


def test_several_that_fit_are_narrowed_by_the_phase() -> None:
    asked = question(HOST, owner=owner(), **IN_START)
    there = run(phases=(phase("start", end_ns=START_NS + 2),), exec_ns=Absent.NOT_FOUND)
    (match,) = matches(asked, *BY_PHASE, run=there)
    assert match.one_of == ("acme-news",)


@pytest.mark.parametrize(
    "told",
    [phase("start", end_ns=START_NS + 1), phase("start", "self", end_ns=START_NS + 2)],
    ids=["goes on after it", "told by the program"],
)
def test_a_phase_that_does_not_hold_narrows_nothing(told: Phase) -> None:
    asked = question(HOST, owner=owner(), **IN_START)
    (match,) = matches(asked, *BY_PHASE, run=run(phases=(told,), exec_ns=Absent.NOT_FOUND))
    assert match.one_of == ("acme-stats", "acme-news")


def test_what_our_own_helpers_did_stays_as_it_is() -> None:
    assert matches(question(HOST, owner=owner(Role.PROBE))) == ()


def test_the_entries_that_match_are_kept_by_id() -> None:
    assert asking(question(HOST), entries=(STATS, THERE)).entries == {"acme-stats": STATS}


# When it is asked


def never() -> Catalogue:
    raise AssertionError


@pytest.mark.parametrize(
    "row",
    [
        contact(LOOPBACK),
        contact(LAN),
        contact(LOOPBACK, named("localhost")),
        question("localhost"),
        question("printer"),
    ],
)
def test_what_stays_near_and_names_nobody_does_not_ask_the_catalogue(row: Observation) -> None:
    assert recognised([row], OFFLINE, Absent.NOT_APPLICABLE, never).lists == ()


def test_a_name_asks_the_catalogue_and_its_files_are_told() -> None:
    assert asking(question("b.example")).lists == (ADDRESS_LIST,)


def test_a_claim_about_endpoints_tells_the_files_whatever_was_seen() -> None:
    assert asking(claim=claim(endpoints=("acme-stats",))).lists == (ADDRESS_LIST,)


def test_without_a_catalogue_nothing_is_recognised() -> None:
    row = question(HOST)
    assert recognised([row], OFFLINE, Absent.NOT_APPLICABLE, None).observations == (row,)


PROBE = replace(THERE, id="acme-own-address", packetless=True)


def test_a_packet_was_never_that_of_an_entry_that_sends_none() -> None:
    row = contact(OUTSIDE, far_p=53, proto=17)
    assert matches(row, THERE, PROBE) == (Match(OUTSIDE, ("acme-there",)),)
    assert matches(row, PROBE) == ()


def test_a_datagram_to_a_public_resolver_is_not_what_learns_the_own_address() -> None:
    row = contact("8.8.8.8", far_p=53, proto=17)
    known = recognised([row], OFFLINE, Absent.NOT_APPLICABLE, packaged_catalogue)
    (seen,) = known.observations
    assert seen.endpoints == (Match("8.8.8.8", ("google-public-dns",)),)
    fitting = list(known.entries.values())
    assert grant("8.8.8.8", fitting, ("purpose:resolver",), Absent.NOT_FOUND) is Grant.YES
    assert grant("8.8.8.8", fitting, ("product:Ray",), Absent.NOT_FOUND) is Grant.NO


def test_nor_is_one_to_another_port_granted_to_who_only_asks_for_a_route_there() -> None:
    row = contact("8.8.8.8", far_p=80, proto=17)
    known = recognised([row], OFFLINE, Absent.NOT_APPLICABLE, packaged_catalogue)
    assert known.observations == (row,)


# Attempts without a packet

FAR = Tried(OUTSIDE, 443)
ANYWHERE = entry("acme-there", hosts=(), prefixes=(network("203.0.113.0/24"),))
INVENTED = "198.18.0.9"


def tried(*rows: Observation, entries: tuple[Entry, ...] = (ANYWHERE,), **changes: Any) -> Any:
    """What is known of the attempts of a run, of which there is one."""
    noted = run(**({"attempts": (attempt(OUTSIDE),)} | changes))
    return asking(*rows, entries=entries, run=noted).tried


def test_an_address_that_was_tried_without_a_packet_is_recognised() -> None:
    assert tried() == {FAR: (Match(OUTSIDE, ("acme-there",)),)}


def test_at_the_port_that_was_called() -> None:
    datagram = attempt(OUTSIDE, call="sendto", type="dgram", port=53)
    assert tried(entries=(THERE,)) == {}
    assert list(tried(entries=(THERE,), attempts=(datagram,))) == [Tried(OUTSIDE, 53, "dgram")]


def test_a_name_that_led_there_is_recognised_too() -> None:
    by_answer = tried(question(HOST, OUTSIDE), entries=(STATS,))
    assert by_answer == {FAR: BY_NAME}
    invented = {"attempts": (attempt(INVENTED),), "synthetic": {INVENTED: HOST}}
    assert tried(entries=(STATS,), **invented) == {Tried(INVENTED, 443): BY_NAME}


def test_no_more_places_are_looked_up_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST_TRIED", 2)
    ports = tuple(attempt(OUTSIDE, port=port) for port in (443, 444, 443, 445))
    assert [place.port for place in tried(attempts=ports)] == [443, 444]


def test_nor_more_names_that_led_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST_LEADING", 2)
    asked = [question(host, OUTSIDE) for host in ("a.example", "b.example", HOST)]
    assert tried(*asked, entries=(STATS,)) == {}
    assert tried(*asked[1:], entries=(STATS,)) == {FAR: BY_NAME}


def test_an_attempt_of_which_a_row_tells_is_left_to_the_row() -> None:
    assert tried(contact(OUTSIDE)) == {}


def test_a_row_of_our_own_helper_tells_of_no_attempt_of_the_program() -> None:
    assert FAR in tried(contact(OUTSIDE, owner=owner(Role.EXERCISER)))


@pytest.mark.parametrize(
    "quiet",
    [attempt("192.168.1.7"), attempt(OUTSIDE, process=EXERCISER), attempt(OUTSIDE, type="dgram")],
    ids=["near", "our own", "route probe"],
)
def test_what_is_no_attempt_to_leave_is_not_looked_up(quiet: Attempt) -> None:
    prefixes = (network("203.0.113.0/24"), network("192.168.0.0/16"))
    everywhere = entry("acme-all", hosts=(), prefixes=prefixes)
    assert tried(entries=(everywhere,), attempts=(quiet,)) == {}


def test_several_that_fit_an_attempt_are_narrowed_by_who_called() -> None:
    other = replace(ANYWHERE, id="acme-app", processes=("acme-app",))
    both, ran = (ANYWHERE, other), replace(ANYWHERE, id="acme-d", processes=("program",))
    assert tried(entries=both)[FAR][0].one_of == ("acme-there", "acme-app")
    assert tried(entries=(other, ran))[FAR][0].one_of == ("acme-d",)


def test_of_two_that_called_the_same_place_what_either_may_have_meant_is_kept() -> None:
    other = replace(ANYWHERE, id="acme-app", processes=("acme-app",))
    theirs = replace(ANYWHERE, id="acme-d", processes=("program",))
    both = attempt(OUTSIDE), attempt(OUTSIDE, process=9)
    noted = {"attempts": both, "processes": (process(), process(9, exe="/opt/acme-app"))}
    assert tried(entries=(other, theirs), **noted)[FAR][0].one_of == ("acme-d", "acme-app")


def test_a_connection_and_a_datagram_are_two_places() -> None:
    datagram = attempt(OUTSIDE, call="sendto", type="dgram", port=53)
    both = {"attempts": (datagram, attempt(OUTSIDE, port=53))}
    assert list(tried(entries=(THERE,), **both)) == [Tried(OUTSIDE, 53, "dgram")]


def test_our_own_resolver_is_not_who_has_its_address_in_the_world() -> None:
    assert tried(resolvers=(OUTSIDE,)) == {}
    assert FAR in tried(resolvers=(OUTSIDE,), network=Network.OPEN)


def test_the_port_of_a_carrier_near_us_says_nothing_of_its_name() -> None:
    at_443 = replace(STATS, ports=("443/tcp",))
    proxied = {"attempts": (attempt(LAN, port=3128),), "synthetic": {LAN: HOST}}
    assert tried(entries=(at_443,), **proxied) == {Tried(LAN, 3128): BY_NAME}


def test_as_many_places_are_looked_up_as_attempts_are_kept() -> None:
    assert endpoints.MOST_TRIED >= MOST_ATTEMPTS


# Callers that come later

OF_ACME = claim(applies_to=AppliesTo(runtimes=("acme-app",)))


def test_a_timer_of_a_runtime_that_the_claim_names_is_kept() -> None:
    assert asking(claim=OF_ACME, entries=(STATS, NEWS)).callers == (NEWS,)


def test_so_is_one_that_calls_at_once_and_then_again() -> None:
    again = replace(NEWS, first_ns=0, every_ns=HOUR_NS)
    assert asking(claim=OF_ACME, entries=(again,)).callers == (again,)


def test_one_that_calls_at_once_and_never_again_has_no_timer() -> None:
    once = replace(NEWS, first_ns=0, switch=Absent.NOT_FOUND)
    assert asking(claim=OF_ACME, entries=(once,)).callers == ()


def test_a_caller_that_a_variable_silences_is_kept_too() -> None:
    assert asking(claim=OF_ACME, run=run(), entries=(SWITCHED,)).callers == (SWITCHED,)


@pytest.mark.parametrize("changes", [{"switch": Absent.NOT_FOUND}, {"processes": ("other",)}])
def test_one_without_a_switch_or_of_another_runtime_is_not(changes: dict[str, Any]) -> None:
    other = replace(SWITCHED, **changes)
    assert asking(claim=OF_ACME, run=run(), entries=(other,)).callers == ()


def test_a_timer_of_a_process_of_the_run_is_kept() -> None:
    ran = run(processes=(process(exe="/opt/acme-app"),))
    assert asking(run=ran, entries=(STATS, NEWS)).callers == (NEWS,)


@pytest.mark.parametrize("role", [Role.EXERCISER, Role.RECORDER])
def test_a_timer_of_our_own_processes_is_not(role: Role) -> None:
    ran = run(processes=(process(exe="/opt/acme-app", role=role),))
    assert asking(run=ran, entries=(NEWS,)).callers == ()


def test_a_capture_under_a_claim_that_names_no_runtime_has_no_timers() -> None:
    assert asking(entries=(NEWS,)).callers == ()


def test_a_profile_can_name_ids_vendors_and_products() -> None:
    assert endpoint_words(Catalogue.of([STATS])) == {
        "acme-stats": (STATS,),
        "vendor:Acme": (STATS,),
        "product:Acme server": (STATS,),
    }


def test_the_entries_of_names_are_told_once_and_none_of_outer_names() -> None:
    catalogue = Catalogue.of((STATS, NEWS), (ADDRESS_LIST,))
    spoken = Name(HOST, NameSource.TLS_SNI, 1, 1)
    assert entries_of((spoken, replace(spoken, frame=2)), lambda: catalogue) == (STATS, NEWS)
    assert entries_of((replace(spoken, outer=True),), lambda: catalogue) == ()


# Versions

OLD = entry("acme-old", product="acme", versions="<2")
NEW = entry("acme-new", "update-check", product="acme", versions=">=2")
BOTH = (OLD, NEW)


def of_version(*versions: ProductVersion, entries: tuple[Entry, ...] = BOTH) -> Match:
    """What a question of the program's matches, if these ran."""
    row = question(HOST, owner=owner())
    (seen,) = asking(row, entries=entries, run=run(), versions=versions).observations
    (found,) = seen.endpoints
    assert isinstance(found, Match)
    return found


def test_a_version_tells_which_of_several_it_was() -> None:
    assert of_version(ran("acme", "1.5")) == Match(HOST, ("acme-old",), ("acme-new",))
    assert of_version(ran("acme", "2.0")) == Match(HOST, ("acme-new",), ("acme-old",))


@pytest.mark.parametrize(
    "known", [ran("acme"), ran("acme", "main"), ran("other", "1.5"), ran("acme", processes=(3,))]
)
def test_a_version_that_is_not_known_tells_nothing(known: ProductVersion) -> None:
    assert of_version(known) == Match(HOST, ("acme-old", "acme-new"))


def test_two_versions_of_which_one_is_not_known_tell_nothing() -> None:
    assert of_version(ran("acme", "1.5"), ran("acme")).outside == ()


def test_where_no_entry_covers_the_version_all_stay_and_are_outside() -> None:
    none = replace(OLD, versions="<1")
    assert of_version(ran("acme", "1.5"), entries=(none, NEW)) == Match(
        HOST, ("acme-old", "acme-new"), ("acme-old", "acme-new")
    )


def test_an_entry_that_fits_alone_can_be_outside() -> None:
    assert of_version(ran("acme", "1.5"), entries=(NEW,)).outside == ("acme-new",)


def test_an_entry_of_any_version_stays() -> None:
    assert of_version(ran("acme", "1.5"), entries=(STATS, NEW)).one_of == ("acme-stats",)


def test_a_stated_version_is_held_against_a_capture_without_owners() -> None:
    stated = ran("acme", "1.5", "stated")
    (seen,) = asking(question(HOST), entries=BOTH, versions=(stated,)).observations
    assert seen.endpoints == (Match(HOST, ("acme-old",), ("acme-new",)),)


def test_the_timers_of_a_library_that_was_seen_are_known() -> None:
    late = replace(NEW, processes=(), first_ns=HOUR_NS)
    assert asking(entries=(late,), run=run(), versions=(ran("acme"),)).callers == (late,)


@pytest.mark.parametrize("known", [ran("other"), ran("acme", "2", "stated")])
def test_those_of_what_was_not_seen_are_not(known: ProductVersion) -> None:
    late = replace(NEW, processes=(), first_ns=HOUR_NS)
    assert asking(entries=(late,), run=run(), versions=(known,)).callers == ()
