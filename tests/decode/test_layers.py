"""Packets of several layers in one order."""

from dataclasses import replace

import numpy as np

from egress_audit.columns import PacketBatch
from egress_audit.decode.layers import chosen, from_values, in_order, values_of
from egress_audit.decode.ledger import Ledger
from tests.builders.captures import UDP, Frame, ip, pcap, udp
from tests.builders.engine import opened, packets_of


def batch(*ports: int) -> PacketBatch:
    """One datagram to each port."""
    frames = [Frame(0, ip("10.0.0.1", "10.0.0.2", udp(9, port), UDP)) for port in ports]
    return next(packets_of(read, Ledger()) for read in opened(pcap(frames, 101)) if len(read))


def test_packets_stand_by_their_places_and_equal_ones_as_they_came() -> None:
    parts = [batch(1, 2, 3), batch(4, 5)]
    places = [np.array([5, 1, 7]), np.array([5, 0])]
    assert in_order(parts, places).dport.tolist() == [5, 2, 1, 4, 3]


def test_those_of_one_place_stand_by_their_frames() -> None:
    assert in_order([batch(1, 2)], [np.array([5, 5])]).dport.tolist() == [1, 2]


def test_one_part_in_order_is_left_as_it_is() -> None:
    part = batch(1, 2)
    assert in_order([part], [np.array([3, 5])]) is part


def test_so_is_one_part_whose_packets_came_with_their_frames() -> None:
    part = batch(1, 2)
    assert in_order([part], [None]) is part


def test_packets_inside_of_others_stand_behind_these() -> None:
    outer, inner = batch(1, 2), replace(batch(3), depth=np.ones(1, np.uint8))
    assert in_order([outer, inner], [None, None]).dport.tolist() == [1, 3, 2]


def test_one_part_out_of_order_is_not() -> None:
    assert in_order([batch(1, 2)], [np.array([5, 3])]).dport.tolist() == [2, 1]


def test_a_packet_outlives_its_batch_with_every_column() -> None:
    part = batch(1, 2)
    again = from_values(part.buffer, [values_of(part, 1)])
    assert values_of(again, 0) == values_of(chosen(part, np.array([1])), 0)
    assert again.dport.dtype == part.dport.dtype
