"""A stranger who calls the machine, and one whom somebody on the machine invented."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from egress_audit.api import audit_capture
from egress_audit.audit import Asserted
from egress_audit.model.audit import Audit, Verdict
from tests.builders.captures import START_NS, UDP, Frame, ip, pcap, sll2, udp

US, STRANGER = "10.0.0.2", "192.0.2.9"
SLL2, PACKET_TYPE = 276, 10
INCOMING, OUTGOING, LOOPBACK, WIRE = 0, 4, 772, 1
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
