"""One run from its first probe to its last: what ends it, what is proved of it, what is kept."""

import time
from pathlib import Path

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Phase, Role
from egress_audit.record import session
from tests.builders.programs import (
    ASKS_THE_SERVER,
    DAEMON,
    FORK_BOMB,
    IGNORES_SIGTERM,
    KILLS_ITSELF,
    PRINTS_BINARY,
    REPORTS_PHASES,
    SAYS_GOODBYE,
    SERVER,
    SLEEPS,
    python,
)
from tests.builders.recorded_runs import Seen, Way, both_rungs, every_way, place, recorded, run_at

pytestmark = pytest.mark.opens_sockets


def phases(seen: Seen) -> dict[str, Phase]:
    return {phase.word: phase for phase in seen.run.phases}


def exercised(way: Way | None, expect: str, exercise: str = "") -> Seen:
    """A server that is used when it is ready, and watched for as long as that takes."""
    here = place(way)
    Path(here.work, "asks.py").write_text(python(ASKS_THE_SERVER)[-1], encoding="utf-8")
    return run_at(
        here,
        python(SERVER),
        ready="8123",
        exercise=exercise or f"{python('')[0]} asks.py",
        expect=expect,
        observe_s=1.0,
    )


@every_way
def test_probes_before_and_after_are_found_and_noticed(way: Way) -> None:
    seen = recorded(("true",), way)
    probes = {(probe.when, probe.by, probe.version) for probe in seen.run.probes}
    assert probes == {
        (when, by, version)
        for when in ("before", "after")
        for by in ("address", "name")
        for version in (4, 6)
    }
    assert all(probe.noticed for probe in seen.run.probes)
    for probe in seen.run.probes:
        assert isinstance(probe.frame, int)
        assert probe.nonce.encode() in seen.frames[probe.frame - 1].packet


def test_probes_are_sent_by_a_process_that_is_not_the_program() -> None:
    seen = recorded(("true",))
    roles = {
        process.pid: process.role for process in seen.run.processes if process.role is Role.PROBE
    }
    assert {frame.pid for frame in seen.frames} == set(roles)
    assert len(roles) == 2


def test_probes_are_swallowed_on_our_side_of_the_wire() -> None:
    assert {frame.outbound for frame in recorded(("true",)).frames} == {True}


def test_without_ipv6_there_are_probes_of_ipv4_alone() -> None:
    seen = recorded(("true",), ipv6=False)
    assert [probe.version for probe in seen.run.probes] == [4, 4, 4, 4]
    assert {frame.version for frame in seen.frames} == {4}


def test_a_command_that_ends_with_0_proves_the_phase_run() -> None:
    seen = recorded(("true",))
    assert (seen.run.exit_status, seen.run.ended_by) == (0, "tree")
    run = phases(seen)["run"]
    assert run.proof == "command"
    assert isinstance(run.end_ns, int)


def test_a_command_that_fails_proves_nothing() -> None:
    seen = recorded(("sh", "-c", "exit 3"))
    assert (seen.run.exit_status, seen.run.ended_by) == (3, "tree")
    assert phases(seen)["run"].end_ns is Absent.NOT_FOUND


def test_a_command_that_a_signal_ended_proves_nothing() -> None:
    seen = recorded(python(KILLS_ITSELF))
    assert seen.run.exit_status == -9
    assert phases(seen)["run"].end_ns is Absent.NOT_FOUND


def test_a_program_that_is_alive_when_the_time_is_up_was_observed() -> None:
    seen = recorded(python(SLEEPS), observe_s=0.7)
    assert seen.run.ended_by == "observed"
    assert 7e8 <= seen.run.observed_ns < 2e9
    assert isinstance(phases(seen)["run"].end_ns, int)
    assert isinstance(seen.run.tree_ended_ns, int)
    assert seen.bundle.complete


def test_what_a_program_sends_when_it_is_told_to_end_is_seen() -> None:
    seen = recorded(python(SAYS_GOODBYE), observe_s=0.5)
    assert [frame.payload for frame in seen.out] == [b"goodbye"]
    assert seen.out[0].pid == seen.program.pid


def test_a_program_that_ignores_sigterm_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "GRACE_S", 0.5)
    began = time.monotonic()
    seen = recorded(python(IGNORES_SIGTERM), observe_s=0.5)
    assert time.monotonic() - began < 10
    assert seen.told["started"]
    assert isinstance(seen.run.tree_ended_ns, int)
    assert seen.run.exit_status == -9


def test_a_fork_bomb_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egress_audit.record.init.MOST_PROCESSES", 100)
    monkeypatch.setattr(session, "GRACE_S", 1.0)
    began = time.monotonic()
    seen = recorded(python(FORK_BOMB), observe_s=0.5)
    assert time.monotonic() - began < 15
    assert isinstance(seen.run.tree_ended_ns, int)
    assert seen.bundle.complete


@both_rungs
def test_a_daemon_is_followed_to_its_end_after_the_command_is_gone(way: Way) -> None:
    seen = recorded(python(DAEMON), way)
    assert (seen.run.exit_status, seen.run.ended_by) == (0, "tree")
    assert seen.run.observed_ns > 2e9
    (sent,) = seen.out
    assert sent.payload == b"from the daemon"
    daemon = seen.owner(sent)
    assert daemon is not None
    assert daemon.role is Role.TARGET
    assert daemon.pid != recorded(python(DAEMON), way).run.processes[3].pid


def test_binary_output_of_a_program_does_not_hurt() -> None:
    assert recorded(python(PRINTS_BINARY)).run.exit_status == 0


def test_phases_that_a_program_reports_are_its_own_word() -> None:
    seen = recorded(python(REPORTS_PHASES))
    reported = {word: phase.proof for word, phase in phases(seen).items()}
    assert reported == {"run": "command", "load": "self", "generate": "self"}
    load, generate = phases(seen)["load"], phases(seen)["generate"]
    assert load.begin_ns < generate.begin_ns
    assert isinstance(generate.end_ns, int)


@both_rungs
def test_an_exercise_that_prints_what_was_expected_proves_generate(way: Way) -> None:
    seen = exercised(way, "forty-two")
    generate = phases(seen)["generate"]
    assert generate.proof == "exercise"
    assert isinstance(generate.end_ns, int)
    assert phases(seen)["ready"].begin_ns < generate.begin_ns


def test_an_exercise_that_prints_something_else_proves_nothing() -> None:
    assert phases(exercised(None, "forty-three"))["generate"].end_ns is Absent.NOT_FOUND


def test_words_behind_what_is_searched_are_not_found_and_that_is_said() -> None:
    seen = exercised(None, "forty-two", exercise="head -c 1048576 /dev/zero; echo forty-two")
    assert phases(seen)["generate"].end_ns is Absent.NOT_FOUND
    assert "the last 10 bytes of what the exerciser printed: not searched" in seen.run.cannot_see


def test_an_exercise_that_fails_proves_nothing() -> None:
    seen = exercised(None, "forty-two", exercise="echo forty-two; exit 1")
    assert phases(seen)["generate"].end_ns is Absent.NOT_FOUND


def test_what_an_exercise_does_is_never_counted_as_the_program() -> None:
    seen = exercised(None, "x", exercise="head -c 5000 /dev/urandom; exec 3<>/dev/tcp/1.1.1.1/80")
    roles = {process.role for process in seen.run.processes}
    assert Role.EXERCISER in roles
    shells = [process for process in seen.run.processes if process.exe.endswith(("sh", "head"))]
    assert {process.role for process in shells} == {Role.EXERCISER}


def test_a_program_that_never_becomes_ready_is_observed_and_not_ready() -> None:
    seen = recorded(python(SLEEPS), ready="8124", observe_s=0.7)
    assert phases(seen)["ready"].end_ns is Absent.NOT_FOUND
    assert seen.run.ended_by == "observed"
