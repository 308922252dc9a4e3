"""A stranger who calls the machine, and one whom somebody on the machine invented."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.audit import Asserted
from egress_audit.model.audit import Audit, Verdict
from tests.builders.captures import START_NS, TCP, UDP, Frame, ip, pcap, sll2, tcp, udp

US, STRANGER, CONTAINER = "10.0.0.2", "192.0.2.9", "172.17.0.2"
SLL2, PACKET_TYPE = 276, 10
INCOMING, TO_MANY, PASSING, OUTGOING, LOOPBACK, WIRE = 0, 1, 3, 4, 772, 1
CALL = ip(STRANGER, US, udp(5000, 6000, b"?"), UDP)
ANSWER = ip(US, STRANGER, udp(6000, 5000, b"secret"), UDP)


def cooked(packet: bytes, sort: int, device: int = WIRE) -> bytes:
    frame = bytearray(sll2(packet, device=device))
    frame[PACKET_TYPE] = sort
    return bytes(frame)


def judged(folder: Path, *frames: bytes, local: tuple[str, ...] = (US,)) -> Audit:
    path = folder / "any.pcap"
    path.write_bytes(pcap([Frame(START_NS + n, data) for n, data in enumerate(frames)], SLL2))
    given = [ip_network(text) for text in local]
    return audit_capture(str(path), local=given, asserted=Asserted(("all",))).audit


@pytest.mark.parametrize(("sort", "device"), [(OUTGOING, WIRE), (INCOMING, LOOPBACK)])
def test_what_answers_a_caller_whom_this_machine_made_up_does_not_hold(
    tmp_path: Path, sort: int, device: int
) -> None:
    audit = judged(tmp_path, cooked(CALL, sort, device), cooked(ANSWER, OUTGOING))
    assert audit.verdict is Verdict.INCONCLUSIVE
    material = [spot.id for spot in audit.blind_spots if spot.material and not spot.lifted]
    assert material == ["foreign-flows"]


def test_what_answers_a_stranger_is_listed(tmp_path: Path) -> None:
    audit = judged(tmp_path, cooked(CALL, INCOMING), cooked(ANSWER, OUTGOING))
    assert audit.verdict is Verdict.HOLDS


def test_a_call_between_addresses_of_ours_is_nobody_elses(tmp_path: Path) -> None:
    local = (US, "10.0.0.3")
    call = ip("10.0.0.3", US, udp(5000, 6000, b"?"), UDP)
    assert (
        judged(tmp_path, cooked(call, INCOMING, LOOPBACK), local=local).coverage.foreign_flows == 0
    )


@pytest.mark.parametrize("sort", [INCOMING, PASSING])
def test_a_call_that_a_router_passes_on_is_a_strangers(tmp_path: Path, sort: int) -> None:
    audit = judged(tmp_path, cooked(CALL, sort), cooked(CALL, OUTGOING), cooked(ANSWER, OUTGOING))
    assert (audit.verdict, audit.coverage.foreign_flows) == (Verdict.HOLDS, 0)


def test_a_call_that_left_before_it_came_is_not(tmp_path: Path) -> None:
    calls = cooked(CALL, OUTGOING), cooked(CALL, INCOMING)
    assert judged(tmp_path, *calls, cooked(ANSWER, OUTGOING)).verdict is Verdict.INCONCLUSIVE


def test_a_call_to_a_port_that_leads_into_a_container_is_a_strangers(tmp_path: Path) -> None:
    def call(to: str, sort: int) -> bytes:
        return cooked(ip(STRANGER, to, tcp(5000, 80, "S", 1), TCP), sort)

    def answer(by: str, sort: int) -> bytes:
        return cooked(ip(by, STRANGER, tcp(80, 5000, "SA", 9, 2), TCP), sort)

    calls = call(US, INCOMING), call(CONTAINER, OUTGOING), call(CONTAINER, OUTGOING)
    answers = answer(CONTAINER, PASSING), answer(CONTAINER, INCOMING), answer(US, OUTGOING)
    audit = judged(tmp_path, *calls, *answers, local=(US, CONTAINER))
    assert (audit.verdict, audit.coverage.foreign_flows) == (Verdict.HOLDS, 0)


def test_what_a_stranger_said_from_another_port_excuses_no_call_of_his(tmp_path: Path) -> None:
    other = ip(STRANGER, US, udp(5001, 6000, b"?"), UDP)
    frames = cooked(other, INCOMING), cooked(CALL, OUTGOING), cooked(ANSWER, OUTGOING)
    assert judged(tmp_path, *frames).verdict is Verdict.INCONCLUSIVE


def test_what_a_neighbour_said_to_all_excuses_no_call_of_his(tmp_path: Path) -> None:
    to_all = ip(STRANGER, "10.0.0.255", udp(5000, 6000, b"?"), UDP)
    passed_on = cooked(to_all, TO_MANY), cooked(to_all, OUTGOING)
    for sort, foreign in ((INCOMING, 0), (OUTGOING, 2)):
        audit = judged(tmp_path, *passed_on, cooked(CALL, sort), local=("10.0.0.0/24",))
        assert audit.coverage.foreign_flows == foreign
