"""What was lost is a number where somebody counted, and unknown where nobody did."""

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Rung
from tests.builders.bundle_capture import Losses
from tests.builders.recorded_runs import Way, both_rungs, recorded

pytestmark = pytest.mark.opens_sockets


@both_rungs
def test_where_packets_are_seen_their_loss_is_in_the_capture_and_beside_it(way: Way) -> None:
    seen = recorded(("true",), way)
    assert seen.losses == {"eg0": Losses(8, 0), "lo": Losses(0, 0)}
    assert seen.run.drops == {"eg0": 0, "lo": 0}


def test_where_no_packet_is_seen_the_loss_is_unknown() -> None:
    seen = recorded(("true",), Way(False, Rung.CALLS))
    assert seen.run.drops == {"none": Absent.NOT_FOUND}
    assert seen.losses == {}


def test_the_names_that_were_given_out_stand_in_the_capture() -> None:
    program = (
        "/usr/bin/python3",
        "-c",
        "import socket; socket.getaddrinfo('losses.example', 80)",
    )
    assert b"losses.example\0" in recorded(program).bundle.capture.read_bytes()
