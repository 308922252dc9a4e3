"""Which attempts are the program's, what they were about, and who served at a port."""

from ipaddress import ip_address

import pytest

from egress_audit.judge.attempts import (
    address_of,
    addresses_tried,
    attempts_of_program,
    names_of,
    packetless_attempts,
    served_ports,
    unplaced_attempts,
    unseen_attempts,
)
from egress_audit.model.audit import Direction
from egress_audit.model.destination import Absent
from tests.builders.cases import OUTSIDE, case, claim, contact, question, rest
from tests.builders.endpoints import entry, known
from tests.builders.runs import EXERCISER, PROBER, RESOLVER, attempt, owner, process, run


def test_a_plain_capture_has_no_attempts() -> None:
    assert list(attempts_of_program(Absent.NOT_APPLICABLE)) == []
    assert list(unseen_attempts(case())) == []
    assert served_ports(case()) == set()


def test_those_of_recorder_exerciser_and_probe_are_not_the_programs() -> None:
    tried = tuple(attempt(process=number) for number in (1, 2, EXERCISER, PROBER))
    (found,) = attempts_of_program(run(attempts=tried))
    assert found.process == 2


def test_an_ipv4_mapped_address_is_the_ipv4_one() -> None:
    assert address_of(attempt("::ffff:192.0.2.1")) == ip_address("192.0.2.1")


def test_a_path_and_raw_bytes_are_no_address() -> None:
    assert address_of(attempt("/run/x")) is None
    assert address_of(attempt("02001f")) is None
    assert address_of(attempt(Absent.NOT_APPLICABLE)) is None


def test_an_address_has_the_name_it_was_invented_for_and_those_of_answers() -> None:
    there = case(
        question("b.example", "198.18.0.7"), run=run(synthetic={"198.18.0.7": "a.example"})
    )
    assert names_of(there, ip_address("198.18.0.7")) == ("a.example", "b.example")


def test_a_bind_to_an_address_of_somebody_else_serves_nobody() -> None:
    failed = attempt("8.8.8.8", call="bind", port=3128)
    assert served_ports(case(run=run(attempts=(failed,)))) == set()


def test_a_port_bound_in_another_network_is_served_to_nobody_of_this_one() -> None:
    bound = attempt("127.0.0.1", call="bind", port=8080, outcome="elsewhere")
    assert served_ports(case(run=run(attempts=(bound,)))) == set()


def test_a_port_is_served_by_whoever_binds_it_in_its_protocol() -> None:
    bound = attempt("0.0.0.0", call="bind", port=53, type="dgram", process=EXERCISER)
    heard = attempt("::", call="listen", port=8080)
    assert served_ports(case(run=run(attempts=(bound, heard)))) == {(53, 17), (8080, 6)}


EVERYWHERE = claim(everything=True)


def test_what_a_claim_allows_can_be_without_a_packet_too() -> None:
    judged = case(claim=EVERYWHERE, run=run(attempts=(attempt(OUTSIDE), attempt("127.0.0.1"))))
    assert list(unseen_attempts(judged)) == []
    assert [str(address) for _, address in packetless_attempts(judged)] == [OUTSIDE]


def test_one_with_a_packet_has_one() -> None:
    judged = case(contact(OUTSIDE), claim=EVERYWHERE, run=run(attempts=(attempt(OUTSIDE),)))
    assert list(packetless_attempts(judged)) == []


def test_where_far_ends_are_summed_nobody_knows_which_have_none() -> None:
    tried = run(attempts=(attempt(OUTSIDE),))
    assert list(packetless_attempts(case(rest(global_=1), claim=EVERYWHERE, run=tried))) == []
    inbound = case(rest(Direction.INBOUND, global_=1), claim=EVERYWHERE, run=tried)
    assert len(list(packetless_attempts(inbound))) == 1


def test_of_a_raw_socket_any_packet_to_the_address_is_its_own() -> None:
    ping = contact(OUTSIDE, proto=1, far_p=8)
    for kind, without in (("raw", 0), ("stream", 1)):
        tried = run(attempts=(attempt(OUTSIDE, call="sendto", type=kind, port=1),))
        judged = case(ping, claim=EVERYWHERE, run=tried)
        assert len(list(packetless_attempts(judged))) == without


def test_a_resolver_is_excused_at_its_own_port_alone() -> None:
    tried = run(attempts=tuple(attempt(RESOLVER, port=port) for port in (53, 853)))
    judged = case(claim=claim(hosts=("a.example",)), run=tried)
    assert [attempt.port for attempt, _ in unseen_attempts(judged)] == [853]


def test_no_name_allows_to_try_a_metadata_service() -> None:
    tried = run(attempts=(attempt(OUTSIDE), attempt("169.254.169.254")))
    asked = question("a.example", OUTSIDE, "169.254.169.254")
    judged = case(asked, claim=claim(hosts=("a.example",)), run=tried)
    assert [str(address) for _, address in unseen_attempts(judged)] == ["169.254.169.254"]


def test_a_contact_at_another_port_says_where_the_address_is() -> None:
    tried = run(attempts=(attempt(OUTSIDE, port=8443),))
    judged = case(contact(OUTSIDE), claim=EVERYWHERE, run=tried)
    assert [attempt.port for attempt, _ in packetless_attempts(judged)] == [8443]
    assert list(unplaced_attempts(judged)) == []


def test_our_resolver_and_what_we_invented_have_no_place() -> None:
    tried = run(attempts=(attempt(RESOLVER), attempt(OUTSIDE)), synthetic={OUTSIDE: "a.example"})
    assert list(unplaced_attempts(case(claim=EVERYWHERE, run=tried))) == []


def test_the_addresses_that_were_tried_are_those_of_calls_that_wanted_out() -> None:
    route = attempt("192.0.2.1", type="dgram")
    noted = run(attempts=(attempt(OUTSIDE), attempt("::ffff:192.0.2.9"), attempt("/run/x"), route))
    assert addresses_tried(noted) == {OUTSIDE, "192.0.2.9"}
    assert addresses_tried(Absent.NOT_APPLICABLE) == set()


NEWS = entry("acme-news", "update-check", processes=("acmed",))
UPDATES = claim(endpoints=("purpose:update-check",))


@pytest.mark.parametrize(
    ("asker", "exe", "forbidden"),
    [
        ("/opt/acmed", "/opt/acmed", []),
        ("/opt/acmed", "/usr/bin/curl", [OUTSIDE]),
        ("/opt/acmed", "/usr/bin/python3", [OUTSIDE]),
        ("/usr/bin/python3", "/usr/bin/python3", []),
        ("/usr/bin/python3", "/opt/acmed", []),
    ],
)
def test_who_tried_is_asked_where_a_use_is_granted(
    asker: str, exe: str, forbidden: list[str]
) -> None:
    host = "news.acme.example"
    asked = question(host, OUTSIDE, **known(host, NEWS), owner=owner(exe=asker))
    tried = run(attempts=(attempt(OUTSIDE),), processes=(process(exe=exe),))
    judged = case(asked, claim=UPDATES, entries=(NEWS,), run=tried)
    assert [str(address) for _, address in unseen_attempts(judged)] == forbidden
