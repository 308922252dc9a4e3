"""Which program it was: who called what, and whether the runtime that the claim names ran."""

from typing import Any

import pytest

from egress_audit.judge.spots_of_program import SPOTS_OF_PROGRAM
from egress_audit.model.claim import AppliesTo
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Rung
from tests.builders.cases import (
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    lifted_by,
    named,
    question,
    spots,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import owner, process, run
from tests.builders.runs import ran as loaded

HOST = "news.acme.example"
NEWS = entry("acme-news", "update-check", processes=("acmed",))
UPDATES = claim(endpoints=("purpose:update-check",))
OF_OLLAMA = claim(applies_to=AppliesTo(runtimes=("Ollama server",)))
OF_OLLAMA_APP = claim(applies_to=AppliesTo(runtimes=("Ollama desktop app",)))


def called(exe: str, cmdline: str = "", **changes: Any) -> Any:
    asked = question(HOST, **known(HOST, NEWS), owner=owner(exe=exe, cmdline=cmdline or exe))
    plain: dict[str, Any] = {"claim": UPDATES, "entries": (NEWS,), "run": run()}
    return case(asked, **(plain | changes))


def ran(*programs: str, claim: Any = OF_OLLAMA, versions: Any = (), **changes: Any) -> Any:
    processes = tuple(process(exe=line.split()[0], cmdline=line) for line in programs)
    return case(claim=claim, run=run(processes=processes, **changes), versions=versions)


PRESENT = {"caller-unknown": called("/usr/bin/python3"), "runtime-unseen": ran("/usr/bin/sleep 60")}
TWINS = {"caller-unknown": called("/opt/acmed"), "runtime-unseen": ran("/usr/bin/ollama serve")}


@pytest.mark.parametrize("spot", SPOTS_OF_PROGRAM, ids=lambda spot: spot.id)
def test_it_is_there_and_in_the_way(spot: Any) -> None:
    found = spots(PRESENT[spot.id])[spot.id]
    assert found.material and "{" not in found.message
    assert concluded(PRESENT[spot.id]).value == "INCONCLUSIVE"


@pytest.mark.parametrize("spot", SPOTS_OF_PROGRAM, ids=lambda spot: spot.id)
def test_its_twin_is_not(spot: Any) -> None:
    assert spot.id not in spots(TWINS[spot.id])


@pytest.mark.parametrize("spot", SPOTS_OF_PROGRAM, ids=lambda spot: spot.id)
def test_a_plain_capture_never_has_it(spot: Any) -> None:
    asked = question(HOST, **known(HOST, NEWS))
    assert spot.id not in spots(case(asked, claim=UPDATES, entries=(NEWS,)))
    assert spot.id not in spots(case(claim=OF_OLLAMA))


def test_a_caller_that_may_be_another_is_named_with_what_it_called() -> None:
    told = spots(PRESENT["caller-unknown"])["caller-unknown"].message
    assert f"1 ({HOST} by /usr/bin/python3)" in told


def test_no_assertion_says_who_called() -> None:
    assert lifted_by("caller-unknown", PRESENT["caller-unknown"]) == []


@pytest.mark.parametrize("allowed", [{"hosts": (HOST,)}, {"everything": True}])
def test_what_the_claim_allows_anyhow_may_be_called_by_anybody(allowed: dict[str, Any]) -> None:
    wide = claim(endpoints=("purpose:update-check",), **allowed)
    assert "caller-unknown" not in spots(called("/usr/bin/python3", claim=wide))


def test_a_contact_counts_as_a_question_does() -> None:
    there = contact(
        OUTSIDE,
        named(HOST, NameSource.DNS_ANSWER),
        owner=owner(exe="/usr/bin/python3"),
        **known(HOST, NEWS),
    )
    assert "caller-unknown" in spots(case(there, claim=UPDATES, entries=(NEWS,), run=run()))


@pytest.mark.parametrize("program", ["/usr/bin/sleep 60", "/usr/bin/python3 app.py"])
@pytest.mark.parametrize("runtime", ["Ollama server", "onnxruntime", "gradio", "Acme chat"])
def test_silence_of_another_program_says_nothing_of_the_runtime(runtime: str, program: str) -> None:
    judged = ran(program, claim=claim(applies_to=AppliesTo(runtimes=(runtime,))))
    assert spots(judged)["runtime-unseen"].material
    assert concluded(judged).value == "INCONCLUSIVE"


def test_an_interpreter_that_loaded_the_runtime_can_hold() -> None:
    of_it = claim(applies_to=AppliesTo(runtimes=("gradio",)))
    judged = ran("/usr/bin/python3 app.py", claim=of_it, versions=(loaded("gradio", "6.31"),))
    assert concluded(judged).value == "HOLDS"


def test_the_report_says_what_was_looked_for() -> None:
    library = claim(applies_to=AppliesTo(runtimes=("onnxruntime",)))
    told = spots(ran("/opt/piper", claim=library))["runtime-unseen"].message
    assert told.endswith(
        "(onnxruntime: no interpreter loaded its library, no model file of its kind was opened)"
    )


def test_who_runs_no_models_is_not_said_to_have_opened_none() -> None:
    told = spots(ran("/usr/bin/sleep 60", claim=OF_OLLAMA_APP))["runtime-unseen"].message
    assert told.endswith("(Ollama desktop app: no process has its name)")


def test_a_rung_that_notes_neither_libraries_nor_files_is_said_to_do_so() -> None:
    polled = ran("/usr/bin/sleep 60", rung=Rung.POLLING)
    assert "on this rung, polling, libraries" in spots(polled)["runtime-unseen"].message


@pytest.mark.parametrize("rung", [Rung.TUN, Rung.CALLS])
def test_others_note_them(rung: Rung) -> None:
    noted = ran("/usr/bin/sleep 60", rung=rung)
    assert "on this rung" not in spots(noted)["runtime-unseen"].message


def test_a_claim_that_names_no_runtime_asks_for_none() -> None:
    assert "runtime-unseen" not in spots(ran("/usr/bin/sleep 60", claim=claim()))


def test_a_person_may_know_that_it_was() -> None:
    assert lifted_by("runtime-unseen", PRESENT["runtime-unseen"]) == ["exercised"]


def test_nobody_knows_it_of_a_command_that_failed() -> None:
    assert lifted_by("runtime-unseen", ran("/usr/bin/sleep x", exit_status=1)) == []
