"""What was tried without a packet: each line of the table that leaves it open, and its twin."""

from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.spots_of_attempts import SPOTS_OF_ATTEMPTS
from egress_audit.model.audit import Direction, Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import Run
from tests.builders.cases import ALL, case, concluded, contact, near, spots
from tests.builders.runs import EXERCISER, OWN, attempt, run, setting

NOTHING = Absent.NOT_APPLICABLE


def local(port: int = 7890, **changes: Any) -> Observation:
    """A connection of the program to a port of its own machine, which was refused."""
    plain: dict[str, Any] = {
        "direction": Direction.INTERNAL,
        "far_p": port,
        "conn_states": {"REJ": 1},
        "pkts_in": 1,
        "destination": near(Scope.LOOPBACK),
    }
    return contact("127.0.0.1", **(plain | changes))


def unix(path: str, outcome: str | Absent) -> Run:
    """A connect to a unix socket of which this became known."""
    return run(
        attempts=(attempt(path, family="AF_UNIX", port=NOTHING, outcome=outcome),),
    )


def socket(family: str, kind: str = "stream", denied: str | Absent = "EAFNOSUPPORT") -> Run:
    """A socket that was asked for."""
    made = attempt(NOTHING, call="socket", family=family, type=kind, port=NOTHING, denied=denied)
    return run(attempts=(made,))


def call(name: str, **changes: Any) -> Run:
    """A call that is about no address."""
    made = attempt(NOTHING, call=name, family="", type="", port=NOTHING)
    return run(attempts=(type(made)(**({f: getattr(made, f) for f in made.__slots__} | changes)),))


def bound(port: int, kind: str = "stream") -> Any:
    return attempt("127.0.0.1", call="bind", type=kind, port=port)


PRESENT: dict[str, tuple[Run, tuple[Observation, ...]]] = {
    "local-service-absent": (run(), (local(),)),
    "host-socket-reached": (unix("/run/docker.sock", "reached"), ()),
    "host-sockets-reachable": (run(reachable_sockets=("/run/x.sock",)), ()),
    "family-denied": (socket("AF_VSOCK"), ()),
    "io-uring-denied": (call("io_uring_setup", denied="ENOSYS"), ()),
    "listener-denied": (call("seccomp", denied="EBUSY"), ()),
    "setuid-ignored": (call("execve", address="/usr/bin/sudo", outcome="setuid"), ()),
    "time-of-check": (run(attempts=(attempt("127.0.0.1", outcome="time-of-check"),)), ()),
    "network-elsewhere": (run(attempts=(attempt("127.0.0.1", outcome="elsewhere"),)), ()),
    "addresses-unread": (run(attempts=(attempt("0200ff"),)), ()),
    "attempts-dropped": (run(attempts_dropped=7), ()),
}
TWINS: dict[str, tuple[Run, tuple[Observation, ...]]] = {
    "local-service-absent": (run(attempts=(bound(7890),)), (local(),)),
    "host-socket-reached": (unix("/var/run/nscd/socket", "absent"), ()),
    "host-sockets-reachable": (run(), ()),
    "family-denied": (socket("AF_INET", denied=NOTHING), ()),
    "io-uring-denied": (call("io_uring_setup", denied="ENOSYS", outcome="fell-back"), ()),
    "listener-denied": (call("seccomp"), ()),
    "setuid-ignored": (call("execve", address="/usr/bin/env"), ()),
    "time-of-check": (run(attempts=(attempt("127.0.0.1"),)), ()),
    "network-elsewhere": (
        run(attempts=(attempt("127.0.0.1", call="bind", outcome="elsewhere"),)),
        (),
    ),
    "addresses-unread": (run(attempts=(attempt(NOTHING, call="sendmsg"),)), ()),
    "attempts-dropped": (run(attempts_dropped=0), ()),
}
LISTED = {"host-sockets-reachable"}


@pytest.mark.parametrize("spot", SPOTS_OF_ATTEMPTS, ids=lambda spot: spot.id)
def test_it_is_there(spot: Any) -> None:
    recorded, rows = PRESENT[spot.id]
    found = spots(case(*rows, run=recorded))[spot.id]
    assert found.material is (spot.id not in LISTED)
    assert "{" not in found.message


@pytest.mark.parametrize("spot", SPOTS_OF_ATTEMPTS, ids=lambda spot: spot.id)
def test_its_twin_is_not(spot: Any) -> None:
    recorded, rows = TWINS[spot.id]
    judged = case(*rows, run=recorded)
    assert spot.id not in spots(judged)
    assert concluded(judged).value == "HOLDS"


@pytest.mark.parametrize(
    "spot_id", [spot.id for spot in SPOTS_OF_ATTEMPTS if spot.id not in LISTED]
)
def test_no_assertion_lifts_it(spot_id: str) -> None:
    recorded, rows = PRESENT[spot_id]
    judged = case(*rows, run=recorded, asserted=ALL)
    assert concluded(judged).value == "INCONCLUSIVE"


@pytest.mark.parametrize("spot", SPOTS_OF_ATTEMPTS, ids=lambda spot: spot.id)
def test_a_plain_capture_never_has_it(spot: Any) -> None:
    _, rows = PRESENT[spot.id]
    assert spot.id not in spots(case(*rows))


# A local proxy or resolver that is not there


def test_the_port_and_the_variable_that_names_it_are_told() -> None:
    proxy = setting("HTTPS_PROXY", "http://127.0.0.1:7890")
    found = spots(case(local(), run=run(endpoints=(proxy,))))["local-service-absent"]
    assert "127.0.0.1:7890, named by HTTPS_PROXY" in found.message


def test_a_variable_with_a_longer_port_is_not_meant() -> None:
    proxy = setting("HTTPS_PROXY", "http://127.0.0.1:78901")
    found = spots(case(local(), run=run(endpoints=(proxy,))))["local-service-absent"]
    assert "HTTPS_PROXY" not in found.message


def test_a_port_that_answered_another_time_is_there() -> None:
    tried_again = local(conn_states={"REJ": 5, "SF": 1}, flows=6)
    assert "local-service-absent" not in spots(case(tried_again, run=run()))


def test_a_datagram_socket_at_the_port_serves_no_connection() -> None:
    judged = case(local(), run=run(attempts=(bound(7890, "dgram"),)))
    assert "local-service-absent" in spots(judged)


def test_a_datagram_to_a_closed_port_asks_nobody() -> None:
    sent = local(8125, proto=17, conn_states={"S0": 1}, pkts_in=0)
    assert concluded(case(sent, run=run())).value == "HOLDS"


@pytest.mark.parametrize("port", [53, 853])
def test_a_datagram_to_a_resolver_that_is_not_there_leaves_it_open(port: int) -> None:
    sent = local(port, proto=17, conn_states={"S0": 1}, pkts_in=0)
    found = spots(case(sent, run=run()))["local-service-absent"]
    assert f"127.0.0.1:{port}/udp" in found.message


def test_what_the_file_alone_could_say_is_not_said_twice() -> None:
    assert "local-service-missing" not in spots(case(local(), run=run()))
    assert "local-service-missing" in spots(case(local()))


# Other ways


@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_BLUETOOTH", "AF_PACKET", "AF_ALG", "AF_TIPC"])
def test_a_refused_family_is_named(family: str) -> None:
    found = spots(case(run=socket(family)))["family-denied"]
    assert found.material and family in found.message


def test_a_raw_socket_that_was_refused_is_named() -> None:
    found = spots(case(run=socket("AF_INET", "raw", "EPERM")))["family-denied"]
    assert "AF_INET raw" in found.message


def test_a_raw_socket_that_was_let_through_shows_in_its_packets() -> None:
    assert "family-denied" not in spots(case(run=socket("AF_PACKET", "raw", NOTHING)))


def test_a_family_that_was_let_through_and_is_not_recorded_leaves_it_open() -> None:
    assert "family-denied" in spots(case(run=socket("AF_VSOCK", denied=NOTHING)))


def test_asking_the_kernel_for_its_routes_is_ordinary() -> None:
    assert "family-denied" not in spots(case(run=socket("AF_NETLINK", "raw", NOTHING)))


def test_the_socket_that_was_reached_is_named() -> None:
    recorded, _ = PRESENT["host-socket-reached"]
    assert "/run/docker.sock" in spots(case(run=recorded))["host-socket-reached"].message


def test_what_our_exerciser_tried_does_not_count() -> None:
    made = attempt("/run/docker.sock", family="AF_UNIX", outcome="reached", process=EXERCISER)
    assert concluded(case(run=run(attempts=(made,)))).value == "HOLDS"


def test_a_process_that_the_record_does_not_know_is_held_to_be_the_programs() -> None:
    made = attempt("/run/docker.sock", family="AF_UNIX", outcome="reached", process=99)
    assert concluded(case(run=run(attempts=(made,)))).value == "INCONCLUSIVE"


def test_a_connection_to_the_sandbox_itself_has_no_effect() -> None:
    assert concluded(case(run=run(attempts=(attempt(OWN),)))).value == "HOLDS"


@pytest.mark.parametrize(("denied", "there"), [("EFAULT", True), ("EPERM", False)])
def test_a_call_that_the_recorder_could_not_read_is_one_whatever_it_is(
    denied: str, there: bool
) -> None:
    judged = case(run=run(attempts=(attempt(NOTHING, call="openat", family="", denied=denied),)))
    assert ("addresses-unread" in spots(judged)) is there


@pytest.mark.parametrize("family", ["foreign ABI", "kernel keys"])
def test_what_no_capture_shows_counts_with_sockets_that_lead_past_it(family: str) -> None:
    assert "family-denied" in spots(case(run=socket(family, denied="ENOSYS")))


def test_who_serves_at_one_loopback_address_is_there_for_the_other_too() -> None:
    refused = contact("::1", far_p=8080, conn_states={"REJ": 1})
    served = contact("127.0.0.1", far_p=8080, conn_states={"SF": 1})
    assert "local-service-absent" in spots(case(refused, run=run()))
    assert "local-service-absent" not in spots(case(refused, served, run=run()))
