"""What a rung sees, who is a helper, and which calls want out."""

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Role, Rung
from tests.builders.audit_parts import START_NS
from tests.builders.runs import attempt, run


def test_only_rungs_that_see_packets_and_calls_see_all() -> None:
    assert [rung for rung in Rung if rung.sees_all] == [Rung.TUN, Rung.VETH]


def test_our_helpers_are_the_exerciser_who_hands_clients_in_and_the_probe() -> None:
    helpers = [role for role in Role if role.is_helper]
    assert helpers == [Role.EXERCISER, Role.CLIENT, Role.PROBE]


@pytest.mark.parametrize(
    ("call", "kind", "wants_out", "asks"),
    [
        ("connect", "stream", True, False),
        ("connect", "seqpacket", True, False),
        ("connect", "dgram", False, True),
        ("connect", "raw", False, True),
        ("sendto", "dgram", True, False),
        ("sendmsg", "raw", True, False),
        ("sendmmsg", "dgram", True, False),
        ("bind", "stream", False, False),
        ("socket", "stream", False, False),
    ],
)
def test_sending_and_connecting_want_out_and_a_datagram_connect_asks_for_a_route(
    call: str, kind: str, wants_out: bool, asks: bool
) -> None:
    made = attempt(call=call, type=kind)
    assert (made.wants_out, made.asks_for_route) == (wants_out, asks)


def test_a_unix_socket_leads_to_no_address_outside() -> None:
    assert not attempt("/run/x", family="AF_UNIX").wants_out


def test_a_command_that_never_ran_was_not_seen_from_its_start() -> None:
    assert run().seen_from_start
    assert not run(exec_ns=Absent.NOT_FOUND).seen_from_start


def test_a_command_whose_sandbox_was_killed_was_not_alive_at_the_end() -> None:
    unknown = {"ended_ns": Absent.NOT_FOUND, "exit_status": Absent.NOT_FOUND}
    assert run(ended_by="observed", **unknown).succeeded
    assert not run(ended_by="killed", **unknown).succeeded


def test_an_end_that_we_made_is_an_end() -> None:
    alive = {"tree_ended_ns": Absent.NOT_FOUND}
    assert run(ended_by="observed", **alive).seen_to_end
    assert not run(ended_by="tree", **alive).seen_to_end


MINUTE_NS = 60_000_000_000
"""When watching of a sample run ended, from its START_NS on."""


@pytest.mark.parametrize(
    ("ended_by", "status", "before_ns", "alive"),
    [
        ("interrupted", -2, 100_000, True),
        ("interrupted", 130, 100_000, True),
        ("interrupted", 1, 100_000, False),
        ("interrupted", -2, 5_000_000_000, False),
        ("observed", -2, 100_000, False),
        ("tree", -2, 100_000, False),
    ],
)
def test_what_the_users_ctrl_c_ended_was_alive_until_then(
    ended_by: str, status: int, before_ns: int, alive: bool
) -> None:
    ended_ns = START_NS + MINUTE_NS - before_ns
    ended = run(ended_by=ended_by, exit_status=status, ended_ns=ended_ns)
    assert (ended.alive_at_end, ended.succeeded, ended.failed) == (alive, alive, not alive)
