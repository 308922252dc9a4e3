"""Which of several entries a contact can have been."""

from collections.abc import Callable, Collection

import pytest

from egress_audit.classify.narrowing import by_version, narrowed
from egress_audit.model.catalogue import Entry
from tests.builders.catalogues import read_entry

OLLAMA = read_entry(id="ollama", processes="[ollama]", phases="[start]", versions='">=0.30"')
DOCKER = read_entry(id="docker", processes="[dockerd]", phases="[idle]", first="10m")
ANYBODY = read_entry(id="anybody")
ALL = (OLLAMA, DOCKER, ANYBODY)
LABEL = read_entry(id="label", processes="[piper]", phases="[idle]", labels_only="true")


def left(*entries: Entry, **facts: object) -> list[str]:
    narrow: Callable[..., tuple[Entry, ...]] = narrowed
    return [entry.id for entry in narrow(entries or ALL, **facts)]


def test_without_facts_all_stay() -> None:
    assert left() == ["ollama", "docker", "anybody"]


def test_nothing_stays_nothing() -> None:
    assert narrowed((), exe="/usr/bin/ollama") == ()


def test_an_entry_that_names_the_program_leaves_out_those_that_name_another() -> None:
    assert left(exe="/usr/local/bin/ollama") == ["ollama", "anybody"]


def test_a_program_that_no_entry_names_leaves_out_none() -> None:
    assert left(exe="/opt/piper") == ["ollama", "docker", "anybody"]


def test_a_name_that_the_caller_wrote_names_no_program() -> None:
    disguised = left(exe="/opt/piper", cmdline=["ollama", "serve"])
    assert disguised == ["ollama", "docker", "anybody"]


def test_what_an_interpreter_loads_is_not_known_so_it_leaves_out_none() -> None:
    assert left(exe="/usr/bin/python3.11", cmdline=["python3.11", "-m", "ollama"]) == [
        "ollama", "docker", "anybody",
    ]  # fmt: skip


def test_a_phase_leaves_out_what_happens_in_another() -> None:
    assert left(phase="start") == ["ollama", "anybody"]


def test_a_timer_that_was_set_in_one_phase_goes_off_in_another() -> None:
    timer = read_entry(id="timer", phases="[start, idle]", every="4h")
    once = read_entry(id="once", phases="[start, idle]")
    answer = read_entry(id="answer", phases="[generate]")
    assert left(timer, once, answer, phase="generate") == ["timer", "answer"]


def test_a_timer_is_meant_by_its_own_phases() -> None:
    timer = read_entry(id="timer", phases="[idle]", every="4h")
    answer = read_entry(id="answer", phases="[generate]")
    assert left(timer, answer, phase="idle") == ["timer"]


def test_a_phase_that_no_entry_names_leaves_out_none() -> None:
    assert left(phase="warm-up") == ["ollama", "docker", "anybody"]


def test_a_timer_cannot_have_fired_long_before_its_time() -> None:
    assert left(after_ns=3_000_000_000) == ["ollama", "anybody"]


def test_a_timer_may_be_early() -> None:
    assert "docker" in left(after_ns=9 * 60 * 1_000_000_000)


def test_what_is_known_stays_when_nothing_would_be_left() -> None:
    assert left(DOCKER, after_ns=0) == ["docker"]


@pytest.mark.parametrize("facts", [{"exe": "/opt/piper"}, {"phase": "idle"}, {"after_ns": 0}])
def test_a_label_alone_leaves_out_nothing_that_accuses(facts: dict[str, object]) -> None:
    accusing = OLLAMA if "after_ns" not in facts else DOCKER
    assert left(accusing, LABEL, **facts) == [accusing.id, "label"]


def test_a_label_goes_as_any_other_entry_does() -> None:
    assert left(OLLAMA, LABEL, exe="/usr/local/bin/ollama") == ["ollama"]
    other = read_entry(id="other", phases="[start]", labels_only="true")
    assert left(other, LABEL, phase="idle") == ["label"]


# Versions


def split(*versions: str, entries: Collection[Entry] = ALL) -> tuple[list[str], list[str]]:
    """What it can have been and what is outside, if Ollama ran in one of these versions."""
    known = {OLLAMA.id: versions}
    inside, outside = by_version(tuple(entries), lambda entry: known.get(entry.id, ()))
    return [entry.id for entry in inside], [entry.id for entry in outside]


def test_a_version_outside_leaves_the_entry_out() -> None:
    assert split("0.29.1") == (["docker", "anybody"], ["ollama"])


@pytest.mark.parametrize("version", ["0.30", "0.33.1", "unreadable"])
def test_a_version_inside_or_one_that_cannot_be_compared_keeps_it(version: str) -> None:
    assert split(version) == (["ollama", "docker", "anybody"], [])


def test_without_a_version_all_stay() -> None:
    assert split() == (["ollama", "docker", "anybody"], [])


def test_of_several_versions_one_inside_is_enough() -> None:
    assert split("0.29", "0.31")[1] == []
    assert split("0.29", "0.1")[1] == ["ollama"]


def test_an_entry_that_is_alone_stays_and_is_outside_as_well() -> None:
    assert split("0.29", entries=(OLLAMA,)) == (["ollama"], ["ollama"])
