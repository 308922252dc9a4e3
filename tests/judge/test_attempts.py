"""Which attempts are the program's, what they were about, and who served at a port."""

from ipaddress import ip_address

from egress_audit.judge.attempts import (
    address_of,
    attempts_of_program,
    names_of,
    served_ports,
    unseen_attempts,
)
from egress_audit.model.destination import Absent
from tests.builders.cases import case, question
from tests.builders.runs import EXERCISER, PROBER, attempt, run


def test_a_plain_capture_has_no_attempts() -> None:
    assert list(attempts_of_program(case())) == []
    assert list(unseen_attempts(case())) == []
    assert served_ports(case()) == set()


def test_those_of_recorder_exerciser_and_probe_are_not_the_programs() -> None:
    tried = tuple(attempt(process=number) for number in (1, 2, EXERCISER, PROBER))
    (found,) = attempts_of_program(case(run=run(attempts=tried)))
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
    assert names_of(there, ip_address("198.18.0.7")) == ["a.example", "b.example"]


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
