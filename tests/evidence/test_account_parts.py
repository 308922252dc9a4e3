"""Tests of egress_audit/evidence/account_parts.py."""

from ipaddress import ip_address

import pytest

from egress_audit.evidence import account_notes
from egress_audit.evidence.account import Account
from egress_audit.evidence.event_kinds import OUTCOMES
from egress_audit.evidence.events import MAX_TEXTS
from egress_audit.model.destination import Absent
from egress_audit.model.run import Attempt, ModelFile, Probe, Role, Setting, Stamp, WrittenFile
from tests.builders.accounts import account_of
from tests.builders.bundles import (
    SECOND_NS,
    START_NS,
    TARGET,
    Line,
    attempt,
    begin,
    line,
    owner,
    probe,
    process,
    whole_run,
)


def told(*middle: Line) -> Account:
    """The account of a run in which this happened, and all else went well."""
    return account_of(whole_run(*middle))


def problem(*middle: Line) -> str:
    (only,) = told(*middle).problems
    return only


def test_a_process_is_known_with_its_executable_and_role() -> None:
    program = told().run.processes[TARGET - 1]
    assert (program.id, program.pid, program.start_time) == (2, 1002, 5002)
    assert (program.exe, program.exe_sha256) == ("/usr/bin/program", "cd" * 32)
    assert (program.cmdline, program.parent, program.role) == ("program --quiet", 1, Role.TARGET)


def test_addresses_past_the_bound_are_a_problem_and_the_others_are_read() -> None:
    many = [str(ip_address(number)) for number in range(MAX_TEXTS + 1)]
    account = account_of(whole_run(first=begin(own_addresses=many)))
    assert account.run.own_addresses == tuple(many[:-1])
    assert account.problems == ("more than 1000 `own_addresses`; the others are not read",)
    assert account_of(whole_run(first=begin(own_addresses=many[:-1]))).problems == ()


def test_what_is_not_known_of_a_process_is_absent() -> None:
    stranger = told(process(3, cmdline=None, parent=None, exe="/tmp/gone")).run.processes[2]
    assert {stranger.cmdline, stranger.parent, stranger.exe_sha256} == {Absent.NOT_FOUND}


def test_a_process_out_of_order_is_a_problem_and_not_kept() -> None:
    account = told(process(9))
    assert len(account.run.processes) == 2
    assert account.problems == ("line 6: process 9 is out of order",)


def test_a_process_that_comes_twice_is_a_problem() -> None:
    assert "process 2 is out of order" in problem(process(2))


def test_a_parent_that_is_not_known_is_a_problem() -> None:
    account = told(process(3, parent=3))
    assert account.run.processes[2].parent is Absent.NOT_FOUND
    assert account.problems == ("line 6: the parent 3 of a process is not known",)


def test_processes_past_the_bound_are_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_notes, "MAX_KEPT", 3)
    account = told(*[process(number) for number in range(3, 9)])
    assert len(account.run.processes) == 3
    assert account.problems == ("more than 3 events `process`; the others are not read",)


def test_an_executable_with_two_hashes_has_none_that_is_believed() -> None:
    account = told(line("exe", path="/usr/bin/program", sha256="00" * 32))
    assert account.run.processes[1].exe_sha256 is Absent.UNREADABLE
    assert "two hashes: /usr/bin/program" in account.problems[0]


def test_an_attempt_is_kept_with_its_count_and_outcome() -> None:
    account = told(
        attempt(address="/run/docker.sock", port=None, family="AF_UNIX"),
        line("attempt-more", attempt=0, count=7),
        line("outcome", attempt=0, outcome="reached"),
    )
    absent = Absent.NOT_APPLICABLE
    assert account.run.attempts == (
        Attempt(
            *(TARGET, "connect", "AF_UNIX", "stream", "/run/docker.sock", absent, absent),
            outcome="reached",
            count=7,
            first_ns=START_NS + SECOND_NS,
        ),
    )
    assert account.problems == ()


def test_a_denied_attempt_says_with_what() -> None:
    assert told(attempt(denied="EAFNOSUPPORT")).run.attempts[0].denied == "EAFNOSUPPORT"


def test_an_attempt_of_whom_is_not_known_is_kept_and_no_problem() -> None:
    account = told(attempt(0))
    assert [made.process for made in account.run.attempts] == [0]
    assert account.problems == ()


def test_an_attempt_of_an_unknown_process_is_kept_and_a_problem() -> None:
    account = told(attempt(77))
    assert [made.process for made in account.run.attempts] == [0]
    assert account.problems == ("line 6: `attempt` names process 77, which is not known",)


@pytest.mark.parametrize(
    "made",
    [line("attempt-more", attempt=1, count=2), line("outcome", attempt=1, outcome="absent")],
    ids=["more", "outcome"],
)
def test_an_attempt_that_never_was_is_a_problem(made: Line) -> None:
    assert "names attempt 1, which is not known" in problem(attempt(), made)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_its_weight_beside_another(outcome: str) -> None:
    both = [line("outcome", attempt=0, outcome=word) for word in ("absent", outcome)]
    assert told(attempt(), *both).run.attempts[0].outcome == outcome


def test_of_two_outcomes_the_worse_is_kept() -> None:
    for words in (("absent", "reached"), ("reached", "absent")):
        both = [line("outcome", attempt=0, outcome=word) for word in words]
        account = told(attempt(), *both)
        assert account.run.attempts[0].outcome == "reached"
        assert account.problems == ("line 8: attempt 0 has two outcomes",)


def test_attempts_past_the_bound_count_as_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_notes, "MAX_KEPT", 2)
    more = line("attempt-more", attempt=3, count=2)
    account = told(*[attempt()] * 4, more, line("attempts-dropped", count=5))
    assert (len(account.run.attempts), account.run.attempts_dropped) == (2, 7)


def test_an_owner_that_is_not_known_leaves_the_frame_unattributed() -> None:
    account = told(owner(1), owner(2, process=9))
    assert (account.owners.frame.tolist(), account.unattributed.tolist()) == ([1], [2])
    assert account.run.unattributed == 1
    assert "`owner` names process 9" in account.problems[0]


def test_the_number_of_unattributed_packets_is_taken_over() -> None:
    account = told(line("unattributed", frame=4), line("unattributed-count", count=31))
    assert (account.unattributed.tolist(), account.run.unattributed) == ([4], 31)


def test_invented_addresses_lead_back_to_their_names() -> None:
    account = told(line("name", host="HuggingFace.co", address="FD00:e6e4:0::7", frame=3))
    assert account.run.synthetic == {"fd00:e6e4::7": "huggingface.co"}


def test_an_address_of_two_names_is_a_problem() -> None:
    given = [line("name", host=host, address="198.18.0.1", frame=1) for host in "ab"]
    account = told(*given)
    assert account.run.synthetic == {"198.18.0.1": "a"}
    assert "198.18.0.1 was given for two names" in account.problems[0]


def test_a_name_for_no_address_is_a_problem() -> None:
    assert "no address" in problem(line("name", host="a", address="nowhere", frame=1))


def edge(word: str, which: str, seconds: int, proof: str = "self") -> Line:
    return line("phase", START_NS + seconds * SECOND_NS, phase=word, proof=proof, edge=which)


def test_what_the_program_says_of_a_phase_ends_no_exercise_of_the_same_name() -> None:
    account = told(edge("load", "begin", 2, "exercise"), edge("load", "end", 5, "self"))
    assert account.run.phases[1].end_ns is Absent.NOT_FOUND


def test_a_phase_is_joined_from_its_edges() -> None:
    account = told(edge("load", "begin", 2, "exercise"), edge("load", "end", 5, "exercise"))
    phase = account.run.phases[1]
    assert (phase.word, phase.proof) == ("load", "exercise")
    assert (phase.begin_ns, phase.end_ns) == (START_NS + 2 * SECOND_NS, START_NS + 5 * SECOND_NS)


def test_a_phase_that_does_not_end_has_no_end() -> None:
    assert told(edge("load", "begin", 2)).run.phases[1].end_ns is Absent.NOT_FOUND


def test_a_phase_that_ends_before_it_begins_is_a_problem() -> None:
    assert "the phase load ends and did not begin" in problem(edge("load", "end", 2))


def test_a_phase_may_come_again() -> None:
    edges = [edge("turn", which, second) for second, which in enumerate(["begin", "end"] * 2, 2)]
    times = [(phase.begin_ns, phase.end_ns) for phase in told(*edges).run.phases[1:]]
    begins = [START_NS + second * SECOND_NS for second in (2, 3, 4, 5)]
    assert times == [(begins[0], begins[1]), (begins[2], begins[3])]


def test_probes_are_taken_over() -> None:
    run = account_of(whole_run(probes=[probe("before", "name", 6, None, noticed=False)])).run
    nonce = b"beforename6".hex()
    assert run.probes == (Probe("before", "name", 6, nonce, Absent.NOT_FOUND, False),)


def test_the_environment_is_taken_over() -> None:
    run = told(
        line("setting", kind="condition", name="HF_HUB_OFFLINE", value="1", meaning="no hub"),
        line("setting", kind="endpoint", name="HTTPS_PROXY", value="p", meaning="a proxy"),
        line("removed", name="CI"),
        line("stamp", path="/home/a/.stamp", product="ollama", hidden=True),
        line("model-file", path="/m.gguf", size=4, sha256=None),
        line("written", path="/tmp/queue", size=None),
        line("written-beyond", count=3),
        line("socket-reachable", path="/tmp/.X11-unix/X0"),
        line("cannot-see", text="GPU transfers"),
    ).run
    assert run.conditions == (Setting("HF_HUB_OFFLINE", "1", "no hub"),)
    assert run.endpoints == (Setting("HTTPS_PROXY", "p", "a proxy"),)
    assert run.removed_variables == ("CI",)
    assert run.stamps == (Stamp("/home/a/.stamp", "ollama", True),)
    assert run.model_files == (ModelFile("/m.gguf", 4, Absent.NOT_FOUND),)
    assert run.written_files == (WrittenFile("/tmp/queue", Absent.NOT_FOUND),)
    assert run.written_beyond == 3
    assert run.reachable_sockets == ("/tmp/.X11-unix/X0",)
    assert run.cannot_see == ("GPU transfers",)


def test_written_files_past_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_notes, "MAX_KEPT", 2)
    written = [line("written", path=f"/tmp/{number}", size=1) for number in range(5)]
    run = told(*written).run
    assert (len(run.written_files), run.written_beyond) == (2, 3)


def test_a_loss_that_is_not_known_stays_unknown() -> None:
    account = account_of(whole_run(drops=(None, 4)))
    assert account.run.drops == {"eg0": Absent.NOT_FOUND, "lo": 4}


@pytest.mark.parametrize(("said", "kept"), [(5, 5), (None, Absent.NOT_FOUND)])
def test_of_two_losses_the_worse_is_kept(said: int | None, kept: int | Absent) -> None:
    account = told(line("loss", interface="eg0", received=9, dropped=said))
    assert account.run.drops["eg0"] == kept
    assert "the losses of eg0 a second time" in account.problems[0]


@pytest.mark.parametrize(
    "again",
    [line("exec", process=1), line("exited", status=3), line("tree-ended")],
    ids=["exec", "exited", "tree-ended"],
)
def test_what_happens_once_and_is_said_twice_is_a_problem(again: Line) -> None:
    assert f"`{again.event}` a second time" in " ".join(told(again).problems)
