"""A sandbox says nothing of its own, shows all that is sent, and knows what it cannot be."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.model.destination import Absent
from egress_audit.model.run import Role, Rung
from egress_audit.record.init import Job
from egress_audit.record.sandbox import Sandbox, start
from egress_audit.record.setup import Setup
from tests.builders.bundle_capture import Losses
from tests.builders.namespaces import in_child
from tests.builders.programs import EVERY_KIND, JOINS_GROUPS, OVER_LOOPBACK, RAW, python
from tests.builders.recorded_runs import Way, both_rungs, every_way, needs_namespaces, recorded

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]

Result = TypeVar("Result")

CAP_NET_RAW = 1 << 13
HTTP, HTTP6 = ("203.0.113.5", 80), ("2001:db8::5", 8080)
UDP_SENT = {
    ("203.0.113.6", 5000, b"four"),
    ("2001:db8::6", 5000, b"six"),
    ("239.1.2.3", 5001, b"many"),
    ("ff0e::1", 5001, b"many"),
    ("255.255.255.255", 5002, b"all"),
}


@every_way
def test_a_program_that_sends_nothing_shows_no_packet(way: Way) -> None:
    seen = recorded(("true",), way)
    assert seen.bundle.complete
    assert seen.run.rung is way.rung
    assert not seen.out
    assert [frame.number for frame in seen.frames] == [probe.frame for probe in seen.run.probes]


@every_way
def test_a_silent_while_shows_no_packet_of_the_kernel_either(way: Way) -> None:
    assert not recorded(("sleep", "0.5"), way).out


@every_way
def test_both_interfaces_say_how_much_they_lost(way: Way) -> None:
    seen = recorded(("true",), way)
    assert seen.losses == {"eg0": Losses(8, 0), "lo": Losses(0, 0)}
    assert seen.bundle.account.received == {"eg0": 8, "lo": 0}
    assert seen.run.drops == {"eg0": 0, "lo": 0}


@every_way
def test_datagrams_of_every_kind_show_exactly_what_was_sent(way: Way) -> None:
    sent = [frame for frame in recorded(python(EVERY_KIND), way).out if frame.proto == 17]
    assert len(sent) == len(UDP_SENT)
    assert {(frame.target, frame.ports[1], frame.payload) for frame in sent} == UDP_SENT


@every_way
def test_tcp_over_both_versions_shows_every_segment(way: Way) -> None:
    seen = recorded(python(EVERY_KIND), way)
    opened = [(frame.target, frame.ports[1]) for frame in seen.out if frame.opens]
    assert opened == [HTTP, HTTP6]
    asked = [frame.payload for frame in seen.out if frame.proto == 6 and frame.payload]
    assert asked == [
        b"GET / HTTP/1.0\r\nHost: a.example\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ]


@every_way
def test_an_ordinary_program_may_ping_and_is_answered(way: Way) -> None:
    seen = recorded(python(EVERY_KIND), way)
    echoes = [(frame.proto, frame.target) for frame in seen.out if frame.proto in (1, 58)]
    assert echoes == [(1, "203.0.113.7"), (58, "2001:db8::7")]
    assert (seen.told["pong"], seen.told["pong6"]) == ("ping", "ping")


@every_way
def test_every_packet_of_a_program_has_its_process(way: Way) -> None:
    seen = recorded(python(EVERY_KIND), way)
    assert {frame.pid for frame in seen.out} == {seen.program.pid}
    assert seen.run.unattributed == 0
    assert not len(seen.bundle.account.unattributed)


@every_way
def test_raw_and_injected_packets_show_exactly_what_was_sent(way: Way) -> None:
    seen = recorded(python(RAW), way, keep_capabilities=CAP_NET_RAW)
    assert set(seen.told.values()) == {"done"}
    assert [(frame.target, frame.transport) for frame in seen.out] == [
        ("203.0.113.8", b"raw"),
        ("203.0.113.9", b"own"),
        ("2001:db8::8", b"raw"),
        ("203.0.113.10", b"injected"),
    ]
    assert {frame.pid for frame in seen.out} == {seen.program.pid}


@every_way
def test_an_ordinary_program_is_refused_raw_sockets_and_the_attempt_is_kept(way: Way) -> None:
    seen = recorded(python(RAW), way)
    assert set(seen.told.values()) == {"EPERM"}
    assert not seen.out
    kinds = {(attempt.family, attempt.type) for attempt in seen.attempts("socket")}
    assert kinds == {("AF_INET", "raw"), ("AF_INET6", "raw"), ("AF_PACKET", "dgram")}
    assert {attempt.denied for attempt in seen.attempts("socket")} == {"EPERM"}


@every_way
def test_what_stays_on_loopback_is_seen_there_and_nowhere_else(way: Way) -> None:
    seen = recorded(python(OVER_LOOPBACK), way)
    inner = [frame for frame in seen.frames if frame.interface == "lo"]
    assert not seen.out
    assert {frame.target for frame in inner} == {"127.0.0.1", "::1"}
    assert [frame.payload for frame in inner if frame.payload] == [b"hello", b"hello"]
    assert len(inner) == seen.losses["lo"].received
    assert {frame.pid for frame in inner} == {seen.program.pid}


@both_rungs
def test_group_reports_of_the_kernel_are_on_behalf_of_who_joined(way: Way) -> None:
    seen = recorded(python(JOINS_GROUPS), way)
    assert seen.out
    assert {frame.proto for frame in seen.out} == {2}
    assert {frame.pid for frame in seen.out} == {seen.program.pid}
    account = seen.bundle.account
    hows = {
        int(frame): int(how)
        for frame, how in zip(account.owners.frame, account.owners.how, strict=True)
    }
    assert hows[seen.out[0].number] == 1


@both_rungs
def test_the_group_that_was_joined_is_in_the_record(way: Way) -> None:
    (attempt,) = recorded(python(JOINS_GROUPS), way).attempts("setsockopt")
    assert (attempt.address, attempt.denied) == ("239.7.7.7", Absent.NOT_APPLICABLE)
    assert not attempt.wants_out


def ended_with(kill: str) -> tuple[bool, bool]:
    """Whether builder and init are gone, two seconds after one of them was killed."""

    def function() -> tuple[bool, bool]:
        sandbox = start(Setup((Rung.VETH,), {"wait": Job(Role.TARGET, ("sleep", "60"))}))
        try:
            os.kill(sandbox.builder if kill == "builder" else sandbox.init, signal.SIGKILL)
            os.waitpid(sandbox.builder, 0)
            deadline = time.monotonic() + 2
            while Path(f"/proc/{sandbox.init}").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            return (
                not Path(f"/proc/{sandbox.builder}").exists(),
                not Path(f"/proc/{sandbox.init}").exists(),
            )
        finally:
            sandbox.close()

    return in_child(function, as_nobody=True)


def with_init_killed(then: Callable[[Sandbox], Result]) -> Result:
    """What `then` returns of a sandbox whose first process was killed from outside."""

    def function() -> Result:
        sandbox = start(Setup((Rung.VETH,), {"wait": Job(Role.TARGET, ("sleep", "60"))}))
        try:
            assert sandbox.dropped() == 0
            os.kill(sandbox.init, signal.SIGKILL)
            sandbox.wait_for_end()
            return then(sandbox)
        finally:
            sandbox.close()

    return in_child(function, as_nobody=True)


def test_what_was_lost_is_not_known_once_nobody_is_left_to_ask() -> None:
    assert with_init_killed(lambda sandbox: sandbox.dropped()) is None


def test_an_order_to_nobody_is_no_error_and_is_answered_by_an_end() -> None:
    def ordered(sandbox: Sandbox) -> tuple[dict[str, object], int] | None:
        sandbox.order(start="wait")
        sandbox.order(quit=True)
        return sandbox.told()

    assert with_init_killed(ordered) == ({}, 0)


def test_devices_that_went_with_their_namespace_have_nothing_to_read() -> None:
    def read(sandbox: Sandbox) -> tuple[int, int]:
        time.sleep(0.5)  # The kernel takes the namespace apart in its own time.
        return len(list(sandbox.wire.frames())), len(sandbox.loopback.read())

    assert with_init_killed(read) == (0, 0)


@pytest.mark.parametrize("victim", ["builder", "init"])
def test_neither_of_the_two_first_processes_outlives_the_other(victim: str) -> None:
    assert ended_with(victim) == (True, True)
