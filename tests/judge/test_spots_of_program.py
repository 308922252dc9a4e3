"""Which program it was: who called what, and whether the runtime that the claim names ran."""

from typing import Any

import pytest

from egress_audit.judge.spots_of_program import MARKS, SPOTS_OF_PROGRAM
from egress_audit.model.claim import AppliesTo
from egress_audit.model.flow import NameSource
from egress_audit.model.run import ModelFile, Role
from egress_audit.model.versions import ProductVersion
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


def called(exe: str, cmdline: str = "", **changes: Any) -> Any:
    asked = question(HOST, **known(HOST, NEWS), owner=owner(exe=exe, cmdline=cmdline or exe))
    plain: dict[str, Any] = {"claim": UPDATES, "entries": (NEWS,), "run": run()}
    return case(asked, **(plain | changes))


def ran(*programs: str, claim: Any = OF_OLLAMA, **changes: Any) -> Any:
    processes = tuple(process(exe=line.split()[0], cmdline=line) for line in programs)
    return case(claim=claim, run=run(processes=processes, **changes))


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


@pytest.mark.parametrize(
    ("runtime", "line"),
    [
        ("Ollama server", "/usr/local/bin/ollama serve"),
        ("vLLM", "/usr/bin/python3 -m vllm.entrypoints.openai.api_server"),
        ("llama.cpp", "/opt/llama-server -m a.gguf"),
        ("LM Studio", "/tmp/.mount_abc/lm-studio --no-sandbox"),
        ("Open WebUI", "/opt/venv/bin/open-webui serve"),
        ("LocalAI", "/usr/bin/local-ai run"),
        ("Acme chat", "/opt/acme-chat/bin/start"),
    ],
)
def test_a_runtime_is_seen_by_its_executable_or_its_arguments(runtime: str, line: str) -> None:
    of_it = claim(applies_to=AppliesTo(runtimes=(runtime,)))
    assert "runtime-unseen" not in spots(ran(line, claim=of_it))


def test_one_of_several_runtimes_is_enough() -> None:
    either = claim(applies_to=AppliesTo(runtimes=("vLLM", "Ollama")))
    assert "runtime-unseen" not in spots(ran("/usr/bin/ollama serve", claim=either))


def test_a_child_of_the_program_can_be_the_runtime() -> None:
    assert "runtime-unseen" not in spots(ran("/bin/sh start.sh", "/usr/bin/ollama serve"))


def test_a_program_of_ours_is_not() -> None:
    ours = process(3, Role.EXERCISER, exe="/usr/bin/ollama", cmdline="ollama run a")
    there = run(processes=(process(exe="/usr/bin/sleep"), ours))
    assert spots(case(claim=OF_OLLAMA, run=there))["runtime-unseen"].material


def test_the_fork_of_the_recorder_that_became_the_program_is_not() -> None:
    words = "python3 -m egress_audit run --profile ollama-server -- sleep 60"
    forked = [
        process(1, Role.RECORDER, cmdline=words),
        process(exe="/usr/bin/python3", cmdline=words),
    ]
    there = run(processes=(*forked, process(3, exe="/usr/bin/sleep", cmdline="sleep 60")))
    assert spots(case(claim=OF_OLLAMA, run=there))["runtime-unseen"].material


def test_a_model_that_was_opened_shows_a_runtime() -> None:
    model = ModelFile("/models/a.gguf", 7, "ab" * 32)
    assert "runtime-unseen" not in spots(ran("/opt/server", model_files=(model,)))


def test_what_an_interpreter_runs_is_not_known_so_it_is_only_listed() -> None:
    assert not spots(ran("/usr/bin/python3 app.py"))["runtime-unseen"].material


def test_a_library_can_be_in_any_program_so_it_is_only_listed() -> None:
    library = claim(applies_to=AppliesTo(runtimes=("onnxruntime",)))
    assert not spots(ran("/opt/piper", claim=library))["runtime-unseen"].material


def test_a_claim_that_names_no_runtime_asks_for_none() -> None:
    assert "runtime-unseen" not in spots(ran("/usr/bin/sleep 60", claim=claim()))


def test_a_person_may_know_that_it_was() -> None:
    assert lifted_by("runtime-unseen", PRESENT["runtime-unseen"]) == ["exercised"]


def test_marks_are_compared_without_case_and_signs() -> None:
    assert all(
        mark.isalnum() and mark == mark.lower() for marks in MARKS.values() for mark in marks
    )


# Libraries

PYTHON = "/usr/bin/python3 app.py"


def of_runtime(runtime: str, *versions: ProductVersion, program: str = PYTHON) -> Any:
    wanted = claim(applies_to=AppliesTo(runtimes=(runtime,)))
    ids = {row for known in versions for row in known.processes}
    line: dict[str, Any] = {"exe": program.split()[0], "cmdline": program}
    processes = tuple(process(number, **line) for number in sorted(ids | {2}))
    return case(claim=wanted, run=run(processes=processes), versions=versions)


@pytest.mark.parametrize(
    ("runtime", "known"),
    [
        ("gradio", loaded("gradio", "6.31", "opened")),
        ("vLLM", loaded("vllm", "0.33")),
        ("onnxruntime", loaded("onnxruntime-gpu", "1.31", modules=("onnxruntime",))),
        ("huggingface_hub", loaded("huggingface-hub")),
        ("llama.cpp", loaded("llama_cpp_python", "0.3")),
    ],
)
def test_an_interpreter_that_loaded_the_runtime_has_run_it(
    runtime: str, known: ProductVersion
) -> None:
    assert "runtime-unseen" not in spots(of_runtime(runtime, known))


@pytest.mark.parametrize(
    "known",
    [
        loaded("gradio_client", "1"),
        loaded("gradio", "6.31", "stated"),
    ],
    ids=["another library", "the user's word"],
)
def test_one_in_which_it_was_not_seen_is_not_known_to(known: ProductVersion) -> None:
    assert not spots(of_runtime("gradio", known))["runtime-unseen"].material


def test_what_another_program_has_in_memory_is_not_what_it_is() -> None:
    judged = of_runtime("gradio", loaded("gradio", "6.31"), program="/opt/serve")
    assert spots(judged)["runtime-unseen"].material
