"""Tests of egress_audit/evidence/account.py."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.errors import InputUnreadable
from egress_audit.evidence.account import Account, read_account
from egress_audit.evidence.event_kinds import HOWS
from egress_audit.model.destination import Absent
from egress_audit.model.run import Network, Rung
from tests.builders.accounts import account_of, record_of
from tests.builders.bundles import (
    SECOND_NS,
    START_NS,
    TARGET,
    Line,
    attempt,
    begin,
    line,
    owner,
    process,
    whole_run,
)

STOPS = "the record stops in the middle: it has no last line"


def read(data: bytes) -> Account:
    return read_account(io.BytesIO(data))


def test_a_run_that_went_well_has_no_problem() -> None:
    account = account_of(whole_run())
    assert account.complete
    assert account.problems == ()
    run = account.run
    assert (run.rung, run.network, run.recorder) == (Rung.TUN, Network.SIMULATED, "run")
    assert (run.exit_status, run.ended_by, run.home) == (0, "tree", "overlay")
    assert (run.began_ns, run.exec_ns) == (START_NS, START_NS + SECOND_NS)
    assert run.observed_ns == 120 * SECOND_NS
    assert run.ended_ns == run.tree_ended_ns == START_NS + 121 * SECOND_NS
    assert run.closed_ns == START_NS + 122 * SECOND_NS
    assert run.drops == {"eg0": 0, "lo": 0}
    assert run.own_addresses == ("10.87.0.2", "fd00:e6e4::2")


def test_the_sandboxs_own_name_is_taken_over_where_it_was_recorded() -> None:
    assert account_of(whole_run(first=begin(hostname="sandbox"))).run.hostname == "sandbox"
    assert account_of(whole_run()).run.hostname == ""


def test_the_command_that_never_ran_has_no_time() -> None:
    run = account_of([begin(), line("watched-until", by="tree"), line("end")]).run
    assert (run.exec_ns, run.ended_ns, run.exit_status) == (Absent.NOT_FOUND,) * 3
    assert run.observed_ns == 0


def test_a_command_that_is_alive_at_the_end_has_no_status() -> None:
    lines = [made for made in whole_run(ended_by="observed") if made.event != "exited"]
    account = account_of(lines)
    assert (account.run.exit_status, account.run.ended_by) == (Absent.NOT_FOUND, "observed")
    assert account.problems == ()


@given(st.integers(1, len(whole_run()) - 1))
def test_a_record_that_stops_is_lost_wherever_it_stops(count: int) -> None:
    account = account_of(whole_run()[:count])
    assert not account.complete
    assert (account.run.ended_by, account.run.closed_ns) == ("lost", Absent.NOT_FOUND)
    assert account.problems == (STOPS,)


def test_a_run_that_was_lost_was_observed_until_the_last_line() -> None:
    late = attempt()
    lines = [*whole_run()[:5], Line(late.event, late.fields, START_NS + 9 * SECOND_NS)]
    assert account_of(lines).run.observed_ns == 8 * SECOND_NS


def test_a_line_that_is_cut_is_named() -> None:
    data = record_of([begin(), process(1)])
    account = read(data + b'{"event":"pro')
    assert account.problems == ("line 3, the last one, is cut in the middle", STOPS)


def test_a_cut_line_behind_the_end_leaves_the_record_incomplete() -> None:
    account = read(record_of([*whole_run()]) + b'{"event"')
    assert not account.complete
    assert account.run.ended_by == "lost"


@given(st.data())
def test_a_record_that_is_cut_anywhere_is_no_whole_one(data: st.DataObject) -> None:
    whole = record_of(whole_run(owner(1), attempt()))
    size = data.draw(st.integers(0, len(whole) - 1))
    try:
        account = read(whole[:size])
    except InputUnreadable as error:
        assert "does not begin as the record of a run" in str(error)
    else:
        assert not account.complete
        assert account.run.ended_by == "lost"
        assert account.problems


def test_a_record_that_goes_on_behind_its_end_is_not_whole() -> None:
    account = account_of([*whole_run(), line("tree-ended")])
    assert not account.complete
    assert account.problems == ("the record goes on behind its end, from line 15",)


def test_a_record_that_begins_again_is_a_problem() -> None:
    account = account_of(whole_run(begin(network="open")))
    assert account.run.network is Network.SIMULATED
    assert account.problems == ("line 6: the record begins again",)


@pytest.mark.parametrize(
    "lines", [[], [process(1)], [line("end")]], ids=["empty", "process", "end"]
)
def test_what_does_not_begin_as_a_record_is_refused(lines: list[Line]) -> None:
    with pytest.raises(InputUnreadable, match="does not begin as the record of a run"):
        account_of(lines)


@pytest.mark.parametrize("missing", ["tree-ended", "watched-until"])
def test_a_whole_record_that_lacks_a_fact_has_a_problem(missing: str) -> None:
    account = account_of([made for made in whole_run() if made.event != missing])
    assert account.problems == (f"the record has no `{missing}`",)


def test_a_record_without_losses_does_not_say_none() -> None:
    account = account_of([made for made in whole_run() if made.event != "loss"])
    assert account.problems == ("the record does not say what was lost",)


def test_times_that_run_backwards_are_a_problem() -> None:
    lines = [begin(), Line("tree-ended", {}, START_NS - 2 * SECOND_NS)]
    assert "times run backwards by more than a second, 1 times" in read(record_of(lines)).problems


def test_a_line_written_a_little_late_is_none() -> None:
    lines = [begin(), Line("tree-ended", {}, START_NS - SECOND_NS // 2)]
    assert read(record_of(lines)).problems == (STOPS,)


def test_times_before_exec_are_no_negative_observation() -> None:
    execed = Line("exec", {"process": 1}, START_NS + 100 * SECOND_NS)
    lines = [begin(), process(1), execed, Line("watched-until", {"by": "tree"}, START_NS)]
    assert read(record_of(lines)).run.observed_ns == 0


def test_kinds_of_a_later_version_are_a_problem() -> None:
    data = record_of(whole_run()).replace(b'"tree-ended"', b'"tree-gone"')
    account = read(data)
    assert account.unknown == {"tree-gone": 1}
    assert "events of kinds that this version does not know: tree-gone" in account.problems


def test_owners_come_in_the_order_of_frames() -> None:
    owners = account_of(whole_run(owner(9), owner(3, how=HOWS[1]), owner(5, process=1))).owners
    assert owners.frame.tolist() == [3, 5, 9]
    assert owners.process.tolist() == [TARGET, 1, TARGET]
    assert [HOWS[how] for how in owners.how] == [HOWS[1], HOWS[0], HOWS[0]]
    assert len(owners) == 3


def test_an_owner_that_is_said_twice_is_one() -> None:
    account = account_of(whole_run(owner(3), owner(3)))
    assert (account.owners.frame.tolist(), account.problems) == ([3], ())


@pytest.mark.parametrize("other", [owner(3, process=1), owner(3, how=HOWS[1])], ids=["who", "how"])
def test_a_frame_of_two_owners_has_none(other: Line) -> None:
    account = account_of(whole_run(owner(2), owner(3), other, owner(4)))
    assert account.owners.frame.tolist() == [2, 4]
    assert account.unattributed.tolist() == [3]
    assert account.run.unattributed == 1
    assert account.problems == ("frame 3 has two owners; frames of which this is so: 1",)


def test_a_frame_with_an_owner_and_without_has_none() -> None:
    account = account_of(whole_run(owner(3), line("unattributed", frame=3)))
    assert (account.owners.frame.tolist(), account.unattributed.tolist()) == ([], [3])
    assert account.problems == ("frames that have an owner and are unattributed as well: 1",)


def test_losses_are_read_beside_what_was_received() -> None:
    lines = whole_run(line("loss", interface="eg9", received=7, dropped=0))
    assert account_of(lines).received == {"eg9": 7, "eg0": 0, "lo": 0}


def test_no_text_of_a_record_can_move_a_cursor() -> None:
    nasty = "\x1b[2J\n" + "x" * 9999
    account = account_of(
        whole_run(process(3, exe=nasty), attempt(address=nasty), first=begin(command=nasty))
    )
    texts = [account.run.command, account.run.processes[2].exe, account.run.attempts[0].address]
    assert all(text.isprintable() and len(text) < 5000 for text in texts)


@given(st.integers(0, 2500), st.binary(min_size=1, max_size=6))
def test_a_changed_record_is_read_or_refused_with_one_clear_error(place: int, other: bytes) -> None:
    data = bytearray(record_of(whole_run(owner(1), attempt())))
    data[place : place + len(other)] = other
    try:
        read(bytes(data))
    except InputUnreadable as error:
        assert "events.jsonl" in str(error)
