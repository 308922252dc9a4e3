"""The columns that pass along the hot path, and the words that their numbers stand for."""

import numpy as np

from egress_audit.columns import CONN_STATES, END_REASONS, PADDING, alike_rows, alike_side_by_side
from egress_audit.model.flow import EndReason
from tests.builders.captures import Frame, ethernet, pcap, scripted, udp_exchange
from tests.builders.engine import opened, run


def test_equal_rows_are_one_group_numbered_by_its_first_row() -> None:
    columns = np.array([5, 3, 5, 3, 9]), np.array([1, 1, 1, 2, 1])
    alike = alike_rows(columns)
    assert alike.first.tolist() == [0, 1, 3, 4]
    assert alike.group.tolist() == [0, 1, 0, 2, 3]
    assert alike.sizes.tolist() == [2, 1, 1, 1]


def test_alike_rows_stand_side_by_side_in_their_own_order() -> None:
    order, starts = alike_side_by_side([np.array([5, 3, 5, 3, 9]), np.array([1, 1, 1, 2, 1])])
    assert [group.tolist() for group in np.split(order, starts[1:])] == [[1], [0, 2], [4], [3]]


def test_of_no_rows_there_is_no_group() -> None:
    alike = alike_rows([np.zeros(0, np.int64)])
    assert alike.first.tolist() == alike.group.tolist() == alike.sizes.tolist() == []


def test_the_states_are_zeeks_thirteen() -> None:
    assert len(CONN_STATES) == len(set(CONN_STATES)) == 13


def test_every_end_reason_has_its_number() -> None:
    assert tuple(EndReason(word) for word in END_REASONS) == tuple(EndReason)


def test_a_batch_is_as_long_as_its_columns() -> None:
    batch = next(iter(opened(pcap([Frame(0, b"a"), Frame(0, b"b")]))))
    assert len(batch) == len(batch.offset) == len(batch.linktype) == 2


def test_a_chosen_frame_keeps_all_that_its_columns_say() -> None:
    batch = next(iter(opened(pcap([Frame(0, b"a"), Frame(2000, b"bc", 9), Frame(3000, b"d")]))))
    chosen = batch.chosen(np.array([1]))
    (start,), (caplen,) = chosen.offset, chosen.caplen
    assert chosen.buffer[start : start + caplen].tobytes() == b"bc"
    assert (chosen.ts_ns.tolist(), chosen.wirelen.tolist()) == ([2000], [9])


def test_zeros_stand_behind_the_last_byte_of_every_buffer() -> None:
    data = pcap([Frame(0, b"\xff" * 60)])
    batch = next(iter(opened(data)))
    assert not batch.buffer[len(data) : len(data) + PADDING].any()


def test_a_header_cut_at_the_end_of_the_buffer_borrows_nothing_from_beyond() -> None:
    (frame,) = udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), b"x")
    data = pcap([frame, Frame(1, frame.data[:36], len(frame.data))])
    first, second = run(data).packets
    assert (first.sport, first.dport) == (40000, 53)
    assert (second.sport, second.dport) == (0, 0)


def test_flows_are_as_many_as_their_rows() -> None:
    flows = run(pcap(udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), b"x", b"y"))).flows
    assert len(flows) == len(flows.proto) == 1


def test_a_flow_is_found_by_any_letter_of_its_history() -> None:
    frames = [*scripted(">S <SA >A"), *scripted("<PAd", ("10.0.0.2", 9))]
    flows = run(pcap(frames)).flows
    assert flows.has_letter("S").tolist() == [True, False]
    assert flows.has_letter("dD").tolist() == [False, True]
    assert flows.has_letter("").tolist() == [False, False]


def test_nothing_at_all_is_no_flow() -> None:
    assert len(run(pcap([Frame(0, ethernet(b"", 0x0806))])).flows) == 0
