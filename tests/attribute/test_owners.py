"""Owners are put on flows by the frames that a recorder names; what could be the program's, is."""

import numpy as np
import pytest

from egress_audit.attribute.owners import (
    KERNEL,
    Owned,
    RecordedOwners,
    is_helper,
)
from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from tests.builders.runs import EXERCISER, PROCESSES, TARGET, process

WAYS = ("seccomp", KERNEL)
ORIG, RESP = True, False
CLIENT = 5


def recorded(
    notes: list[tuple[int, int, int]], nobodys: tuple[int, ...], processes: tuple[Process, ...]
) -> RecordedOwners:
    """notes: (frame, process, way); nobodys: frames from which on nobody is known to send."""
    columns = np.array(notes, np.int64).reshape(-1, 3)
    noted = (
        columns[:, 0],
        columns[:, 1].astype(np.int32),
        columns[:, 2].astype(np.uint8),
    )
    return RecordedOwners(processes, noted, WAYS, np.array(nobodys, np.int64))


def owned(
    notes: list[tuple[int, int, int]],
    frames: list[tuple[int, int, bool]],
    *,
    nobodys: tuple[int, ...] = (),
    near_is_orig: tuple[bool, ...] = (True,),
    processes: tuple[Process, ...] = PROCESSES,
    batches: int = 1,
) -> Owned:
    """notes: (frame, process, way); frames: (frame, flow, by_orig), in order."""
    owners = recorded(notes, nobodys, processes)
    for part in np.array_split(np.array(frames, np.int64).reshape(-1, 3), batches):
        owners.take(part[:, 0], part[:, 1], part[:, 2].astype(np.bool_))
    return owners.owned(len(near_is_orig), np.array(near_is_orig))


def known(found: Owner | Absent) -> Owner:
    assert isinstance(found, Owner)
    return found


def test_the_sender_of_a_noted_frame_owns_its_flow() -> None:
    found = owned([(1, TARGET, 0)], [(1, 0, ORIG), (2, 0, RESP)])
    owner = known(found.owner_of([0]))
    assert (owner.pid, owner.exe, owner.how, owner.role) == (
        1002,
        "/usr/bin/program",
        "seccomp",
        Role.TARGET,
    )
    assert owner.parent == 1001


def test_the_very_process_of_each_flow_is_known_though_it_has_others_alike() -> None:
    alike = (*PROCESSES, process(5, pid=77))
    found = owned(
        [(1, TARGET, 0), (2, 5, 0)],
        [(1, 0, ORIG), (2, 1, ORIG)],
        near_is_orig=(True, True),
        processes=alike,
    )
    senders = [found.sender(row) for row in (0, 1)]
    assert senders == [(alike[TARGET - 1], "seccomp"), (alike[4], "seccomp")]


def test_a_flow_of_nobody_has_no_sender() -> None:
    assert owned([], [(1, 0, ORIG)]).sender(0) is Absent.NOT_FOUND


def test_a_flow_that_the_record_does_not_name_is_nobodys() -> None:
    found = owned([], [(1, 0, ORIG)])
    assert found.owner_of([0]) is Absent.NOT_FOUND
    assert found.known.tolist() == [False]


def test_a_process_that_the_record_does_not_know_is_nobody() -> None:
    assert owned([(1, 99, 0)], [(1, 0, ORIG)]).owner_of([0]) is Absent.NOT_FOUND


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_batches_make_no_difference(batches: int) -> None:
    frames = [(1, 0, ORIG), (2, 1, ORIG), (5, 2, ORIG)]
    notes = [(1, TARGET, 0), (2, EXERCISER, 0), (5, TARGET, 1)]
    found = owned(notes, frames, near_is_orig=(True,) * 3, batches=batches)
    assert [known(found.owner_of([row])).role for row in range(3)] == [
        Role.TARGET,
        Role.EXERCISER,
        Role.TARGET,
    ]


def test_a_noted_frame_that_is_no_packet_is_passed_over() -> None:
    assert owned([(2, TARGET, 0)], [(1, 0, ORIG), (3, 0, ORIG)]).known.tolist() == [False]


def test_a_frame_past_the_table_of_flows_owns_nothing() -> None:
    assert owned([(1, TARGET, 0)], [(1, -1, ORIG)]).known.tolist() == [False]


def test_over_loopback_the_flow_is_its_originators() -> None:
    found = owned([(1, EXERCISER, 0), (2, TARGET, 0)], [(1, 0, ORIG), (2, 0, RESP)])
    assert known(found.owner_of([0])).role is Role.EXERCISER


def test_where_the_originator_is_far_it_is_who_answered() -> None:
    found = owned([(2, TARGET, 0)], [(1, 0, ORIG), (2, 0, RESP)], near_is_orig=(False,))
    assert known(found.owner_of([0])).role is Role.TARGET


def test_of_program_and_helper_on_one_side_the_program_owns_the_flow() -> None:
    found = owned([(1, EXERCISER, 0), (2, TARGET, 0)], [(1, 0, ORIG), (2, 0, ORIG)])
    assert known(found.owner_of([0])).role is Role.TARGET


def test_of_a_helper_and_nobody_nobody_owns_it() -> None:
    found = owned([(1, EXERCISER, 0)], [(1, 0, ORIG), (2, 0, ORIG)], nobodys=(2,))
    assert found.owner_of([0]) is Absent.NOT_FOUND
    assert found.by_helper.tolist() == [False]


def test_the_kernels_packets_are_on_behalf_of_a_process() -> None:
    owner = known(owned([(1, TARGET, 1)], [(1, 0, ORIG)]).owner_of([0]))
    assert (owner.how, owner.pid) == (KERNEL, 1002)


def test_what_a_process_sends_itself_comes_before_what_the_kernel_sends_for_it() -> None:
    found = owned([(1, TARGET, 1), (2, TARGET, 0)], [(1, 0, ORIG), (2, 0, ORIG)])
    assert known(found.owner_of([0])).how == "seccomp"


WORKERS = (*PROCESSES, process(5), process(6), process(7, exe="/usr/bin/other"))


def test_processes_alike_are_one_owner_and_counted() -> None:
    notes = [(1, 5, 0), (2, 6, 0), (3, 6, 0)]
    frames = [(1, 0, ORIG), (2, 1, ORIG), (3, 2, ORIG)]
    found = owned(notes, frames, near_is_orig=(True,) * 3, processes=WORKERS)
    assert len(set(found.group.tolist())) == 1
    owner = known(found.owner_of([0, 1, 2]))
    assert (owner.pid, owner.processes) == (1005, 2)


def test_another_executable_is_another_owner() -> None:
    notes, frames = [(1, 5, 0), (2, 7, 0)], [(1, 0, ORIG), (2, 1, ORIG)]
    found = owned(notes, frames, near_is_orig=(True,) * 2, processes=WORKERS)
    assert len(set(found.group.tolist())) == 2


def test_of_several_flows_one_of_the_program_makes_it_the_programs() -> None:
    notes, frames = [(1, EXERCISER, 0), (2, TARGET, 0)], [(1, 0, ORIG), (2, 1, ORIG)]
    found = owned(notes, frames, near_is_orig=(True,) * 2)
    assert known(found.owner_of([0, 1])).role is Role.TARGET
    assert is_helper(found.owner_of([0])) and not is_helper(found.owner_of([1]))


def test_of_a_helper_and_a_flow_of_nobody_it_is_nobodys() -> None:
    found = owned([(1, EXERCISER, 0)], [(1, 0, ORIG), (2, 1, ORIG)], near_is_orig=(True,) * 2)
    assert found.owner_of([0, 1]) is Absent.NOT_FOUND


@pytest.mark.parametrize("batches", [1, 2])
def test_the_packet_inside_of_a_noted_frame_has_its_sender_too(batches: int) -> None:
    frames = [(1, 0, ORIG), (1, 1, ORIG), (2, 0, RESP), (2, 1, RESP)]
    found = owned([(1, TARGET, 0)], frames, near_is_orig=(True, True), batches=batches)
    assert found.known.tolist() == [True, True]


def test_frames_that_waited_for_others_have_theirs() -> None:
    found = owned([(1, TARGET, 0)], [(2, 1, ORIG), (1, 0, ORIG)], near_is_orig=(True, True))
    assert found.known.tolist() == [True, False]


@pytest.mark.parametrize(
    ("notes", "nobodys", "expected"),
    [
        ([(1, CLIENT, 0)], (), True),
        ([(1, CLIENT, 0), (2, TARGET, 0)], (), True),
        ([(1, TARGET, 0), (2, CLIENT, 0)], (), False),
        ([(1, CLIENT, 0), (3, TARGET, 0)], (), False),
        ([(1, CLIENT, 0)], (3,), False),
        ([(1, EXERCISER, 0)], (), False),
        ([], (), False),
    ],
    ids=[
        "a client began it",
        "and the program answered",
        "the program began it and a client answered",
        "the program sent for the same side",
        "or nobody did",
        "the exerciser began it",
        "nothing is noted",
    ],
)
def test_a_flow_is_begun_by_who_alone_sent_for_its_originator(
    notes: list[tuple[int, int, int]], nobodys: tuple[int, ...], expected: bool
) -> None:
    made = recorded(notes, nobodys, (*PROCESSES, process(CLIENT, Role.CLIENT)))
    frames = np.array([1, 2, 3]), np.zeros(3, np.int64), np.array([ORIG, RESP, ORIG])
    made.take(*frames)
    assert made.begun_by(Role.CLIENT, 1).tolist() == [expected]
