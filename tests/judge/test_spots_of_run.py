"""What no capture can know of the program: each blind spot there, not there, lifted by its word."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.spots_of_run import SPOTS_OF_RUN
from egress_audit.model.claim import Require
from egress_audit.model.destination import Absent
from tests.builders.cases import (
    ADDRESS_LIST,
    ALL,
    DAY_NS,
    NO_CHINA,
    OFFLINE,
    SILENCE,
    START_NS,
    case,
    claim,
    concluded,
    contact,
    interface,
    lifted_by,
    spots,
)

NEIGHBOURS = contact("ff02::16", proto=58, far_p=143, pkts_out=4, ip_bytes_out=304)
"""A multicast listener report, as every kernel sends it."""
OLD = replace(ADDRESS_LIST, date="2026-06-01")
"""173 days before the captures of audit_parts.py end."""

PRESENT: dict[str, dict[str, Any]] = {
    "no-frames": {"frames": 0},
    "start-unknown": {},
    "end-unknown": {},
    "probes-missing": {},
    "observation-unknown": {},
    "phases-unproven": {},
    "environment-unknown": {},
    "owners-unknown": {},
    "scope-without-owners": {"claim": replace(OFFLINE, scope="process-tree")},
    "host-sockets-unknown": {},
    "kernel-packets": {"rows": (NEIGHBOURS,)},
    "drops-unknown": {},
    "interfaces-unknown": {},
    "attempts-unseen": {},
    "filter-unknown": {},
    "lists-old": {"lists": (OLD,)},
}
OURS: dict[str, Any] = {
    "probes": 4,
    "phases": ("load", "generate"),
    "owners_known": True,
    "drops": 0,
    "interfaces": (interface(capture_filter="", drops=0),),
}
"""What a recording of our own would say."""
WORD = {
    "no-frames": "whole-run",
    "start-unknown": "whole-run",
    "end-unknown": "whole-run",
    "probes-missing": "whole-run",
    "observation-unknown": "whole-run",
    "phases-unproven": "exercised",
    "environment-unknown": "exercised",
    "owners-unknown": "single-host",
    "scope-without-owners": "single-host",
    "host-sockets-unknown": "single-host",
    "kernel-packets": "single-host",
    "drops-unknown": "no-drops",
    "interfaces-unknown": "all-interfaces",
    "attempts-unseen": "all-interfaces",
    "filter-unknown": "unfiltered",
}
"""By the constitution: which word lifts which."""

FREE = claim(everything=True, require=Require(whole_run=False, probes=False))
IMMATERIAL: dict[str, dict[str, Any]] = {
    "start-unknown": {"claim": FREE},
    "end-unknown": {"claim": FREE},
    "kernel-packets": {"claim": FREE, "rows": (NEIGHBOURS,)},
    "lists-old": {"lists": (OLD,)},
}


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("spot", SPOTS_OF_RUN, ids=lambda spot: spot.id)
def test_a_plain_capture_has_the_spot(spot: Any) -> None:
    assert spot.id in spots(made(**PRESENT[spot.id]))


@pytest.mark.parametrize("spot", SPOTS_OF_RUN, ids=lambda spot: spot.id)
def test_a_recording_that_knows_does_not_have_it(spot: Any) -> None:
    assert spot.id not in spots(case(**OURS))


@pytest.mark.parametrize("spot_id", WORD)
def test_exactly_its_own_assertion_lifts_it(spot_id: str) -> None:
    there = made(**PRESENT[spot_id])
    assert spots(there)[spot_id].material
    assert lifted_by(spot_id, there) == [WORD[spot_id]]


def test_only_the_age_of_lists_is_lifted_by_nothing() -> None:
    assert {spot.id for spot in SPOTS_OF_RUN} - WORD.keys() == {"lists-old"}


@pytest.mark.parametrize("spot_id", WORD)
def test_a_lifted_spot_is_still_printed(spot_id: str) -> None:
    found = spots(made(asserted=WORD[spot_id], **PRESENT[spot_id]))[spot_id]
    assert found.lifted and not found.material


@pytest.mark.parametrize("spot_id", IMMATERIAL)
def test_it_is_immaterial_to_a_claim_that_does_not_depend_on_it(spot_id: str) -> None:
    found = spots(made(**IMMATERIAL[spot_id]))[spot_id]
    assert not found.material and not found.lifted


@pytest.mark.parametrize(
    ("spot_id", "require"),
    [
        ("probes-missing", Require(probes=False)),
        ("observation-unknown", Require(observe_ns=0)),
        ("phases-unproven", Require(phases=())),
    ],
)
def test_it_is_not_there_for_a_claim_that_does_not_require_it(
    spot_id: str, require: Require
) -> None:
    assert spot_id not in spots(case(claim=claim(require=require)))


# Silence


def test_six_assertions_about_an_empty_capture_make_it_hold() -> None:
    assert concluded(replace(case(asserted="all"), coverage=SILENCE)).value == "HOLDS"


@pytest.mark.parametrize("missing", ALL)
def test_any_five_assertions_about_an_empty_capture_leave_it_open(missing: str) -> None:
    five = tuple(word for word in ALL if word != missing)
    assert concluded(replace(case(asserted=five), coverage=SILENCE)).value == "INCONCLUSIVE"


def test_any_five_leave_it_open_where_the_file_describes_no_interface_at_all() -> None:
    five = tuple(word for word in ALL if word != "unfiltered")
    silent = replace(SILENCE, interfaces=())
    assert concluded(replace(case(asserted=five), coverage=silent)).value == "INCONCLUSIVE"


def test_one_frame_shows_that_recording_worked_at_least_then() -> None:
    assert "no-frames" not in spots(case(frames=1))


# Unknown is never zero


def test_probes_that_were_sent_and_not_found_are_missing() -> None:
    assert "probes-missing" in spots(case(probes=0))


def test_known_owners_do_not_show_what_they_asked_of_helpers() -> None:
    found = spots(case(owners_known=True))
    assert "owners-unknown" not in found
    assert "host-sockets-unknown" in found


def test_a_claim_about_processes_is_open_where_no_process_is_named() -> None:
    tree = replace(OFFLINE, scope="process-tree")
    without = tuple(word for word in ALL if word != "single-host")
    assert concluded(case(claim=tree, asserted=without)).value == "INCONCLUSIVE"
    assert concluded(case(claim=tree, asserted="all")).value == "HOLDS"


def test_a_file_that_says_for_one_interface_only_leaves_the_other_unknown() -> None:
    two = (interface(capture_filter="tcp"), interface(index=1))
    assert spots(case(interfaces=two))["filter-unknown"].count == 1


# What kernels send


def test_neighbour_discovery_is_no_finding_and_not_nothing() -> None:
    assert concluded(case(NEIGHBOURS, asserted="all")).value == "HOLDS"
    without = tuple(word for word in ALL if word != "single-host")
    assert concluded(case(NEIGHBOURS, asserted=without)).value == "INCONCLUSIVE"


def test_the_packets_of_kernels_are_counted() -> None:
    igmp = contact("224.0.0.22", proto=2, far_p=Absent.NOT_APPLICABLE, pkts_out=3, ip_bytes_out=96)
    assert spots(case(NEIGHBOURS, igmp))["kernel-packets"].count == 7


# Lists


def test_the_age_of_a_list_is_measured_against_the_end_of_the_evidence() -> None:
    of_that_time = case(lists=(OLD,), last_ts_ns=START_NS - 150 * DAY_NS)
    assert "lists-old" in spots(case(lists=(OLD,)))
    assert "lists-old" not in spots(of_that_time)


def test_a_list_may_be_too_new_as_well() -> None:
    long_ago = case(lists=(OLD,), last_ts_ns=START_NS - 1000 * DAY_NS)
    assert spots(long_ago)["lists-old"].count > 800


def test_old_lists_warn_a_claim_that_uses_them_and_do_not_stand_in_its_way() -> None:
    assert not spots(case(claim=NO_CHINA, lists=(OLD,)))["lists-old"].material


def test_nothing_is_old_where_the_evidence_has_no_time() -> None:
    assert "lists-old" not in spots(case(lists=(OLD,), last_ts_ns=Absent.NOT_FOUND))


def test_multicast_that_is_not_link_maintenance_is_judged() -> None:
    mdns = contact("224.0.0.251", proto=17, far_p=5353)
    assert mdns.destination.scope is Scope.MULTICAST
    assert concluded(case(mdns, asserted="all")).value == "VIOLATED"
