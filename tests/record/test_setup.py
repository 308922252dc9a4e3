"""What a sandbox is unless something else is asked for, and what may keep it from being made."""

import json
import os
import socket
from ipaddress import ip_address

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Rung
from egress_audit.record.publish import SERVERS
from egress_audit.record.setup import (
    ADDRESS4,
    ADDRESS6,
    HOSTNAME,
    RESOLVER4,
    RESOLVER6,
    Mounted,
    NoDevice,
    NoFilter,
    NoNamespaces,
    Setup,
    confess,
    leave,
)
from egress_audit.record.tun import TUN_NODE

PLAIN = Setup((Rung.TUN,), {})


def test_a_sandbox_has_no_real_network_and_no_capability_unless_asked_for() -> None:
    assert not PLAIN.is_open
    assert PLAIN.keep == 0


def test_a_sandbox_has_both_versions_and_the_usual_device_unless_told_otherwise() -> None:
    assert PLAIN.ipv6
    assert PLAIN.tun_node == TUN_NODE


def test_without_mounts_of_its_own_the_file_system_stays_as_it_is() -> None:
    assert PLAIN.mounts() == Mounted({}, ())
    assert PLAIN.on_host() == {}
    assert PLAIN.as_root is None


def test_the_smallest_packet_that_ipv6_demands_fits() -> None:
    assert PLAIN.mtu >= 1280


@pytest.mark.parametrize("address", [ADDRESS4, ADDRESS6, RESOLVER4, RESOLVER6])
def test_an_address_of_the_sandbox_is_no_address_of_the_internet(address: str) -> None:
    assert ip_address(address).is_private
    assert not ip_address(address).is_loopback


def test_the_sandbox_is_not_its_own_resolver() -> None:
    assert not {ADDRESS4, ADDRESS6} & {RESOLVER4, RESOLVER6}


def test_a_server_on_the_sandboxs_own_address_can_be_published() -> None:
    assert ADDRESS4 in SERVERS


def test_the_name_of_the_sandbox_says_nothing_of_a_host() -> None:
    assert HOSTNAME.isalpha()


@pytest.mark.parametrize("kind", [NoNamespaces, NoDevice, NoFilter])
def test_each_hindrance_is_a_bad_input_with_a_remedy_and_can_be_told_from_the_others(
    kind: type[EgressAuditError],
) -> None:
    others = {NoNamespaces, NoDevice, NoFilter} - {kind}
    error = kind("what", where="where", hint="remedy")
    assert isinstance(error, EgressAuditError)
    assert not isinstance(error, tuple(others))
    assert (error.where, error.hint) == ("where", "remedy")


def told_by(error: EgressAuditError | OSError, kind: type[EgressAuditError]) -> object:
    """What the recorder reads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        confess(theirs, error, kind)
        return json.loads(ours.recv(4096))


@pytest.mark.opens_sockets
def test_the_recorder_is_told_the_kind_of_a_hindrance_with_its_words() -> None:
    error = NoDevice("no tun", where="/dev/net/tun", hint="load it")
    words = {"what": "no tun", "where": "/dev/net/tun", "hint": "load it"}
    assert told_by(error, EgressAuditError) == {"failed": "NoDevice", **words}


@pytest.mark.opens_sockets
@pytest.mark.parametrize("kind", [EgressAuditError, NoNamespaces])
def test_what_the_system_refused_is_told_as_the_kind_it_is_there(
    kind: type[EgressAuditError],
) -> None:
    error = PermissionError(1, "Operation not permitted", "unshare")
    words = {"what": "Operation not permitted", "where": "unshare", "hint": ""}
    assert told_by(error, kind) == {"failed": kind.__name__, **words}


@pytest.mark.opens_sockets
def test_where_nobody_listens_any_more_nothing_is_raised() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.close()
        confess(theirs, NoDevice("no tun"))


def left_with(error: Exception | None, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Status and last words of a process that leaves while this is raised, or nothing."""
    pid = os.fork()
    if pid == 0:
        try:
            if error is not None:
                raise error
        finally:
            leave(3)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), capfd.readouterr().err


def test_a_bug_is_shown_by_the_process_that_it_ends(capfd: pytest.CaptureFixture[str]) -> None:
    status, said = left_with(TypeError("a bug"), capfd)
    assert status == 3
    assert said.rstrip().endswith("TypeError: a bug")


def test_a_process_without_a_bug_leaves_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    assert left_with(None, capfd) == (3, "")
