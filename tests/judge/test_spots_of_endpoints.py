"""Blind spots of the catalogue: open purposes and vendors, tunnels, and callers that come later."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.judge.case import Case, Tried
from egress_audit.judge.spots_of_endpoints import SPOTS_OF_ENDPOINTS
from egress_audit.model.audit import BlindSpot, Match
from egress_audit.model.catalogue import Purpose, Verified
from egress_audit.model.claim import AppliesTo, Deny
from egress_audit.model.run import Run
from tests.builders.cases import (
    NO_CHINA,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    lifted_by,
    named,
    place,
    question,
    spots,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import attempt, run

HOST = "stats.acme.example"
HOUR_NS = 3_600_000_000_000
NO_TELEMETRY = claim(everything=True, deny=Deny(purposes=frozenset({Purpose.TELEMETRY})))
OF_ACME = claim(applies_to=AppliesTo(runtimes=("acme server",)))
CUT = run(ended_by="observed")
STATS, NEWS = entry("acme-stats"), entry("acme-news", "update-check")
CHINESE = entry("acme-china", jurisdiction="CN", labels_only=True)
WHOSE = entry("acme-any", "auth", hosts=("*.acme.example",), verified=Verified.CURATED)
HOURLY = entry("acme-hourly", first_ns=HOUR_NS)
SOON = entry("acme-soon", first_ns=1, every_ns=HOUR_NS)
TUNNEL = entry("acme-tunnel", "tunnel")
NO_BAD = claim(everything=True, deny=Deny(hosts=("bad.example",)))

PRESENT: dict[str, dict[str, Any]] = {
    "purpose-undecided": {
        "rows": (question(HOST, **known(HOST, STATS, NEWS)),),
        "claim": NO_TELEMETRY,
        "entries": (STATS, NEWS),
    },
    "purpose-unknown": {"rows": (question(HOST),), "claim": NO_TELEMETRY},
    "vendor-undecided": {
        "rows": (contact(OUTSIDE, named(HOST), destination=place(), **known(HOST, CHINESE)),),
        "claim": NO_CHINA,
        "entries": (CHINESE,),
    },
    "tunnel-entered": {
        "rows": (contact(OUTSIDE, named(HOST), **known(HOST, TUNNEL)),),
        "claim": NO_BAD,
        "entries": (TUNNEL,),
    },
    "callers-later": {"run": CUT, "claim": OF_ACME, "timed": (HOURLY,)},
    "callers-after-end": {"run": run(), "claim": OF_ACME, "timed": (HOURLY,)},
}
ABSENT: dict[str, dict[str, Any]] = {
    "purpose-undecided": {
        "rows": (question(HOST, **known(HOST, NEWS)),),
        "claim": NO_TELEMETRY,
        "entries": (NEWS,),
    },
    "purpose-unknown": {"rows": (question("localhost"),), "claim": NO_TELEMETRY},
    "vendor-undecided": {
        "rows": (contact(OUTSIDE, named(HOST), destination=place(), **known(HOST, STATS)),),
        "claim": NO_CHINA,
        "entries": (STATS,),
    },
    "tunnel-entered": {
        "rows": (contact(OUTSIDE, named(HOST), **known(HOST, STATS)),),
        "claim": NO_BAD,
        "entries": (STATS,),
    },
    "callers-later": {"run": CUT, "claim": OF_ACME, "timed": (SOON,)},
    "callers-after-end": {"run": run(), "claim": OF_ACME, "timed": (SOON,)},
}


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("spot", SPOTS_OF_ENDPOINTS, ids=lambda spot: spot.id)
def test_a_blind_spot_is_there_and_in_the_way(spot: Any) -> None:
    judged = made(**PRESENT[spot.id])
    assert spots(judged)[spot.id].material
    assert concluded(judged).value == "INCONCLUSIVE"


@pytest.mark.parametrize("spot", SPOTS_OF_ENDPOINTS, ids=lambda spot: spot.id)
def test_it_is_not_there_where_the_opposite_is_shown(spot: Any) -> None:
    assert spot.id not in spots(made(**ABSENT[spot.id]))


@pytest.mark.parametrize("spot_id", ["purpose-undecided", "purpose-unknown", "tunnel-entered"])
def test_no_assertion_says_what_a_call_was_for(spot_id: str) -> None:
    assert lifted_by(spot_id, made(**PRESENT[spot_id])) == []


def test_who_watched_a_whole_run_may_say_so_of_a_capture() -> None:
    watched = case(claim=OF_ACME, timed=(HOURLY,))
    assert lifted_by("callers-later", watched) == ["whole-run"]


def test_an_undecided_purpose_is_told_with_the_name_and_what_it_may_be() -> None:
    found = spots(made(**PRESENT["purpose-undecided"]))["purpose-undecided"]
    assert f"1 ({HOST} (one of telemetry or update-check))" in found.message


def test_a_vendor_in_doubt_is_told_with_the_law_it_is_under() -> None:
    found = spots(made(**PRESENT["vendor-undecided"]))["vendor-undecided"]
    assert f"1 ({HOST}: Acme (CN))" in found.message
    assert found.explanation[0].endswith("(general knowledge, no evidence)")


def test_an_unknown_purpose_is_told_with_the_versions_that_are_known() -> None:
    old = entry("acme-old", "update-check", versions=">=2")
    judged = case(question(HOST, **known(HOST, old)), claim=NO_TELEMETRY, entries=(old,))
    told = spots(judged)["purpose-unknown"].message
    assert f"1 ({HOST} (known of Acme server >=2 only))" in told


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ((NEWS, replace(STATS, labels_only=True)), "(perhaps telemetry)"),
        ((WHOSE,), "(known by its domain alone)"),
        ((), f"1 ({HOST})"),
    ],
)
def test_an_unknown_purpose_is_told_with_what_makes_it_so(entries: Any, told: str) -> None:
    asked = question(HOST, **known(HOST, *entries))
    judged = case(asked, claim=NO_TELEMETRY, entries=entries)
    assert told in spots(judged)["purpose-unknown"].message


def test_an_address_that_was_tried_and_never_reached_is_explained_by_what_is_known_of_it() -> None:
    tried: dict[str, Any] = {"run": run(attempts=(attempt(OUTSIDE),)), "claim": NO_TELEMETRY}
    place = {Tried(OUTSIDE, 443): (Match(OUTSIDE, ("acme-news",)),)}
    known_place = spots(case(**tried, entries=(NEWS,), tried=place))["purpose-unknown"]
    assert known_place.explanation[1].startswith("why: update-check")
    assert spots(case(**tried))["purpose-unknown"].explanation == ()


def test_a_capture_shows_no_caller_that_comes_more_seldom_than_it_is_long() -> None:
    found = spots(case(claim=OF_ACME, timed=(SOON,)))["callers-later"]
    assert found.material and "1 (Acme server: telemetry, every 1 h)" in found.message


def test_of_a_run_that_was_watched_from_its_start_the_same_caller_is_none() -> None:
    assert late_ones(case(run=CUT, claim=OF_ACME, timed=(SOON,))) == []


def test_a_caller_that_comes_later_is_told_with_its_time() -> None:
    found = spots(made(**PRESENT["callers-later"]))["callers-later"]
    assert "1 (Acme server: telemetry, after 1 h)" in found.message


@pytest.mark.parametrize("noted", [CUT, run()])
def test_a_caller_of_a_runtime_that_the_claim_does_not_name_is_listed(noted: Run) -> None:
    (found,) = late_ones(case(run=noted, timed=(HOURLY,)))
    assert not found.material


def late_ones(judged: Case) -> list[BlindSpot]:
    return [spot for spot in spots(judged).values() if spot.id.startswith("callers-")]


@pytest.mark.parametrize("ended_by", ["observed", "interrupted", "killed", "lost"])
def test_what_was_alive_when_watching_ended_could_still_have_called(ended_by: str) -> None:
    noted = run(ended_by=ended_by)
    judged = case(run=noted, claim=OF_ACME, timed=(HOURLY,), asserted="all")
    (found,) = late_ones(judged)
    assert (found.id, found.material) == ("callers-later", True)


def test_a_run_that_ended_by_itself_could_show_no_later_call_and_is_no_proof_either() -> None:
    (found,) = late_ones(case(run=run(), claim=OF_ACME, timed=(HOURLY,)))
    assert (found.id, found.material) == ("callers-after-end", True)


def test_nobodys_word_stands_for_the_time_that_it_did_not_run() -> None:
    assert lifted_by("callers-after-end", made(**PRESENT["callers-after-end"])) == []


def test_a_capture_does_not_tell_whether_the_program_had_ended() -> None:
    (found,) = late_ones(case(claim=OF_ACME, timed=(HOURLY,)))
    assert found.id == "callers-later"
