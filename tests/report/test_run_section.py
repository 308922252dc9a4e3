"""How a program was run, in the words of a report."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import ModelFile, Network, Role, Rung, WrittenFile
from egress_audit.report.run_section import (
    ENDED_WORDS,
    HOME_WORDS,
    MAX_FILES,
    NETWORK_WORDS,
    PROOF_WORDS,
    RUNG_WORDS,
    run_section,
    status_text,
    written_section,
)
from tests.builders.audit_parts import SECOND_NS, observation
from tests.builders.audits import run_at_home
from tests.builders.runs import owner, phase, process, recording, run


def told(**changes: Any) -> dict[str, tuple[str, ...]]:
    """The entries of a run, by term."""
    audit = run_at_home(run(**changes))
    assert not isinstance(audit.run, Absent)
    return {entry.term: entry.lines for entry in run_section(audit, audit.run).entries}


def test_the_command_is_told_with_how_it_ended() -> None:
    assert told()["Command"] == ("program --quiet", "it ended with exit status 0")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "ended with exit status 3"),
        (-9, "was ended by signal 9"),
        (Absent.NOT_FOUND, "ended in a way that is not known"),
    ],
)
def test_every_ending_has_its_words(status: int | Absent, words: str) -> None:
    assert status_text(run(exit_status=status)) == words


def test_a_server_that_we_ended_was_alive() -> None:
    alive = run(ended_by="observed", ended_ns=Absent.NOT_FOUND, exit_status=-15)
    assert status_text(alive) == "was alive when watching ended"


def test_there_are_words_for_every_rung_network_home_end_and_proof() -> None:
    assert set(RUNG_WORDS) == set(Rung)
    assert set(NETWORK_WORDS) == set(Network)
    assert set(HOME_WORDS) == {"overlay", "fresh", "real"}
    assert set(ENDED_WORDS) == {"tree", "observed", "interrupted", "killed", "lost"}
    assert set(PROOF_WORDS) == {"command", "ready", "exercise", "self"}


def test_the_time_stands_beside_the_time_that_is_asked_for() -> None:
    watched = told(observed_ns=59 * SECOND_NS, ended_by="interrupted")["Watched for"][0]
    assert "59.0" in watched and "asks for 1" in watched and "interrupted" in watched


def test_a_phase_that_is_not_proven_is_called_so() -> None:
    lines = told(phases=(phase(), phase("serve", "ready"), phase("think", "self")))["Phases"]
    assert lines[0].endswith("the command ended with 0, or was alive at the end")
    assert lines[1].endswith("not proven")
    assert "proves nothing alone" in lines[2]


def test_a_phase_that_never_ended_goes_to_the_end() -> None:
    assert told(phases=(phase(end_ns=Absent.NOT_FOUND),))["Phases"][0].startswith("run, to the end")


def test_a_missing_part_of_the_control_is_named() -> None:
    audit = run_at_home(run(), recording=recording(missing_probes=("after the program",)))
    assert not isinstance(audit.run, Absent)
    lines = {entry.term: entry.lines for entry in run_section(audit, audit.run).entries}
    assert "missing: after the program" in lines["Control"][0]


def test_loss_is_told_by_interface_and_unknown_is_not_zero() -> None:
    lost = told(drops={"eg0": 2, "lo": Absent.NOT_FOUND})["Loss"]
    assert lost == ("eg0 2\xa0frames, lo unknown",)


def test_models_are_told_with_size_and_hash() -> None:
    model = ModelFile("/m.gguf", 12, "ab" * 32)
    assert told(model_files=(model,))["Models opened"] == (
        "/m.gguf, 12\xa0bytes, sha256 abababababababab…",
    )
    gone = ModelFile("/m.gguf", Absent.NOT_FOUND, Absent.NOT_FOUND)
    assert told(model_files=(gone,))["Models opened"] == ("/m.gguf, size unknown, not hashed",)


def test_the_first_models_are_told_and_the_others_counted() -> None:
    models = tuple(ModelFile(f"/{number}.gguf", 12, "ab" * 32) for number in range(MAX_FILES + 2))
    lines = told(model_files=models)["Models opened"]
    assert lines[MAX_FILES:] == ("… and 2 more: --format json",)


def test_processes_are_counted_by_whose_they_are() -> None:
    assert told()["Processes"][0].startswith("1\xa0process of the program, 1\xa0executable; and")


def test_the_helpers_are_counted_in_words() -> None:
    assert told()["Processes"][0].endswith("not judged: 1\xa0exerciser, 1\xa0probe")


def test_what_we_were_before_the_command_is_no_executable_of_the_program() -> None:
    python, shell = "/usr/bin/python3", "/bin/sh"
    first, forked = process(1, Role.RECORDER, exe=""), process(2, pid=9, parent=1, exe=python)
    became = replace(forked, id=3, exe=shell)
    uses_it = replace(forked, id=4, pid=10, parent=3)
    for processes, count in (
        ((first, forked, became), "1"),
        ((first, forked, became, uses_it), "2"),
    ):
        assert f"{count}\xa0executable" in told(processes=processes)["Processes"][0]


def test_the_first_files_that_were_left_are_told_and_the_others_counted() -> None:
    files = tuple(WrittenFile(f"/tmp/{n}", n) for n in range(15))
    section = written_section(run(written_files=files, written_beyond=5))
    (entry,) = section.entries
    assert len(entry.lines) == 9
    assert entry.lines[-1] == "… and 12 more: --format json"
    assert section.note.startswith("20\xa0files")


def test_files_outside_of_caches_are_told_first_and_of_these_the_largest() -> None:
    sizes: dict[str, int | Absent] = {
        "/h/.cache/big": 900,
        "/h/a": 1,
        "/h/queue.db": 50,
        "/h/gone": Absent.NOT_FOUND,
    }
    files = tuple(WrittenFile(path, size) for path, size in sizes.items())
    (entry,) = written_section(run(written_files=files)).entries
    told = [line.partition(",")[0] for line in entry.lines]
    assert told == ["/h/queue.db", "/h/a", "/h/gone", "/h/.cache/big"]


def test_whoever_sent_is_told_once_with_path_hash_and_arguments() -> None:
    rows = [observation(n, owner=owner()) for n in (1, 2)]
    ours = observation(3, owner=owner(Role.PROBE, exe="/usr/bin/python3"))
    audit = run_at_home(run(), *rows, ours)
    assert not isinstance(audit.run, Absent)
    lines = {entry.term: entry.lines for entry in run_section(audit, audit.run).entries}
    assert lines["Senders"] == (
        "pid 1002 /usr/bin/program, sha256 cdcdcdcdcdcdcdcd…: program --quiet",
    )
