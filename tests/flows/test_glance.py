"""Without a glance every head is begun."""

import numpy as np

from egress_audit.flows.glance import BLIND, UNKNOWN
from tests.builders.beginnings import beginning_with, sides_of


def test_the_blind_are_done_with_no_stream_and_hear_nothing() -> None:
    packets = beginning_with([b"abc", bytes(20)])
    done, needs = BLIND.take(packets, sides_of(packets), np.arange(2))
    assert (done.tolist(), needs.tolist()) == ([False, False], [0, 0])
    assert BLIND.look(b"abc") is UNKNOWN
    BLIND.hear([(0, 1, 0, UNKNOWN)])
