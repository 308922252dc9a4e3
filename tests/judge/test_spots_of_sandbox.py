"""What a recording of our own can lack: each blind spot there, and its twin where it is not."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.spots_of_run import SPOTS_OF_RUN
from egress_audit.judge.spots_of_sandbox import SPOTS_OF_SANDBOX
from egress_audit.model.claim import AppliesTo
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.run import ModelFile, Network, Role, Run, Rung, Stamp, WrittenFile
from tests.builders.audit_parts import SECOND_NS, START_NS
from tests.builders.cases import (
    ALL,
    LOOPBACK,
    NO_CHINA,
    OFFLINE,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    place,
    question,
    spots,
)
from tests.builders.runs import RESOLVER, attempt, owner, phase, recording, run

INVENTED = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)
HUB_ALLOWED = claim(hosts=("hub.example",))
OF_MODELS = replace(OFFLINE, applies_to=AppliesTo(models=("Tiny",)))
HERE = question("hub.example", resolvers=(RESOLVER,))
HIDDEN, SEEN = Stamp("~/.cache/a", "onnxruntime", True), Stamp("~/.cache/a", "onnxruntime", False)

UNMET = phase("generate", "exercise", end_ns=Absent.NOT_FOUND)

PRESENT: dict[str, dict[str, Any]] = {
    "rung-partial": {"run": run(rung=Rung.CALLS)},
    "observation-short": {"run": run(observed_ns=59 * SECOND_NS, ended_by="interrupted")},
    "contact-answered-here": {"run": run(), "claim": HUB_ALLOWED, "rows": (HERE,)},
    "exercise-failed": {"run": run(phases=(phase(), UNMET))},
    "exerciser-went-out": {
        "run": run(),
        "rows": (replace(contact(OUTSIDE), owner=owner(Role.EXERCISER)),),
    },
    "places-simulated": {"run": run(), "claim": NO_CHINA},
    "stamps-fresh": {"run": run(stamps=(SEEN,))},
    "model-not-opened": {"run": run(), "claim": OF_MODELS},
    "files-written": {"run": run(written_files=(WrittenFile("/tmp/x", 1),), written_beyond=2)},
    "devices": {"run": run(cannot_see=("RDMA devices",))},
}
TWINS: dict[str, dict[str, Any]] = {
    "rung-partial": {"run": run(rung=Rung.VETH)},
    "observation-short": {"run": run(observed_ns=3 * SECOND_NS, ended_by="tree")},
    "contact-answered-here": {
        "run": run(network=Network.OPEN),
        "claim": HUB_ALLOWED,
        "rows": (HERE,),
    },
    "exercise-failed": {"run": run(phases=(phase(), phase("generate", "exercise")))},
    "exerciser-went-out": {
        "run": run(),
        "rows": (replace(contact(LOOPBACK), owner=owner(Role.EXERCISER)),),
    },
    "places-simulated": {"run": run(network=Network.OPEN), "claim": NO_CHINA},
    "stamps-fresh": {"run": run(stamps=(HIDDEN,))},
    "model-not-opened": {
        "run": run(model_files=(ModelFile("/m.gguf", 1, "ab" * 32),)),
        "claim": OF_MODELS,
    },
    "files-written": {"run": run()},
    "devices": {"run": run()},
}
LISTED = {"files-written", "devices"}
OFFLINE_RUN: Run = run()
NEEDS_RUN = replace(OFFLINE.require, phases=("run",))


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("spot", SPOTS_OF_SANDBOX, ids=lambda spot: spot.id)
def test_it_is_there(spot: Any) -> None:
    found = spots(made(**PRESENT[spot.id]))[spot.id]
    assert found.material is (spot.id not in LISTED)
    assert "{" not in found.message


@pytest.mark.parametrize("spot", SPOTS_OF_SANDBOX, ids=lambda spot: spot.id)
def test_its_twin_is_not(spot: Any) -> None:
    assert spot.id not in spots(made(**TWINS[spot.id]))


@pytest.mark.parametrize("spot_id", [spot.id for spot in SPOTS_OF_SANDBOX if spot.id not in LISTED])
def test_no_assertion_lifts_it(spot_id: str) -> None:
    assert spots(made(asserted=ALL, **PRESENT[spot_id]))[spot_id].material


@pytest.mark.parametrize("spot", SPOTS_OF_SANDBOX, ids=lambda spot: spot.id)
def test_a_plain_capture_never_has_it(spot: Any) -> None:
    without = {key: value for key, value in PRESENT[spot.id].items() if key in ("claim", "rows")}
    assert spot.id not in spots(made(**without))


# What a good recording proves


def test_a_run_in_which_all_went_well_holds() -> None:
    judged = case(run=OFFLINE_RUN)
    assert (concluded(judged).value, spots(judged)) == ("HOLDS", {})


@pytest.mark.parametrize("spot", SPOTS_OF_RUN, ids=lambda spot: spot.id)
def test_it_has_none_of_the_blind_spots_of_every_capture(spot: Any) -> None:
    assert spot.id not in spots(case(run=OFFLINE_RUN))


def test_a_recording_that_began_after_the_program_proves_no_start() -> None:
    late = run(began_ns=START_NS + 1)
    assert spots(case(run=late))["start-unknown"].material


@pytest.mark.parametrize(
    ("changes", "proven"),
    [
        ({}, True),
        ({"tree_ended_ns": Absent.NOT_FOUND, "ended_by": "observed"}, True),
        ({"tree_ended_ns": Absent.NOT_FOUND, "ended_by": "interrupted"}, True),
        ({"tree_ended_ns": Absent.NOT_FOUND}, False),
        ({"closed_ns": Absent.NOT_FOUND}, False),
    ],
)
def test_the_end_is_that_of_the_tree_or_of_our_watching(
    changes: dict[str, Any], proven: bool
) -> None:
    assert ("end-unknown" in spots(case(run=run(**changes)))) is not proven


def test_both_times_are_told_of_a_watch_that_was_too_short() -> None:
    found = spots(made(**PRESENT["observation-short"]))["observation-short"]
    assert "59 of 60 s" in found.message


def test_the_time_alone_meets_what_is_asked() -> None:
    watched = run(observed_ns=60 * SECOND_NS, ended_by="observed", ended_ns=Absent.NOT_FOUND)
    assert "observation-short" not in spots(case(run=watched))


def test_a_missing_probe_is_named_and_counted() -> None:
    lost = recording(missing_probes=("after the program, by name, IPv6",))
    found = spots(case(run=run(), recording=lost))["probes-missing"]
    assert (found.count, found.material) == (1, True)
    assert "after the program, by name, IPv6" in found.message


def test_a_command_that_failed_has_not_done_its_work() -> None:
    failed = run(exit_status=3)
    found = spots(case(run=failed, phases=(), claim=replace(OFFLINE, require=NEEDS_RUN)))
    assert "(run; the command ended with 3)" in found["phases-unproven"].message


def test_a_rung_that_sees_calls_alone_proves_neither_attempts_nor_interfaces() -> None:
    found = spots(case(run=run(rung=Rung.POLLING)))
    assert {"interfaces-unknown", "attempts-unseen", "host-sockets-unknown"} <= found.keys()


def test_unknown_loss_is_not_zero() -> None:
    assert "drops-unknown" in spots(case(run=run(), drops=Absent.NOT_FOUND))


def test_loss_that_the_recorder_noted_is_loss() -> None:
    assert spots(case(run=run(), drops=3))["drops-recorded"].count == 3


# Contacts that met no real server


def test_an_allowed_contact_that_we_answered_leaves_the_claim_open() -> None:
    judged = case(contact(OUTSIDE), claim=claim(prefixes=("203.0.113.0/24",)), run=run())
    assert concluded(judged).value == "INCONCLUSIVE"
    assert OUTSIDE in spots(judged)["contact-answered-here"].message


def test_a_local_network_that_is_none_is_no_real_server_either() -> None:
    judged = case(contact("192.168.1.7"), claim=claim(Scope.LAN), run=run())
    assert "contact-answered-here" in spots(judged)


def test_what_stays_on_the_machine_needs_no_server() -> None:
    assert "contact-answered-here" not in spots(case(contact(LOOPBACK), run=run()))


def test_a_question_for_a_name_of_the_machine_needs_none() -> None:
    judged = case(question("localhost"), claim=HUB_ALLOWED, run=run())
    assert "contact-answered-here" not in spots(judged)


# Places


def test_invented_addresses_are_unknown_once_and_not_twice() -> None:
    found = spots(case(contact("198.18.0.9", destination=INVENTED), claim=NO_CHINA, run=run()))
    assert "places-simulated" in found
    assert not {"location-unknown", "control-unknown"} & found.keys()


def test_our_own_resolver_is_in_no_country_that_matters() -> None:
    asked = contact(RESOLVER, far_p=53, proto=17, destination=INVENTED)
    judged = case(asked, claim=NO_CHINA, run=run(network=Network.OPEN))
    assert "location-unknown" not in spots(judged)


def test_a_real_place_is_judged_on_the_real_network() -> None:
    there = contact("45.9.0.1", destination=place(located="CN"))
    judged = case(there, claim=NO_CHINA, run=run(network=Network.OPEN))
    assert concluded(judged).value == "VIOLATED"


# Who sent


@pytest.mark.parametrize(
    ("role", "verdict"), [(Role.EXERCISER, "INCONCLUSIVE"), (Role.PROBE, "HOLDS")]
)
def test_what_our_helpers_send_is_never_the_programs(role: Role, verdict: str) -> None:
    judged = case(contact(OUTSIDE, owner=owner(role)), question(owner=owner(role)), run=run())
    assert concluded(judged).value == verdict


@pytest.mark.parametrize("who", [owner(), owner(Role.RECORDER), Absent.NOT_FOUND])
def test_what_anybody_else_sends_is(who: Any) -> None:
    assert concluded(case(contact(OUTSIDE, owner=who), run=run())).value == "VIOLATED"


def test_neighbour_discovery_of_the_kernel_is_nobodys_doing() -> None:
    told = contact("ff02::16", proto=58, far_p=143, pkts_out=4, ip_bytes_out=304)
    kernels = replace(told, owner=owner(how="kernel, on behalf of"))
    assert concluded(case(kernels, run=run())).value == "HOLDS"


def test_neighbour_discovery_that_the_program_sends_itself_is_its_own() -> None:
    told = contact("ff02::16", proto=58, far_p=143, pkts_out=4, ip_bytes_out=304)
    assert concluded(case(replace(told, owner=owner()), run=run())).value == "VIOLATED"


def test_an_allowed_address_that_was_refused_before_a_packet_was_not_reached_either() -> None:
    allowed = claim(prefixes=(f"{OUTSIDE}/32",))
    judged = case(claim=allowed, run=run(attempts=(attempt(OUTSIDE),)))
    assert OUTSIDE in spots(judged)["contact-answered-here"].message
    in_the_open = run(attempts=(attempt(OUTSIDE),), network=Network.OPEN)
    assert "contact-answered-here" not in spots(case(claim=allowed, run=in_the_open))
